import CLinux
import FoundationEssentials
import Glibc
import MailModel

/// One day's structured log, opened for reading.
final class DayFile {
    let descriptor: Int32
    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? max(0, Int(status.st_size)) : 0
    }

    init?(_ path: String) {
        descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }

    func read(at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)))
        }
    }
}

extension DayFile {
    /// Several processes write: an event may stand this much, in milliseconds, behind a later one.
    static let disorder: Int64 = 5_000

    /// The stretch of the file that may hold lines of these times, found by halving: lines are in the order of time, but
    /// for `disorder`.
    func range(since: Int64?, until: Int64?) -> Range<Int> {
        let size = size
        let from = since.map { place(of: $0 - Self.disorder, size).low } ?? 0
        let to = until.map { place(of: $0 + Self.disorder, size).high } ?? size
        return min(from, to)..<max(from, to)
    }

    /// Lines before `low` are older than the time, those behind `high` are not.
    private func place(of time: Int64, _ size: Int) -> (low: Int, high: Int) {
        var (low, high) = (0, size)
        while high - low > 64 << 10 {
            let middle = low + (high - low) / 2
            guard let found = firstTime(behind: middle) else {
                // No line begins here that tells its time: the rest is looked through.
                return (low, size)
            }
            if found < time { low = middle } else { high = middle }
        }
        // The line at `high` may have begun before it.
        return (low, min(size, high + (64 << 10)))
    }

    /// The time of the first line that begins behind a place; our lines are far shorter than what is looked at.
    private func firstTime(behind place: Int) -> Int64? {
        let octets = read(at: place, count: 32 << 10)
        guard let end = octets.firstIndex(of: 10) else { return nil }
        let head = Array("{\"time\":".utf8)
        let line = octets[(end + 1)...]
        guard line.starts(with: head) else { return nil }
        let digits = line.dropFirst(head.count).prefix(20).prefix { (0x30...0x39).contains($0) }
        return Int64(String(decoding: digits, as: UTF8.self))
    }
}

/// Follows the structured log over the change of day. Owned by one task.
package struct JournalTail {
    private let folder: String
    private var day: String
    private var file: DayFile?
    private var offset: Int
    private var rest: [UInt8] = []

    /// Octets taken in one call.
    private static let portion = 1 << 20

    init(folder: String) {
        self.folder = folder
        day = LogFolder.days(in: folder).last ?? ""
        file = DayFile("\(folder)/\(day).log")
        offset = file?.size ?? 0
    }

    /// What was written since the last call and matches, oldest first; empty when there is nothing new.
    package mutating func next(_ filter: JournalFilter) -> [LogEvent] {
        var lines = take()
        if lines.isEmpty, let newest = LogFolder.days(in: folder).last, newest > day {
            day = newest
            file = DayFile("\(folder)/\(day).log")
            offset = 0
            rest = []
            lines = take()
        }
        let needles = LineNeedles(filter)
        return lines.filter { needles.mayMatch($0) }.compactMap(JournalReader.event).filter(filter.matches)
    }

    private mutating func take() -> [[UInt8]] {
        guard let file else { return [] }
        let octets = file.read(at: offset, count: Self.portion)
        offset += octets.count
        guard !octets.isEmpty else { return [] }
        var lines = (rest + octets).split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        rest = lines.popLast() ?? []
        if rest.count > BackwardLines.lineLimit { rest = [] }
        return lines.filter { !$0.isEmpty }
    }
}
