import Glibc

/// The machine's clocks.
package enum SystemClock {
    /// Milliseconds since 1970; for people, logs and whatever outlives the process. May jump.
    package static func wall() -> Int64 { milliseconds(CLOCK_REALTIME) }
    /// Milliseconds of a clock that does not jump; for waits.
    package static func monotonic() -> Int64 { milliseconds(CLOCK_MONOTONIC) }
    /// Seconds of a clock that does not jump, some milliseconds behind and cheapest to read; for counting by seconds.
    package static func coarseSeconds() -> Int { read(CLOCK_MONOTONIC_COARSE).tv_sec }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        let time = read(clock)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
