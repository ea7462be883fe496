import CSQLite

/// One connection to an SQLite database in WAL mode. Used by one thread at a time (`SQLITE_OPEN_NOMUTEX`): its owner
/// guards it. Closed when the last reference goes.
package final class Connection {
    package enum Mode: Sendable {
        /// Opens for writing and creates the file (mode by the umask) when it is missing.
        case readWrite
        /// Opens an existing database for reading; every write is refused.
        case readOnly
    }

    /// When a commit counts as done.
    package enum Durability: String, Sendable {
        /// Synced to the device at each commit: survives a power cut.
        case full = "FULL"
        /// Survives the death of the process; the last commits may be missing after a power cut. Never damaged.
        case normal = "NORMAL"
    }

    package struct Options: Sendable {
        /// How long a statement waits for another connection's lock, milliseconds.
        package var busyTimeout: Int32
        package var durability: Durability
        /// Octets, a power of two from 512 to 65536; counts only for a database that is made now.
        package var pageSize: Int
        /// Cache of one connection, octets.
        package var cacheSize: Int
        /// Overwrite what is deleted with zeros. Costs a write of every freed page.
        package var overwritesDeleted: Bool
        /// Whether REFERENCES clauses are enforced.
        package var enforcesForeignKeys: Bool

        package init(
            busyTimeout: Int32 = 10_000, durability: Durability = .full, pageSize: Int = 4096,
            cacheSize: Int = 2 << 20, overwritesDeleted: Bool = false, enforcesForeignKeys: Bool = false
        ) {
            self.busyTimeout = busyTimeout
            self.durability = durability
            self.pageSize = pageSize
            self.cacheSize = cacheSize
            self.overwritesDeleted = overwritesDeleted
            self.enforcesForeignKeys = enforcesForeignKeys
        }
    }

    package let path: String
    let handle: OpaquePointer
    private var cached: [String: Statement] = [:]
    private var durability: Durability

    /// - Throws: `cannotOpen`, `damaged` (also a file that is no database), `busy`, `io`, `diskFull`.
    package init(path: String, mode: Mode, options: Options = Options()) throws(DatabaseError) {
        let access = mode == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let error = DatabaseError(code: code, database: opened, context: "open \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        self.path = path
        handle = opened
        durability = options.durability
        try configure(mode, options)
    }

    deinit {
        cached.removeAll()
        sqlite3_close_v2(handle)
    }

    private func configure(_ mode: Mode, _ options: Options) throws(DatabaseError) {
        // Before any other statement: two processes that switch to WAL at the same moment would else fail at once.
        sqlite3_busy_timeout(handle, options.busyTimeout)
        if mode == .readWrite {
            try execute("PRAGMA page_size=\(options.pageSize)")
            try execute("PRAGMA journal_mode=WAL")
            try execute("PRAGMA synchronous=\(options.durability.rawValue)")
            // Debian builds SQLite with secure_delete on.
            try execute("PRAGMA secure_delete=\(options.overwritesDeleted ? "ON" : "OFF")")
            try execute("PRAGMA foreign_keys=\(options.enforcesForeignKeys ? "ON" : "OFF")")
        } else {
            try execute("PRAGMA query_only=ON")
        }
        try execute("PRAGMA cache_size=-\(max(64, options.cacheSize >> 10))")
    }

    /// When the next transactions count as done. Not inside one. A commit that is synced makes all before it durable,
    /// whoever wrote them.
    package func use(_ durability: Durability) throws(DatabaseError) {
        guard durability != self.durability else { return }
        try execute("PRAGMA synchronous=\(durability.rawValue)")
        self.durability = durability
    }

    /// Runs one or more statements without parameters; rows they return are dropped.
    package func execute(_ sql: String) throws(DatabaseError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw failure(code, sql) }
    }

    /// A new statement for a caller that keeps it and runs it often.
    package func prepare(_ sql: String) throws(DatabaseError) -> Statement {
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(
            handle, sql, -1, UInt32(bitPattern: SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let made else { throw failure(code, sql) }
        return Statement(made, of: self, sql)
    }

    /// The statement for `sql`, prepared at the first call and kept. The same text must not be in use twice at once.
    package func statement(_ sql: String) throws(DatabaseError) -> Statement {
        if let known = cached[sql] { return known }
        let made = try prepare(sql)
        cached[sql] = made
        return made
    }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    package var changes: Int { Int(sqlite3_changes(handle)) }
    /// Row id of the last INSERT on this connection.
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Breaks off what another thread runs on this connection: it fails with `other`. The one call that is allowed
    /// from any thread; the connection must stay alive meanwhile.
    package func interrupt() { sqlite3_interrupt(handle) }

    func failure(_ code: Int32, _ sql: String) -> DatabaseError {
        DatabaseError(code: code, database: handle, context: String(sql.prefix(120)))
    }
}

extension Connection {
    package enum TransactionKind: String, Sendable {
        /// Takes the write lock at once: no failure in the middle by another writer.
        case immediate = "IMMEDIATE"
        /// One consistent view for several reads.
        case deferred = "DEFERRED"
    }

    /// Runs `body` inside a transaction: committed when it returns, rolled back when it (or the commit) throws.
    package func transaction<Value>(
        _ kind: TransactionKind = .immediate, _ body: () throws -> Value
    ) throws -> Value {
        try execute("BEGIN \(kind.rawValue)")
        do {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    /// Runs `body` inside a savepoint of an open transaction: when it throws, what it wrote is undone and the
    /// transaction goes on, unless SQLite has ended it (disk full, I/O error: see `isInTransaction`).
    package func savepoint<Value>(_ body: () throws -> Value) throws -> Value {
        try execute("SAVEPOINT step")
        do {
            let value = try body()
            try execute("RELEASE step")
            return value
        } catch {
            if isInTransaction {
                try execute("ROLLBACK TO step")
                try execute("RELEASE step")
            }
            throw error
        }
    }

    /// Ends an open transaction without its changes; nothing happens when there is none.
    package func rollBack() {
        // SQLite rolls back by itself on some errors; a failing ROLLBACK leaves nothing to be done.
        if isInTransaction { try? execute("ROLLBACK") }
    }

    package enum Checkpoint: Int32, Sendable { case passive = 0, full, restart, truncate }

    /// Moves the log's content into the database file.
    /// - Returns: whether all of it got there (a reader may hold some back).
    @discardableResult
    package func checkpoint(_ mode: Checkpoint = .passive) throws(DatabaseError) -> Bool {
        var inLog: Int32 = 0
        var moved: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode.rawValue, &inLog, &moved)
        if code & 0xFF == SQLITE_BUSY { return false }
        if code != SQLITE_OK { throw failure(code, "checkpoint") }
        return inLog == moved
    }

    /// Looks through the whole structure.
    /// - Parameter isThorough: also compares indexes with their tables (slower).
    /// - Returns: at most `limit` findings; empty when the database is sound.
    package func problems(isThorough: Bool = false, limit: Int = 20) -> [String] {
        do {
            let sql = isThorough ? "PRAGMA integrity_check(\(limit))" : "PRAGMA quick_check(\(limit))"
            let found = try rows(sql) { $0.text(0) }
            return found == ["ok"] ? [] : found
        } catch {
            return [error.detail]
        }
    }
}
