import CLinux
import Glibc
import MailModel
import Synchronization
import Threads

/// The spool on disk: one SQLite database per node, written by group commit (architecture, section 4).
///
/// Several processes of a node use it at once, each through its own `DiskSpool` with its own role. It holds threads:
/// `close` ends them.
package final class DiskSpool: DeliverySpool, QueueOperations {
    /// Which process this is; each has its own lane of queue ids.
    package enum Role: Int, Sendable {
        /// EPSTRS: adds.
        case receiver = 0
        /// EPSTDS: claims, changes, adds children; sweeps what crashes left behind.
        case delivery = 1
        /// The supervisor: looks, and acts while EPSTDS is down. Keeps nothing open in between.
        case observer = 2
    }

    private let access: SpoolAccess
    private let readers: ReaderPool
    private let claims = DeliveryClaims()
    private let committer: BatchWorker<SpoolJob>
    /// Syncs large content before its job goes to the committer: a long sync holds up nobody else.
    private let preparer: BatchWorker<SpoolJob>
    private let remover: BatchWorker<String>
    private let generator: Mutex<QueueIDGenerator>
    private let clock: @Sendable () -> Int64

    /// One transaction at most: octets and messages.
    private static let batchWeight = 16 << 20
    private static let batchJobs = 512
    private static let preparerThreads = 4

    /// Opens the spool of a node; makes it when it is not there.
    /// - Parameters:
    ///   - root: the folder `spool`; its parent must exist.
    ///   - node: the host name; names the folder below `root` and goes into queue ids.
    ///   - wakeDescriptor: a socket, or a non-blocking pipe, that gets a byte after each commit with new messages; not closed by the
    ///     spool. -1: none.
    ///   - clock: milliseconds since 1970, for queue ids.
    ///   - notify: told what an administrator should know; any thread, also later than `init`.
    /// - Throws: `unsupportedVersion` when the database is another program version's (it stays as it is), `damaged`
    ///   when it must be repaired and another process has it open, `diskFull`, `io`.
    package init(
        root: String, node: String, role: Role, wakeDescriptor: Int32 = -1,
        clock: @escaping @Sendable () -> Int64 = SystemClock.wall,
        notify: @escaping @Sendable (SpoolNotice) -> Void = { _ in }
    ) throws(SpoolError) {
        let access = try SpoolAccess(root: root, node: node, notify: notify)
        self.access = access
        self.clock = clock
        readers = ReaderPool(access, keepsOpen: role != .observer)
        let newest = try Self.start(access, readers, isSweeping: role == .delivery, notify)
        generator = Mutex(
            QueueIDGenerator(
                node: QueueIDGenerator.node(named: node), lane: role.rawValue, afterMilliseconds: newest))
        let remover = BatchWorker<String>(name: "spool-remove", limits: .init(items: 64)) { ids in
            for id in ids { unlink(access.folder.large(id)) }
        }
        self.remover = remover
        let writer = SpoolWriter(access, claims: claims, remover: remover, wakeDescriptor: wakeDescriptor)
        let limits = BatchWorker<SpoolJob>.Limits(items: Self.batchJobs, weight: Self.batchWeight)
        let isObserver = role == .observer
        let committer = BatchWorker<SpoolJob>(name: "spool-commit", limits: limits) { jobs in
            writer.commit(jobs)
            if isObserver { writer.letGo() }
        }
        self.committer = committer
        preparer = BatchWorker(name: "spool-sync", threads: Self.preparerThreads, limits: .init(items: 1)) { jobs in
            for job in jobs {
                do throws(SpoolError) {
                    let ready = try job.withFinishedContent(in: access.folder)
                    if !committer.submit(ready, weight: ready.weight) { ready.fail(Self.closedError) }
                } catch {
                    job.fail(error)
                }
            }
        }
    }

    private static let closedError = SpoolError(.closed, "the spool is closed")

    /// - Returns: the millisecond up to which queue ids may have been given out.
    private static func start(
        _ access: SpoolAccess, _ readers: ReaderPool, isSweeping: Bool, _ notify: (SpoolNotice) -> Void
    ) throws(SpoolError) -> Int64 {
        try readers.read { connection, _ in
            if isSweeping {
                let swept = try LargeFile.sweep(access.folder, keep: nil) { id throws(SpoolError) in
                    try readers.read { look, _ in try Recovery.isKnown(id, in: look) }
                }
                if swept > 0 { notify(.sweptContent(swept)) }
            }
            return try connection.first("SELECT value FROM spool WHERE key = 'mark'") { $0.integer(0) } ?? 0
        }
    }

    /// Works off what was submitted, ends the threads and lets the database go. Later calls fail with `closed`.
    package func close() {
        preparer.close()
        committer.close()
        remover.close()
        access.close()
    }

    deinit { close() }

    // MARK: Spool

    package func makeID() -> QueueID {
        let now = clock()
        return generator.withLock { $0.next(now: now) }
    }

    package func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent {
        try LargeFile(id, in: access.folder)
    }

    package func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        submit(.add(message, completion), needsPreparing: message.needsPreparing)
    }

    package func availableOctets() -> Int? { SpoolFolder.availableOctets(access.folder.path) }

    private func submit(_ job: SpoolJob, needsPreparing: Bool) {
        let isTaken = needsPreparing ? preparer.submit(job) : committer.submit(job, weight: job.weight)
        if !isTaken { job.fail(Self.closedError) }
    }

    // MARK: DeliverySpool

    package func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim {
        try claims.claim(limit: limit, now: now, from: readers)
    }

    package func apply(
        _ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void
    ) {
        // Giving back needs no write.
        if change.children.isEmpty, change.items.allSatisfy({ $0.outcome == .released }) {
            claims.settle(change)
            return completion(.success(()))
        }
        submit(.change(change, completion), needsPreparing: change.children.contains(where: \.needsPreparing))
    }

    package func content(of message: MessageKey) throws(SpoolError) -> StoredContent {
        let folder = access.folder
        return try readers.read { connection, _ in
            let row = DatabaseRow(message.row)
            if let body = try row.body(connection) { return .inline(body) }
            guard let id = try row.largeID(connection) else {
                throw SpoolError(.notFound, "row \(message.row) is gone")
            }
            return try .file(ContentFile(folder.large(id)))
        }
    }

    // MARK: QueueOperations

    package func list(_ query: QueueQuery) throws(SpoolError) -> QueueWindow {
        try readers.read { connection, _ in
            try QueueListing(connection: connection, claims: claims).window(query)
        }
    }

    package func show(_ id: QueueID) throws(SpoolError) -> QueuedMessage {
        try readers.read { connection, _ in
            try QueueListing(connection: connection, claims: claims).message(id)
        }
    }

    package func counts() throws(SpoolError) -> QueueCounts {
        try readers.read { connection, _ in
            try QueueListing(connection: connection, claims: claims).counts()
        }
    }

    package func content(of id: QueueID) throws(SpoolError) -> StoredContent {
        let row = try readers.read { connection, _ in
            try QueueListing(connection: connection, claims: claims).row(of: id)
        }
        return try content(of: MessageKey(row: row))
    }

    package func act(_ action: QueueAction, on ids: [QueueID], now: Int64) throws(SpoolError) -> [QueueID] {
        let answer = Monitor<Result<[QueueID], SpoolError>?>(nil)
        submit(
            .act(action, ids, now: now) { result in
                answer.withLock { $0 = result }
                answer.signal()
            }, needsPreparing: false)
        return try answer.wait { $0 }.get()
    }
}
