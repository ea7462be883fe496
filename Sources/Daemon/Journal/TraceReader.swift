import CLinux
import Glibc
import MailModel

/// What `trace` looks for: one word, an address, domain, queue id, Message-ID, client address or reference.
package struct TraceQuery: Hashable, Sendable {
    package var word: String
    /// Milliseconds since 1970, both inclusive; `nil` = no limit.
    package var since: Int64?
    package var until: Int64?
    /// Messages at most, the newest.
    package var limit: Int

    package init(word: String, since: Int64? = nil, until: Int64? = nil, limit: Int = 50) {
        self.word = word
        self.since = since
        self.until = until
        self.limit = limit
    }
}

/// The way of one message through the system, oldest first.
package struct TracedMessage: Hashable, Sendable {
    package var id: QueueID
    package var events: [LogEvent]
    /// What became of it beside its own way: reports, forwards, copies made from it.
    package var children: [QueueID]
    /// What it was made from.
    package var parent: QueueID?
}

package struct TraceResult: Hashable, Sendable {
    /// Newest first.
    package var messages: [TracedMessage] = []
    /// Lines that belong to no message (refusals), newest first.
    package var others: [LogEvent] = []
    /// There is more than was asked for.
    package var isCut = false
}

/// Looks into the log through the index. A value; any thread.
package struct TraceReader: Sendable {
    private let index: EventIndex

    package init(index: EventIndex) { self.index = index }

    /// Octets of log that one search reads at most.
    private static let budget = 64 << 20
    /// Lines of one message at most.
    private static let linesOfMessage = 5_000

    package func trace(_ query: TraceQuery) -> TraceResult {
        var result = TraceResult()
        var ids: [QueueID] = []
        var known = Set<QueueID>()
        let word = Self.folded(query.word)
        var window = Window(index: index, since: query.since, until: query.until, budget: Self.budget)
        window.forEach(IndexKeys.hash(typed: query.word)) { event in
            guard Self.isAbout(event, word) else { return true }
            if let id = event.queueID {
                if known.insert(id).inserted { ids.append(id) }
            } else {
                result.others.append(event)
            }
            result.isCut = ids.count + result.others.count >= query.limit
            return !result.isCut
        }
        if window.isExhausted { result.isCut = true }
        result.messages = ids.map { message($0) }
        return result
    }

    /// Everything about one message, with what its session did before.
    package func message(_ id: QueueID) -> TracedMessage {
        var window = Window(index: index, since: nil, until: nil, budget: Self.budget, needle: id.rawValue)
        var traced = TracedMessage(id: id, events: [], children: [])
        var session: (name: String, time: Int64)?
        window.forEach(IndexKeys.hash(id.rawValue.utf8)) { event in
            if event.queueID == id {
                traced.events.append(event)
                traced.parent = traced.parent ?? event.parent
                if event.kind == .receive, let name = event.session { session = (name, event.time) }
            } else if event.parent == id, let child = event.queueID, !traced.children.contains(child) {
                traced.children.append(child)
            }
            return traced.events.count < Self.linesOfMessage
        }
        if let session { traced.events += before(id, session) }
        // Found newest first; lines of one moment stay in the order in which they were written.
        traced.events = traced.events.reversed().enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return traced
    }

    /// What the session did for this message: its lines since the message before it.
    private func before(_ id: QueueID, _ session: (name: String, time: Int64)) -> [LogEvent] {
        var window = Window(
            index: index, since: session.time - 3_600_000, until: session.time, budget: Self.budget,
            needle: session.name)
        var found: [LogEvent] = []
        var isReached = false
        window.forEach(IndexKeys.hash(session.name.utf8)) { event in
            guard event.session == session.name else { return true }
            if let other = event.queueID {
                // An earlier message of the same session ends what belongs to this one.
                if isReached, other != id { return false }
                isReached = isReached || other == id
            } else if isReached {
                found.append(event)
            }
            return found.count < 200
        }
        return found
    }

    private static func folded(_ word: String) -> String {
        var word = word.lowercased()[...]
        if word.hasPrefix("<"), word.hasSuffix(">"), word.count > 2 { word = word.dropFirst().dropLast() }
        return String(word)
    }

    private static func isAbout(_ event: LogEvent, _ word: String) -> Bool {
        let fields = [
            event.queueID?.rawValue, event.messageID, event.sender, event.recipient, event.address, event.reference,
            event.session, event.parent?.rawValue,
        ]
        return fields.contains { field in
            guard let field else { return false }
            let text = folded(field)
            return text == word || text.hasSuffix("@" + word)
        }
    }
}

