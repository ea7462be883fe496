import Synchronization

/// Counts what is under way, and wakes the dispatcher when there is room again. Any thread.
package final class Gauge: Sendable {
    private struct State {
        var recipients = 0
        var localOctets = 0
        /// The dispatcher sleeps until this many recipients or fewer are under way.
        var roomWanted: Int?
        /// It sleeps until this many octets or fewer are.
        var octetsWanted: Int?
        var isStopping = false
    }
    private let state = Mutex(State())
    let signal = WakeSignal()
    private let counters: DeliveryCounters

    init(counters: DeliveryCounters) { self.counters = counters }

    var recipients: Int { state.withLock { $0.recipients } }
    var localOctets: Int { state.withLock { $0.localOctets } }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    func stop() {
        state.withLock { $0.isStopping = true }
        signal.set()
    }

    func begin(recipients: Int) {
        let now = state.withLock { state in
            state.recipients += recipients
            return state.recipients
        }
        counters.underWay.store(now, ordering: .relaxed)
    }

    func begin(localOctets: Int) { state.withLock { $0.localOctets += localOctets } }

    func end(localOctets: Int) {
        let wake = state.withLock { state in
            state.localOctets -= localOctets
            guard let wanted = state.octetsWanted, state.localOctets <= wanted else { return false }
            state.octetsWanted = nil
            return true
        }
        if wake { signal.set() }
    }

    func end(recipients: Int) {
        let (now, wake) = state.withLock { state in
            state.recipients -= recipients
            guard let wanted = state.roomWanted, state.recipients <= wanted else { return (state.recipients, false) }
            state.roomWanted = nil
            return (state.recipients, true)
        }
        counters.underWay.store(now, ordering: .relaxed)
        if wake { signal.set() }
    }

    /// Sleeps until at most `recipients` are under way, a signal comes or the time is over.
    func waitForRoom(_ recipients: Int, milliseconds: Int) {
        let mustWait = state.withLock { state in
            guard state.recipients > recipients, !state.isStopping else { return false }
            state.roomWanted = recipients
            return true
        }
        guard mustWait else { return }
        signal.wait(milliseconds: milliseconds)
        state.withLock { $0.roomWanted = nil }
    }

    /// Sleeps until at most `octets` of local content are in memory.
    func waitForOctets(_ octets: Int) {
        let mustWait = state.withLock { state in
            guard state.localOctets > octets, !state.isStopping else { return false }
            state.octetsWanted = octets
            return true
        }
        if mustWait { signal.wait(milliseconds: 1_000) }
    }
}
