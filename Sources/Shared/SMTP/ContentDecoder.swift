import Glibc  // LINT: pure use (memchr)

/// Turns the octets after DATA or BDAT into stored content: dot-stuffing taken out, CR LF made LF, in one pass.
///
/// Only CR LF . CR LF ends dotted content (RFC 5321 §4.1.1.4); the CR LF may be that of the DATA line. A bare CR or LF
/// is a fault, or with `toleratesBareLineEnds` a line end that neither begins an end marker nor hides a stuffed dot. NUL
/// is always a fault. After a fault the rest is read to its true end and dropped.
package struct ContentDecoder: Sendable {
    package enum Fault: Hashable, Sendable { case bareLineEnd, nul, tooLarge }

    private enum Position {
        /// Behind CR LF, or before the first octet.
        case lineStart
        case inLine
        /// Behind a CR that is neither stored nor judged yet.
        case afterCR
        /// Behind a dot at the start of a line; the dot is dropped in any case.
        case dot
        case dotCR
    }

    private var position = Position.lineStart
    private let isDotted: Bool
    private let limit: Int
    private let toleratesBareLineEnds: Bool

    /// Octets so far as R-RCV-28 counts them: without stuffed dots, a line end as two.
    package private(set) var size = 0
    /// The first thing that was wrong.
    package private(set) var fault: Fault?

    /// - Parameters:
    ///   - isDotted: DATA; otherwise chunks of BDAT, which have no end marker.
    ///   - limit: octets, exactly so many are allowed; 0: unlimited.
    package init(isDotted: Bool, limit: Int = 0, toleratesBareLineEnds: Bool = false) {
        self.isDotted = isDotted
        self.limit = limit > 0 ? limit : .max
        self.toleratesBareLineEnds = toleratesBareLineEnds
    }

    /// Decodes from the front of `input` and appends to `output`.
    /// - Returns: octets taken, and whether the end marker was among them; without it all octets are taken.
    package mutating func decode(
        _ input: UnsafeRawBufferPointer, into output: inout [UInt8]
    ) -> (consumed: Int, isComplete: Bool) {
        var index = 0
        while index < input.count {
            let octet = input[index]
            switch position {
            case .lineStart where isDotted && octet == UInt8(ascii: "."):
                position = .dot
                index += 1
            case .lineStart, .inLine:
                index = takeLine(input, from: index, into: &output)
            case .afterCR:
                if octet == Self.lineFeed {
                    index += 1
                    endLine(into: &output)
                    position = .lineStart
                } else {
                    takeBareLineEnd(into: &output)
                    position = .inLine
                }
            case .dot:
                if octet == Self.carriageReturn {
                    index += 1
                    position = .dotCR
                } else {
                    position = .inLine
                }
            case .dotCR:
                if octet == Self.lineFeed {
                    position = .lineStart
                    return (index + 1, true)
                }
                takeBareLineEnd(into: &output)
                position = .inLine
            }
        }
        return (index, false)
    }

    /// Ends content that has no end marker of its own: a last line without line end gets one.
    package mutating func finish(into output: inout [UInt8]) {
        switch position {
        case .lineStart: break
        case .afterCR: takeBareLineEnd(into: &output)
        case .inLine, .dot, .dotCR: endLine(into: &output)
        }
        position = .lineStart
    }

    private static let carriageReturn: UInt8 = 13
    private static let lineFeed: UInt8 = 10

    /// One line, or what is there of it. - Returns: the index behind it.
    private mutating func takeLine(
        _ input: UnsafeRawBufferPointer, from start: Int, into output: inout [UInt8]
    ) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: input[start...])
        guard let length = rest.firstOffset(of: Self.lineFeed) else {
            let endsWithCR = rest.last == Self.carriageReturn
            take(rest.dropLast(endsWithCR ? 1 : 0), into: &output)
            position = endsWithCR ? .afterCR : .inLine
            return input.count
        }
        if length > 0, rest[length - 1] == Self.carriageReturn {
            take(rest[..<(length - 1)], into: &output)
            endLine(into: &output)
            position = .lineStart
        } else {
            take(rest[..<length], into: &output)
            takeBareLineEnd(into: &output)
            position = .inLine
        }
        return start + length + 1
    }

    /// Octets of a line without its end; a CR among them is a bare one.
    private mutating func take(_ part: Slice<UnsafeRawBufferPointer>, into output: inout [UInt8]) {
        guard fault == nil, !part.isEmpty else { return }
        var octets = UnsafeRawBufferPointer(rebasing: part)
        guard octets.firstOffset(of: 0) == nil else { return fail(.nul) }
        while let bare = octets.firstOffset(of: Self.carriageReturn) {
            append(UnsafeRawBufferPointer(rebasing: octets[..<bare]), to: &output)
            takeBareLineEnd(into: &output)
            guard fault == nil else { return }
            octets = UnsafeRawBufferPointer(rebasing: octets[(bare + 1)...])
        }
        append(octets, to: &output)
    }

    private mutating func append(_ octets: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard !octets.isEmpty, grow(by: octets.count) else { return }
        output.append(contentsOf: octets)
    }

    private mutating func endLine(into output: inout [UInt8]) {
        guard fault == nil, grow(by: 2) else { return }
        output.append(Self.lineFeed)
    }

    private mutating func takeBareLineEnd(into output: inout [UInt8]) {
        toleratesBareLineEnds ? endLine(into: &output) : fail(.bareLineEnd)
    }

    private mutating func grow(by count: Int) -> Bool {
        let (sum, overflow) = size.addingReportingOverflow(count)
        guard !overflow, sum <= limit else {
            fail(.tooLarge)
            return false
        }
        size = sum
        return true
    }

    private mutating func fail(_ fault: Fault) {
        if self.fault == nil { self.fault = fault }
    }
}

extension UnsafeRawBufferPointer {
    /// memchr(3).
    func firstOffset(of octet: UInt8) -> Int? {
        guard let base = baseAddress, count > 0, let found = memchr(base, Int32(octet), count) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
