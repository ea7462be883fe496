import Control
import Database
import MailModel
import Settings
import Synchronization

/// Who changes something, and from where; both stand in the history.
package struct Author: Hashable, Sendable {
    package var name: String
    package var origin: String
    package init(name: String, origin: String) {
        self.name = name
        self.origin = origin
    }
}

/// What the supervisor knows about the world and the store does not: files, addresses, ports.
package struct StoreChecks: Sendable {
    /// Problems of new settings, given the old ones.
    package var settings: @Sendable (_ old: SettingsSnapshot, _ new: SettingsSnapshot) -> [Problem]
    /// Whether gateway.dat holds lines.
    package var hasGateways: @Sendable () -> Bool
    package init(
        settings: @escaping @Sendable (SettingsSnapshot, SettingsSnapshot) -> [Problem] = { _, _ in [] },
        hasGateways: @escaping @Sendable () -> Bool = { false }
    ) {
        self.hasGateways = hasGateways
        self.settings = settings
    }
}

/// The only writer of `store.db`. Each change is one transaction with base revisions, author, time and note.
/// Any thread; changes wait for each other and for the disk.
package final class StoreWriter: @unchecked Sendable {
    // Sendable by hand: the connection is used inside `lock` only.
    let layout: Layout
    /// What was wrong with the database when it was opened, English; `nil`: nothing.
    package let openingReport: String?
    private let lock = Mutex<Void>(())
    private let connection: Connection
    private let clock: @Sendable () -> Int64
    let checks: StoreChecks

    /// Opens the store, makes it when it is missing, sets it aside when it is damaged.
    /// - Parameter clock: milliseconds since 1970.
    /// - Throws: when the folder is not writable, or the store is of another version (it is kept as it is).
    package init(
        layout: Layout, checks: StoreChecks = StoreChecks(), clock: @escaping @Sendable () -> Int64
    ) throws(DatabaseError) {
        self.layout = layout
        self.clock = clock
        self.checks = checks
        (connection, openingReport) = try StoreOpening.open(layout.store, now: clock())
    }

    /// Runs a question or a change under the lock, with database trouble as `Failed`.
    func locked<Value: Sendable>(_ body: (Connection, StoreReader) throws -> Value) throws(ControlError) -> Value {
        let answer: Result<Value, ControlError> = lock.withLock { _ in
            do {
                return .success(try body(connection, StoreReader(connection: connection, layout: layout)))
            } catch let error as ControlError {
                return .failure(error)
            } catch let error as DatabaseError {
                return .failure(Self.failed(error))
            } catch {
                return .failure(ControlError(.failed, code: "store.failed", "\(error)"))
            }
        }
        return try answer.get()
    }

    static func failed(_ error: DatabaseError) -> ControlError {
        switch error.kind {
        case .diskFull:
            ControlError(.failed, code: "store.disk-full", "the disk is full, nothing was changed: \(error.detail)")
        default:
            ControlError(
                .failed, code: "store.failed",
                "the store cannot be written or read, nothing was changed: \(error.detail)",
                arguments: [error.detail])
        }
    }

    /// One change: a new revision with everything that `body` records. Without records there is no revision.
    func change(
        _ author: Author, note: String, _ connection: Connection, _ body: (inout Editor) throws -> Void
    ) throws -> (revision: Int64, records: [ChangeRecord]) {
        struct Nothing: Error {}
        let reader = StoreReader(connection: connection, layout: layout)
        do {
            return try connection.transaction {
                let revision = try reader.revision() + 1
                try connection.run(
                    "INSERT INTO revisions(id, time, author, origin, note) VALUES(?,?,?,?,?)", .integer(revision),
                    .integer(clock()), .text(author.name), .text(author.origin), .text(String(note.prefix(500))))
                var editor = Editor(connection: connection, revision: revision)
                try body(&editor)
                if editor.records.isEmpty { throw Nothing() }
                return (revision, editor.records)
            }
        } catch is Nothing {
            return (try reader.revision(), [])
        }
    }

    /// The revision that last touched a path; 0 = none.
    static func newestRevision(of path: String, _ connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.first("SELECT max(revision) FROM changes WHERE path=?", .text(path)) { $0.integer(0) } ?? 0
    }

    // MARK: Small questions

    package func snapshot() throws(ControlError) -> SettingsSnapshot { try locked { try $1.snapshot() } }
    package func domains() throws(ControlError) -> [DomainRecord] { try locked { try $1.domains() } }
    package func revision() throws(ControlError) -> Int64 { try locked { try $1.revision() } }

    /// Facts beside the history, such as which services are registered.
    package func state(_ key: String) throws(ControlError) -> String? {
        try locked { connection, _ in
            try connection.first("SELECT value FROM state WHERE key=?", .text(key)) { $0.text(0) }
        }
    }

    package func setState(_ key: String, _ value: String) throws(ControlError) {
        try locked { connection, _ in
            _ = try connection.run(
                "INSERT INTO state(key, value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
                .text(key), .text(value))
        }
    }
}
