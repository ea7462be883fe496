import Control
import Database
import MailModel

/// How a transfer of accounts works (R-ACC-46 to 49; the synchronisation goes beyond the original).
package struct TransferOptions: Hashable, Sendable {
    /// What a clear password does to an account that exists.
    package enum Passwords: String, Sendable, CaseIterable { case compare, set, keep }
    /// What becomes of accounts that the file does not name.
    package enum Absent: String, Sendable, CaseIterable { case disable, keep, remove }

    /// Makes the accounts of the file's domains equal to the file; else adds and changes only.
    package var synchronizes: Bool
    package var passwords: Passwords
    package var absent: Absent
    /// Whether disabled accounts that the file names are enabled: one that was disabled for a reason stays so.
    package var enables: Bool

    package init(
        synchronizes: Bool, passwords: Passwords = .compare, absent: Absent = .disable, enables: Bool = false
    ) {
        self.synchronizes = synchronizes
        self.passwords = passwords
        self.absent = absent
        self.enables = enables
    }
}

/// One line of a transfer (R-ACC-47), its password hashed.
package struct AccountImport: Sendable {
    /// From 1.
    package var line: Int
    package var address: MailAddress
    /// Without the password.
    package var values: AccountValues
    /// Stored form; `nil`: the account's own stays.
    package var hash: String?

    package init(line: Int, address: MailAddress, values: AccountValues, hash: String?) {
        self.line = line
        self.address = address
        self.values = values
        self.hash = hash
    }
}

