/// An IPv4 or IPv6 address without port and zone. IPv4-mapped IPv6 (`::ffff:a.b.c.d`) is folded to IPv4 so that one
/// client has one address.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 octets, network order.
    package let octets: [UInt8]

    package var isIPv4: Bool { octets.count == 4 }

    /// - Returns: `nil` unless there are 4 or 16 octets.
    package init?(octets: [UInt8]) {
        switch octets.count {
        case 4: self.octets = octets
        case 16:
            let mapped = octets.prefix(10).allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
            self.octets = mapped ? Array(octets.suffix(4)) : octets
        default: return nil
        }
    }

    /// Reads the text form (dotted quad without leading zeros, or RFC 4291 §2.2).
    package init?(_ text: some StringProtocol) {
        let found = text.contains(":") ? Self.parseIPv6(text) : Self.parseIPv4(text)
        guard let found, let address = IPAddress(octets: found) else { return nil }
        self = address
    }

    package var isLoopback: Bool {
        isIPv4 ? octets[0] == 127 : octets.prefix(15).allSatisfy { $0 == 0 } && octets[15] == 1
    }

    /// 127.0.0.1 or ::1: this machine itself. The rest of 127.0.0.0/8 may stand for others, as the test entry of block
    /// lists, 127.0.0.2, does (RFC 5782 §5).
    package var isThisMachine: Bool { isIPv4 ? octets == [127, 0, 0, 1] : isLoopback }

    /// Whether the first `bits` bits are those of `network`; different families never match.
    package func isIn(_ network: IPAddress, prefixLength bits: Int) -> Bool {
        guard octets.count == network.octets.count, bits >= 0, bits <= octets.count * 8 else { return false }
        var left = bits
        for (own, other) in zip(octets, network.octets) {
            if left <= 0 { return true }
            if left >= 8 {
                if own != other { return false }
            } else {
                let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - left))
                if own & mask != other & mask { return false }
            }
            left -= 8
        }
        return true
    }

    private static func parseIPv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var out: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let value = UInt8(part)
            else { return nil }
            out.append(value)
        }
        return out
    }

    private static func parseIPv6(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = String(text).components(separatedByDoubleColon: ())
        guard let halves, let head = groups(halves.head, mayEndInIPv4: halves.tail == nil) else { return nil }
        guard let tailText = halves.tail else { return head.count == 16 ? head : nil }
        guard let tail = groups(tailText, mayEndInIPv4: true), head.count + tail.count <= 14 else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var out: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(".") {
                guard let four = parseIPv4(part) else { return nil }
                out += four
            } else {
                guard (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16), part.utf8.first != 0x2B
                else { return nil }
                out += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return out
    }
}

extension IPAddress: CustomStringConvertible {
    /// Canonical text (RFC 5952 for IPv6).
    package var description: String {
        if isIPv4 { return Self.dotted(octets) }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count, end - start > 1 { best = start..<end }
            start = end
        }
        let hex = groups.map { String($0, radix: 16) }
        if best.isEmpty { return hex.joined(separator: ":") }
        return hex[..<best.lowerBound].joined(separator: ":") + "::" + hex[best.upperBound...].joined(separator: ":")
    }

    /// At most 15 octets: a text without memory of its own.
    private static func dotted(_ octets: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 15) { buffer in
            var end = 0
            func put(_ octet: UInt8) {
                buffer[end] = octet
                end += 1
            }
            for octet in octets.prefix(4) {
                if end > 0 { put(UInt8(ascii: ".")) }
                if octet >= 100 { put(0x30 + octet / 100) }
                if octet >= 10 { put(0x30 + octet / 10 % 10) }
                put(0x30 + octet % 10)
            }
            return end
        }
    }
}

extension IPAddress: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an IP address: \(text)"))
        }
        self = address
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension String {
    /// Splits at the one `::` that an IPv6 text may hold; `nil` when there are two.
    fileprivate func components(separatedByDoubleColon: Void) -> (head: Substring, tail: Substring?)? {
        var index = startIndex
        while index < endIndex {
            let next = self.index(after: index)
            if self[index] == ":", next < endIndex, self[next] == ":" {
                let tail = self[self.index(after: next)...]
                return tail.contains("::") || tail.hasPrefix(":") ? nil : (self[..<index], tail)
            }
            index = next
        }
        return (self[...], nil)
    }
}
