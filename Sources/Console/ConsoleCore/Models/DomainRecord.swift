import Control

/// A domain as the draft keeps it: four texts in a fixed order, so that two administrators' changes can be merged field
/// by field.
struct DomainRecord: Hashable, Sendable {
    var maxAccounts = "0"
    /// `common`, `separate`
    var mailboxMode = "common"
    /// Separated by single blanks (R-DOM-23).
    var addresses = ""
    var folder = ""

    init() {}

    init(_ entry: DomainEntry) {
        maxAccounts = String(entry.maxAccounts)
        mailboxMode = entry.mailboxMode
        addresses = entry.smtpAddresses.joined(separator: " ")
        folder = entry.folder
    }

    init?(values: [String]) {
        guard values.count == 4 else { return nil }
        maxAccounts = values[0]
        mailboxMode = values[1]
        addresses = values[2]
        folder = values[3]
    }

    var values: [String] { [maxAccounts, mailboxMode, addresses, folder] }

    static func path(_ name: String) -> String { "domain/\(name)" }

    static func name(ofPath path: String) -> String? {
        path.hasPrefix("domain/") ? String(path.dropFirst("domain/".count)) : nil
    }

    /// What to send: all for a new domain, else only what differs from `base`.
    func request(base: DomainRecord?) -> DomainValues {
        DomainValues(
            maxAccounts: maxAccounts == base?.maxAccounts ? nil : Int(maxAccounts) ?? 0,
            mailboxMode: mailboxMode == base?.mailboxMode ? nil : mailboxMode,
            smtpAddresses: addresses == base?.addresses
                ? nil : addresses.split(separator: " ").map(String.init),
            folder: folder == base?.folder ? nil : folder)
    }
}

/// A row of the domain table: what the server has, with the draft over it.
struct DomainRow: Hashable, Sendable {
    enum State: Hashable, Sendable { case same, added, changed, removed, conflict }
    var name: String
    var record: DomainRecord
    var accounts: Int
    var state: State
}

extension Model {
    /// Server order, then the domains that are only staged.
    var domainRows: [DomainRow] {
        var rows: [DomainRow] = domains.map { entry in
            let path = DomainRecord.path(entry.name)
            guard let edit = draft[path] else {
                return DomainRow(name: entry.name, record: DomainRecord(entry), accounts: entry.accounts, state: .same)
            }
            let record = edit.new.flatMap(DomainRecord.init(values:)) ?? DomainRecord(entry)
            let state: DomainRow.State = edit.isConflict ? .conflict : edit.new == nil ? .removed : .changed
            return DomainRow(name: entry.name, record: record, accounts: entry.accounts, state: state)
        }
        for edit in draft.edits {
            guard let name = DomainRecord.name(ofPath: edit.path), let values = edit.new,
                !domains.contains(where: { $0.name == name }), let record = DomainRecord(values: values)
            else { continue }
            rows.append(DomainRow(name: name, record: record, accounts: 0, state: edit.isConflict ? .conflict : .added))
        }
        return rows
    }
}
