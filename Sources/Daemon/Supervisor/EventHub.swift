import Control
import Synchronization

/// Passes events on to everybody who watches. A watcher that does not keep up is cut off, never waited for.
final class EventHub: Sendable {
    enum Item: Sendable {
        case event(ServerEvent)
        /// Time to look whether the status changed.
        case tick
    }

    /// Events that may wait for one watcher.
    static let limit = 1024

    private struct State {
        var next = 1
        var watchers: [Int: AsyncStream<Item>.Continuation] = [:]
    }
    private let state = Mutex(State())

    /// A stream that ends when the watcher was too slow, or its task is cancelled.
    func subscribe() -> (items: AsyncStream<Item>, continuation: AsyncStream<Item>.Continuation) {
        let (stream, continuation) = AsyncStream<Item>.makeStream(bufferingPolicy: .bufferingOldest(Self.limit))
        let number = state.withLock { state in
            defer { state.next += 1 }
            state.watchers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number) }
        return (stream, continuation)
    }

    private func forget(_ number: Int) { _ = state.withLock { $0.watchers.removeValue(forKey: number) } }

    func publish(_ event: ServerEvent) {
        let watchers = state.withLock { Array($0.watchers.values) }
        for watcher in watchers {
            if case .dropped = watcher.yield(.event(event)) { watcher.finish() }
        }
    }
}
