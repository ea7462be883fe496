/// Times for people, from milliseconds since 1970 and the server's offset from UTC; no time zone database.
enum Clock {
    /// `12:03:20`
    static func time(_ milliseconds: Int, utcOffset: Int) -> String {
        let seconds = secondOfDay(milliseconds, utcOffset)
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    /// `12:03`
    static func short(_ milliseconds: Int, utcOffset: Int) -> String {
        String(time(milliseconds, utcOffset: utcOffset).prefix(5))
    }

    /// `12:03:20.204`
    static func precise(_ milliseconds: Int, utcOffset: Int) -> String {
        let rest = milliseconds % 1000
        let text = String(rest < 0 ? rest + 1000 : rest)
        return time(milliseconds, utcOffset: utcOffset) + "." + String(repeating: "0", count: 3 - text.count) + text
    }

    /// `2026-11-24 12:03`
    static func date(_ milliseconds: Int, utcOffset: Int) -> String {
        let days = floorDivide(floorDivide(milliseconds, 1000) &+ utcOffset, 86400)
        let (year, month, day) = civil(days)
        return "\(year)-\(two(month))-\(two(day)) \(short(milliseconds, utcOffset: utcOffset))"
    }

    /// `00:04`, `03:12`, `2d 03:12`: days, hours and minutes.
    static func age(_ milliseconds: Int, _ say: any Localizer) -> String {
        let minutes = max(0, milliseconds) / 60_000
        let clock = "\(two(minutes / 60 % 24)):\(two(minutes % 60))"
        return minutes >= 24 * 60 ? say(.text("word.age-days", String(minutes / 60 / 24), clock)) : clock
    }

    private static func secondOfDay(_ milliseconds: Int, _ utcOffset: Int) -> Int {
        let second = (floorDivide(milliseconds, 1000) &+ utcOffset) % 86400
        return second < 0 ? second + 86400 : second
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-(value + 1)) / divisor) - 1
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Days since 1970-01-01 to the Gregorian date (Howard Hinnant's algorithm).
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let shifted = days &+ 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
