import CLinux
import FoundationEssentials
import Glibc
import MailModel

/// What is looked for in the structured log; everything that is given must hold.
package struct JournalFilter: Hashable, Sendable {
    /// Part of any field; ASCII letter case is ignored.
    package var text: String?
    package var kinds: Set<LogEvent.Kind>?
    /// This level and worse.
    package var level: LogEvent.Level?
    package var queueID: QueueID?
    /// Part of the sender, of the recipient; ASCII letter case is ignored.
    package var sender: String?
    package var recipient: String?
    /// Milliseconds since 1970, both inclusive.
    package var since: Int64?
    package var until: Int64?

    package init(
        text: String? = nil, kinds: Set<LogEvent.Kind>? = nil, level: LogEvent.Level? = nil, queueID: QueueID? = nil,
        sender: String? = nil, recipient: String? = nil, since: Int64? = nil, until: Int64? = nil
    ) {
        self.text = text
        self.kinds = kinds
        self.level = level
        self.queueID = queueID
        self.sender = sender
        self.recipient = recipient
        self.since = since
        self.until = until
    }

    package func matches(_ event: LogEvent) -> Bool {
        if let since, event.time < since { return false }
        if let until, event.time > until { return false }
        if let kinds, !kinds.contains(event.kind) { return false }
        if let level, Self.rank(event.level) < Self.rank(level) { return false }
        if let queueID, event.queueID != queueID { return false }
        if let sender, !Self.holds(event.sender, sender) { return false }
        if let recipient, !Self.holds(event.recipient, recipient) { return false }
        guard let text else { return true }
        return Self.fields(of: event).contains { Self.holds($0, text) }
    }

    private static func fields(of event: LogEvent) -> [String?] {
        [
            event.text, event.reply, event.sender, event.recipient, event.address, event.host, event.queueID?.rawValue,
            event.service, event.reference, event.messageID, event.tls,
        ]
    }
    private static func holds(_ value: String?, _ part: String) -> Bool {
        guard let value else { return false }
        return part.isEmpty || value.lowercased().contains(part.lowercased())
    }
    private static func rank(_ level: LogEvent.Level) -> Int { LogEvent.Level.allCases.firstIndex(of: level) ?? 0 }
}

/// Reads the structured log. A value; any thread; each call opens what it needs.
package struct JournalReader: Sendable {
    private let folder: String

    /// Octets that one search looks through, and lines that it reads, before it answers with what it has and a cursor: a
    /// moment's work.
    package static let searchLimit = 256 << 20
    private static let readLimit = 30_000
    private static let block = 256 << 10

    /// - Parameter folder: `log/`.
    package init(folder: String) { self.folder = "\(folder)/events" }

    /// Events that match, newest first.
    /// - Parameter cursor: continue where an earlier answer ended; `nil` = at the end of the log.
    /// - Returns: at most `limit` events; `cursor` is `nil` when there is nothing older. There may be none and a cursor:
    ///   the limit of one search was reached.
    package func search(_ filter: JournalFilter, limit: Int, cursor: String? = nil) -> (
        events: [LogEvent], cursor: String?
    ) {
        var found: [LogEvent] = []
        var room = (octets: Self.searchLimit, lines: Self.readLimit)
        let needles = LineNeedles(filter)
        let position = cursor.flatMap(Position.init)
        for day in LogFolder.days(in: folder).reversed() {
            if let position, day > position.day { continue }
            guard DayRange.mayHold(day, since: filter.since, until: filter.until),
                let file = DayFile("\(folder)/\(day).log")
            else { continue }
            let range = file.range(since: filter.since, until: filter.until)
            let end = position?.day == day ? min(range.upperBound, position?.offset ?? 0) : range.upperBound
            if room.octets <= 0 { return (found, Position(day: day, offset: end).text) }
            let floor = max(range.lowerBound, end - room.octets)
            var lines = BackwardLines(file: file, end: end, floor: floor, block: Self.block, needles: needles)
            while let line = lines.next() {
                room.lines -= 1
                if let event = Self.event(line.octets), filter.matches(event) { found.append(event) }
                if found.count >= limit || room.lines <= 0 {
                    return (found, Position(day: day, offset: line.offset).text)
                }
            }
            if floor > range.lowerBound { return (found, Position(day: day, offset: lines.position).text) }
            room.octets -= max(0, end - lines.position)
        }
        return (found, nil)
    }

    /// Octets that a search from this cursor on has before it.
    package func octetsLeft(_ filter: JournalFilter, cursor: String) -> Int {
        guard let position = Position(cursor) else { return 0 }
        return LogFolder.days(in: folder).reduce(0) { sum, day in
            guard day <= position.day, DayRange.mayHold(day, since: filter.since, until: filter.until),
                let file = DayFile("\(folder)/\(day).log")
            else { return sum }
            let range = file.range(since: filter.since, until: filter.until)
            return sum + max(0, (day == position.day ? position.offset : range.upperBound) - range.lowerBound)
        }
    }

    static func event(_ line: [UInt8]) -> LogEvent? { try? JSONDecoder().decode(LogEvent.self, from: Data(line)) }

    private struct Position {
        var day: String
        var offset: Int
        init(day: String, offset: Int) {
            self.day = day
            self.offset = offset
        }
        init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 2, parts[0].utf8.count == 8, let offset = Int(parts[1]), offset >= 0 else {
                return nil
            }
            self.init(day: String(parts[0]), offset: offset)
        }
        var text: String { "\(day):\(offset)" }
    }

    /// Follows the log from its end.
    package func follow() -> JournalTail { JournalTail(folder: folder) }
}
