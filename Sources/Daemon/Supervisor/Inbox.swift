import CLinux
import Glibc
import Synchronization
import Threads

/// Work for the supervisor's loop from other threads.
final class Inbox: Sendable {
    typealias Work = @Sendable (Supervisor) -> Void
    private let waiting = Mutex<[Work]>([])
    /// Readable while work waits.
    let descriptor: Int32

    /// - Returns: `nil` when the system gives no descriptor.
    init?() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    func post(_ work: @escaping Work) {
        waiting.withLock { $0.append(work) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    func take() -> [Work] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return waiting.withLock { work in
            defer { work = [] }
            return work
        }
    }

    /// Runs `body` on the loop and waits for its result. Not from the loop itself.
    func ask<Value: Sendable>(_ body: @escaping @Sendable (Supervisor) -> Value) -> Value {
        let answer = Answer<Value>()
        post { answer.give(body($0)) }
        return answer.wait()
    }
}

/// A result that one thread waits for and another gives, once.
final class Answer<Value: Sendable>: Sendable {
    private let value = Monitor<Value?>(nil)

    func give(_ result: Value) {
        value.withLock { if $0 == nil { $0 = result } }
        value.signalAll()
    }
    func wait() -> Value { value.wait { $0 } }
    /// - Returns: `nil` after `milliseconds`.
    func wait(milliseconds: Int) -> Value? { value.wait(milliseconds: milliseconds) { $0 } }
}
