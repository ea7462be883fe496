/// usetime.dat: hours in which an account may use the server (R-ACC-37 to 41); seven lines `day,flag,start,end`.
package struct UseTime: Hashable, Sendable {
    package static let fileName = "usetime.dat"

    package struct Day: Hashable, Sendable {
        package var isPermitted: Bool
        /// Minutes since midnight, 0–1439; `nil`: from 00:00.
        package var start: Int?
        /// Minutes since midnight, 0–1440; `nil`: until 24:00.
        package var end: Int?

        package init(isPermitted: Bool, start: Int? = nil, end: Int? = nil) {
            self.isPermitted = isPermitted
            self.start = start
            self.end = end
        }
    }
    /// Sunday to Saturday.
    package private(set) var days: [Day]

    package static let unlimited = UseTime(days: Array(repeating: Day(isPermitted: true), count: 7))

    /// Missing days are permitted without limit, more than seven are dropped.
    package init(days: [Day]) {
        let padding = Array(repeating: Day(isPermitted: true), count: max(0, 7 - days.count))
        self.days = Array((days + padding).prefix(7))
    }

    /// - Parameters:
    ///   - weekday: 0 = Sunday, local time.
    ///   - minute: minutes since midnight, local time.
    package func permits(weekday: Int, minute: Int) -> Bool {
        guard (0..<7).contains(weekday), (0..<1440).contains(minute) else { return false }
        let today = days[weekday]
        if today.isPermitted {
            let start = today.start ?? 0
            let end = today.end ?? 1440
            // start ≥ end runs over midnight into the next day.
            if start < end ? (start..<end).contains(minute) : minute >= start { return true }
        }
        let yesterday = days[(weekday + 6) % 7]
        guard yesterday.isPermitted else { return false }
        let start = yesterday.start ?? 0
        let end = yesterday.end ?? 1440
        return start >= end && minute < end
    }

    package var isUnlimited: Bool {
        days.allSatisfy { $0.isPermitted && ($0.start ?? 0) == 0 && ($0.end ?? 1440) == 1440 }
    }

    package var text: String {
        days.enumerated().map { number, day in
            "\(number),\(day.isPermitted ? 1 : 0),\(day.start.map(Self.clock) ?? ""),\(day.end.map(Self.clock) ?? "")\n"
        }.joined()
    }

    /// Days that the file does not name are not limited.
    package static func read(_ text: TableText) -> TableReading<UseTime> {
        var days = unlimited.days
        var seen: [Int: Int] = [:]
        var problems: [TableProblem] = []
        func note(_ line: Int, _ code: String, _ message: String, _ arguments: [String] = [], isWarning: Bool = false) {
            problems.append(
                TableProblem(
                    line: line, text: TableText.shown(text.lines[line - 1]), code: "table.usetime.\(code)",
                    arguments: arguments, message: message, isWarning: isWarning))
        }
        for (index, line) in text.lines.enumerated() where !line.trimmingBlanks().isEmpty {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
            guard fields.count == 4 else {
                note(index + 1, "fields", "A line has the form: day,flag,start,end")
                continue
            }
            guard let day = Int(fields[0]), (0...6).contains(day), fields[0].utf8.count == 1 else {
                note(index + 1, "day", "The day is a number from 0 (Sunday) to 6 (Saturday).")
                continue
            }
            guard fields[1] == "0" || fields[1] == "1" else {
                note(index + 1, "flag", "The flag is 0 or 1.")
                continue
            }
            guard let start = minutes(fields[2], limit: 1439), let end = minutes(fields[3], limit: 1440) else {
                note(index + 1, "time", "A time has the form HH:MM, or is empty.")
                continue
            }
            if let earlier = seen[day] {
                note(
                    index + 1, "twice", "The day stands in line \(earlier) already; this line counts.",
                    [String(earlier)],
                    isWarning: true)
            }
            seen[day] = index + 1
            days[day] = Day(isPermitted: fields[1] == "1", start: start.value, end: end.value)
        }
        return TableReading(value: UseTime(days: days), problems: problems)
    }

    private struct Minutes { var value: Int? }

    /// - Returns: `nil` when it is no time; an empty text is a time that is not given.
    private static func minutes(_ text: String, limit: Int) -> Minutes? {
        if text.isEmpty { return Minutes(value: nil) }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= limit
        else { return nil }
        return Minutes(value: hour * 60 + minute)
    }

    private static func clock(_ minutes: Int) -> String {
        let hour = minutes / 60
        let minute = minutes % 60
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }
}
