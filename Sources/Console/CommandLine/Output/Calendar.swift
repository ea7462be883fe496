/// Moments as people write them, in a fixed zone. Proleptic Gregorian calendar; milliseconds since 1970.
struct Calendar {
    /// Seconds east of UTC.
    let utcOffset: Int

    /// `2026-11-24 10:12:01`
    func text(_ milliseconds: Int) -> String {
        let seconds = Self.floorDivide(milliseconds, 1000) + utcOffset
        let days = Self.floorDivide(seconds, 86400)
        let time = seconds - days * 86400
        let (year, month, day) = Self.date(days)
        return "\(year)-\(Self.two(month))-\(Self.two(day)) "
            + "\(Self.two(time / 3600)):\(Self.two(time / 60 % 60)):\(Self.two(time % 60))"
    }

    /// Reads `2026-11-24`, `2026-11-24 10:12[:01]` (also with `T`), `10:12[:01]` (today), or an age: `90s`, `30m`,
    /// `2h`, `3d` before `now`.
    func moment(_ text: String, now: Int) -> Int? {
        if let unit = text.last, let factor = ["s": 1, "m": 60, "h": 3600, "d": 86400][unit] {
            guard let count = Int(text.dropLast()), count >= 0, count <= 10_000_000 else { return nil }
            return now - count * factor * 1000
        }
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        guard let first = parts.first, parts.count <= 2 else { return nil }
        let today = Self.floorDivide(Self.floorDivide(now, 1000) + utcOffset, 86400)
        if first.contains(":") {
            guard parts.count == 1, let time = Self.clock(first) else { return nil }
            return (today * 86400 + time - utcOffset) * 1000
        }
        guard let days = Self.days(first) else { return nil }
        var seconds = days * 86400 - utcOffset
        if parts.count == 2 {
            guard let time = Self.clock(parts[1]) else { return nil }
            seconds += time
        }
        return seconds * 1000
    }

    /// `59 s`, `12 min`, `3 h 20 min`, `2 d 5 h`
    static func age(seconds: Int) -> String {
        switch max(0, seconds) {
        case let s where s < 60: "\(s) s"
        case let s where s < 3600: "\(s / 60) min"
        case let s where s < 86400: "\(s / 3600) h \(s / 60 % 60) min"
        case let s: "\(s / 86400) d \(s / 3600 % 24) h"
        }
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }

    private static func floorDivide(_ value: Int, _ by: Int) -> Int {
        let quotient = value / by
        return value % by < 0 ? quotient - 1 : quotient
    }

    /// Seconds since midnight of `HH:MM[:SS]`.
    private static func clock(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2 || parts.count == 3, let hour = parts[0], let minute = parts[1] else { return nil }
        guard let second = parts.count == 3 ? parts[2] : 0 else { return nil }
        guard (0...24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second) else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Days since 1970 of `YYYY-MM-DD`.
    private static func days(_ text: Substring) -> Int? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2] else { return nil }
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Days from civil, counted in eras of 400 years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let found = era * 146_097 + dayOfEra - 719_468
        return date(found) == (year, month, day) ? found : nil
    }

    private static func date(_ days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day)
    }
}
