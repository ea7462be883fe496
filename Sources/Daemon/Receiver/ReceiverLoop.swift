import NIOCore
import Policy

/// What the sessions of one event loop share; used on that loop only.
final class ReceiverLoop {
    let core: ReceiverCore
    let loop: any EventLoop
    let inbox: LoopInbox
    /// Reused for building replies.
    var scratch: [UInt8] = []
    /// Sessions that wait for their peers to close behind the last reply, and how many may.
    var lingering = 0
    static let lingeringLimit = 256
    /// Chooses the accepted messages whose facts are kept.
    var sampler = AcceptanceSampler()
    /// And the refusals.
    var refusals = RefusalSampler()
    private var sessions: [ObjectIdentifier: SessionHandler] = [:]
    private var sweeper: RepeatedTask?
    private var emptied: EventLoopPromise<Void>?
    private(set) var isStopping = false

    init(core: ReceiverCore, loop: any EventLoop) {
        self.core = core
        self.loop = loop
        inbox = LoopInbox(loop: loop)
    }

    func add(_ session: SessionHandler) {
        sessions[ObjectIdentifier(session)] = session
        guard sweeper == nil else { return }
        // One timer for all sessions: a timer of its own would cost each session more than its state.
        let bound = NIOLoopBound(self, eventLoop: loop)
        sweeper = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.sweep() }
    }

    func remove(_ session: SessionHandler) {
        sessions[ObjectIdentifier(session)] = nil
        guard sessions.isEmpty else { return }
        sweeper?.cancel()
        sweeper = nil
        emptied?.succeed(())
        emptied = nil
    }

    private func sweep() {
        let now = NIODeadline.now()
        for session in Array(sessions.values) {
            // Silence in content is too slow before it is anything else, however late this look comes.
            let isTooSlow = session.judgePace(now)
            if !isTooSlow, session.deadline < now { session.timeOut() }
        }
    }

    /// Ends every session at its next quiet point (R-SVC-03); done when none is left.
    func stop() -> EventLoopFuture<Void> {
        isStopping = true
        let promise = loop.makePromise(of: Void.self)
        emptied = promise
        for session in Array(sessions.values) { session.stop() }
        if sessions.isEmpty {
            emptied = nil
            promise.succeed(())
        }
        return promise.futureResult
    }

    /// The grace is over: what still runs is cut.
    func abort() { for session in Array(sessions.values) { session.abort() } }
}
