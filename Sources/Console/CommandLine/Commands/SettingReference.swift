import Settings

/// The reference of all settings, from the catalogue itself.
enum SettingReference {
    static func markdown(_ session: Session, prefix: String?) -> String {
        var text = ""
        var group = ""
        for setting in SettingsCatalogue.all where setting.key.hasPrefix(prefix ?? "") {
            let first = String(setting.key.prefix(while: { $0 != "." }))
            if first != group {
                group = first
                text +=
                    "\(text.isEmpty ? "" : "\n")## \(group)\n\n| Key | Values | Default | Takes effect | Meaning | Source |\n"
                text += "|---|---|---|---|---|---|\n"
            }
            let label = session.catalogueText(setting.labelKey) ?? ""
            let help = session.catalogueText(setting.helpKey) ?? ""
            let meaning = [label, help].filter { !$0.isEmpty }.joined(separator: ". ")
            let cells = [
                "`\(setting.key)`", values(setting), defaults(setting), effect(setting.effect), meaning, setting.source,
            ]
            text += "| " + cells.map(cell).joined(separator: " | ") + " |\n"
        }
        return text
    }

    private static func cell(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: " ").split(separator: "|", omittingEmptySubsequences: false)
            .joined(separator: "\\|")
    }

    private static func values(_ setting: SettingDefinition) -> String {
        let unit = setting.unit == .none ? "" : " \(setting.unit.rawValue)"
        return switch setting.type {
        case .text: "text"
        case .integer(let range): "\(range.lowerBound)–\(range.upperBound)\(unit)"
        case .boolean: "`true`, `false`"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .choices(let words): "any of " + words.map { "`\($0)`" }.joined(separator: ", ")
        case .secret, .sealed: "password"
        case .address: "IP address"
        case .path: "absolute path"
        case .mailboxPattern: "path with `%USERNAME%` or `%HOME%`"
        case .host: "host name or IP address"
        case .domainName: "host name"
        case .mailAddress: "mail address"
        case .list(.dnsServer, let maximum): "up to \(maximum) of `ADDRESS[@PORT]`"
        case .list(.listener, let maximum): "up to \(maximum) of `ADDRESS:PORT`, `*` at the end for implicit TLS"
        case .list(.domainName, let maximum): "up to \(maximum) host names"
        case .list(.mailAddress, let maximum): "up to \(maximum) mail addresses"
        case .list(.addressPattern, let maximum): "up to \(maximum) of `10.*.*.*`, `192.168.1.0/28`, `2001:db8::/32`"
        }
    }

    private static func defaults(_ setting: SettingDefinition) -> String {
        let values = setting.defaultValues(.hierarchy)
        return values.isEmpty ? "empty" : values.map { "`\($0)`" }.joined(separator: ", ")
    }

    private static func effect(_ effect: SettingDefinition.Effect) -> String {
        switch effect {
        case .now: "at once"
        case .newSessions: "new sessions"
        case .restartReceiver: "restart of EPSTRS"
        case .restartDelivery: "restart of EPSTDS"
        case .restartServices: "restart of both services"
        }
    }
}
