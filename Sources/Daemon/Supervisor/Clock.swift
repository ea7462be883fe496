import Glibc

/// The two clocks of the supervisor, in milliseconds.
enum Clock {
    /// Does not jump; for waits.
    static func monotonic() -> Int { milliseconds(CLOCK_MONOTONIC) }
    /// Since 1970; for people.
    static func wall() -> Int { milliseconds(CLOCK_REALTIME) }

    private static func milliseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Seconds east of UTC, now.
    static func utcOffset() -> Int {
        var now = time(nil)
        var broken = tm()
        localtime_r(&now, &broken)
        return broken.tm_gmtoff
    }
}
