import Control
import Crypto
import MailModel

/// What is shown in place of a secret; sent back by a client it means "as it is".
package let hiddenSecret = "********"

extension DomainRecord {
    /// The form of the history.
    var texts: [String] {
        [
            "maxAccounts=\(maxAccounts)", "mailboxMode=\(mailboxMode.rawValue)",
            "smtpAddresses=\(smtpAddresses.map(\.description).joined(separator: " "))", "folder=\(folder)",
        ] + (operationHash.isEmpty ? [] : ["operationPassword=\(operationHash)"])
    }

    init(name: String, texts: [String]) {
        let fields = Fields(texts)
        self.init(
            name: name, maxAccounts: Int(fields["maxAccounts"]) ?? 0,
            mailboxMode: MailboxMode(rawValue: fields["mailboxMode"]) ?? .common,
            smtpAddresses: fields["smtpAddresses"].split(separator: " ").compactMap { IPAddress($0) },
            folder: fields["folder"], operationHash: fields["operationPassword"])
    }
}

extension AccountRecord {
    var texts: [String] {
        [
            "account=\(account)", "fullName=\(fullName)", "home=\(home)", "mailboxLimit=\(mailboxLimit)",
            "smtpAuth=\(usesAuthentication)", "isEnabled=\(isEnabled)", "password=\(passwordHash)",
        ]
    }

    init(domain: String, texts: [String]) {
        let fields = Fields(texts)
        self.init(
            account: fields["account"], domain: domain, fullName: fields["fullName"], home: fields["home"],
            mailboxLimit: Int(fields["mailboxLimit"]) ?? 0, usesAuthentication: fields["smtpAuth"] == "true",
            isEnabled: fields["isEnabled"] == "true", passwordHash: fields["password"])
    }
}

private struct Fields {
    private let values: [Substring: Substring]
    init(_ texts: [String]) {
        values = Dictionary(
            texts.compactMap { text in
                text.firstIndex(of: "=").map { (text[..<$0], text[text.index(after: $0)...]) }
            }, uniquingKeysWith: { first, _ in first })
    }
    subscript(_ name: String) -> String { values[name[...]].map(String.init) ?? "" }
}

extension ChangeRecord {
    /// The record as a client may see it: no hash, tables cut down to the lines that differ.
    func shown(isSecret: Bool) -> ChangeRecord {
        if isSecret {
            return ChangeRecord(path: path, old: old.map(Self.hidden), new: new.map(Self.hidden))
        }
        if path.hasPrefix("account/") || path.hasPrefix("domain/") {
            // Two different hashes must look different: "changed" is what people need to see.
            let isChanged = Self.password(old) != Self.password(new) && old != nil && new != nil
            return ChangeRecord(
                path: path, old: old.map { Self.masked($0, "") },
                new: new.map { Self.masked($0, isChanged ? " new" : "") })
        }
        if path.hasPrefix("table/"), let old, let new {
            let (oldLines, newLines) = Self.difference(old, new)
            return ChangeRecord(path: path, old: oldLines, new: newLines)
        }
        return self
    }

    private static func hidden(_ texts: [String]) -> [String] { texts.isEmpty ? [] : [hiddenSecret] }

    private static func isPassword(_ text: String) -> Bool {
        text.hasPrefix("password=") || text.hasPrefix("operationPassword=")
    }
    private static func password(_ texts: [String]?) -> String? { texts?.first(where: isPassword) }

    private static func masked(_ texts: [String], _ mark: String) -> [String] {
        texts.map { isPassword($0) ? "\($0.prefix { $0 != "=" })=\(hiddenSecret)\(mark)" : $0 }
    }

    /// Lines between the common beginning and the common end, at most 200 of each.
    private static func difference(_ old: [String], _ new: [String]) -> ([String], [String]) {
        var start = 0
        while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
        var end = 0
        while end < old.count - start, end < new.count - start, old[old.count - 1 - end] == new[new.count - 1 - end] {
            end += 1
        }
        func part(_ lines: [String]) -> [String] { Array(lines[start..<(lines.count - end)].prefix(200)) }
        return (part(old), part(new))
    }
}
