import Synchronization

/// The way back to one call of one connection. Used from the handler's task and from the loop.
final class ReplyPort: Sendable {
    private struct State {
        var isOpen = true
        var wantsMore = false
        var isOneway = false
        var task: Task<Void, Never>?
    }
    private let state = Mutex(State())
    private let connection: Int
    private let loop: ControlLoop

    init(connection: Int, loop: ControlLoop) {
        self.connection = connection
        self.loop = loop
    }

    var isOpen: Bool { state.withLock { $0.isOpen } }
    var wantsMore: Bool {
        get { state.withLock { $0.wantsMore } }
        set { state.withLock { $0.wantsMore = newValue } }
    }
    var isOneway: Bool {
        get { state.withLock { $0.isOneway } }
        set { state.withLock { $0.isOneway = newValue } }
    }
    var task: Task<Void, Never>? {
        get { state.withLock { $0.task } }
        set {
            // The connection may have gone before the task was known.
            let isOpen = state.withLock {
                $0.task = newValue; return $0.isOpen
            }
            if !isOpen { newValue?.cancel() }
        }
    }

    /// A part; more will come.
    func send(_ octets: [UInt8]) {
        let (open, silent) = state.withLock { ($0.isOpen, $0.isOneway) }
        if open, !silent { loop.post(.send(connection, octets)) }
    }

    /// The last word on this call: the connection may go on with its next one.
    func finish(_ octets: [UInt8]?) {
        let (first, silent) = state.withLock { state in
            defer { state.isOpen = false }
            return (state.isOpen, state.isOneway)
        }
        guard first else { return }
        loop.post(.finish(connection, silent ? nil : octets))
    }

    /// Ends the connection.
    func drop() {
        state.withLock { $0.isOpen = false }
        loop.post(.drop(connection))
    }

    /// The connection is gone: nothing more is sent, the handler's task is cancelled.
    func close() {
        let task = state.withLock { state in
            state.isOpen = false
            return state.task
        }
        task?.cancel()
    }
}
