import CLinux
import Glibc
import Synchronization

/// Who sent most within the last hour, over all accepted mail, counted from the structured log: mail handling knows
/// nothing of it, and a restart counts the last hour again. `advance` is called by one background thread.
package final class BusySenders: Sendable {
    package struct Entry: Hashable, Sendable {
        /// The envelope's, lower case; empty: the null sender.
        package var sender: String
        package var messages: Int
        package var recipients: Int
    }

    /// Senders that are counted at a time, whatever number there are: see `SenderCounts`.
    static let capacity = 256
    /// Octets of log that one step reads.
    static let step = 1 << 20
    private static let hour: Int64 = 3_600_000
    private static let slots: Int64 = 12

    private struct State {
        var day: String?
        var offset = 0
        /// By slot of five minutes since 1970.
        var counts: [Int64: SenderCounts] = [:]
        /// One line is written for each recipient.
        var lastMessage: [UInt8] = []
    }
    private let events: String
    private let state = Mutex(State())

    /// - Parameter folder: `log/`.
    package init(folder: String) { events = "\(folder)/events" }

    /// Reads the next part of what was written.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: `false` when nothing is left to do now.
    package func advance(now: Int64) -> Bool {
        let days = LogFolder.days(in: events).filter { DayRange.mayHold($0, since: now - Self.hour, until: nil) }
        let (known, offset) = state.withLock { ($0.day, $0.offset) }
        guard let day = known.flatMap({ days.contains($0) ? $0 : nil }) ?? days.first,
            let file = DayFile("\(events)/\(day).log")
        else { return false }
        var from = day == known ? offset : file.range(since: now - Self.hour, until: nil).lowerBound
        if from > file.size { from = 0 }  // another file under the same name
        let octets = file.read(at: from, count: Self.step)
        let end = octets.lastIndex(of: 10).map { $0 + 1 } ?? (octets.count == Self.step ? octets.count : 0)
        guard end > 0 || day != known else { return next(after: day, of: days) }
        state.withLock { state in
            state.day = day
            state.offset = from + end
            Self.count(octets[..<end], &state, now: now)
        }
        return true
    }

    /// The day is read to its end: a later one may have begun.
    private func next(after day: String, of days: [String]) -> Bool {
        guard let following = days.first(where: { $0 > day }) else { return false }
        state.withLock { state in
            state.day = following
            state.offset = 0
        }
        return true
    }

    /// Most messages first.
    package func busiest(now: Int64, limit: Int = 20) -> [Entry] {
        let slot = now / (Self.hour / Self.slots)
        let sums: [String: Entry] = state.withLock { state in
            var sums: [String: Entry] = [:]
            for (at, counts) in state.counts where at > slot - Self.slots {
                for (sender, count) in counts.known {
                    var entry = sums[sender] ?? Entry(sender: sender, messages: 0, recipients: 0)
                    entry.messages += count.messages
                    entry.recipients += count.recipients
                    sums[sender] = entry
                }
            }
            return sums
        }
        let sorted = sums.values.filter { $0.messages > 0 }.sorted {
            ($0.messages, $0.recipients, $1.sender) > ($1.messages, $1.recipients, $0.sender)
        }
        return Array(sorted.prefix(limit))
    }

    // MARK: Lines

    private static func count(_ octets: ArraySlice<UInt8>, _ state: inout State, now: Int64) {
        let oldest = now / (hour / slots) - slots
        for at in state.counts.keys where at <= oldest { state.counts[at] = nil }
        octets.withUnsafeBytes { octets in
            var start = 0
            while start < octets.count, let base = octets.baseAddress,
                let end = memchr(base.advanced(by: start), 10, octets.count - start)
            {
                let length = UnsafeRawPointer(end) - base - start
                let line = UnsafeRawBufferPointer(rebasing: octets[start..<(start + length)])
                start += length + 1
                guard let found = ReceivedLine(line) else { continue }
                let slot = found.time / (hour / slots)
                // A clock that went astray fills no slots of the future.
                guard slot > oldest, found.time <= now + hour else { continue }
                let isNew = found.message != state.lastMessage
                state.lastMessage = found.message
                state.counts[slot, default: SenderCounts(capacity: capacity)].add(found.sender, isNewMessage: isNew)
            }
        }
    }
}

/// What counts of a line about accepted mail, read from the octets of our own writer's form without a decoder.
private struct ReceivedLine {
    var time: Int64
    var message: [UInt8]
    var sender: String

    init?(_ line: UnsafeRawBufferPointer) {
        let head: StaticString = "{\"time\":"
        guard Self.starts(line, head, at: 0) else { return nil }
        var place = head.utf8CodeUnitCount
        var time: Int64 = 0
        while place < line.count, line[place] &- 0x30 < 10 {
            time = time &* 10 &+ Int64(line[place] &- 0x30)
            place += 1
        }
        guard let service = Self.value(of: "\"service\":\"", in: line, from: place),
            Self.starts(line, ",\"kind\":\"receive\"", at: service.endIndex + 1),
            let message = Self.value(of: "\"queueID\":\"", in: line, from: service.endIndex),
            let sender = Self.value(of: "\"sender\":\"", in: line, from: message.endIndex)
        else { return nil }
        self.time = time
        self.message = Array(message)
        self.sender = String(decoding: sender.filter { $0 != 0x5C }, as: UTF8.self).lowercased()
    }

    private static func starts(_ line: UnsafeRawBufferPointer, _ word: StaticString, at place: Int) -> Bool {
        guard place >= 0, place + word.utf8CodeUnitCount <= line.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount where word.utf8Start[offset] != line[place + offset] { return false }
        return true
    }

    /// What stands behind the name up to the next bare quote. Our writer gives every field, and sender and queue id stand
    /// before all that others can fill with text of their own.
    private static func value(
        of name: StaticString, in line: UnsafeRawBufferPointer, from: Int
    ) -> Slice<UnsafeRawBufferPointer>? {
        guard let base = line.baseAddress, from <= line.count,
            let found = memmem(base.advanced(by: from), line.count - from, name.utf8Start, name.utf8CodeUnitCount)
        else { return nil }
        let start = UnsafeRawPointer(found) - base + name.utf8CodeUnitCount
        var end = start
        while end < line.count, line[end] != 0x22 { end += line[end] == 0x5C ? 2 : 1 }
        return end <= line.count ? line[start..<end] : nil
    }
}

/// Space-saving counters (Metwally, Agrawal, El Abbadi 2005): of any number of senders the busiest stay, in room for
/// `capacity`. Who comes in takes the place of the least busy with its count as a margin, which is not shown: no sender
/// is said to have sent more than it did.
struct SenderCounts: Sendable {
    struct Count: Sendable {
        var messages: Int
        var recipients: Int
        fileprivate var margin: Int
        fileprivate var rank: Int { messages + margin }
    }
    let capacity: Int
    private(set) var known: [String: Count] = [:]

    init(capacity: Int) { self.capacity = capacity }

    mutating func add(_ sender: String, isNewMessage: Bool) {
        if known[sender] == nil {
            var margin = 0
            if known.count >= capacity, let least = known.min(by: { $0.value.rank < $1.value.rank }) {
                margin = least.value.rank
                known[least.key] = nil
            }
            // Its message may have begun to be counted before it was put out: once more is the margin's matter.
            known[sender] = Count(messages: isNewMessage ? 0 : 1, recipients: 0, margin: margin)
        }
        if isNewMessage { known[sender]?.messages += 1 }
        known[sender]?.recipients += 1
    }
}
