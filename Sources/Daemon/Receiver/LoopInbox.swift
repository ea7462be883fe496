import NIOCore
import Synchronization

/// Brings results from other threads to an event loop; what comes while a wake-up is under way shares it. A commit of
/// fifty messages wakes the loop once.
final class LoopInbox: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var isScheduled = false
    }
    private let loop: any EventLoop
    private let state = Mutex(State())

    init(loop: any EventLoop) { self.loop = loop }

    func post(_ work: @escaping @Sendable () -> Void) {
        let mustWake = state.withLock { state in
            state.work.append(work)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustWake { loop.execute { self.run() } }
    }

    private func run() {
        let work = state.withLock { state in
            state.isScheduled = false
            defer { state.work = [] }
            return state.work
        }
        for item in work { item() }
    }
}
