import CLinux
import Database
import Glibc
import Synchronization

/// Who may have the database open, between the processes and threads of a node, and what happens when it is damaged.
///
/// Everybody who has it open holds `users.lock` shared. Whoever meets damage leaves the mark `queue.damaged` and lets
/// go; all others see the mark at their next step and let go too; the first one that gets the lock exclusively repairs.
/// Meanwhile operations fail with `damaged`, which is temporary.
final class SpoolAccess: Sendable {
    let folder: SpoolFolder
    /// Held around each write transaction.
    let writeLock: FileLock
    private let usersLock: FileLock
    private let notify: @Sendable (SpoolNotice) -> Void

    private struct State {
        var isOpen = false
        /// Counts the openings: a connection of an earlier one is not used any more.
        var generation = 0
        var isClosed = false
    }
    private let state = Mutex(State())

    init(root: String, node: String, notify: @escaping @Sendable (SpoolNotice) -> Void) throws(SpoolError) {
        folder = try SpoolFolder(root: root, node: node)
        self.notify = notify
        let wasUsed = SpoolFolder.exists(folder.usersLock)
        usersLock = try FileLock(folder.usersLock)
        writeLock = try FileLock(folder.writeLock)
        if wasUsed, !SpoolFolder.exists(folder.database), !SpoolFolder.exists(folder.damageMark) {
            notify(.databaseWasMissing(folder.database))
        }
    }

    /// Makes sure that there is a sound database of our version.
    /// - Returns: the generation that connections must have.
    func open() throws(SpoolError) -> Int {
        let folder = folder
        let result: Result<Int, SpoolError> = state.withLock { state in
            if state.isClosed { return .failure(SpoolError(.closed, folder.path)) }
            if state.isOpen, !SpoolFolder.exists(folder.damageMark) { return .success(state.generation) }
            do {
                state.isOpen = false
                state.generation += 1
                try prepare()
                state.isOpen = true
                return .success(state.generation)
            } catch {
                usersLock.unlock()
                return .failure(SpoolError(error))
            }
        }
        return try result.get()
    }

    /// Lets go until the next `open`, so that another process may repair.
    func release() {
        state.withLock { state in
            if state.isOpen { usersLock.unlock() }
            state.isOpen = false
            state.generation += 1
        }
    }

    /// Lets go for good.
    func close() {
        release()
        state.withLock { $0.isClosed = true }
    }

    /// An operation met damage: everybody lets go, and the next `open` repairs.
    func reportDamage() { _ = try? Recovery.mark(folder, now: time(nil)) }

    /// Makes everything durable that was committed before.
    func syncLog() throws(SpoolError) {
        let path = folder.database + "-wal"
        let log = clinux_open(path, O_RDWR | O_CLOEXEC, 0)
        // No log: all of it is in the database already, synced.
        if log < 0, errno == ENOENT { return }
        defer { if log >= 0 { Glibc.close(log) } }
        guard log >= 0, fsync(log) == 0 else {
            throw SpoolError(.io, "sync \(path): \(String(cString: strerror(errno)))")
        }
    }

    private func prepare() throws {
        try usersLock.lock(shared: true)
        var found = try look()
        if found == .damaged {
            usersLock.unlock()
            guard usersLock.tryLock() else {
                _ = try Recovery.mark(folder, now: time(nil))
                throw SpoolError(.damaged, "\(folder.database) waits for repair: another process has it open")
            }
            if try look() == .damaged { notify(try Recovery(folder: folder).run(now: time(nil))) }
            try usersLock.lock(shared: true)
            found = try look()
        }
        if found == .sound { return }
        try writeLock.lock()
        defer { writeLock.unlock() }
        if found == .outdated {
            return try Schema.upgrade(Connection(path: folder.database, mode: .readWrite, options: Schema.options))
        }
        try folder.makePrivate(folder.database)
        let connection = try Connection(path: folder.database, mode: .readWrite, options: Schema.options)
        try Schema.create(in: connection)
    }

    private enum Found { case missing, damaged, outdated, sound }

    /// Looks without writing: a database of another version is to stay as it is.
    private func look() throws -> Found {
        if SpoolFolder.exists(folder.damageMark) { return .damaged }
        guard SpoolFolder.exists(folder.database) else { return .missing }
        do {
            let connection = try Connection(path: folder.database, mode: .readOnly)
            switch try Schema.find(in: connection) {
            case .current: return .sound
            case .older: return .outdated
            case .empty: return .missing
            case .other(let version): throw SpoolError(.unsupportedVersion(version), folder.database)
            }
        } catch let error as DatabaseError where error.kind == .damaged {
            return .damaged
        }
    }
}

/// Connections for reading, for any thread. A connection is used by one thread at a time.
final class ReaderPool: @unchecked Sendable {  // the mutex guards the connections
    private struct Idle {
        var generation = 0
        var connections: [Connection] = []
    }
    private let access: SpoolAccess
    private let idle = Mutex<Idle>(Idle())
    /// A process that seldom looks keeps nothing open, so that others can repair.
    private let keepsOpen: Bool
    private let users = Mutex(0)

    /// Connections kept for the next reader.
    private static let kept = 4

    init(_ access: SpoolAccess, keepsOpen: Bool) {
        self.access = access
        self.keepsOpen = keepsOpen
    }

    /// Runs `body` with a connection inside one read transaction: all its reads see one state.
    func read<Value>(_ body: (Connection, _ generation: Int) throws -> Value) throws(SpoolError) -> Value {
        users.withLock { $0 += 1 }
        defer {
            let left = users.withLock { count in
                count -= 1
                return count
            }
            if !keepsOpen, left == 0 { access.release() }
        }
        do {
            let generation = try access.open()
            let connection = try take(generation)
            let value = try connection.transaction(.deferred) { try body(connection, generation) }
            if keepsOpen { give(connection, generation) }
            return value
        } catch {
            let error = SpoolError(error)
            if error.kind == .damaged { access.reportDamage() }
            throw error
        }
    }

    private func take(_ generation: Int) throws -> Connection {
        let known = idle.withLock { idle -> Carried? in
            if idle.generation != generation { idle = Idle(generation: generation) }
            return idle.connections.popLast().map(Carried.init)
        }
        if let known { return known.connection }
        return try Connection(
            path: access.folder.database, mode: .readOnly, options: .init(cacheSize: 4 << 20))
    }

    private func give(_ connection: Connection, _ generation: Int) {
        let carried = Carried(connection: connection)
        idle.withLock { idle in
            if idle.generation == generation, idle.connections.count < Self.kept {
                idle.connections.append(carried.connection)
            }
        }
    }

    /// Carries a connection through the lock; it has one owner at every moment.
    private struct Carried: @unchecked Sendable {
        let connection: Connection
    }
}
