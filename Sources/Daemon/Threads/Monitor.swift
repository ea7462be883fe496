import CLinux
import Glibc

/// A value behind a lock that threads can also wait for. For plain locking use `Mutex`; this one adds the waiting.
package final class Monitor<Value>: @unchecked Sendable {  // the mutex guards `value`
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init(_ value: sending Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waiting must not depend on the wall clock, which administrators move.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Waits until `body` gives a result, calling it again after each `signal`.
    package func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait`, for `milliseconds` at most.
    /// - Returns: `nil` after that time.
    package func wait<Result>(milliseconds: Int, _ body: (inout Value) -> Result?) -> Result? {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = end.tv_nsec + (milliseconds % 1000) * 1_000_000
        end.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return body(&value) }
        }
    }

    /// Wakes one waiting thread.
    package func signal() { pthread_cond_signal(condition) }
    /// Wakes all.
    package func signalAll() { pthread_cond_broadcast(condition) }
}

/// A joinable thread with a name and a small stack.
package struct Thread: @unchecked Sendable {  // pthread_t is a number
    private let handle: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameters:
    ///   - name: shown by `ps -T` and `top -H`; 15 octets are kept.
    ///   - stack: octets of stack.
    /// - Returns: `nil` when the system gives no further thread.
    package init?(name: String, stack: Int = 512 << 10, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stack)
        defer { pthread_attr_destroy(&attributes) }
        let start = Unmanaged.passRetained(Start(String(name.prefix(15)), body))
        var made = pthread_t()
        let code = pthread_create(
            &made, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.name.withCString { _ = clinux_prctl(PR_SET_NAME, UInt(bitPattern: $0)) }
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            return nil
        }
        handle = made
    }

    /// Nobody waits for its end.
    package func detach() { pthread_detach(handle) }

    /// Waits for its end; called on the thread itself, lets it end alone.
    package func join() {
        if pthread_equal(handle, pthread_self()) != 0 {
            pthread_detach(handle)
        } else {
            pthread_join(handle, nil)
        }
    }
}
