import Database
import Glibc
import MailModel
import Synchronization
import Threads

/// Keeps the records behind the references of refusals (`explain REF`). Writing is a courtesy: it happens on a thread
/// of its own, in batches, and a flood is dropped rather than queued without bound.
package final class DecisionLog: Sendable {
    /// Records that wait at most.
    private static let waiting = 4_096

    private let worker: BatchWorker<DecisionRecord>
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

    /// Older records are deleted, once an hour while new ones come (`explain.keep_days`). Any thread.
    package func keep(days: Int) { store.keptMilliseconds.store(Int64(days) * 86_400_000, ordering: .relaxed) }

    /// Any thread; never waits.
    /// - Returns: `false` when it was dropped: its reference must not be given out.
    package func record(_ record: DecisionRecord) -> Bool { worker.submit(orDrop: record) }

    /// Writes what waits and ends.
    package func close() { worker.close() }
}

/// The database behind the log.
private final class DecisionStore: @unchecked Sendable {
    // Unchecked: but for the atomic, everything is used on the one thread of the log's worker.
    private let path: String
    private let trouble: @Sendable (String) -> Void
    private var connection: Connection?
    private var hasTrouble = false
    /// Time of the newest record when old ones were last deleted, milliseconds since 1970.
    private var pruned: Int64 = 0
    let keptMilliseconds = Atomic<Int64>(30 * 86_400_000)

    private static let hour: Int64 = 3_600_000

    init(path: String, trouble: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.trouble = trouble
    }

    func write(_ records: [DecisionRecord]) {
        do {
            let connection = try open()
            try connection.transaction {
                for record in records {
                    _ = try connection.run(
                        "INSERT OR REPLACE INTO decision (reference, time, record) VALUES (?, ?, ?)",
                        .text(record.reference.rawValue), .integer(record.time), .text(DecisionText.encode(record)))
                }
                try prune(connection, now: records.last?.time ?? 0)
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
        _ = try connection.run("DELETE FROM decision WHERE time < ?", .integer(limit))
    }

    private func open() throws -> Connection {
        if let connection { return connection }
        // Losing the last records in a power cut is harmless, so commits do not wait for the disk.
        let options = Connection.Options(busyTimeout: 2_000, durability: .normal, cacheSize: 256 << 10)
        let made = try Connection(path: path, mode: .readWrite, options: options)
        try made.execute(
            """
            CREATE TABLE IF NOT EXISTS decision (reference TEXT PRIMARY KEY, time INTEGER NOT NULL, record TEXT NOT NULL)
            WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS decision_time ON decision (time);
            """)
        connection = made
        return made
    }
}
