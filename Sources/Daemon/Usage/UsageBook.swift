import Database
import Glibc
import MailModel
import Policy

/// The database behind the log. Used on one thread.
final class UsageBook: @unchecked Sendable {
    // Unchecked: everything is used on the one thread of the log's worker.
    private let path: String
    private var connection: Connection?
    /// When old rows were last deleted, milliseconds since 1970.
    private var pruned: Int64 = 0

    /// Counts are kept in slots of five minutes; an hour is twelve of them.
    static let slot: Int64 = 300_000
    static let slotsOfHour: Int64 = 12
    static let slotsOfDay: Int64 = 288
    /// Days that a recipient counts as written to before.
    private static let knownDays: Int64 = 365
    private static let sessionDays: Int64 = 30
    /// Sessions kept of one account.
    private static let sessionLimit = 200
    private static let day: Int64 = 86_400_000

    init(path: String) { self.path = path }

    func close() { connection = nil }

    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try open().transaction { try body() }
    }

    // MARK: Judging

    func judge(_ submission: Submission) throws -> Judgement {
        let connection = try open()
        let slot = submission.time / Self.slot
        let unknown = try submission.account.map { try news(submission.recipients, of: $0, connection) } ?? []
        let message = SendingCounts(
            messages: 1, recipients: submission.recipients.count, newRecipients: unknown.count)
        var senders: [SendingFacts] = []
        if let account = submission.account {
            senders.append(try facts(.account, account, submission.accountLimits, slot, connection))
        }
        if let limits = submission.addressLimits {
            senders.append(try facts(.address, Self.name(submission.client), limits, slot, connection))
        }
        let verdict = SendingPolicy.decide(message, from: senders)
        for sender in senders { try add(message, to: sender, slot, connection) }
        let isHeld = verdict.reason == .held
        // Who a thief writes to is no acquaintance.
        if !isHeld, let account = submission.account { try remember(unknown, of: account, submission.time, connection) }
        var isFirst = false
        if isHeld { isFirst = try hold(submission, verdict, connection) }
        if submission.session != 0 {
            try connection.run(
                "UPDATE session SET messages=messages+1, recipients=recipients+?, held=held+? WHERE id=?",
                .init(submission.recipients.count), .init(isHeld ? 1 : 0), .integer(submission.session))
        }
        try prune(submission.time, connection)
        return Judgement(verdict: verdict, isFirst: isFirst)
    }

    /// One IPv6 subscriber has a network of 64 bits.
    private static func name(_ client: IPAddress) -> String {
        guard !client.isIPv4,
            let network = IPAddress(octets: Array(client.octets.prefix(8)) + [UInt8](repeating: 0, count: 8))
        else { return client.description }
        return "\(network)/64"
    }

    private func facts(
        _ kind: SendingFacts.Kind, _ name: String, _ limits: SendingLimits, _ slot: Int64, _ connection: Connection
    ) throws -> SendingFacts {
        let key = "\(kind.rawValue) \(name)"
        return SendingFacts(
            kind: kind, name: name, hour: try Self.counts(key, since: slot - Self.slotsOfHour, connection),
            day: try Self.counts(key, since: slot - Self.slotsOfDay, connection), limits: limits)
    }

    static func counts(_ key: String, since slot: Int64, _ connection: Connection) throws(DatabaseError)
        -> SendingCounts
    {
        try connection.first(
            """
            SELECT coalesce(sum(messages),0), coalesce(sum(recipients),0), coalesce(sum(news),0) FROM sent
            WHERE sender=? AND slot>?
            """, .text(key), .integer(slot)
        ) { SendingCounts(messages: $0.int(0), recipients: $0.int(1), newRecipients: $0.int(2)) } ?? SendingCounts()
    }

    private func add(
        _ message: SendingCounts, to sender: SendingFacts, _ slot: Int64, _ connection: Connection
    ) throws {
        try connection.run(
            """
            INSERT INTO sent(sender, slot, messages, recipients, news) VALUES(?,?,?,?,?)
            ON CONFLICT(sender, slot) DO UPDATE SET messages=messages+excluded.messages,
            recipients=recipients+excluded.recipients, news=news+excluded.news
            """, .text("\(sender.kind.rawValue) \(sender.name)"), .integer(slot), .init(message.messages),
            .init(message.recipients), .init(message.newRecipients))
    }

    // MARK: Acquaintances

    private func news(_ recipients: [String], of account: String, _ connection: Connection) throws -> [Int64] {
        var out: [Int64] = []
        for hash in Set(recipients.map { Self.hash(account, $0) }) {
            let known = try connection.first(
                "SELECT 1 FROM known WHERE account=? AND recipient=?", .text(account), .integer(hash)
            ) { _ in true }
            if known != true { out.append(hash) }
        }
        return out
    }

    private func remember(
        _ recipients: [Int64], of account: String, _ time: Int64, _ connection: Connection
    ) throws {
        for hash in recipients {
            try connection.run(
                "INSERT OR IGNORE INTO known(account, recipient, day) VALUES(?,?,?)", .text(account), .integer(hash),
                .integer(time / Self.day))
        }
    }

    /// FNV-1a, 64 bits: the book shall not be a list of whom people write to.
    private static func hash(_ account: String, _ recipient: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in "\(account) \(recipient)".utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }

    // MARK: Held mail, sessions

    /// - Returns: whether nothing of this sender was held in the last hour.
    private func hold(_ submission: Submission, _ verdict: Verdict, _ connection: Connection) throws -> Bool {
        let sender = submission.account ?? Self.name(submission.client)
        let last =
            try connection.first("SELECT max(time) FROM held WHERE sender=?", .text(sender)) { $0.integer(0) } ?? 0
        try connection.run(
            "INSERT OR REPLACE INTO held(id, sender, time, client, reason) VALUES(?,?,?,?,?)",
            .text(submission.id.rawValue), .text(sender), .integer(submission.time),
            .text(submission.client.description), .text(verdict.trail.last { $0.decided }?.finding ?? ""))
        return submission.time - last >= Self.slot * Self.slotsOfHour
    }

    func add(_ session: SessionRecord) throws {
        let connection = try open()
        try connection.run(
            """
            INSERT OR REPLACE INTO session(id, account, time, client, hello, mechanism, tls, messages, recipients, held)
            VALUES(?,?,?,?,?,?,?,0,0,0)
            """, .integer(session.id), .text(session.account), .integer(session.time), .text(session.client),
            .text(session.hello), .text(session.mechanism), .init(session.isTLS))
        // Kept longer than the sessions themselves.
        try connection.run(
            """
            INSERT INTO login(account, time, client) VALUES(?,?,?)
            ON CONFLICT(account) DO UPDATE SET time=excluded.time, client=excluded.client
            """, .text(session.account), .integer(session.time), .text(session.client))
        try prune(session.time, connection)
    }

    func forget(_ account: String) throws {
        try open().run("DELETE FROM sent WHERE sender=?", .text("account \(account)"))
    }

    private func prune(_ now: Int64, _ connection: Connection) throws {
        guard now - pruned >= Self.slot * Self.slotsOfHour || now < pruned else { return }
        pruned = now
        try connection.run("DELETE FROM sent WHERE slot<=?", .integer(now / Self.slot - Self.slotsOfDay))
        try connection.run("DELETE FROM known WHERE day<?", .integer(now / Self.day - Self.knownDays))
        try connection.run("DELETE FROM held WHERE time<?", .integer(now - Self.knownDays * Self.day))
        try connection.run("DELETE FROM session WHERE time<?", .integer(now - Self.sessionDays * Self.day))
        try connection.run(
            """
            DELETE FROM session WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER
            (PARTITION BY account ORDER BY time DESC) AS place FROM session) WHERE place>?)
            """, .init(Self.sessionLimit))
    }

    // MARK: File

    private func open() throws -> Connection {
        if let connection { return connection }
        // Losing the last counts in a power cut is harmless, so commits do not wait for the disk.
        let options = Connection.Options(busyTimeout: 2_000, durability: .normal, cacheSize: 1 << 20)
        let made = try Connection(path: path, mode: .readWrite, options: options)
        chmod(path, 0o600)
        try made.execute(
            """
            CREATE TABLE IF NOT EXISTS sent(sender TEXT NOT NULL, slot INTEGER NOT NULL, messages INTEGER NOT NULL,
                recipients INTEGER NOT NULL, news INTEGER NOT NULL, PRIMARY KEY(sender, slot)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS known(account TEXT NOT NULL, recipient INTEGER NOT NULL, day INTEGER NOT NULL,
                PRIMARY KEY(account, recipient)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS held(id TEXT PRIMARY KEY, sender TEXT NOT NULL, time INTEGER NOT NULL,
                client TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS held_sender ON held(sender, time);
            CREATE TABLE IF NOT EXISTS session(id INTEGER PRIMARY KEY, account TEXT NOT NULL, time INTEGER NOT NULL,
                client TEXT NOT NULL, hello TEXT NOT NULL, mechanism TEXT NOT NULL, tls INTEGER NOT NULL,
                messages INTEGER NOT NULL, recipients INTEGER NOT NULL, held INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS login(account TEXT PRIMARY KEY, time INTEGER NOT NULL, client TEXT NOT NULL)
                WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS session_account ON session(account, time);
            """)
        connection = made
        return made
    }
}
