import Settings

/// Places of the configuration and their values in words.
enum SettingText {
    /// `Threads`, `Domain example.jp`: what people call the place `path`.
    static func name(of path: String, _ say: any Localizer) -> String {
        say(phrase(of: path))
    }

    static func phrase(of path: String) -> Phrase {
        if let name = DomainRecord.name(ofPath: path) { return .verbatim(name) }
        if let revision = RevertRecord.revision(ofPath: path) { return .text("review.revert", String(revision)) }
        if path.hasPrefix("account/") { return .verbatim(String(path.dropFirst("account/".count))) }
        if path == "alias" { return .text("page.alias") }
        if path.hasPrefix("alias/") { return .verbatim(Visible.line(String(path.dropFirst("alias/".count)))) }
        if path.hasPrefix("file/") {
            // `file/ACCOUNT/NAME`
            let parts = path.split(separator: "/", maxSplits: 2).dropFirst().reversed()
            return .verbatim(Visible.line(parts.joined(separator: " ")))
        }
        if path.hasPrefix("table/") { return .verbatim(String(path.dropFirst("table/".count)) + ".dat") }
        if let definition = SettingsCatalogue.definition(of: path) { return Phrase(definition.labelKey) }
        return .verbatim(Visible.line(path))
    }

    /// A value in one line; `nil` = the place does not exist.
    static func value(_ path: String, _ values: Values, _ say: any Localizer) -> String {
        guard let values else { return "-" }
        if TableRecord.name(ofPath: path) != nil { return say(.text("table.lines", String(values.count))) }
        if DomainRecord.name(ofPath: path) != nil, let record = DomainRecord(values: values) {
            return [record.addresses, record.folder, record.maxAccounts == "0" ? "" : record.maxAccounts]
                .filter { !$0.isEmpty }.joined(separator: " ")
        }
        guard let definition = SettingsCatalogue.definition(of: path) else {
            return Visible.line(values.joined(separator: ", "))
        }
        switch definition.type {
        case .boolean: return say(Phrase(values == ["true"] ? "word.on" : "word.off"))
        case .secret, .sealed: return values.isEmpty || values == [""] ? say("word.none") : "********"
        case .choice: return values.first.map { say(choice(path, $0)) } ?? ""
        default: return values.isEmpty ? say("word.none") : Visible.line(values.joined(separator: ", "))
        }
    }

    /// The name of one value of a choice; values without a name of their own stand as they are.
    static func choice(_ key: String, _ value: String) -> Phrase {
        if key == "receiver.listen_mode" { return Phrase("value.listen.\(value)") }
        return Phrase(code: "value.\(value)", english: value)
    }

    /// 0 = at once, 1 = new sessions, 2 = after a restart.
    static func effect(of path: String) -> Int {
        switch SettingsCatalogue.definition(of: path)?.effect {
        case .now?, nil: return 0
        case .newSessions?: return 1
        case .restartReceiver?, .restartDelivery?, .restartServices?: return 2
        }
    }
}
