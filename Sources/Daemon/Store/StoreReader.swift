import Database
import FoundationEssentials
import MailModel
import Settings
import Tables

/// Reading forms shared by the read-only directory and the writer. Same thread as its connection.
struct StoreReader {
    let connection: Connection
    let layout: Layout

    func revision() throws(DatabaseError) -> Int64 {
        try connection.first("SELECT max(id) FROM revisions") { $0.integer(0) } ?? 0
    }

    func snapshot() throws(DatabaseError) -> SettingsSnapshot {
        let rows = try connection.rows("SELECT key, value FROM settings") { ($0.text(0), Texts.decode($0.text(1))) }
        let values = Dictionary(rows.compactMap { key, texts in texts.map { (key, $0) } }) { first, _ in first }
        return SettingsSnapshot(values: values, revision: try revision(), layout: layout)
    }

    func domains() throws(DatabaseError) -> [DomainRecord] {
        let sql = """
            SELECT name, max_accounts, mode, addresses, folder, revision, hash
            FROM domains LEFT JOIN domain_locks ON domain=name ORDER BY id
            """
        return try connection.rows(sql) { row in
            DomainRecord(
                name: row.text(0), maxAccounts: row.int(1), mailboxMode: MailboxMode(rawValue: row.text(2)) ?? .common,
                smtpAddresses: (Texts.decode(row.text(3)) ?? []).compactMap { IPAddress($0) }, folder: row.text(4),
                operationHash: row.optionalText(6) ?? "", revision: row.integer(5))
        }
    }

    func account(_ folded: MailAddress) throws(DatabaseError) -> AccountRecord? {
        try connection.first(
            "SELECT \(Schema.accountColumns) FROM accounts WHERE domain=? AND folded=?", .text(folded.domain),
            .text(folded.localPart), read: Self.account)
    }

    func accounts(named folded: String) throws(DatabaseError) -> [AccountRecord] {
        try connection.rows(
            "SELECT \(Schema.accountColumns) FROM accounts WHERE folded=?", .text(folded), read: Self.account)
    }

    /// Rules of one alias in their order.
    /// - Parameter folded: with the local part `*` the domain's wildcard.
    func aliases(_ folded: MailAddress) throws(DatabaseError) -> [AliasRule] {
        try connection.rows(
            "SELECT \(Schema.aliasColumns) FROM aliases WHERE domain=? AND folded=? ORDER BY position",
            .text(folded.domain), .text(folded.localPart), read: Self.alias
        ).compactMap { $0?.rule }
    }

    func hasAliases() throws(DatabaseError) -> Bool {
        try connection.first("SELECT 1 FROM aliases LIMIT 1") { $0.integer(0) } != nil
    }

    /// - Returns: `nil` for a row that is none, which the writer does not make.
    static func alias(_ row: Statement) -> (rule: AliasRule, revision: Int64)? {
        guard let target = MailAddress(stored: row.text(2)) else { return nil }
        let rule = AliasRule(
            alias: MailAddress(localPart: row.text(0), domain: row.text(1)), target: target,
            rewrite: AliasRewrite(rawValue: row.text(3)) ?? .auto)
        return (rule, row.integer(4))
    }

    static func account(_ row: Statement) -> AccountRecord {
        AccountRecord(
            account: row.text(0), domain: row.text(1), fullName: row.text(2), home: row.text(3),
            mailboxLimit: row.int(4), usesAuthentication: row.bool(5), isEnabled: row.bool(6),
            passwordHash: row.text(7), revision: row.integer(8))
    }
}

extension MailAddress {
    /// Without quoting; a domain holds no `@`, so the last one divides.
    var stored: String { "\(localPart)@\(domain)" }

    init?(stored: String) {
        guard let at = stored.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        self.init(localPart: String(stored[..<at]), domain: String(stored[stored.utf8.index(after: at)...]))
    }
}

/// A list of texts in one column, as JSON.
enum Texts {
    static func encode(_ texts: [String]) -> String {
        // Texts always encode.
        (try? JSONEncoder().encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
    static func decode(_ text: String) -> [String]? {
        try? JSONDecoder().decode([String].self, from: Data(text.utf8))
    }
}
