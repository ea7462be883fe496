import Database
import Glibc
import MailModel
import Policy
import Synchronization
import Threads

/// Keeps the records behind the references of refusals (`explain REF`), and what accepted mail was decided from
/// (`replay`). Writing is a courtesy: it happens on a thread of its own, in batches, and a flood is dropped rather than
/// queued without bound.
package final class DecisionLog: Sendable {
    /// Records that wait at most.
    private static let waiting = 4_096

    private let worker: BatchWorker<DecisionEntry>
    private let store: DecisionStore

    /// - Parameters:
    ///   - path: of the database; made when missing.
    ///   - trouble: told once for each time that writing begins to fail; on the log's thread.
    package init(path: String, trouble: @escaping @Sendable (String) -> Void = { _ in }) {
        let store = DecisionStore(path: path, trouble: trouble)
        self.store = store
        worker = BatchWorker(
            name: "explain", limits: .init(items: 512, linger: 50, waiting: Self.waiting), work: { store.write($0) })
    }

    /// Records older than `days` are deleted, once an hour while new ones come (`explain.keep_days`); the oldest go
    /// earlier when there are more than `records` of refusals, or of accepted mail (`explain.max_records`; one takes 1
    /// to 4 KiB). With 0 none are made. Any thread.
    package func keep(days: Int, records: Int = .max) {
        store.keptMilliseconds.store(Int64(days) * 86_400_000, ordering: .relaxed)
        store.keptRecords.store(max(0, records), ordering: .relaxed)
    }

    /// Whether records are made at all.
    package var isOn: Bool { store.keptRecords.load(ordering: .relaxed) > 0 }

    /// Any thread; never waits.
    /// - Parameter evidence: what it was decided from; `nil`: no decision about mail.
    /// - Returns: `false` when it was dropped: its reference must not be given out.
    package func record(_ record: DecisionRecord, evidence: Evidence? = nil) -> Bool {
        isOn && worker.submit(orDrop: .refused(record, evidence))
    }

    /// Any thread; never waits. What does not fit is left out.
    package func record(_ mail: AcceptedMail) {
        if isOn { _ = worker.submit(orDrop: .accepted(mail)) }
    }

    /// Writes what waits and ends.
    package func close() { worker.close() }
}

private enum DecisionEntry: Sendable {
    case refused(DecisionRecord, Evidence?)
    case accepted(AcceptedMail)

    var time: Int64 {
        switch self {
        case .refused(let record, _): record.time
        case .accepted(let mail): mail.time
        }
    }
}

/// The database behind the log.
private final class DecisionStore: @unchecked Sendable {
    // Unchecked: but for the atomics, everything is used on the one thread of the log's worker.
    private let path: String
    private let trouble: @Sendable (String) -> Void
    private var connection: Connection?
    private var hasTrouble = false
    /// Time of the newest record when old ones were last deleted, milliseconds since 1970.
    private var pruned: Int64 = 0
    let keptMilliseconds = Atomic<Int64>(30 * 86_400_000)
    let keptRecords = Atomic<Int>(.max)
    /// Records in the database.
    private var refused = 0
    private var accepted = 0
    /// The settings of the last accepted mail, and their row.
    private var settings: (value: AcceptanceSettings, id: Int64)?

    private static let hour: Int64 = 3_600_000

    init(path: String, trouble: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.trouble = trouble
    }

    func write(_ entries: [DecisionEntry]) {
        do {
            let connection = try open()
            try connection.transaction {
                for entry in entries {
                    switch entry {
                    case .refused(let record, let evidence): try write(record, evidence, connection)
                    case .accepted(let mail): try write(mail, connection)
                    }
                }
                try prune(connection, now: entries.last?.time ?? 0)
                try shrink(connection)
            }
            hasTrouble = false
        } catch {
            connection = nil
            if !hasTrouble { trouble("explain records cannot be written to \(path): \(error)") }
            hasTrouble = true
        }
    }

