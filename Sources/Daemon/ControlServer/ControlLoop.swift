import CLinux
import Control
import Glibc
import Synchronization

/// One thread that reads and writes all connections of the control socket. It never runs a handler and never waits for
/// a peer.
final class ControlLoop: Sendable {
    enum Message: Sendable {
        case send(Int, [UInt8])
        case finish(Int, [UInt8]?)
        case drop(Int)
    }
    typealias Dispatch = @Sendable (_ frame: [UInt8], _ caller: Caller, _ port: ReplyPort) -> Void

    private struct Shared {
        var messages: [Message] = []
        var isStopping = false
        var wake: Int32 = -1
        var count = 0
    }
    private let shared = Mutex(Shared())

    /// Connections at a time; more are closed at once.
    static let connectionLimit = 256

    var count: Int { shared.withLock { $0.count } }

    func start(listener: Int32, dispatch: @escaping Dispatch) {
        var pipe: [Int32] = [-1, -1]
        _ = pipe.withUnsafeMutableBufferPointer { pipe2($0.baseAddress, O_CLOEXEC | O_NONBLOCK) }
        let reading = pipe[0]
        let writing = pipe[1]
        shared.withLock { $0.wake = writing }
        let runner = LoopThread { [self] in
            var state = LoopState(listener: listener, wake: reading, loop: self, dispatch: dispatch)
            while state.turn() {}
        }
        runner.start()
    }

    func post(_ message: Message) {
        shared.withLock { state in
            state.messages.append(message)
            // Under the lock, so that the descriptor cannot be closed between look and write.
            if state.messages.count == 1 { Self.poke(state.wake) }
        }
    }

    func stop() {
        shared.withLock { state in
            state.isStopping = true
            Self.poke(state.wake)
        }
    }

    private static func poke(_ descriptor: Int32) {
        var octet: UInt8 = 1
        if descriptor >= 0 { _ = write(descriptor, &octet, 1) }
    }

    func take() -> (messages: [Message], isStopping: Bool) {
        shared.withLock { state in
            defer { state.messages = [] }
            return (state.messages, state.isStopping)
        }
    }

    func note(count: Int) { shared.withLock { $0.count = count } }

    func closed() {
        shared.withLock { state in
            if state.wake >= 0 { close(state.wake) }
            state.wake = -1
            state.messages = []
            state.count = 0
        }
    }
}

/// A detached POSIX thread that runs one closure.
private final class LoopThread: Sendable {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self).toOpaque()
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<LoopThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box)
        if failed == 0 { pthread_detach(thread) }
    }
}
