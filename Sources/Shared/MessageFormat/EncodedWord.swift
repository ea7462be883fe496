/// Decoding of encoded words (RFC 2047) for people.
package enum EncodedWord {
    /// Octets of a field body that are looked at.
    private static let maximumOctets = 64 * 1024

    /// Text of a header field's body: unfolded, encoded words decoded, raw 8-bit octets read by R-SYS-19. Never fails;
    /// what can't be decoded stays as it is.
    package static func decode(_ body: [UInt8]) -> String {
        let octets = HeaderUnfold.text(Array(body.prefix(maximumOctets)))
        guard octets.contains(UInt8(ascii: "=")) else { return Charset.guess(octets).text }
        var out = ""
        var plainStart = 0
        var position = 0
        // Neighbouring words of one set are decoded together: mailers cut in the middle of a character.
        var pending: (charset: Charset, octets: [UInt8])?
        func flush() {
            if let word = pending { out += word.charset.decode(word.octets) }
            pending = nil
        }
        while position < octets.count {
            guard octets[position] == UInt8(ascii: "="), let word = word(at: position, in: octets) else {
                position += 1
                continue
            }
            let between = octets[plainStart..<position]
            // RFC 2047 §6.2: blanks between two encoded words are not shown.
            let isGap = pending != nil && between.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            if !isGap {
                flush()
                out += Charset.guess(Array(between)).text
            }
            if let open = pending, open.charset == word.charset {
                pending = (open.charset, open.octets + word.content)
            } else {
                flush()
                pending = (word.charset, word.content)
            }
            position = word.end
            plainStart = position
        }
        flush()
        return out + Charset.guess(Array(octets[plainStart...])).text
    }

    private struct Word {
        var charset: Charset
        var content: [UInt8]
        var end: Int
    }

    /// `=?charset[*language]?B|Q?text?=`
    private static func word(at start: Int, in octets: [UInt8]) -> Word? {
        guard start + 1 < octets.count, octets[start + 1] == UInt8(ascii: "?"),
            let charsetEnd = find(UInt8(ascii: "?"), from: start + 2, in: octets, within: 80),
            charsetEnd + 2 < octets.count, octets[charsetEnd + 2] == UInt8(ascii: "?"),
            let textEnd = find(UInt8(ascii: "?"), from: charsetEnd + 3, in: octets, within: 4096),
            textEnd + 1 < octets.count, octets[textEnd + 1] == UInt8(ascii: "=")
        else { return nil }
        let name = String(decoding: octets[(start + 2)..<charsetEnd], as: UTF8.self)
        let bare = name.split(separator: "*", omittingEmptySubsequences: false).first ?? ""
        guard let charset = Charset(named: bare) else { return nil }
        let text = Array(octets[(charsetEnd + 3)..<textEnd])
        switch octets[charsetEnd + 1] {
        case UInt8(ascii: "B"), UInt8(ascii: "b"):
            return Base64.decode(text).map { Word(charset: charset, content: $0, end: textEnd + 2) }
        case UInt8(ascii: "Q"), UInt8(ascii: "q"):
            return Word(charset: charset, content: quoted(text), end: textEnd + 2)
        default: return nil
        }
    }

    private static func find(_ octet: UInt8, from start: Int, in octets: [UInt8], within limit: Int) -> Int? {
        guard start < octets.count else { return nil }
        return octets[start..<min(octets.count, start + limit)].firstIndex(of: octet)
    }

    /// The Q encoding (RFC 2047 §4.2).
    private static func quoted(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var position = 0
        while position < text.count {
            let octet = text[position]
            if octet == UInt8(ascii: "="), position + 2 < text.count, let high = hex(text[position + 1]),
                let low = hex(text[position + 2])
            {
                out.append(high << 4 | low)
                position += 3
                continue
            }
            out.append(octet == UInt8(ascii: "_") ? 0x20 : octet)
            position += 1
        }
        return out
    }

    static func hex(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x37
        case 0x61...0x66: octet - 0x57
        default: nil
        }
    }
}

/// Base 64 (RFC 4648 §4), tolerant of missing padding and of blanks, as mail needs it.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for octet in text {
            if octet == 0x20 || octet == 0x09 || octet == 0x0A || octet == 0x0D || octet == UInt8(ascii: "=") {
                continue
            }
            guard let value = value(octet) else { return nil }
            bits = (bits << 6 | value) & 0xFF_FFFF
            count += 1
            if count % 4 == 0 {
                out.append(UInt8(truncatingIfNeeded: bits >> 16))
                out.append(UInt8(truncatingIfNeeded: bits >> 8))
                out.append(UInt8(truncatingIfNeeded: bits))
            }
        }
        switch count % 4 {
        case 2: out.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            out.append(UInt8(truncatingIfNeeded: bits >> 10))
            out.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 1: return nil
        default: break
        }
        return out
    }

    /// Without line ends.
    package static func encode(_ octets: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(octets.count / 3 * 4 + 4)
        var bits: UInt32 = 0
        var count = 0
        func digit(_ shift: UInt32) -> UInt8 { alphabet[Int(bits >> shift & 63)] }
        for octet in octets {
            bits = bits << 8 | UInt32(octet)
            count += 1
            if count == 3 {
                out.append(contentsOf: [digit(18), digit(12), digit(6), digit(0)])
                bits = 0
                count = 0
            }
        }
        if count == 1 {
            bits <<= 16
            out.append(contentsOf: [digit(18), digit(12), 0x3D, 0x3D])
        } else if count == 2 {
            bits <<= 8
            out.append(contentsOf: [digit(18), digit(12), digit(6), 0x3D])
        }
        return out
    }

    private static func value(_ octet: UInt8) -> UInt32? {
        switch octet {
        case 0x41...0x5A: UInt32(octet) - 0x41
        case 0x61...0x7A: UInt32(octet) - 0x47
        case 0x30...0x39: UInt32(octet) + 4
        case 0x2B, 0x2D: 62
        case 0x2F, 0x5F: 63
        default: nil
        }
    }
}
