import CLinux
import Database
import Glibc
import MailModel
import Threads

/// One piece of work for the committer.
enum SpoolJob: Sendable {
    typealias Completion = @Sendable (Result<Void, SpoolError>) -> Void
    case add(NewMessage, Completion)
    case change(DeliveryChange, Completion)
    case act(QueueAction, [QueueID], now: Int64, @Sendable (Result<[QueueID], SpoolError>) -> Void)

    func fail(_ error: SpoolError) {
        switch self {
        case .add(let message, let completion):
            if case .large(let content) = message.content { content.discard() }
            completion(.failure(error))
        case .change(let change, let completion):
            for child in change.children { if case .large(let content) = child.content { content.discard() } }
            completion(.failure(error))
        case .act(_, _, _, let completion): completion(.failure(error))
        }
    }

    /// Octets that the job brings into a transaction, roughly.
    var weight: Int {
        switch self {
        case .add(let message, _): message.weight
        case .change(let change, _): change.children.reduce(100) { $0 + $1.weight }
        case .act(_, let ids, _, _): ids.count * 100
        }
    }

    /// Need not be synced by itself.
    var isRepeatable: Bool {
        if case .change(let change, _) = self { change.isRepeatable && change.children.isEmpty } else { false }
    }

    var addsMessages: Bool {
        switch self {
        case .add: true
        case .change(let change, _): !change.children.isEmpty
        case .act: false
        }
    }
}

extension NewMessage {
    var weight: Int {
        let rows = 300 + envelope.recipients.count * 100
        if case .inline(let octets) = content { return rows + octets.count }
        return rows
    }
}

/// Commits jobs in batches; everything here runs on the committer's one thread.
final class SpoolWriter: @unchecked Sendable {
    private let access: SpoolAccess
    private let claims: DeliveryClaims
    private let remover: BatchWorker<String>
    /// Gets a byte after each commit that added messages; -1 = nobody to wake.
    private let wakeDescriptor: Int32
    private var database: QueueDatabase?
    private var generation = -1

    init(_ access: SpoolAccess, claims: DeliveryClaims, remover: BatchWorker<String>, wakeDescriptor: Int32) {
        self.access = access
        self.claims = claims
        self.remover = remover
        self.wakeDescriptor = wakeDescriptor
    }

    /// What a job did, to be followed up once it is durable.
    private struct Done {
        var large: [String] = []
        var acted: [QueueID] = []
    }

    /// Makes a batch of jobs durable and then, as the last line, says so to each of them.
    func commit(_ jobs: [SpoolJob]) {
        let results: [Result<Done, SpoolError>]
        do {
            let database = try openDatabase()
            try access.writeLock.lock()
            results = write(jobs, to: database)
            access.writeLock.unlock()
        } catch {
            let error = SpoolError(error)
            results = jobs.map { _ in .failure(error) }
        }
        followUp(jobs, results)
    }

    private func openDatabase() throws -> QueueDatabase {
        let current = try access.open()
        if let database, current == generation { return database }
        database = nil
        let opened = try QueueDatabase(path: access.folder.database)
        database = opened
        generation = current
        return opened
    }

    /// Closes the database until the next batch.
    func letGo() {
        database = nil
        generation = -1
        access.release()
    }

    // MARK: Writing

    private func write(_ jobs: [SpoolJob], to database: QueueDatabase) -> [Result<Done, SpoolError>] {
        do {
            let isRepeatable = jobs.allSatisfy(\.isRepeatable)
            try database.connection.use(isRepeatable ? .normal : .full)
            let results = try transact(database) { try jobs.map { .success(try perform($0, database)) } }
            // Content in a file of its own goes next: the row that names it must be gone for good before.
            if isRepeatable, results.contains(where: Self.removesContent) { try access.syncLog() }
            return results
        } catch {
            let error = SpoolError(error)
            recover(from: error)
            guard jobs.count > 1, let database = self.database else { return jobs.map { _ in .failure(error) } }
            switch error.kind {
            case .diskFull: return writeRemovals(jobs, to: database, error)
            case .damaged, .closed, .unsupportedVersion, .notFound: return jobs.map { _ in .failure(error) }
            case .io: return writeOneByOne(jobs, to: database)
            }
        }
    }

