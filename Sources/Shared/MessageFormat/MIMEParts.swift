/// The leaf parts of a MIME message, as ranges of its octets (RFC 2046). Bounded in depth and number; what is broken is
/// taken as far as it can be read, as mail readers do.
package struct MIMEPart: Hashable, Sendable {
    /// Lower case, `text/plain` where nothing is said.
    package var type: String
    package var charset: String?
    /// Lower case: `7bit`, `8bit`, `binary`, `base64`, `quoted-printable`.
    package var encoding: String
    /// By Content-Disposition or Content-Type; decoded, safe to show.
    package var name: String?
    package var isAttachment: Bool
    /// Inside a multipart/alternative.
    package var isAlternative: Bool
    package var header: Range<Int>
    package var body: Range<Int>

    package static let maximumDepth = 20
    package static let maximumParts = 1_000

    package static func leaves(of octets: [UInt8]) -> [MIMEPart] {
        var out: [MIMEPart] = []
        walk(octets, 0..<octets.count, depth: 0, isAlternative: false, into: &out)
        return out
    }

    private static func walk(
        _ octets: [UInt8], _ range: Range<Int>, depth: Int, isAlternative: Bool, into out: inout [MIMEPart]
    ) {
        guard out.count < maximumParts else { return }
        let (fields, bodyStart) = contentFields(octets, range)
        let type = HeaderParameters(fields["content-type"] ?? [])
        let word = type.value.isEmpty ? "text/plain" : type.value
        if word.hasPrefix("multipart/"), depth < maximumDepth, let boundary = type["boundary"], !boundary.isEmpty {
            let pieces = split(octets, bodyStart..<range.upperBound, Array("--\(boundary)".utf8))
            for piece in pieces {
                walk(
                    octets, piece, depth: depth + 1, isAlternative: isAlternative || word == "multipart/alternative",
                    into: &out)
            }
            if !pieces.isEmpty { return }
        }
        let disposition = HeaderParameters(fields["content-disposition"] ?? [])
        let encoding = HeaderParameters(fields["content-transfer-encoding"] ?? []).value
        let name = disposition["filename"] ?? disposition["filename*"] ?? type["name"]
        out.append(
            MIMEPart(
                type: word, charset: type["charset"], encoding: encoding.isEmpty ? "7bit" : encoding,
                name: name.map { DisplayText.clean(EncodedWord.decode(Array($0.utf8)), limit: 120) },
                isAttachment: disposition.value == "attachment" || !word.hasPrefix("text/"),
                isAlternative: isAlternative, header: range.lowerBound..<bodyStart, body: bodyStart..<range.upperBound))
    }

    /// The `Content-` fields of an entity; of each the first.
    private static func contentFields(_ octets: [UInt8], _ range: Range<Int>) -> ([String: [UInt8]], Int) {
        let part = Array(octets[range].prefix(HeaderLimits().octets))
        var fields: [String: [UInt8]] = [:]
        // An entity without fields begins with its empty line.
        let end = HeaderScan.fields(in: part.span) { field in
            if field.name.count > 8, field.name.count < 40 {
                let name = String(decoding: part[field.name], as: UTF8.self).lowercased()
                if name.hasPrefix("content-"), fields[name] == nil { fields[name] = Array(part[field.body]) }
            }
            return true
        }
        return (fields, range.lowerBound + min(end.bodyStart, part.count))
    }

    /// The entities between the boundary lines; a missing last boundary ends at the end.
    private static func split(_ octets: [UInt8], _ range: Range<Int>, _ delimiter: [UInt8]) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start: Int?
        var line = range.lowerBound
        while line < range.upperBound {
            var end = line
            while end < range.upperBound, octets[end] != 0x0A { end += 1 }
            let next = min(end + 1, range.upperBound)
            if octets[line..<end].starts(with: delimiter) {
                // The line end in front of a boundary belongs to it.
                if let first = start { pieces.append(first..<max(first, line - 1)) }
                if octets[line..<end].dropFirst(delimiter.count).starts(with: [0x2D, 0x2D]) { return pieces }
                start = next
                if pieces.count >= maximumParts { return pieces }
            }
            line = next
        }
        if let first = start { pieces.append(first..<max(first, range.upperBound)) }
        return pieces
    }

    /// The octets behind the transfer encoding.
    package func decoded(_ octets: [UInt8]) -> [UInt8] {
        let raw = Array(octets[body])
        switch encoding {
        case "base64": return Base64.decode(raw.filter { $0 != 0x0A && $0 != 0x0D }) ?? raw
        case "quoted-printable": return QuotedPrintable.decode(raw)
        default: return raw
        }
    }

    /// The text of a text part, line ends LF.
    package func text(_ octets: [UInt8]) -> String {
        let content = decoded(octets).filter { $0 != 0x0D && $0 != 0 }
        guard let charset, let known = Charset(named: charset) else { return Charset.guess(content).text }
        return known.decode(content)
    }
}

/// A structured field body: a word and its parameters (RFC 2045 §5.1).
struct HeaderParameters {
    /// Lower case.
    let value: String
    private var parameters: [String: String] = [:]

    subscript(_ name: String) -> String? { parameters[name] }

    init(_ body: [UInt8]) {
        let text = String(decoding: HeaderUnfold.text(body), as: UTF8.self)
        var pieces: [String] = []
        var current = ""
        var isQuoted = false
        var isEscaped = false
        for character in text.unicodeScalars {
            if isEscaped {
                current.unicodeScalars.append(character)
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                pieces.append(current)
                current = ""
            } else {
                current.unicodeScalars.append(character)
            }
        }
        pieces.append(current)
        value = Self.trim(pieces[0]).lowercased()
        for piece in pieces.dropFirst().prefix(50) {
            guard let equals = piece.firstIndex(of: "=") else { continue }
            let name = Self.trim(String(piece[..<equals])).lowercased()
            if parameters[name] == nil { parameters[name] = Self.trim(String(piece[piece.index(after: equals)...])) }
        }
    }

    private static func trim(_ text: String) -> String {
        String(decoding: HeaderUnfold.text(Array(text.utf8)), as: UTF8.self)
    }
}

/// RFC 2045 §6.7
package enum QuotedPrintable {
    package static func decode(_ octets: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(octets.count)
        var index = 0
        while index < octets.count {
            guard octets[index] == UInt8(ascii: "=") else {
                out.append(octets[index])
                index += 1
                continue
            }
            if index + 2 < octets.count, let high = EncodedWord.hex(octets[index + 1]),
                let low = EncodedWord.hex(octets[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                // A soft line break, or a stray sign.
                var end = index + 1
                while end < octets.count, octets[end] == 0x20 || octets[end] == 0x09 || octets[end] == 0x0D { end += 1 }
                if end < octets.count, octets[end] == 0x0A {
                    index = end + 1
                } else {
                    out.append(octets[index])
                    index += 1
                }
            }
        }
        return out
    }
}
