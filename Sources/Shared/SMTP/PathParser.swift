import MailModel

/// Reverse-path and forward-path (RFC 5321 §4.1.2, RFC 6531 §3.3).
///
/// Deviations, both from what is in use: a local part may begin or end with a dot or hold two in a row (addresses of
/// Japanese mobile carriers do), and one dot at the end of a domain is dropped. A source route is read and dropped,
/// never followed (RFC 5321 §3.6.1, appendix C).
package enum PathParser {
    /// The argument of `MAIL FROM:` up to the parameters. Nothing at all is `.blank` (R-RELAY-25).
    static func reversePath(_ reader: inout OctetReader) throws(CommandError) -> ReversePath {
        if reader.isAtEnd { return .blank }
        do throws(PathError) {
            guard let address = try path(&reader) else { return .null }
            return .address(address)
        } catch {
            throw CommandError(.senderSyntax)
        }
    }

    /// The argument of `RCPT TO:`. An address without domain is `postmaster` (RFC 5321 §4.1.1.3) or malformed.
    static func forwardPath(_ reader: inout OctetReader) throws(CommandError) -> MailAddress {
        do throws(PathError) {
            guard let address = try path(&reader),
                !address.domain.isEmpty || address.localPart.lowercased() == "postmaster"
            else { throw PathError() }
            return address
        } catch {
            throw CommandError(.recipientSyntax)
        }
    }

    /// Reads a mailbox without brackets, as a login name or an enquiry gives it.
    /// - Returns: `nil` unless the whole text is one mailbox; the domain may be missing.
    package static func mailbox(_ text: String) -> MailAddress? {
        var octets = Array(text.utf8)
        octets.append(0x3E)
        return octets.withUnsafeBytes { bytes in
            var reader = OctetReader(bytes)
            guard let address = try? mailbox(&reader), reader.index == bytes.count - 1 else { return nil }
            return address
        }
    }

    private struct PathError: Error {}

    /// `<…>`, then a blank or the end. `nil`: the null path.
    private static func path(_ reader: inout OctetReader) throws(PathError) -> MailAddress? {
        guard reader.skip(UInt8(ascii: "<")) else { throw PathError() }
        var address: MailAddress?
        if !reader.skip(UInt8(ascii: ">")) {
            if reader.peek == UInt8(ascii: "@") { try sourceRoute(&reader) }
            address = try mailbox(&reader)
            guard reader.skip(UInt8(ascii: ">")) else { throw PathError() }
        }
        guard reader.isAtEnd || reader.peek == 0x20 || reader.peek == 0x09 else { throw PathError() }
        return address
    }

    /// `@one,@two:`
    private static func sourceRoute(_ reader: inout OctetReader) throws(PathError) {
        repeat {
            guard reader.skip(UInt8(ascii: "@")) else { throw PathError() }
            _ = try domain(&reader)
        } while reader.skip(UInt8(ascii: ","))
        guard reader.skip(UInt8(ascii: ":")) else { throw PathError() }
    }

    private static func mailbox(_ reader: inout OctetReader) throws(PathError) -> MailAddress {
        let local = reader.peek == UInt8(ascii: "\"") ? try quoted(&reader) : try dotString(&reader)
        guard reader.skip(UInt8(ascii: "@")) else { return MailAddress(localPart: local, domain: "") }
        return MailAddress(localPart: local, domain: try domain(&reader))
    }

    /// RFC 5321 §4.5.3.1.1
    private static let localPartOctets = 64

    private static func dotString(_ reader: inout OctetReader) throws(PathError) -> String {
        let octets = reader.take { $0 >= 0x80 || $0 == 0x2E || MailAddress.isAtomOctet($0) }
        guard (1...localPartOctets).contains(octets.count) else { throw PathError() }
        guard octets.hasHighOctet else { return octets.text }
        guard let text = octets.printableText else { throw PathError() }
        return text
    }

    private static func quoted(_ reader: inout OctetReader) throws(PathError) -> String {
        _ = reader.next()
        var local: [UInt8] = []
        while let octet = reader.next() {
            switch octet {
            case UInt8(ascii: "\""):
                let text = local.withUnsafeBytes(\.printableText)
                guard !local.isEmpty, local.count <= localPartOctets, let text else { throw PathError() }
                return text
            case UInt8(ascii: "\\"):
                guard let escaped = reader.next(), escaped >= 0x20, escaped != 0x7F else { throw PathError() }
                local.append(escaped)
            case 0x20...0x7E, 0x80...0xFF:
                local.append(octet)
            default: throw PathError()
            }
        }
        throw PathError()
    }

    private static func domain(_ reader: inout OctetReader) throws(PathError) -> String {
        if reader.peek == UInt8(ascii: "[") { return try literal(&reader) }
        let octets = reader.take { octet in
            switch octet {
            case 0x80...0xFF, 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        guard octets.hasHighOctet else { return try checkedDomain(octets.text) }
        guard let text = octets.printableText, !text.unicodeScalars.contains(where: isDisguise) else {
            throw PathError()
        }
        return try checkedDomain(text)
    }

    private static func checkedDomain(_ text: String) throws(PathError) -> String {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        guard MailAddress.isPlainDomain(name) else { throw PathError() }
        return name
    }

    /// Scalars that look like, or that some software maps to, the ASCII characters with a meaning in addresses.
    private static func isDisguise(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3002, 0xFF01...0xFF61, 0xFE52, 0xFE6B, 0x2024: true
        default: false
        }
    }

    /// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3); brackets are kept.
    private static func literal(_ reader: inout OctetReader) throws(PathError) -> String {
        _ = reader.next()
        let inner = reader.take { $0 != UInt8(ascii: "]") && $0 > 0x20 && $0 < 0x7F }
        guard reader.skip(UInt8(ascii: "]")), inner.count <= 64 else { throw PathError() }
        let text = inner.text
        if text.lowercased().hasPrefix("ipv6:") {
            guard text.dropFirst(5).contains(":"), IPAddress(text.dropFirst(5)) != nil else { throw PathError() }
        } else {
            guard !text.contains(":"), IPAddress(text) != nil else { throw PathError() }
        }
        return "[\(text)]"
    }
}

extension MailAddress {
    /// Whether it can be sent to servers that offer SMTPUTF8 only (RFC 6531 §3.2).
    package var isInternational: Bool {
        localPart.utf8.contains { $0 >= 0x80 } || domain.utf8.contains { $0 >= 0x80 }
    }
}
