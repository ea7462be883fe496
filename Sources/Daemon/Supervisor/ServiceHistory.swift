/// How much a service did: per minute for the last half hour, and in the last 60 seconds. A value.
struct ServiceHistory: Sendable {
    private var minutes = [Int](repeating: 0, count: ServiceHistory.length)
    private var minute = 0
    private var seconds = [Int](repeating: 0, count: 60)
    private var second = 0
    private var lastTotal = 0
    private static let length = 30

    /// - Parameters:
    ///   - total: since the service started; a smaller one than before means that it was restarted.
    ///   - now: seconds of a clock that does not jump.
    mutating func add(total: Int, now: Int) {
        advance(to: now)
        let more = total >= lastTotal ? total - lastTotal : total
        lastTotal = total
        minutes[Self.length - 1] += more
        seconds[59] += more
    }

    mutating func advance(to now: Int) {
        if second == 0 { (second, minute) = (now, now / 60) }
        let passed = min(max(now - second, 0), 60)
        if passed > 0 {
            seconds = Array(seconds[passed...]) + Array(repeating: 0, count: passed)
            second = now
        }
        let passedMinutes = min(max(now / 60 - minute, 0), Self.length)
        if passedMinutes > 0 {
            minutes = Array(minutes[passedMinutes...]) + Array(repeating: 0, count: passedMinutes)
            minute = now / 60
        }
    }

    mutating func serviceStarted() { lastTotal = 0 }

    /// Each of the last 30 minutes, oldest first, the running one last.
    var perMinute: [Int] { minutes }
    var lastMinute: Int { seconds.reduce(0, +) }
}