    private func write(_ record: DecisionRecord, _ evidence: Evidence?, _ connection: Connection) throws {
        _ = try connection.run(
            "INSERT OR REPLACE INTO decision (reference, time, record, facts) VALUES (?, ?, ?, ?)",
            .text(record.reference.rawValue), .integer(record.time), .text(DecisionText.encode(record)),
            evidence.map { .text(DecisionText.encode($0)) } ?? .null)
        refused += 1
    }

    private func write(_ mail: AcceptedMail, _ connection: Connection) throws {
        _ = try connection.run(
            "INSERT INTO accepted (time, weight, settings, facts) VALUES (?, ?, ?, ?)", .integer(mail.time),
            .integer(Int64(mail.weight)), .integer(try id(of: mail.settings, connection)),
            .text(DecisionText.encode(mail.facts)))
        accepted += 1
    }

    /// Settings change seldom: they are written once.
    private func id(of value: AcceptanceSettings, _ connection: Connection) throws -> Int64 {
        if let settings, settings.value == value { return settings.id }
        let text = DecisionText.encode(value)
        _ = try connection.run("INSERT OR IGNORE INTO acceptance (settings) VALUES (?)", .text(text))
        let id = try connection.first("SELECT id FROM acceptance WHERE settings = ?", .text(text)) { $0.integer(0) }
        settings = id.map { (value, $0) }
        return id ?? 0
    }

    private func prune(_ connection: Connection, now: Int64) throws {
        guard now - pruned >= Self.hour else { return }
        pruned = now
        let limit = now - keptMilliseconds.load(ordering: .relaxed)
        refused -= try connection.run("DELETE FROM decision WHERE time < ?", .integer(limit))
        accepted -= try connection.run("DELETE FROM accepted WHERE time < ?", .integer(limit))
        try connection.execute("DELETE FROM acceptance WHERE id NOT IN (SELECT settings FROM accepted)")
        settings = nil
    }

    /// Takes the oldest away when there are too many, an eighth more than needed so that it is not done each time.
    private func shrink(_ connection: Connection) throws {
        let limit = max(1, keptRecords.load(ordering: .relaxed))
        func surplus(_ count: Int) -> DatabaseValue { .integer(Int64(count - limit + limit / 8)) }
        if refused > limit {
            refused -= try connection.run(
                "DELETE FROM decision WHERE reference IN (SELECT reference FROM decision ORDER BY time LIMIT ?)",
                surplus(refused))
        }
        if accepted > limit {
            accepted -= try connection.run(
                "DELETE FROM accepted WHERE id IN (SELECT id FROM accepted ORDER BY time LIMIT ?)", surplus(accepted))
        }
    }

    private func open() throws -> Connection {
        if let connection { return connection }
        // Losing the last records in a power cut is harmless, so commits do not wait for the disk.
        let options = Connection.Options(busyTimeout: 2_000, durability: .normal, cacheSize: 256 << 10)
        let made = try Connection(path: path, mode: .readWrite, options: options)
        try made.execute(
            """
            CREATE TABLE IF NOT EXISTS decision (reference TEXT PRIMARY KEY, time INTEGER NOT NULL, record TEXT NOT NULL,
                facts TEXT) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS decision_time ON decision (time);
            CREATE TABLE IF NOT EXISTS acceptance (id INTEGER PRIMARY KEY, settings TEXT NOT NULL UNIQUE);
            CREATE TABLE IF NOT EXISTS accepted (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, weight INTEGER NOT NULL,
                settings INTEGER NOT NULL, facts TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS accepted_time ON accepted (time);
            """)
        // Databases of before there were facts.
        let columns = try made.rows("SELECT name FROM pragma_table_info('decision')") { $0.text(0) }
        if !columns.contains("facts") { try made.execute("ALTER TABLE decision ADD COLUMN facts TEXT") }
        refused = try made.first("SELECT count(*) FROM decision") { $0.int(0) } ?? 0
        accepted = try made.first("SELECT count(*) FROM accepted") { $0.int(0) } ?? 0
        settings = nil
        connection = made
        return made
    }
}
