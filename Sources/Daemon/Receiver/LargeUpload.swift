import MailModel
import Spool
import Synchronization
import Threads

/// Content beyond the inline limit on its way to disk while it arrives. Pieces are written in order on a thread for
/// disk work; `waiting` tells the session when to stop reading.
final class LargeUpload: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var waiting = 0
        var isWorking = false
        var content: (any LargeContent)?
        var failure: SpoolError?
        var isDiscarded = false
        var completion: (@Sendable (Result<any LargeContent, SpoolError>) -> Void)?
    }
    private let id: QueueID
    private let spool: any Spool
    private let worker: BatchWorker<@Sendable () -> Void>
    private let relieved: @Sendable () -> Void
    private let state = Mutex(State())

    /// Octets that may wait for the disk before the session stops reading.
    static let highMark = 128 << 10

    /// - Parameter relieved: called on a disk thread when less than half of `highMark` waits again.
    init(
        id: QueueID, spool: any Spool, worker: BatchWorker<@Sendable () -> Void>,
        relieved: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.spool = spool
        self.worker = worker
        self.relieved = relieved
    }

    /// Hands over a piece. - Returns: whether to stop reading until `relieved`.
    func append(_ piece: [UInt8]) -> Bool {
        let (mustWork, isFull) = state.withLock { state -> (Bool, Bool) in
            guard state.failure == nil, !state.isDiscarded else { return (false, false) }
            state.pieces.append(piece)
            state.waiting += piece.count
            defer { state.isWorking = true }
            return (!state.isWorking, state.waiting >= Self.highMark)
        }
        if mustWork { start() }
        return isFull
    }

    /// - Parameter completion: called once when everything is written, on a disk thread.
    func finish(_ completion: @escaping @Sendable (Result<any LargeContent, SpoolError>) -> Void) {
        let mustWork = state.withLock { state in
            state.completion = completion
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if mustWork { start() }
    }

    func discard() {
        let content = state.withLock { state in
            state.isDiscarded = true
            state.pieces = []
            state.waiting = 0
            state.completion = nil
            defer { if !state.isWorking { state.content = nil } }
            return state.isWorking ? nil : state.content
        }
        if let content { _ = worker.submit { content.discard() } }
    }

    private func start() {
        if !worker.submit({ self.work() }) {
            let completion = state.withLock { state in
                state.failure = SpoolError(.closed, "the receiver is closing")
                state.isWorking = false
                return state.completion
            }
            completion?(.failure(SpoolError(.closed, "the receiver is closing")))
        }
    }

    private enum Task {
        case write([[UInt8]], (any LargeContent)?)
        case finish(Result<any LargeContent, SpoolError>, @Sendable (Result<any LargeContent, SpoolError>) -> Void)
        case discard((any LargeContent)?)
        case rest
    }

    private func work() {
        while true {
            switch nextTask() {
            case .write(let pieces, let content): write(pieces, content)
            case .finish(let result, let completion): return completion(result)
            case .discard(let content):
                content?.discard()
                return
            case .rest: return
            }
        }
    }

    private func nextTask() -> Task {
        state.withLock { state in
            if state.isDiscarded {
                state.isWorking = false
                defer { state.content = nil }
                return .discard(state.content)
            }
            if state.failure == nil, !state.pieces.isEmpty {
                defer { state.pieces = [] }
                return .write(state.pieces, state.content)
            }
            state.isWorking = false
            guard let completion = state.completion else { return .rest }
            state.completion = nil
            if let failure = state.failure { return .finish(.failure(failure), completion) }
            guard let content = state.content else {
                return .finish(.failure(SpoolError(.io, "no large content was begun")), completion)
            }
            return .finish(.success(content), completion)
        }
    }

    private func write(_ pieces: [[UInt8]], _ begun: (any LargeContent)?) {
        let octets = pieces.reduce(0) { $0 + $1.count }
        var failure: SpoolError?
        var content = begun
        do throws(SpoolError) {
            let target: any LargeContent
            if let begun { target = begun } else { target = try spool.beginLarge(id) }
            content = target
            for piece in pieces { try target.append(piece) }
        } catch {
            failure = error
        }
        let relieves = state.withLock { state in
            let before = state.waiting
            state.waiting = max(0, state.waiting - octets)
            state.content = content
            if let failure {
                state.failure = failure
                state.pieces = []
                state.waiting = 0
            }
            return before >= Self.highMark / 2 && state.waiting < Self.highMark / 2
        }
        if failure != nil { content?.discard() }
        if relieves { relieved() }
    }
}
