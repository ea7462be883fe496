import Database
import Glibc
import MailModel
import Policy
import Synchronization

/// The database behind the log, and the blocks of refusals that wait for it.
final class DecisionStore: @unchecked Sendable {
    // Unchecked: but for the atomics and what waits, everything is used on the one thread of the log's worker.
    enum Taking { case dropped, joined, began }
    private struct Waiting {
        var block = DecisionBlock()
        var full: [DecisionBlock] = []
        var isClosed = false
    }
    /// Full blocks that wait at most: a disk that does not keep up costs records, not memory.
    private static let mostFull = 8
    private static let hour: Int64 = 3_600_000

    private let path: String
    private let trouble: @Sendable (String) -> Void
    private let waiting = Mutex(Waiting())
    let keptMilliseconds = Atomic<Int64>(30 * 86_400_000)
    let keptRecords = Atomic<Int>(.max)

    private var connection: Connection?
    private var hasTrouble = false
    /// Time of the newest record when old ones were last deleted, milliseconds since 1970.
    private var pruned: Int64 = 0
    /// Records in the database.
    private var refused = 0
    private var accepted = 0
    /// The settings of the last accepted mail, and their row.
    private var settings: (value: AcceptanceSettings, id: Int64)?

    init(path: String, trouble: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.trouble = trouble
    }

    // MARK: Any thread

    func take(_ record: DecisionRecord, _ evidence: Evidence?, weight: Int) -> Taking {
        // The oldest go by the block: none is more than an eighth of what is kept.
        let limit = max(1, min(DecisionBlock.most, keptRecords.load(ordering: .relaxed) / 8))
        return waiting.withLock { waiting in
            guard !waiting.isClosed else { return .dropped }
            if !waiting.block.takes(record.time, limit: limit) {
                guard waiting.full.count < Self.mostFull else { return .dropped }
                waiting.full.append(waiting.block)
                waiting.block = DecisionBlock()
            }
            waiting.block.append(record, evidence, weight: weight)
            return waiting.block.count == 1 ? .began : .joined
        }
    }

    func stopTaking() { waiting.withLock { $0.isClosed = true } }

    // MARK: The worker's thread

    func write(_ entries: [DecisionEntry]) {
        let blocks = waiting.withLock { waiting in
            defer {
                waiting.full = []
                waiting.block = DecisionBlock()
            }
            return waiting.full + (waiting.block.count > 0 ? [waiting.block] : [])
        }
        guard !entries.isEmpty || !blocks.isEmpty else { return }
        do {
            let connection = try open()
            var now: Int64 = 0
            try connection.transaction {
                for block in blocks {
                    try write(block, connection)
                    now = max(now, block.last)
                }
                for case .accepted(let mail) in entries {
                    try write(mail, connection)
                    now = max(now, mail.time)
                }
                try prune(connection, now: now)
                try shrink(connection)
            }
            hasTrouble = false
        } catch {
            connection = nil
            if !hasTrouble { trouble("explain records cannot be written to \(path): \(error)") }
            hasTrouble = true
        }
    }

    private func write(_ block: DecisionBlock, _ connection: Connection) throws {
        _ = try connection.run(
            "INSERT INTO refusals (last, count, refs, tallies, facts, body) VALUES (?, ?, ?, ?, ?, ?)",
            .integer(block.last), .integer(Int64(block.count)), .blob(block.references),
            .text(DecisionText.encode(block.tallies)),
            block.facts.isEmpty ? .null : .text(DecisionText.encode(block.facts)), .blob(block.octets))
        refused += block.count
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
        _ = try connection.run("DELETE FROM refusals WHERE last < ?", .integer(limit))
        refused = try Self.countRefused(connection)
        accepted -= try connection.run("DELETE FROM accepted WHERE time < ?", .integer(limit))
        try connection.execute("DELETE FROM acceptance WHERE id NOT IN (SELECT settings FROM accepted)")
        settings = nil
    }

    /// Takes the oldest away when there are too many, an eighth more than needed so that it is not done each time.
    private func shrink(_ connection: Connection) throws {
        let limit = max(1, keptRecords.load(ordering: .relaxed))
        if refused > limit { try shrinkRefused(to: limit - limit / 8, connection) }
        if accepted > limit {
            accepted -= try connection.run(
                "DELETE FROM accepted WHERE id IN (SELECT id FROM accepted ORDER BY time LIMIT ?)",
                .integer(Int64(accepted - limit + limit / 8)))
        }
    }

    private func shrinkRefused(to limit: Int, _ connection: Connection) throws {
        let blocks = try connection.rows("SELECT id, count FROM refusals ORDER BY id LIMIT ?", .integer(Int64(refused)))
        {
            ($0.integer(0), $0.int(1))
        }
        var left = refused
        var last: Int64 = 0
        for (id, count) in blocks.dropLast() where left > limit {
            left -= count
            last = id
        }
        _ = try connection.run("DELETE FROM refusals WHERE id <= ?", .integer(last))
        refused = left
    }

    private static func countRefused(_ connection: Connection) throws(DatabaseError) -> Int {
        try connection.first("SELECT coalesce(sum(count), 0) FROM refusals") { $0.int(0) } ?? 0
    }

    private func open() throws -> Connection {
        if let connection { return connection }
        // Losing the last records in a power cut is harmless, so commits do not wait for the disk.
        let options = Connection.Options(busyTimeout: 2_000, durability: .normal, cacheSize: 256 << 10)
        let made = try Connection(path: path, mode: .readWrite, options: options)
        // Who wrote to whom: for the services alone.
        chmod(path, 0o600)
        // The partial indexes find a reference without a look at the bodies: that of a record which came alone, and
        // those of records that came together.
        try made.execute(
            """
            CREATE TABLE IF NOT EXISTS refusals (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, count INTEGER NOT NULL,
                refs BLOB NOT NULL, tallies TEXT NOT NULL, facts TEXT, body BLOB NOT NULL);
            CREATE INDEX IF NOT EXISTS refusals_last ON refusals (last);
            CREATE INDEX IF NOT EXISTS refusals_alone ON refusals (refs) WHERE count = 1;
            CREATE INDEX IF NOT EXISTS refusals_together ON refusals (id, refs) WHERE count > 1;
            CREATE TABLE IF NOT EXISTS acceptance (id INTEGER PRIMARY KEY, settings TEXT NOT NULL UNIQUE);
            CREATE TABLE IF NOT EXISTS accepted (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, weight INTEGER NOT NULL,
                settings INTEGER NOT NULL, facts TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS accepted_time ON accepted (time);
            """)
        // Of before there were blocks.
        try made.execute("DROP TABLE IF EXISTS decision")
        refused = try Self.countRefused(made)
        accepted = try made.first("SELECT count(*) FROM accepted") { $0.int(0) } ?? 0
        settings = nil
        connection = made
        return made
    }
}
