import Database
import Glibc
import MailModel
import Policy
import Synchronization
import Threads

/// Keeps the records behind the references of refusals (`explain REF`). Writing is a courtesy: it happens on a thread
/// of its own, in batches, and a flood is dropped rather than queued without bound.
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
    /// earlier when there are more than `records` (`explain.max_records`; one takes 1 to 4 KiB). Any thread.
    package func keep(days: Int, records: Int = .max) {
        store.keptMilliseconds.store(Int64(days) * 86_400_000, ordering: .relaxed)
        store.keptRecords.store(max(1, records), ordering: .relaxed)
    }

    /// Any thread; never waits.
    /// - Parameter evidence: what it was decided from; `nil`: no decision about mail.
    /// - Returns: `false` when it was dropped: its reference must not be given out.
    package func record(_ record: DecisionRecord, evidence: Evidence? = nil) -> Bool {
        worker.submit(orDrop: DecisionEntry(record: record, evidence: evidence))
    }

    /// Writes what waits and ends.
    package func close() { worker.close() }
}

private struct DecisionEntry: Sendable {
    let record: DecisionRecord
    let evidence: Evidence?
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
    private var count = 0

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
                    _ = try connection.run(
                        "INSERT OR REPLACE INTO decision (reference, time, record, facts) VALUES (?, ?, ?, ?)",
                        .text(entry.record.reference.rawValue), .integer(entry.record.time),
                        .text(DecisionText.encode(entry.record)),
                        entry.evidence.map { .text(DecisionText.encode($0)) } ?? .null)
                }
                try prune(connection, now: entries.last?.record.time ?? 0)
                try shrink(connection, added: entries.count)
            }
            hasTrouble = false
        } catch {
            connection = nil
            if !hasTrouble { trouble("explain records cannot be written to \(path): \(error)") }
            hasTrouble = true
        }
    }

    private func prune(_ connection: Connection, now: Int64) throws {
        guard now - pruned >= Self.hour else { return }
        pruned = now
        let limit = now - keptMilliseconds.load(ordering: .relaxed)
        count -= try connection.run("DELETE FROM decision WHERE time < ?", .integer(limit))
    }

    /// Takes the oldest away when there are too many, an eighth more than needed so that it is not done each time.
    private func shrink(_ connection: Connection, added: Int) throws {
        count += added
        let limit = keptRecords.load(ordering: .relaxed)
        guard count > limit else { return }
        let surplus = count - limit + limit / 8
        count -= try connection.run(
            "DELETE FROM decision WHERE reference IN (SELECT reference FROM decision ORDER BY time LIMIT ?)",
            .integer(Int64(surplus)))
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
            """)
        // Databases of before there were facts.
        let columns = try made.rows("SELECT name FROM pragma_table_info('decision')") { $0.text(0) }
        if !columns.contains("facts") { try made.execute("ALTER TABLE decision ADD COLUMN facts TEXT") }
        count = try made.first("SELECT count(*) FROM decision") { $0.int(0) } ?? 0
        connection = made
        return made
    }
}
