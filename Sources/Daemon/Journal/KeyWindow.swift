import CLinux
import Glibc
import MailModel

/// The lines of the log under one key, newest first, day by day and block by block.
struct KeyWindow {
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
    /// - Parameter isNarrow: the times leave out so much of a day that to look for their place in it pays.
    mutating func forEach(_ hash: UInt32, isNarrow: Bool = true, _ body: (LogEvent) -> Bool) {
        for day in LogFolder.days(in: index.events).reversed() {
            guard DayRange.mayHold(day, since: since, until: until),
                let file = DayFile("\(index.events)/\(day).log")
            else { continue }
            let (blocks, unindexed) = index.blocks(of: hash, on: day)
            let range = isNarrow ? file.range(since: since, until: until) : 0..<file.size
            let size = IndexSegment.blockOctets
            // What is not indexed yet is looked through whole.
            let first = max(unindexed, range.lowerBound)
            if first < range.upperBound {
                for open in (first / size...(range.upperBound - 1) / size).reversed() {
                    if !read(file, block: open, from: unindexed, hash, body) { return }
                }
            }
            for block in blocks where block * size < range.upperBound && (block + 1) * size > range.lowerBound {
                if !read(file, block: block, to: unindexed, hash, body) { return }
            }
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
            let end = BackwardLines.lineEnd(octets, place)
            if base + place >= range.lowerBound, isNear(octets, place..<end), holds(octets[place..<end], hash),
                let event = JournalReader.event(Array(octets[place..<end])),
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

    private func holds(_ line: ArraySlice<UInt8>, _ hash: UInt32) -> Bool {
        var isThere = false
        line.withUnsafeBytes { octets in
            IndexKeys.forEach(in: octets) { if $0 == hash { isThere = true } }
        }
        return isThere
    }
}
