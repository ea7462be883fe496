import Control

/// Places `alias/NAME`: an alias is one staged value, its real addresses in their order (`real`, `real,0`, `real,1`).
enum AliasRecord {
    static let prefix = "alias/"

    static func path(_ alias: String) -> String { prefix + alias.lowercased() }

    static func name(ofPath path: String) -> String? {
        path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    static func value(_ output: AliasInterface.Get.Output) -> ServerValue {
        ServerValue(values: output.targets.isEmpty ? nil : output.targets, revision: output.revision)
    }

    /// `real,1` in its parts; the option as the select of the dialog names it.
    static func parts(_ target: String) -> (address: String, option: String) {
        for (ending, option) in [(",0", "never"), (",1", "always")] where target.hasSuffix(ending) {
            return (String(target.dropLast(2)), option)
        }
        return (target, "auto")
    }

    static func target(_ address: String, _ option: String) -> String {
        address + (option == "never" ? ",0" : option == "always" ? ",1" : "")
    }

    /// Whether both texts mean the same real address, whatever their options.
    static func isSame(_ one: String, _ other: String) -> Bool {
        parts(one).address.lowercased() == parts(other).address.lowercased()
    }

    static func domain(_ address: String) -> String {
        address.lastIndex(of: "@").map { address[address.index(after: $0)...].lowercased() } ?? ""
    }

    /// Whether the next server, or the mailbox, sees the real address (R-ALIAS-05 to R-ALIAS-08).
    static func replaces(_ alias: String, _ target: String) -> Bool {
        let (address, option) = parts(target)
        return option == "always" || option == "auto" && domain(alias) != domain(address)
    }

    /// What can be told by form alone (R-ALIAS-12, R-ALIAS-13); the server has the last word.
    static func problem(_ alias: String, _ address: String) -> (field: String, Phrase)? {
        func isAddress(_ text: String) -> Bool {
            guard let at = text.lastIndex(of: "@") else { return false }
            return at > text.startIndex && !domain(text).isEmpty && !text.contains(" ")
        }
        if !isAddress(alias) { return ("alias", .text("alias.bad-alias", Visible.line(alias))) }
        if !isAddress(address) { return ("target", .text("alias.bad-target", Visible.line(address))) }
        for (field, text) in [("alias", alias), ("target", address)] {
            let name = text[..<(text.lastIndex(of: "@") ?? text.endIndex)]
            if name.contains("*") && name != "*" || domain(text).contains("*") {
                return (field, .text("alias.bad-wildcard", Visible.line(text)))
            }
        }
        return nil
    }
}

extension Context {
    /// Staged aliases meet those of the server.
    mutating func refreshStagedAliases() {
        for edit in model.draft.edits {
            guard let alias = AliasRecord.name(ofPath: edit.path) else { continue }
            refresh(AliasInterface.Get.self, .init(alias: alias), for: .alias(edit.path))
        }
    }
}
