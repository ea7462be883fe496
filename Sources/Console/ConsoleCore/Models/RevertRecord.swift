import Control

/// The way back from a revision, staged like every other change (console.md 6.3). Settings and domains are staged place
/// by place; what only the server knows in full (accounts with their passwords, tables) is one edit `revision/N`, which
/// it carries out at Apply.
enum RevertRecord {
    static let prefix = "revision/"

    static func path(_ revision: Int) -> String { "\(prefix)\(revision)" }
    static func revision(ofPath path: String) -> Int? {
        path.hasPrefix(prefix) ? Int(path.dropFirst(prefix.count)) : nil
    }

    /// - Returns: the edits that undo `revision`; `nil` when the console does not know all that they need.
    static func edits(undoing revision: Revision) -> [(path: String, values: Values)]? {
        var edits: [(path: String, values: Values)] = []
        for change in revision.changes {
            if DomainRecord.name(ofPath: change.path) != nil {
                edits.append((change.path, change.old.map { DomainRecord(history: $0).values }))
            } else if change.path.contains("/") || change.old == ["********"] || change.new == ["********"] {
                return nil
            } else {
                edits.append((change.path, change.old))
            }
        }
        return edits.isEmpty ? nil : edits
    }

    /// What a revert would do, as the texts of its edit: each place with what it holds.
    static func values(of plan: Applied) -> (now: [String], new: [String]) {
        func text(_ path: String, _ values: [String]?) -> String {
            "\(path): " + (values?.joined(separator: ", ") ?? "-")
        }
        return (plan.changes.map { text($0.path, $0.old) }, plan.changes.map { text($0.path, $0.new) })
    }

    static func paths(in edit: StagedEdit) -> [String] {
        (edit.new ?? []).compactMap { text in
            text.firstIndex(of: ":").map { String(text[..<$0]) }
        }
    }
}

extension DomainRecord {
    /// The texts of the history: `maxAccounts=0`, `mailboxMode=separate`, …
    init(history texts: [String]) {
        for text in texts {
            guard let sign = text.firstIndex(of: "=") else { continue }
            let value = String(text[text.index(after: sign)...])
            switch text[..<sign] {
            case "maxAccounts": maxAccounts = value
            case "mailboxMode": mailboxMode = value
            case "smtpAddresses": addresses = value
            case "folder": folder = value
            default: break
            }
        }
    }
}
