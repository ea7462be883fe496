import MailModel
import Threads

/// Mailboxes as Maildirs (architecture, section 4).
///
/// Each message is written to `tmp`, renamed to `new` and synced. What arrives while one batch waits for the disk makes
/// the next one, so that messages share those waits (`MaildirFile`); a few threads keep device and processors busy at
/// the same time.
package final class MaildirStore: MailboxStore {
    private struct Job: Sendable {
        let delivery: MailboxDelivery
        let completion: @Sendable ([Result<MailboxOutcome, MailboxError>]) -> Void
    }
    private let worker: BatchWorker<Job>

    private static let threads = 4
    /// Messages of a batch, and octets of their content: a large one holds up few others.
    private static let batch = (messages: 64, octets: 4 << 20)

    /// - Parameter clock: milliseconds since 1970. Messages whose id is older than the store are looked for among those
    ///   that a reader has seen: an earlier process may have stored them.
    package init(clock: @escaping @Sendable () -> Int64 = SystemClock.wall) {
        let writer = MaildirWriter(clock: clock)
        let limits = BatchWorker<Job>.Limits(items: Self.batch.messages, weight: Self.batch.octets)
        worker = BatchWorker(name: "maildir", threads: Self.threads, limits: limits) { jobs in
            for (job, results) in zip(jobs, writer.store(jobs.map(\.delivery))) { job.completion(results) }
        }
    }

    deinit { close() }

    /// Works off what was submitted and ends the threads. Later deliveries fail.
    package func close() { worker.close() }

    package func deliver(
        _ delivery: MailboxDelivery, completion: @escaping @Sendable ([Result<MailboxOutcome, MailboxError>]) -> Void
    ) {
        if !worker.submit(Job(delivery: delivery, completion: completion), weight: delivery.content.size) {
            completion(delivery.targets.map { _ in .failure(MailboxError(.io, "the mailbox store is closed")) })
        }
    }

    package func usage(of mailbox: MailboxLocation, limit: Int) throws(MailboxError) -> MailboxUsage {
        try Self.measure(mailbox, limit: limit)
    }

    /// As `usage`, for a process that stores nothing.
    package static func measure(_ mailbox: MailboxLocation, limit: Int) throws(MailboxError) -> MailboxUsage {
        guard let root = try Maildir.existingRoot(mailbox) else { return MailboxUsage() }
        return try MaildirQuota(root: root, limit: limit).usage()
    }
}
