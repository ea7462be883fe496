import Glibc

/// Lets one thread sleep until a time or a call. A call while nobody sleeps is kept, so none is lost.
final class WakeSignal: @unchecked Sendable {
    // @unchecked: `isSet` is only touched with the mutex held; mutex and condition stay where they are until deinit.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isSet = false

    init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)  // the wall clock may jump
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func set() {
        pthread_mutex_lock(mutex)
        let wasSet = isSet
        isSet = true
        if !wasSet { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
    }

    /// Returns when `set` was called, or after `milliseconds`.
    func wait(milliseconds: Int) {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let nanoseconds = Int(until.tv_nsec) + milliseconds % 1_000 * 1_000_000
        until.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        while !isSet, pthread_cond_timedwait(condition, mutex, &until) == 0 {}
        isSet = false
        pthread_mutex_unlock(mutex)
    }
}
