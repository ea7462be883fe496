import Glibc  // LINT: pure use (memchr)

/// Turns stored content (LF line ends) into what goes behind DATA: CR LF line ends, a dot doubled at the start of a
/// line (RFC 5321 §4.5.2), and at the end CR LF `.` CR LF. Whatever it is given, it never lets out a CR or LF that does
/// not belong to a CR LF, nor a NUL: those are the material of smuggling into the next server, and the spool's promise
/// not to hold them is not trusted here.
package struct ClientContentEncoder {
    /// The next octet begins a line.
    private var atLineStart = true
    /// A CR is held back until the next octet shows what it was.
    private var holdsCarriageReturn = false

    package init() {}

    /// Room that `encode` of this piece needs at most.
    package static func room(for content: UnsafeRawBufferPointer) -> Int {
        var ends = 2  // what a held CR becomes, and a last piece without line end
        for octet in content where octet == 10 || octet == 13 { ends += 1 }
        return content.count + 2 * ends + 3
    }

    /// Room that `finish` needs at most.
    package static let roomToFinish = 8

    /// Encodes a piece, which may begin and end anywhere.
    /// - Parameter out: at least `room(for:)` octets.
    /// - Returns: octets written.
    package mutating func encode(_ content: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = content.baseAddress else { return 0 }
        if !holdsCarriageReturn, memchr(base, 13, content.count) == nil, memchr(base, 0, content.count) == nil {
            return encodeLines(content, into: out)
        }
        return cleaned(content).withUnsafeBytes { encodeLines($0, into: out) }
    }

    /// Writes the end of the content; a last line without its end gets one.
    /// - Parameter out: at least `roomToFinish` octets.
    /// - Returns: octets written.
    package mutating func finish(into out: UnsafeMutableRawBufferPointer) -> Int {
        let ending: StaticString = atLineStart && !holdsCarriageReturn ? ".\r\n" : "\r\n.\r\n"
        guard out.count >= ending.utf8CodeUnitCount else { return 0 }
        out.copyMemory(from: UnsafeRawBufferPointer(start: ending.utf8Start, count: ending.utf8CodeUnitCount))
        atLineStart = true
        holdsCarriageReturn = false
        return ending.utf8CodeUnitCount
    }

    /// Content with LF alone as line end: CR LF and a lone CR are one each, NUL is left out.
    private mutating func cleaned(_ content: UnsafeRawBufferPointer) -> [UInt8] {
        var clean: [UInt8] = []
        clean.reserveCapacity(content.count + 1)
        for octet in content {
            if holdsCarriageReturn {
                holdsCarriageReturn = false
                clean.append(10)
                if octet == 10 { continue }
            }
            if octet == 13 {
                holdsCarriageReturn = true
            } else if octet != 0 {
                clean.append(octet)
            }
        }
        return clean
    }

    private mutating func encodeLines(
        _ content: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let source = content.baseAddress, let target = out.baseAddress else { return 0 }
        var read = 0
        var written = 0
        while read < content.count {
            let start = source + read
            let found = memchr(start, 10, content.count - read)
            let length = found.map { UnsafeRawPointer($0) - start } ?? content.count - read
            precondition(written + length + 3 <= out.count, "encode(into:) needs room(for:) octets")
            if atLineStart, start.load(as: UInt8.self) == UInt8(ascii: ".") {
                target.storeBytes(of: UInt8(ascii: "."), toByteOffset: written, as: UInt8.self)
                written += 1
            }
            (target + written).copyMemory(from: start, byteCount: length)
            written += length
            read += length
            atLineStart = found != nil
            guard atLineStart else { break }
            target.storeBytes(of: 13, toByteOffset: written, as: UInt8.self)
            target.storeBytes(of: 10, toByteOffset: written + 1, as: UInt8.self)
            written += 2
            read += 1
        }
        return written
    }
}
