import CLinux
import Control
import Glibc
import Synchronization

/// Passes events on to everybody who watches. A watcher that does not keep up is cut off, never waited for.
final class EventHub: Sendable {
    /// Events that may wait for one watcher.
    static let limit = 1024

    final class Subscription: Sendable {
        private struct Queue {
            var events: [ServerEvent] = []
            var isOverrun = false
        }
        private let queue = Mutex(Queue())
        /// Readable while events wait.
        let descriptor: Int32

        fileprivate init?() {
            descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
            if descriptor < 0 { return nil }
        }
        deinit { close(descriptor) }

        fileprivate func put(_ event: ServerEvent) {
            queue.withLock { queue in
                if queue.events.count >= EventHub.limit { queue.isOverrun = true } else { queue.events.append(event) }
            }
            var one: UInt64 = 1
            _ = write(descriptor, &one, 8)
        }

        /// - Returns: what waits; `nil` when events were lost and the watcher must be cut off.
        func take() -> [ServerEvent]? {
            var count: UInt64 = 0
            _ = read(descriptor, &count, 8)
            return queue.withLock { queue in
                if queue.isOverrun { return nil }
                defer { queue.events = [] }
                return queue.events
            }
        }
    }

    private let subscriptions = Mutex<[ObjectIdentifier: Subscription]>([:])

    func subscribe() -> Subscription? {
        guard let new = Subscription() else { return nil }
        subscriptions.withLock { $0[ObjectIdentifier(new)] = new }
        return new
    }
    func cancel(_ subscription: Subscription) {
        _ = subscriptions.withLock { $0.removeValue(forKey: ObjectIdentifier(subscription)) }
    }
    func publish(_ event: ServerEvent) {
        let all = subscriptions.withLock { Array($0.values) }
        for subscription in all { subscription.put(event) }
    }
}
