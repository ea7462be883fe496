import Database
import FoundationEssentials
import MailModel
import Settings

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
        let sql = "SELECT name, max_accounts, mode, addresses, folder, revision FROM domains ORDER BY id"
        return try connection.rows(sql) { row in
            DomainRecord(
                name: row.text(0), maxAccounts: row.int(1), mailboxMode: MailboxMode(rawValue: row.text(2)) ?? .common,
                smtpAddresses: (Texts.decode(row.text(3)) ?? []).compactMap { IPAddress($0) }, folder: row.text(4),
                revision: row.integer(5))
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

    static func account(_ row: Statement) -> AccountRecord {
        AccountRecord(
            account: row.text(0), domain: row.text(1), fullName: row.text(2), home: row.text(3),
            mailboxLimit: row.int(4), usesAuthentication: row.bool(5), isEnabled: row.bool(6),
            passwordHash: row.text(7), revision: row.integer(8))
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
