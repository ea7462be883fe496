import DirectoryWire
import Glibc
import Threads

/// Threads for one kind of question. When all of them have been stuck for some time, further questions are refused at
/// once: nobody waits for a directory that does not answer.
final class HelperLane: Sendable {
    struct Job: Sendable {
        let frame: DirectoryFrame
        let profile: DirectoryProfile
        let client: HelperClient
        /// Monotonic milliseconds.
        let arrived: Int64
        /// Milliseconds after which nobody waits for the answer any more.
        let patience: Int
    }
    private struct Busy {
        var since: [Int: Int64] = [:]
        var next = 0
    }
    private let busy: Monitor<Busy>
    private let worker: BatchWorker<Job>
    private let threads: Int

    /// - Parameter work: answers a job, on one of the threads.
    init(_ name: String, threads: Int, waiting: Int, work: @escaping @Sendable (Job) -> Void) {
        self.threads = threads
        let busy = Monitor(Busy())
        self.busy = busy
        worker = BatchWorker(name: name, threads: threads, limits: .init(items: 1, waiting: waiting)) { jobs in
            for job in jobs {
                let now = SystemClock.monotonic()
                guard now - job.arrived < job.patience else {
                    job.client.refuse(job.frame, "the question waited too long")
                    continue
                }
                let number = busy.withLock { busy in
                    busy.next += 1
                    busy.since[busy.next] = now
                    return busy.next
                }
                work(job)
                busy.withLock { $0.since[number] = nil }
            }
        }
    }

    func take(_ job: Job) {
        // Even the youngest has been at it for a quarter of what it may take.
        let isStuck = busy.withLock { busy in
            guard busy.since.count >= threads, let youngest = busy.since.values.max() else { return false }
            return job.arrived - youngest > job.patience / 4
        }
        if isStuck { return job.client.refuse(job.frame, "no question of this kind is answered at present") }
        if !worker.submit(orDrop: job) { job.client.refuse(job.frame, "too many questions at a time") }
    }
}

extension HelperClient {
    func refuse(_ question: DirectoryFrame, _ why: String) {
        answer(DirectoryFrame(id: question.id, kind: .unavailable, texts: [why]))
    }
}
