/// Makes text from the network safe to show on a terminal, in a log line or in a reply.
package enum DisplayText {
    /// Replaces what a terminal would obey or hide by `\xNN`, octet by octet of its UTF-8 form (R-LOG-19): C0, DEL and
    /// C1 controls, line and paragraph separators, bidirectional marks and zero-width characters.
    /// - Parameter limit: characters (scalars) of the result's source that are kept; `…` marks a cut.
    package static func clean(_ text: some StringProtocol, limit: Int = .max) -> String {
        var out = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count >= limit {
                out += "…"
                break
            }
            count += 1
            if isHarmful(scalar) {
                for octet in String(Character(scalar)).utf8 { appendHex(octet, to: &out) }
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// The same with everything beyond ASCII as `\xNN` too, for fields and replies that must be ASCII. 240 characters give
    /// at most 960 octets, which fits a header line.
    package static func ascii(_ text: some StringProtocol, limit: Int = 240) -> String {
        var out = ""
        for octet in text.utf8.prefix(limit) {
            if (0x20...0x7E).contains(octet) {
                out.unicodeScalars.append(UnicodeScalar(octet))
            } else {
                appendHex(octet, to: &out)
            }
        }
        return text.utf8.count > limit ? out + "..." : out
    }

    /// The same for octets of unknown form: octets that are not UTF-8 become `\xNN` too.
    package static func clean(octets: some Collection<UInt8>, limit: Int = .max) -> String {
        if let text = String(validating: octets, as: UTF8.self) { return clean(text, limit: limit) }
        var out = ""
        for octet in octets.prefix(limit) {
            if (0x20...0x7E).contains(octet) {
                out.unicodeScalars.append(UnicodeScalar(octet))
            } else {
                appendHex(octet, to: &out)
            }
        }
        return octets.count > limit ? out + "…" : out
    }

    /// Whether a terminal would act on this scalar or show nothing for it.
    package static func isHarmful(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
        case 0xE0000...0xE007F: true
        default: false
        }
    }

    private static let digits: [Character] = Array("0123456789ABCDEF")

    private static func appendHex(_ octet: UInt8, to out: inout String) {
        out += "\\x"
        out.append(digits[Int(octet >> 4)])
        out.append(digits[Int(octet & 15)])
    }
}
