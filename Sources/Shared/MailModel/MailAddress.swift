/// A mail address without its angle brackets: `local-part@domain` (RFC 5321 §4.1.2 Mailbox, RFC 6531 for UTF-8).
///
/// Built by the grammar in `SMTP` or from checked text; holds no control characters, and at most 64 + 255 octets.
/// `localPart` is stored unquoted: `"a b"@x.example` and `a\ b@x.example` are the same address.
package struct MailAddress: Hashable, Sendable, Codable {
    /// The part before the last `@`, without quoting, letter case kept.
    package let localPart: String
    /// Domain name in the form the peer gave (A-label or U-label), or an address literal with brackets. Empty: the
    /// peer gave no domain (`MAIL FROM:<taro>`, R-RELAY-28).
    package let domain: String

    package init(localPart: String, domain: String) {
        self.localPart = localPart
        self.domain = domain
    }

    /// The form used for look-ups and comparison: letter case and Unicode form are ignored in both parts (R-ACC-19,
    /// R-DOM-31).
    package var folded: MailAddress {
        MailAddress(localPart: Folding.text(localPart), domain: Folding.text(domain))
    }

    /// Wire form, quoted where RFC 5321 demands it; no angle brackets.
    package var text: String {
        let local = Self.needsQuoting(localPart) ? Self.quoted(localPart) : localPart
        return domain.isEmpty ? local : "\(local)@\(domain)"
    }

    /// Whether it is no dot-string (RFC 5321 §4.1.2). One pass: asked for every address of every log line.
    static func needsQuoting(_ local: String) -> Bool {
        var previous = UInt8(ascii: ".")
        for octet in local.utf8 {
            if octet == UInt8(ascii: ".") {
                if previous == octet { return true }
            } else if octet < 0x80, !isAtomOctet(octet) {
                return true
            }
            previous = octet
        }
        // Empty, or with a dot at its end.
        return previous == UInt8(ascii: ".")
    }

    /// atext of RFC 5322 §3.2.3.
    package static func isAtomOctet(_ octet: UInt8) -> Bool {
        let set = octet < 64 ? atomOctets.low : atomOctets.high
        return octet < 128 && set >> UInt64(octet & 63) & 1 == 1
    }

    /// One bit for each octet of atext: those below 64, and those from 64 to 127.
    private static let atomOctets: (low: UInt64, high: UInt64) = {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        var (low, high): (UInt64, UInt64) = (0, 0)
        for octet in (letters + "!#$%&'*+-/=?^_`{|}~").utf8 {
            if octet < 64 { low |= 1 << UInt64(octet) } else { high |= 1 << UInt64(octet & 63) }
        }
        return (low, high)
    }()

    private static func quoted(_ local: String) -> String {
        var out = "\""
        for character in local.unicodeScalars {
            if character == "\"" || character == "\\" { out += "\\" }
            out.unicodeScalars.append(character)
        }
        return out + "\""
    }
}

extension MailAddress: CustomStringConvertible {
    package var description: String { text }
}

extension MailAddress {
    /// Reads `local@domain` as an administrator types it (settings, commands, tables).
    /// - Returns: `nil` unless there is exactly one plain address with a domain, 320 octets at most.
    package init?(typed text: String) {
        guard text.utf8.count <= 320, let at = text.lastIndex(of: "@") else { return nil }
        let local = String(text[..<at])
        let domain = String(text[text.index(after: at)...])
        guard !local.isEmpty, local.utf8.count <= 64, Self.isPlainDomain(domain) else { return nil }
        guard !local.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F || $0 == "<" || $0 == ">" })
        else { return nil }
        self.init(localPart: local, domain: domain)
    }

    /// Whether an account may have this name (R-ACC-19): 1 to 64 letters, digits, dots or `_ - +`, as a dot-atom, so that
    /// its address needs no quotes and its mailbox folder no care.
    package static func isAccountName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), !name.hasPrefix("."), !name.hasSuffix("."), !name.contains("..")
        else {
            return false
        }
        return name.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"):
                true
            default: false
            }
        }
    }

    /// A domain name of dot-separated labels: letters, digits, `-`, `_` and UTF-8; 255 octets, 63 a label
    /// (RFC 1035 §2.3.4; underscore as seen in the wild).
    package static func isPlainDomain(_ domain: String) -> Bool {
        guard !domain.isEmpty, domain.utf8.count <= 255 else { return false }
        return domain.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard (1...63).contains(label.count) else { return false }
            if label.first == UInt8(ascii: "-") || label.last == UInt8(ascii: "-") { return false }
            return label.allSatisfy { octet in
                switch octet {
                case 0x80...0xFF, UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    return true
                default: return false
                }
            }
        }
    }
}
