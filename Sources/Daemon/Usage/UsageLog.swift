import MailModel
import Policy
import Synchronization
import Threads

/// Counts what accounts and addresses send, and remembers their sessions. One thread does everything, in batches of one
/// transaction each; what it knows is on disk, so that a restart forgets nothing and memory stays small.
package final class UsageLog: Sendable {
    fileprivate enum Job: Sendable {
        case judge(Submission, @Sendable (Judgement) -> Void)
        case session(SessionRecord)
        case forget(String, @Sendable () -> Void)
    }
    private let worker: BatchWorker<Job>
    private let numbers: Atomic<Int64>

    /// - Parameters:
    ///   - path: of the database; made when missing.
    ///   - now: milliseconds since 1970; session numbers begin behind it.
    ///   - trouble: told once for each time that writing begins to fail; on the log's thread. Mail goes on uncounted.
    package init(path: String, now: Int64, trouble: @escaping @Sendable (String) -> Void = { _ in }) {
        let book = UsageBook(path: path)
        let state = FailureState()
        numbers = Atomic(now * 1_000)
        worker = BatchWorker(name: "usage", limits: .init(items: 256, waiting: 20_000)) { jobs in
            do {
                let answers = try book.transaction { try jobs.map { try Self.work($0, book) } }
                state.succeeded()
                for answer in answers { answer() }
            } catch {
                book.close()
                if state.failed() { trouble("usage cannot be counted in \(path): \(error)") }
                for job in jobs { Self.giveUp(job) }
            }
        }
    }

    private static func work(_ job: Job, _ book: UsageBook) throws -> @Sendable () -> Void {
        switch job {
        case .judge(let submission, let completion):
            let judgement = try book.judge(submission)
            return { completion(judgement) }
        case .session(let record):
            try book.add(record)
            return {}
        case .forget(let account, let completion):
            try book.forget(account)
            return completion
        }
    }

    /// Mail is not stopped by a book that cannot be written.
    private static func giveUp(_ job: Job) {
        switch job {
        case .judge(_, let completion): completion(Judgement(verdict: Verdict(.queued), isFirst: false))
        case .session: break
        case .forget(_, let completion): completion()
        }
    }

    package func makeSessionID() -> Int64 { numbers.add(1, ordering: .relaxed).newValue }

    /// - Parameter completion: called once, on the log's thread or before this returns.
    package func judge(_ submission: Submission, completion: @escaping @Sendable (Judgement) -> Void) {
        let job = Job.judge(submission, completion)
        if !worker.submit(orDrop: job) { Self.giveUp(job) }
    }

    /// Any thread; never waits.
    package func record(_ session: SessionRecord) { _ = worker.submit(orDrop: .session(session)) }

    /// An account starts anew: nothing that it sent counts any more.
    package func forget(_ account: String, completion: @escaping @Sendable () -> Void) {
        let job = Job.forget(account, completion)
        if !worker.submit(orDrop: job) { completion() }
    }

    /// Writes what waits and ends.
    package func close() { worker.close() }
}

/// Whether trouble was told already.
private final class FailureState: Sendable {
    private let isFailing = Atomic<Bool>(false)

    func succeeded() { isFailing.store(false, ordering: .relaxed) }
    /// - Returns: whether it is the first time.
    func failed() -> Bool { isFailing.exchange(true, ordering: .relaxed) == false }
}
