import CLinux
import Glibc

/// The lines of a file that may match, from its end to its beginning.
struct BackwardLines {
    private let file: DayFile
    private let block: Int
    private let floor: Int
    private let needles: LineNeedles
    /// Lines of the blocks read so far, first line of the file first; taken from the end.
    private var ready: [(octets: [UInt8], offset: Int)] = []
    /// Where `carry` begins in the file.
    private var start: Int
    /// The beginning of the block read last: the end of a line whose beginning is further up.
    private var carry: [UInt8] = []
    /// Lines that begin here or behind were looked at.
    private(set) var position: Int

    /// A line longer than this is passed over in pieces; ours are far shorter.
    static let lineLimit = 1 << 20

    /// - Parameters:
    ///   - end: offset behind the last line wanted.
    ///   - floor: lines that begin before it are left out.
    ///   - needles: what must stand in a line.
    init(file: DayFile, end: Int, floor: Int = 0, block: Int, needles: LineNeedles = LineNeedles()) {
        self.file = file
        self.block = block
        self.floor = max(0, floor)
        self.needles = needles
        start = min(max(0, end), file.size)
        position = start
    }

    mutating func next() -> (octets: [UInt8], offset: Int)? {
        while ready.isEmpty {
            guard start > floor else { return nil }
            fill()
        }
        return ready.popLast()
    }

    private mutating func fill() {
        let from = max(floor, start - block)
        var octets = file.read(at: from, count: start - from)
        guard octets.count == start - from else {
            // The file was cut meanwhile.
            start = 0
            position = 0
            carry = []
            return
        }
        if carry.count < Self.lineLimit { octets += carry }
        carry = []
        start = from
        position = from
        var lineStart = 0
        if from > 0 {
            guard let first = octets.firstIndex(of: 10) else {
                carry = octets
                return
            }
            carry = Array(octets[...first])
            lineStart = first + 1
            position = from + lineStart
        }
        let folded = needles.isEmpty ? octets : LineNeedles.folded(octets)
        while lineStart < octets.count {
            let end = Self.lineEnd(octets, lineStart)
            if end > lineStart, needles.stand(in: folded, lineStart..<end) {
                ready.append((Array(octets[lineStart..<end]), from + lineStart))
            }
            lineStart = end + 1
        }
    }

    static func lineEnd(_ octets: [UInt8], _ place: Int) -> Int {
        octets.withUnsafeBytes { octets in
            guard let base = octets.baseAddress,
                let end = memchr(base.advanced(by: place), 10, octets.count - place)
            else { return octets.count }
            return UnsafeRawPointer(end) - base
        }
    }
}

/// What must stand in a line of the structured log for it to match: tells of most lines of a long log that they do not,
/// without reading them. ASCII letters are folded.
struct LineNeedles: Sendable {
    /// One of each group must be there.
    private var groups: [[[UInt8]]] = []

    var isEmpty: Bool { groups.isEmpty }

    init() {}

    init(_ filter: JournalFilter) {
        for part in [filter.queueID?.rawValue, filter.sender, filter.recipient, filter.text] {
            if let part, let needle = Self.needle(part) { groups.append([needle]) }
        }
        if let kinds = filter.kinds { groups.append(kinds.map { Self.pair("kind", $0.rawValue) }) }
        switch filter.level {
        case .warning: groups.append([Self.pair("level", "warning"), Self.pair("level", "error")])
        case .error: groups.append([Self.pair("level", "error")])
        case .debug, .info, nil: break
        }
        // The longest is the rarest, mostly.
        groups.sort { ($0.first?.count ?? 0, $1.count) > ($1.first?.count ?? 0, $0.count) }
    }

    private static func pair(_ name: String, _ value: String) -> [UInt8] { Array("\"\(name)\":\"\(value)\"".utf8) }

    /// `nil` where the written form may differ: what JSON escapes, and letters whose case is not ASCII's.
    private static func needle(_ part: String) -> [UInt8]? {
        let isPlain = part.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                ? scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "\\"
                : scalar.properties.generalCategory == .otherLetter
        }
        return isPlain && !part.isEmpty ? folded(Array(part.utf8)) : nil
    }

    static func folded(_ octets: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: octets.count) { buffer, filled in
            octets.withUnsafeBufferPointer { octets in
                for place in 0..<octets.count {
                    let octet = octets[place]
                    buffer[place] = octet &- 0x41 < 26 ? octet | 0x20 : octet
                }
            }
            filled = octets.count
        }
    }

    func mayMatch(_ line: [UInt8]) -> Bool { isEmpty || stand(in: Self.folded(line), 0..<line.count) }

    func stand(in folded: [UInt8], _ line: Range<Int>) -> Bool {
        if groups.isEmpty { return true }
        return folded.withUnsafeBytes { folded in
            groups.allSatisfy { group in
                group.contains { needle in
                    needle.withUnsafeBytes { needle in
                        memmem(
                            folded.baseAddress?.advanced(by: line.lowerBound), line.count, needle.baseAddress,
                            needle.count) != nil
                    }
                }
            }
        }
    }
}
