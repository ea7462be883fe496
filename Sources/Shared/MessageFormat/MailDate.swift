/// Date and time as mail writes them (RFC 5322 §3.3), without a calendar library and without a time zone database: the
/// caller says how far local time is from UTC.
package struct MailDate: Hashable, Sendable {
    package let year: Int
    /// 1–12
    package let month: Int
    /// 1–31
    package let day: Int
    /// 0 = Sunday
    package let weekday: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    /// Minutes east of UTC.
    package let offsetMinutes: Int

    /// - Parameters:
    ///   - milliseconds: since 1970-01-01 00:00 UTC.
    ///   - offsetSeconds: local time minus UTC; values beyond ±24 hours are taken as UTC.
    package init(milliseconds: Int64, offsetSeconds: Int = 0) {
        let usable = offsetSeconds.magnitude < 86_400 ? offsetSeconds / 60 : 0
        offsetMinutes = usable
        let clamped = min(max(milliseconds, -62_135_596_800_000), 253_402_214_400_000)
        let local = Self.floorDivide(clamped, 1000) + Int64(usable * 60)
        let days = Self.floorDivide(local, 86_400)
        let rest = Int(local - days * 86_400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = Int(((days + 4) % 7 + 7) % 7)
        (year, month, day) = Self.civil(days: days)
    }

    /// `Mon, 24 Aug 2015 16:09:13 +0900`
    package var text: String {
        var out: [UInt8] = []
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    package func append(to out: inout [UInt8]) {
        out.append(contentsOf: Self.weekdays[weekday].utf8)
        out.append(contentsOf: ", ".utf8)
        Self.append(day, digits: 2, to: &out)
        out.append(0x20)
        out.append(contentsOf: Self.months[month - 1].utf8)
        out.append(0x20)
        Self.append(year, digits: 4, to: &out)
        out.append(0x20)
        Self.append(hour, digits: 2, to: &out)
        out.append(0x3A)
        Self.append(minute, digits: 2, to: &out)
        out.append(0x3A)
        Self.append(second, digits: 2, to: &out)
        out.append(contentsOf: (offsetMinutes < 0 ? " -" : " +").utf8)
        Self.append(abs(offsetMinutes) / 60, digits: 2, to: &out)
        Self.append(abs(offsetMinutes) % 60, digits: 2, to: &out)
    }

    /// `13/Jul/2005:18:00:26`, the form of the log lines (R-LOG-19), without brackets.
    package var logText: String {
        var out: [UInt8] = []
        Self.append(day, digits: 2, to: &out)
        out.append(contentsOf: "/\(Self.months[month - 1])/".utf8)
        Self.append(year, digits: 4, to: &out)
        for part in [hour, minute, second] {
            out.append(0x3A)
            Self.append(part, digits: 2, to: &out)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `20050713`, the name of a day's log file (R-LOG-02).
    package var dayText: String {
        var out: [UInt8] = []
        Self.append(year, digits: 4, to: &out)
        Self.append(month, digits: 2, to: &out)
        Self.append(day, digits: 2, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Minutes since midnight, local time.
    package var minuteOfDay: Int { hour * 60 + minute }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func append(_ value: Int, digits: Int, to out: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        var rest = value
        for _ in 0..<digits {
            out.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor % 10))
            rest %= divisor
            divisor = max(divisor / 10, 1)
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// Days since 1970 to a date of the Gregorian calendar; eras of 400 years that begin on 1 March.
    private static func civil(days: Int64) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day)
    }
}