/// The changes of a transfer, found before the first is made.
package struct TransferPlan: Sendable {
    package enum Action: String, Sendable, CaseIterable { case added, changed, disabled, removed, kept }
    package struct Entry: Sendable {
        package var line: Int
        var old: AccountRecord?
        var new: AccountRecord?
        package var action: Action
        package var address: MailAddress? { (new ?? old)?.address }
    }
    package private(set) var entries: [Entry] = []
    /// One for each line that gives no account, and warnings.
    package private(set) var problems: [Problem] = []
    package private(set) var counts: [Action: Int] = [:]
    package var faults: Int { problems.count { !$0.isWarning } }
    /// Lower case.
    package private(set) var touched: Set<String> = []

    private let options: TransferOptions
    private var domains: [String: DomainRecord] = [:]
    private var accounts: [String: Int] = [:]
    /// Which entry holds an address already: a later line of the same account changes it.
    private var places: [MailAddress: Int] = [:]

    init(_ options: TransferOptions) { self.options = options }

    mutating func build(_ rows: [AccountImport], _ connection: Connection, _ reader: StoreReader) throws {
        domains = Dictionary(try reader.domains().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for row in rows {
            do {
                try add(row, connection, reader)
            } catch let error as ControlError {
                problems.append(Self.problem(error, line: row.line))
            }
        }
        if options.synchronizes, options.absent != .keep { try addAbsent(connection) }
        for entry in entries { counts[entry.action, default: 0] += 1 }
    }

    private mutating func add(_ row: AccountImport, _ connection: Connection, _ reader: StoreReader) throws {
        let address = try StoreWriter.checkedAddress(row.address.text)
        guard let domain = domains[address.domain] else {
            throw StoreWriter.refused(
                "/domain", "account.foreign-domain", "\(address.domain) is not operated here", address.domain)
        }
        touched.insert(domain.name)
        let key = address.folded
        if let place = places[key] {
            let base = entries[place].new ?? AccountRecord(account: address.localPart, domain: domain.name)
            entries[place].new = try StoreWriter.merged(base, row.values, row.hash)
            if entries[place].old != nil { entries[place].action = Self.action(entries[place]) }
            return
        }
        if let old = try reader.account(key) {
            var new = try StoreWriter.merged(old, row.values, row.hash)
            if options.synchronizes, options.enables { new.isEnabled = true }
            if options.synchronizes, !new.isEnabled {
                problems.append(
                    Problem(
                        path: "line/\(row.line)/column/1", code: "account.stays-disabled",
                        message: "\(old.address.text) is disabled and stays so", arguments: [old.address.text],
                        isWarning: true))
            }
            append(Entry(line: row.line, old: old, new: new, action: old == new ? .kept : .changed), key)
            return
        }
        guard let hash = row.hash else {
            throw StoreWriter.refused("/password", "account.no-password", "a password is needed")
        }
        if domain.mailboxMode == .common || domain.folder.isEmpty {
            try StoreWriter.checkName(address, of: domain, among: domains.values)
        }
        let count = try accounts[domain.name] ?? Self.count(domain.name, connection)
        if domain.maxAccounts > 0, count >= domain.maxAccounts {
            throw StoreWriter.refused(
                "", "account.limit-reached",
                "\(domain.name) may have \(domain.maxAccounts) accounts, and has them (R-DOM-25)", domain.name,
                String(domain.maxAccounts))
        }
        let fresh = AccountRecord(account: address.localPart, domain: domain.name)
        let new = try StoreWriter.merged(fresh, row.values, hash)
        append(Entry(line: row.line, old: nil, new: new, action: .added), key)
        accounts[domain.name] = count + 1
    }

    private static func action(_ entry: Entry) -> Action { entry.old == entry.new ? .kept : .changed }

    private mutating func append(_ entry: Entry, _ key: MailAddress) {
        places[key] = entries.count
        entries.append(entry)
    }

    private mutating func addAbsent(_ connection: Connection) throws {
        for domain in touched.sorted() {
            let found = try connection.rows(
                "SELECT \(Schema.accountColumns) FROM accounts WHERE domain=? ORDER BY folded", .text(domain),
                read: StoreReader.account)
            for old in found where places[old.address.folded] == nil {
                var new: AccountRecord?
                if options.absent == .disable {
                    new = old
                    new?.isEnabled = false
                }
                let action: Action = options.absent == .remove ? .removed : old == new ? .kept : .disabled
                entries.append(Entry(line: 0, old: old, new: new, action: action))
            }
        }
    }

    private static func count(_ domain: String, _ connection: Connection) throws -> Int {
        try connection.first("SELECT count(*) FROM accounts WHERE domain=?", .text(domain)) { $0.int(0) } ?? 0
    }

    // MARK: In words

    /// A window, in the order of the file.
    package func rows(_ action: Action?, offset: Int, limit: Int) -> (rows: [TransferRow], total: Int) {
        let found = entries.lazy.filter { action == nil || $0.action == action }
        let total = action.map { counts[$0] ?? 0 } ?? entries.count
        return (found.dropFirst(max(0, offset)).prefix(min(max(limit, 1), 1000)).map(Self.row), total)
    }

    private static func row(_ entry: Entry) -> TransferRow {
        var fields: [String] = []
        if let old = entry.old, let new = entry.new {
            if old.passwordHash != new.passwordHash { fields.append("password") }
            if old.fullName != new.fullName { fields.append("fullName") }
            if old.home != new.home { fields.append("home") }
            if old.mailboxLimit != new.mailboxLimit { fields.append("mailboxLimit") }
            if old.usesAuthentication != new.usesAuthentication { fields.append("smtpAuth") }
            if old.isEnabled != new.isEnabled { fields.append("isEnabled") }
        }
        return TransferRow(
            address: entry.address?.text ?? "", action: entry.action.rawValue, line: entry.line, fields: fields)
    }

    /// The first problem of an error, with the column of the field that it names.
    static func problem(_ error: ControlError, line: Int) -> Problem {
        var first =
            error.detail.problems?.first
            ?? Problem(
                path: "", code: error.detail.code, message: error.detail.message,
                arguments: error.detail.arguments ?? [])
        let columns = ["password": 2, "fullName": 3, "domain": 4, "home": 5, "limit": 8]
        let field = first.path.split(separator: "/").last.map(String.init) ?? ""
        first.path = "line/\(line)/column/\(columns[field] ?? 1)"
        return first
    }
}
