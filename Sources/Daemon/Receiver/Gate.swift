import MailModel
import Synchronization
import Threads

/// Counts sessions, as limits and for the status.
final class Gate: Sendable {
    fileprivate struct State {
        var open = 0
        var openByClient: [IPAddress: Int] = [:]
        var received = 0
        var rejected = 0
        var authFailed = 0
        var held = 0
        var connections = 0
        /// Received in each second of the last minute, and which second the newest is.
        var seconds = [Int](repeating: 0, count: 60)
        var second = 0
    }
    private let state = Mutex(State())

    /// Sessions open now, in all and of one client; the new one is counted from here on.
    func enter(_ client: IPAddress) -> (open: Int, ofClient: Int) {
        state.withLock { state in
            let before = (state.open, state.openByClient[client] ?? 0)
            state.open += 1
            state.connections += 1
            state.openByClient[client, default: 0] += 1
            return before
        }
    }

    /// Sessions open now, in all and of one client.
    func open(of client: IPAddress) -> (all: Int, ofClient: Int) {
        state.withLock { ($0.open, $0.openByClient[client] ?? 0) }
    }

    func leave(_ client: IPAddress) {
        state.withLock { state in
            state.open -= 1
            let left = (state.openByClient[client] ?? 1) - 1
            state.openByClient[client] = left > 0 ? left : nil
        }
    }

    func received() {
        let now = Self.second
        state.withLock { state in
            state.received += 1
            state.advance(to: now)
            state.seconds[now % 60] += 1
        }
    }

    func rejected() { state.withLock { $0.rejected += 1 } }
    /// A message was queued for an administrator to look at.
    func held() { state.withLock { $0.held += 1 } }
    func authFailed() { state.withLock { $0.authFailed += 1 } }

    /// - Parameter limit: of sessions, 0 = unlimited.
    func counters(limit: Int) -> [String: Int] {
        let now = Self.second
        return state.withLock { state in
            state.advance(to: now)
            return [
                "sessions": state.open, "sessionsLimit": limit, "connections": state.connections,
                "received": state.received, "rejected": state.rejected, "authFailed": state.authFailed,
                "held": state.held,
                "receivedPerMinute": state.seconds.reduce(0, +),
            ]
        }
    }

    private static var second: Int {
        SystemClock.coarseSeconds()
    }
}

extension Gate.State {
    fileprivate mutating func advance(to now: Int) {
        guard now > second else { return }
        for past in max(second + 1, now - 59)...now { seconds[past % 60] = 0 }
        second = now
    }
}
