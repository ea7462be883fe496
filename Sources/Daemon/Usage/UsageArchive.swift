import Database
import Glibc
import Policy

/// Reads what `UsageLog` wrote; any process.
package struct UsageArchive {
    private let connection: Connection

    /// - Returns: `nil` while nobody has sent anything.
    package init?(path: String) throws(DatabaseError) {
        guard access(path, F_OK) == 0 else { return nil }
        connection = try Connection(
            path: path, mode: .readOnly, options: .init(busyTimeout: 2_000, durability: .normal))
        // Made last: what is there has all tables.
        let isMade = try connection.first("SELECT 1 FROM sqlite_schema WHERE name='session_account'") { _ in true }
        guard isMade == true else { return nil }
    }

    /// Accounts that had a session, sent or hold mail, most recipients of the day first.
    /// - Parameter now: milliseconds since 1970.
    package func senders(now: Int64, limit: Int = 1_000) throws(DatabaseError) -> [SenderSummary] {
        let names = try connection.rows(
            """
            SELECT name, sum(n) FROM (
                SELECT substr(sender, 9) AS name, sum(recipients) AS n FROM sent WHERE sender LIKE 'account %' GROUP BY sender
                UNION ALL SELECT account, 0 FROM session GROUP BY account
                UNION ALL SELECT sender, 0 FROM held GROUP BY sender
            ) GROUP BY name ORDER BY sum(n) DESC, name LIMIT ?
            """, .init(limit)
        ) { $0.text(0) }
        var out: [SenderSummary] = []
        for name in names { out.append(try summary(of: name, now: now)) }
        return out
    }

    package func summary(of account: String, now: Int64) throws(DatabaseError) -> SenderSummary {
        let slot = now / UsageBook.slot
        let kind = account.contains("@") ? "account" : "address"
        let last = try connection.first(
            "SELECT time, client FROM session WHERE account=? ORDER BY time DESC LIMIT 1", .text(account)
        ) { ($0.integer(0), $0.text(1)) }
        return SenderSummary(
            account: account,
            hour: try UsageBook.counts("\(kind) \(account)", since: slot - UsageBook.slotsOfHour, connection),
            day: try UsageBook.counts("\(kind) \(account)", since: slot - UsageBook.slotsOfDay, connection),
            lastSession: last?.0 ?? 0, lastClient: last?.1 ?? "")
    }

    /// Newest first.
    package func sessions(of account: String, limit: Int = 50) throws(DatabaseError) -> [SessionRecord] {
        try connection.rows(
            """
            SELECT id, time, client, hello, mechanism, tls, messages, recipients, held FROM session WHERE account=?
            ORDER BY time DESC, id DESC LIMIT ?
            """, .text(account), .init(limit)
        ) {
            SessionRecord(
                id: $0.integer(0), account: account, time: $0.integer(1), client: $0.text(2), hello: $0.text(3),
                mechanism: $0.text(4), isTLS: $0.bool(5), messages: $0.int(6), recipients: $0.int(7), held: $0.int(8))
        }
    }

    /// When an account last logged in, milliseconds since 1970, and from where; `nil`: never, as far as it is known.
    /// - Parameter account: folded.
    package func lastLogin(of account: String) throws(DatabaseError) -> (time: Int64, client: String)? {
        try connection.first("SELECT time, client FROM login WHERE account=?", .text(account)) {
            ($0.integer(0), $0.text(1))
        }
    }

    /// Sessions that are looked at for `origins`: a start shall not wait for the history of years.
    private static let recentSessions = 200_000

    /// Where accounts had their latest sessions, and when last (milliseconds since 1970), newest first.
    package func origins(limit: Int) throws(DatabaseError) -> [(account: String, client: String, time: Int64)] {
        try connection.rows(
            """
            SELECT account, client, max(time) AS last FROM
            (SELECT account, client, time FROM session ORDER BY id DESC LIMIT ?)
            GROUP BY account, client ORDER BY last DESC LIMIT ?
            """, .init(Self.recentSessions), .init(limit)
        ) { ($0.text(0), $0.text(1), $0.integer(2)) }
    }

    /// What was held; whether it still waits, only the queue knows. Newest first.
    package func held(by account: String, limit: Int = 1_000) throws(DatabaseError) -> [HeldRecord] {
        try connection.rows(
            "SELECT id, time, client, reason FROM held WHERE sender=? ORDER BY time DESC, id DESC LIMIT ?",
            .text(account), .init(limit)
        ) { HeldRecord(id: $0.text(0), time: $0.integer(1), client: $0.text(2), reason: $0.text(3)) }
    }
}
