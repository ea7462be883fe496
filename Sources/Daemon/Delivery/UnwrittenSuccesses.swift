import NIOCore
import Synchronization

/// Transactions that another server has taken and of which the queue does not know yet: a crash would make them again.
/// Beyond a limit slots stay taken until something was written, so that no more than `limit` such transactions, and the
/// `limit` that are under way, can ever come twice. Lives on the event loop; what `begin` returns is called from any
/// thread.
final class UnwrittenSuccesses: @unchecked Sendable {
    // @unchecked: confined to the event loop but for `finished`.

    /// What waits until something is written.
    enum Held {
        case slot(RemoteJob, RemoteDestination)
        /// A session with the rest of a message's recipients.
        case session(RemoteLink)
    }

    private let loop: any EventLoop
    private(set) var count = 0
    private var held = CircularBuffer<Held>()
    private var goOn: ((Held) -> Void)?
    /// Written since the loop last looked: a batch that is committed together wakes the loop once.
    private let finished = Atomic<Int>(0)

    init(loop: any EventLoop) { self.loop = loop }

    /// One transaction more.
    /// - Parameter goOn: lets what was held go on.
    /// - Returns: to be called once when it is written down.
    func begin(_ goOn: @escaping (Held) -> Void) -> @Sendable () -> Void {
        count += 1
        self.goOn = goOn
        return { [self] in
            guard finished.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue == 0 else { return }
            loop.execute { self.look() }
        }
    }

    private func look() {
        let number = finished.exchange(0, ordering: .acquiringAndReleasing)
        count -= number
        for _ in 0..<number {
            guard let first = held.popFirst() else { return }
            goOn?(first)
        }
    }

    /// - Returns: whether it is held; `false`: it may go on.
    func hold(_ one: Held, limit: Int) -> Bool {
        guard count > limit else { return false }
        held.append(one)
        return true
    }

    /// The time is over: no slot waits any longer, and sessions end by themselves.
    func takeSlots() -> [(RemoteJob, RemoteDestination)] {
        defer { held = [] }
        return held.compactMap { if case .slot(let job, let destination) = $0 { (job, destination) } else { nil } }
    }
}
