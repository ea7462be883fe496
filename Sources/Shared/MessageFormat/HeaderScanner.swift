/// One header field as octet ranges of the scanned content; nothing is copied.
package struct HeaderField: Hashable, Sendable {
    /// Name without colon and without blanks in front of it.
    package var name: Range<Int>
    /// Behind the colon, folded lines included, without the last line end.
    package var body: Range<Int>
    /// The whole field, from its name up to and with its last line end.
    package var whole: Range<Int>
}

/// Bounds of a header; what is beyond is not looked at.
package struct HeaderLimits: Hashable, Sendable {
    package var octets: Int
    package var fields: Int

    package init(octets: Int = 256 * 1024, fields: Int = 2000) {
        self.octets = octets
        self.fields = fields
    }
}

package enum HeaderScan {
    /// How a scan ended.
    package struct End: Hashable, Sendable {
        /// First octet behind the empty line; the end of the header when there is none.
        package var bodyStart: Int
        /// The empty line, or the end of the content, was reached: no limit cut the scan.
        package var isComplete: Bool
        /// A line that is neither a field nor a continuation ended the header, or an empty line is missing.
        package var isMalformed: Bool
    }

    /// Walks over the header once. LF and CR LF both end a line. A line that is no field ends the header, as mail
    /// readers see it; an mbox `From ` line on top is skipped.
    /// - Parameter visit: is called for each field; returns false to stop.
    package static func fields(
        in octets: Span<UInt8>, limits: HeaderLimits = .init(), visit: (HeaderField) -> Bool
    ) -> End {
        let count = min(octets.count, max(0, limits.octets))
        var position = 0
        var seen = 0
        while position < count {
            guard let line = line(from: position, in: octets, upTo: count) else {
                return End(
                    bodyStart: position, isComplete: octets.count <= count && position == count, isMalformed: true)
            }
            if line.content.isEmpty { return End(bodyStart: line.next, isComplete: true, isMalformed: false) }
            if position == 0, isMboxLine(line.content, octets) {
                position = line.next
                continue
            }
            guard let colon = colon(in: line.content, octets) else {
                return End(bodyStart: position, isComplete: true, isMalformed: true)
            }
            let field = whole(from: position, first: line, colon: colon, in: octets, upTo: count)
            if field.isCut { return End(bodyStart: position, isComplete: false, isMalformed: false) }
            seen += 1
            position = field.value.whole.upperBound
            if !visit(field.value) || seen >= limits.fields {
                return End(bodyStart: position, isComplete: false, isMalformed: false)
            }
        }
        return End(bodyStart: position, isComplete: octets.count <= count, isMalformed: true)
    }

    private struct Line {
        /// Without its end.
        var content: Range<Int>
        var next: Int
        var isCut: Bool
    }

    private static func line(from start: Int, in octets: Span<UInt8>, upTo count: Int) -> Line? {
        guard start < count else { return nil }
        var end = start
        while end < count, octets[end] != 0x0A { end += 1 }
        let isCut = end == count
        let content = !isCut && end > start && octets[end - 1] == 0x0D ? start..<(end - 1) : start..<end
        return Line(content: content, next: isCut ? end : end + 1, isCut: isCut)
    }

    /// Position of the colon behind a field name (RFC 5322 §2.2; blanks in front of the colon are the obsolete form).
    private static func colon(in range: Range<Int>, _ octets: Span<UInt8>) -> Int? {
        var position = range.lowerBound
        while position < range.upperBound {
            let octet = octets[position]
            if octet == 0x3A { return position > range.lowerBound ? position : nil }
            if octet == 0x20 || octet == 0x09 {
                while position < range.upperBound, octets[position] == 0x20 || octets[position] == 0x09 {
                    position += 1
                }
                let isColon = position < range.upperBound && octets[position] == 0x3A
                return isColon && octets[range.lowerBound] > 0x20 ? position : nil
            }
            // Names are printable ASCII.
            if octet < 0x21 || octet > 0x7E { return nil }
            position += 1
        }
        return nil
    }

    private static func whole(
        from start: Int, first: Line, colon: Int, in octets: Span<UInt8>, upTo count: Int
    ) -> (value: HeaderField, isCut: Bool) {
        var last = first
        while !last.isCut, last.next < count, octets[last.next] == 0x20 || octets[last.next] == 0x09,
            let following = line(from: last.next, in: octets, upTo: count)
        {
            last = following
        }
        var nameEnd = colon
        while nameEnd > start, octets[nameEnd - 1] == 0x20 || octets[nameEnd - 1] == 0x09 { nameEnd -= 1 }
        let field = HeaderField(
            name: start..<nameEnd, body: (colon + 1)..<max(colon + 1, last.content.upperBound), whole: start..<last.next
        )
        // Cut by a limit, not by the end of the content.
        return (field, last.isCut && octets.count > count)
    }

    private static func isMboxLine(_ range: Range<Int>, _ octets: Span<UInt8>) -> Bool {
        let mark: StaticString = "From "
        guard range.count >= mark.utf8CodeUnitCount else { return false }
        return (0..<mark.utf8CodeUnitCount).allSatisfy { octets[range.lowerBound + $0] == mark.utf8Start[$0] }
    }

    /// Whether the field's name is `name`, letter case ignored.
    /// - Parameter name: lower case ASCII.
    package static func name(_ field: HeaderField, in octets: Span<UInt8>, is name: StaticString) -> Bool {
        guard field.name.count == name.utf8CodeUnitCount else { return false }
        for offset in 0..<name.utf8CodeUnitCount {
            let octet = octets[field.name.lowerBound + offset]
            let lower = (0x41...0x5A).contains(octet) ? octet | 0x20 : octet
            if lower != name.utf8Start[offset] { return false }
        }
        return true
    }
}
