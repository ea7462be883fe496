import Glibc
import MailModel
import Policy
import Synchronization
import Threads

/// Keeps the records behind the references of refusals (`explain REF`), and what accepted mail was decided from
/// (`replay`). Writing is a courtesy: it happens on a thread of its own, in batches, and a flood is dropped rather than
/// queued without bound.
///
/// A record becomes a few octets of a block at once, in the caller's hands: that costs less than handing it over would.
package final class DecisionLog: Sendable {
    /// Accepted messages that wait at most.
    private static let waiting = 4_096

    private let worker: BatchWorker<DecisionEntry>
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

    /// Records older than `days` are deleted, once an hour while new ones come (`explain.keep_days`); the oldest go
    /// earlier when there are more than `records` of refusals, or of accepted mail (`explain.max_records`). With 0 none
    /// are made. Any thread.
    package func keep(days: Int, records: Int = .max) {
        store.keptMilliseconds.store(Int64(days) * 86_400_000, ordering: .relaxed)
        store.keptRecords.store(max(0, records), ordering: .relaxed)
    }

    /// Whether records are made at all.
    package var isOn: Bool { store.keptRecords.load(ordering: .relaxed) > 0 }

    /// Any thread; never waits for the disk.
    /// - Parameters:
    ///   - evidence: what it was decided from; `nil`: no decision about mail, or one of a flood whose like is kept.
    ///   - weight: refusals that the evidence stands for, this one included.
    /// - Returns: `false` when it was dropped: its reference must not be given out.
    package func record(_ record: DecisionRecord, evidence: Evidence? = nil, weight: Int = 1) -> Bool {
        guard isOn else { return false }
        switch store.take(record, evidence, weight: weight) {
        case .dropped: return false
        case .joined: return true
        // The first of its block calls the writer, who waits a little for the others.
        case .began: return worker.submit(.refused)
        }
    }

    /// Any thread; never waits. What does not fit is left out.
    package func record(_ mail: AcceptedMail) {
        if isOn { _ = worker.submit(orDrop: .accepted(mail)) }
    }

    /// Writes what waits and ends.
    package func close() {
        store.stopTaking()
        worker.close()
        // Whoever came between the two: the writer's thread has ended.
        store.write([])
    }
}

enum DecisionEntry: Sendable {
    /// Blocks of refusals wait in the store.
    case refused
    case accepted(AcceptedMail)
}
