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

/// The lines of a file from its end to its beginning.
struct BackwardLines {
    private let file: DayFile
    private let block: Int
    /// Lines of the blocks read so far, first line of the file first; taken from the end.
    private var ready: [(octets: [UInt8], offset: Int)] = []
    /// Where `carry` begins in the file.
    private var start: Int
    /// The beginning of the block read last: the end of a line whose beginning is further up.
    private var carry: [UInt8] = []

    /// A line longer than this is passed over in pieces; ours are far shorter.
    static let lineLimit = 1 << 20

    /// - Parameter end: offset behind the last line wanted.
    init(file: DayFile, end: Int, block: Int) {
        self.file = file
        self.block = block
        start = min(max(0, end), file.size)
    }

    mutating func next() -> (octets: [UInt8], offset: Int)? {
        while ready.isEmpty {
            guard start > 0 || !carry.isEmpty else { return nil }
            fill()
        }
        return ready.popLast()
    }

    private mutating func fill() {
        let from = max(0, start - block)
        var octets = file.read(at: from, count: start - from)
        guard octets.count == start - from else {
            // The file was cut meanwhile.
            start = 0
            carry = []
            return
        }
        if carry.count < Self.lineLimit { octets += carry }
        carry = []
        start = from
        var lineStart = 0
        if from > 0 {
            guard let first = octets.firstIndex(of: 10) else {
                carry = octets
                return
            }
            carry = Array(octets[...first])
            lineStart = first + 1
        }
        while lineStart < octets.count {
            let end = octets[lineStart...].firstIndex(of: 10) ?? octets.count
            if end > lineStart { ready.append((Array(octets[lineStart..<end]), from + lineStart)) }
            lineStart = end + 1
        }
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
        return lines.compactMap { JournalReader.event($0, filter) }.filter(filter.matches)
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