    private static func removesContent(_ result: Result<Done, SpoolError>) -> Bool {
        if case .success(let done) = result { !done.large.isEmpty } else { false }
    }

    /// One row failed: each job gets a savepoint of its own, so that the others are not refused with it.
    private func writeOneByOne(_ jobs: [SpoolJob], to database: QueueDatabase) -> [Result<Done, SpoolError>] {
        do {
            return try transact(database) {
                try jobs.map { job in
                    do {
                        return .success(try database.connection.savepoint { try perform(job, database) })
                    } catch {
                        guard database.connection.isInTransaction else { throw error }
                        return .failure(SpoolError(error))
                    }
                }
            }
        } catch {
            let error = SpoolError(error)
            recover(from: error)
            return jobs.map { _ in .failure(error) }
        }
    }

    /// No room for new messages; what is done may still go, and frees some.
    private func writeRemovals(
        _ jobs: [SpoolJob], to database: QueueDatabase, _ error: SpoolError
    ) -> [Result<Done, SpoolError>] {
        do {
            return try transact(database) {
                try jobs.map { $0.addsMessages ? .failure(error) : .success(try perform($0, database)) }
            }
        } catch {
            let error = SpoolError(error)
            recover(from: error)
            return jobs.map { _ in .failure(error) }
        }
    }

    private func transact(
        _ database: QueueDatabase, _ body: () throws -> [Result<Done, SpoolError>]
    ) throws -> [Result<Done, SpoolError>] {
        try database.connection.transaction {
            let results = try body()
            try database.dropTombstones()
            return results
        }
    }

    private func perform(_ job: SpoolJob, _ database: QueueDatabase) throws -> Done {
        switch job {
        case .add(let message, _):
            try database.insert(message)
            return Done()
        case .change(let change, _):
            return Done(large: try database.apply(change).map { [$0] } ?? [])
        case .act(let action, let ids, let now, _):
            let (done, large) = try database.act(action, on: ids, now: now)
            return Done(large: large, acted: done)
        }
    }

    private func recover(from error: SpoolError) {
        switch error.kind {
        case .damaged:
            access.reportDamage()
            database = nil
        case .diskFull, .io:
            // After a failed write or sync the connection's view of the log is not to be trusted.
            database = nil
            database = try? openDatabase()
        case .notFound, .closed, .unsupportedVersion: break
        }
    }

    // MARK: Following up

    private func followUp(_ jobs: [SpoolJob], _ results: [Result<Done, SpoolError>]) {
        var hasArrivals = false
        for (job, result) in zip(jobs, results) {
            guard case .success(let done) = result else { continue }
            for id in done.large { _ = remover.submit(id) }
            switch job {
            case .add(let message, _): message.markStored()
            case .change(let change, _):
                for child in change.children { child.markStored() }
                claims.settle(change)
            case .act: claims.lookAgain()
            }
            hasArrivals = hasArrivals || job.addsMessages
        }
        if hasArrivals { wake() }
        for (job, result) in zip(jobs, results) {
            switch (job, result) {
            case (.add(_, let completion), .success), (.change(_, let completion), .success): completion(.success(()))
            case (.act(_, _, _, let completion), .success(let done)): completion(.success(done.acted))
            case (_, .failure(let error)): job.fail(error)
            }
        }
    }

    /// A byte for delivery. When the buffer is full it is awake; when nobody reads, it looks by itself later.
    private func wake() {
        guard wakeDescriptor >= 0 else { return }
        var octet: UInt8 = 1
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        if send(wakeDescriptor, &octet, 1, flags) < 0, errno == ENOTSOCK { _ = Glibc.write(wakeDescriptor, &octet, 1) }
    }
}

extension NewMessage {
    func markStored() {
        if case .large(let content) = content, let file = content as? LargeFile { file.markStored() }
    }
}
