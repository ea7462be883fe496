/// Whether a day's log can hold a moment. The file of a day is named in local time, and clocks differ: a day of room on
/// each side costs little.
enum DayRange {
    static func mayHold(_ day: String, since: Int64?, until: Int64?) -> Bool {
        guard let start = milliseconds(day) else { return true }
        let length: Int64 = 86_400_000
        if let since, start + 2 * length < since { return false }
        if let until, start - length > until { return false }
        return true
    }

    /// Days since 1970 by the civil calendar.
    static func milliseconds(_ day: String) -> Int64? {
        guard day.utf8.count == 8, let number = Int64(day) else { return nil }
        var (year, month, date) = (number / 10_000, number / 100 % 100, number % 100)
        guard (1...12).contains(month), (1...31).contains(date) else { return nil }
        year -= month <= 2 ? 1 : 0
        month += month <= 2 ? 9 : -3
        date -= 1
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * month + 2) / 5 + date
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400_000
    }
}
