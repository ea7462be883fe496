import Glibc
import Threads

/// The clocks in the control protocol's type, milliseconds.
enum Clock {
    /// Does not jump; for waits.
    static func monotonic() -> Int { Int(SystemClock.monotonic()) }
    /// Since 1970; for people.
    static func wall() -> Int { Int(SystemClock.wall()) }

    /// Seconds east of UTC, now.
    static func utcOffset() -> Int {
        var now = time(nil)
        var broken = tm()
        localtime_r(&now, &broken)
        return broken.tm_gmtoff
    }
}