/// The lines of the log under one key, newest first, day by day and block by block.
private struct Window {
    let index: EventIndex
    let since: Int64?
    let until: Int64?
    var budget: Int
    private(set) var isExhausted = false
    /// Stands in each line that is wanted, letter for letter; saves looking at the others.
    private let needle: [UInt8]

    init(index: EventIndex, since: Int64?, until: Int64?, budget: Int, needle: String = "") {
        self.needle = Array(needle.utf8)
        self.index = index
        self.since = since
        self.until = until
        self.budget = budget
    }

    /// Calls `body` for each line that holds the key, until it answers `false`.
    mutating func forEach(_ hash: UInt32, _ body: (LogEvent) -> Bool) {
        for day in LogFolder.days(in: index.events).reversed() {
            guard DayRange.mayHold(day, since: since, until: until),
                let file = DayFile("\(index.events)/\(day).log")
            else { continue }
            let (blocks, unindexed) = index.blocks(of: hash, on: day)
            let size = IndexSegment.blockOctets
            // What is not indexed yet is looked through whole.
            var open = max(unindexed, file.size - 1) / size
            while open >= unindexed / size, unindexed < file.size {
                if !read(file, block: open, from: unindexed, hash, body) { return }
                open -= 1
            }
            for block in blocks where !read(file, block: block, to: unindexed, hash, body) { return }
        }
    }

    /// Lines that begin in the block and in `from..<to`.
    private mutating func read(
        _ file: DayFile, block: Int, from: Int = 0, to: Int = .max, _ hash: UInt32, _ body: (LogEvent) -> Bool
    ) -> Bool {
        guard budget > 0 else {
            isExhausted = true
            return false
        }
        let size = IndexSegment.blockOctets
        let start = block * size
        // One octet before tells whether a line begins with the block; the last line ends behind it.
        let skipped = start == 0 ? 0 : 1
        var octets = file.read(at: start - skipped, count: size + skipped)
        budget -= octets.count
        if octets.count == size + skipped, octets.last != 10 {
            let more = file.read(at: start - skipped + octets.count, count: 16 << 10)
            octets += more[..<((more.firstIndex(of: 10) ?? more.count - 1) + 1)]
        }
        var place = 0
        if skipped == 1 {
            guard octets.first == 10 else {
                guard let first = octets.firstIndex(of: 10) else { return true }
                return lines(octets, first + 1, start - skipped, from..<min(to, start + size), hash, body)
            }
            place = 1
        }
        return lines(octets, place, start - skipped, from..<min(to, start + size), hash, body)
    }

    private func lines(
        _ octets: [UInt8], _ first: Int, _ base: Int, _ range: Range<Int>, _ hash: UInt32, _ body: (LogEvent) -> Bool
    ) -> Bool {
        var found: [LogEvent] = []
        var place = first
        while place < octets.count, base + place < range.upperBound {
            let end = Self.lineEnd(octets, place)
            if base + place >= range.lowerBound, isNear(octets, place..<end), holds(octets[place..<end], hash),
                let event = JournalReader.event(Array(octets[place..<end]), JournalFilter()),
                since.map({ event.time >= $0 }) ?? true, until.map({ event.time <= $0 }) ?? true
            {
                found.append(event)
            }
            place = end + 1
        }
        for event in found.reversed() where !body(event) { return false }
        return true
    }

    private func isNear(_ octets: [UInt8], _ line: Range<Int>) -> Bool {
        if needle.isEmpty { return true }
        return octets.withUnsafeBytes { octets in
            needle.withUnsafeBytes { needle in
                memmem(octets.baseAddress?.advanced(by: line.lowerBound), line.count, needle.baseAddress, needle.count)
                    != nil
            }
        }
    }

    private static func lineEnd(_ octets: [UInt8], _ place: Int) -> Int {
        octets.withUnsafeBytes { octets in
            guard let base = octets.baseAddress,
                let end = memchr(base.advanced(by: place), 10, octets.count - place)
            else { return octets.count }
            return UnsafeRawPointer(end) - base
        }
    }

    private func holds(_ line: ArraySlice<UInt8>, _ hash: UInt32) -> Bool {
        var isThere = false
        line.withUnsafeBytes { octets in
            IndexKeys.forEach(in: octets) { if $0 == hash { isThere = true } }
        }
        return isThere
    }
}

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
