import MailModel

/// Reads the address list of a `From:`, `To:` or `Delivered-To:` field (RFC 5322 §3.4), tolerantly and without
/// recursion. Nothing is dropped in silence: what is no address comes out as an address without domain, so that a check
/// for "exactly this one address" cannot be passed by writing something unreadable beside it.
package enum AddressList {
    private static let maximumAddresses = 1000
    private static let maximumOctets = 256 * 1024

    package static func addresses(in body: [UInt8]) -> [MailAddress] {
        var reader = Reader(octets: HeaderUnfold.text(Array(body.prefix(maximumOctets))))
        return reader.read(limit: maximumAddresses)
    }

    package static func addresses(in text: String) -> [MailAddress] { addresses(in: Array(text.utf8)) }

    private struct Reader {
        let octets: [UInt8]
        var position = 0
        var found: [MailAddress] = []
        /// The element outside angle brackets: dequoted, without comments, and where its last bare `@` stands.
        var element = Element()

        init(octets: [UInt8]) { self.octets = octets }

        mutating func read(limit: Int) -> [MailAddress] {
            var hadAngle = false
            while position < octets.count, found.count < limit {
                let octet = octets[position]
                switch octet {
                case UInt8(ascii: "("): skipComment()
                case UInt8(ascii: "\""): element.appendQuoted(readQuoted())
                case UInt8(ascii: "["): for octet in readLiteral() { element.append(octet) }
                case UInt8(ascii: "<"):
                    readAngle()
                    hadAngle = true
                case UInt8(ascii: ","), UInt8(ascii: ";"):
                    finish(hadAngle)
                    hadAngle = false
                    position += 1
                case UInt8(ascii: ":"):
                    // A group's name; one that holds an address is shown as one by mail readers.
                    if element.at != nil { finish(false) }
                    element = Element()
                    position += 1
                default:
                    element.append(octet)
                    position += 1
                }
            }
            finish(hadAngle)
            return found
        }

        /// With angle brackets the rest of the element is the display name.
        private mutating func finish(_ hadAngle: Bool) {
            if !hadAngle, let address = element.address { found.append(address) }
            element = Element()
        }

        private mutating func readAngle() {
            position += 1
            var inner = Element()
            loop: while position < octets.count {
                let octet = octets[position]
                switch octet {
                case UInt8(ascii: ">"):
                    position += 1
                    break loop
                case UInt8(ascii: "("): skipComment()
                case UInt8(ascii: "\""): inner.appendQuoted(readQuoted())
                case UInt8(ascii: "["): for octet in readLiteral() { inner.append(octet) }
                case UInt8(ascii: ":"):
                    // A source route `@a,@b:` is stripped (RFC 5322 §4.4).
                    inner = Element()
                    position += 1
                default:
                    inner.append(octet)
                    position += 1
                }
            }
            found.append(inner.address ?? MailAddress(localPart: "", domain: ""))
        }

        private mutating func skipComment() {
            var depth = 0
            while position < octets.count {
                switch octets[position] {
                case UInt8(ascii: "\\"): position += 1
                case UInt8(ascii: "("): depth += 1
                case UInt8(ascii: ")"): depth -= 1
                default: break
                }
                position += 1
                if depth == 0 { return }
            }
        }

        private mutating func readQuoted() -> [UInt8] {
            var content: [UInt8] = []
            position += 1
            while position < octets.count, octets[position] != UInt8(ascii: "\"") {
                if octets[position] == UInt8(ascii: "\\"), position + 1 < octets.count { position += 1 }
                content.append(octets[position])
                position += 1
            }
            position += 1
            return content
        }

        private mutating func readLiteral() -> ArraySlice<UInt8> {
            let start = position
            while position < octets.count {
                position += 1
                if octets[position - 1] == UInt8(ascii: "]") { break }
            }
            return octets[start..<position]
        }
    }

    private struct Element {
        var octets: [UInt8] = []
        var at: Int?
        private var pendingBlank = false

        mutating func append(_ octet: UInt8) {
            if octet == 0x20 || octet == 0x09 {
                pendingBlank = !octets.isEmpty
                return
            }
            // Blanks around `.` and `@` are not part of the address; between words they are.
            if pendingBlank, octet != UInt8(ascii: "@"), octet != UInt8(ascii: "."), !endsWithSeparator {
                octets.append(0x20)
            }
            pendingBlank = false
            if octet == UInt8(ascii: "@") { at = octets.count }
            octets.append(octet)
        }

        mutating func appendQuoted(_ content: [UInt8]) {
            if pendingBlank, !endsWithSeparator { octets.append(0x20) }
            pendingBlank = false
            octets.append(contentsOf: content)
        }

        private var endsWithSeparator: Bool {
            octets.last == UInt8(ascii: "@") && at == octets.count - 1 || octets.last == UInt8(ascii: ".")
        }

        /// `nil` when there is nothing.
        var address: MailAddress? {
            if octets.isEmpty { return nil }
            guard let at else { return MailAddress(localPart: Self.text(octets[...]), domain: "") }
            return MailAddress(localPart: Self.text(octets[..<at]), domain: Self.text(octets[(at + 1)...]))
        }

        private static func text(_ octets: ArraySlice<UInt8>) -> String {
            HeaderText.clean(String(decoding: octets, as: UTF8.self))
        }
    }
}
