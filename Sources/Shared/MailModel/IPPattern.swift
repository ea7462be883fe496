/// One or several client addresses: `192.168.0.100`, `10.*.*.*`, `192.168.1.0/28`, `2001:db8::/32`, `::1`
/// (R-RELAY-20 to 22, R-RELAY-30).
package enum IPPattern: Hashable, Sendable {
    /// Value and mask, host order; a `*` octet has mask 0 there.
    case ipv4(value: UInt32, mask: UInt32)
    /// 16 octets with the bits behind the prefix cleared.
    case ipv6(network: IPAddress, prefixLength: Int)

    /// - Returns: `nil` unless the text has one of the forms above.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let head = parts.first, parts.count <= 2 else { return nil }
        let prefix: Int?
        if parts.count == 2 {
            guard let length = Self.prefixLength(parts[1]) else { return nil }
            prefix = length
        } else {
            prefix = nil
        }
        if head.contains("*") {
            guard prefix == nil, let (value, mask) = Self.wildcard(head) else { return nil }
            self = .ipv4(value: value, mask: mask)
            return
        }
        guard let address = IPAddress(head) else { return nil }
        // An IPv4-mapped network (`::ffff:a.b.c.d/n`) would change its meaning when folded to IPv4.
        if head.contains(":"), address.isIPv4, prefix != nil { return nil }
        let bits = address.octets.count * 8
        guard (0...bits).contains(prefix ?? bits) else { return nil }
        self.init(address, prefixLength: prefix ?? bits)
    }

    package init(_ address: IPAddress, prefixLength: Int) {
        if address.isIPv4 {
            let mask = prefixLength <= 0 ? 0 : UInt32.max << UInt32(max(0, 32 - prefixLength))
            self = .ipv4(value: address.ipv4Value & mask, mask: mask)
        } else {
            self = .ipv6(network: address.masked(to: prefixLength), prefixLength: prefixLength)
        }
    }

    package func contains(_ address: IPAddress) -> Bool {
        switch self {
        case .ipv4(let value, let mask): address.isIPv4 && address.ipv4Value & mask == value
        case .ipv6(let network, let length): !address.isIPv4 && address.isIn(network, prefixLength: length)
        }
    }

    /// Whether every address of `other` is in this pattern.
    package func covers(_ other: IPPattern) -> Bool {
        switch (self, other) {
        case (.ipv4(let value, let mask), .ipv4(let otherValue, let otherMask)):
            mask & otherMask == mask && otherValue & mask == value
        case (.ipv6(let network, let length), .ipv6(let otherNetwork, let otherLength)):
            length <= otherLength && otherNetwork.isIn(network, prefixLength: length)
        default: false
        }
    }

    /// Whether every address of its family matches.
    package var isEverybody: Bool {
        switch self {
        case .ipv4(_, let mask): mask == 0
        case .ipv6(_, let length): length == 0
        }
    }

    /// Whether it names one address.
    package var isSingle: Bool {
        switch self {
        case .ipv4(_, let mask): mask == .max
        case .ipv6(_, let length): length == 128
        }
    }

    /// As it is written in tables: `10.*.*.*`, `192.168.1.0/28`, `::1`.
    package var text: String {
        switch self {
        case .ipv6(let network, let length): return length == 128 ? "\(network)" : "\(network)/\(length)"
        case .ipv4(let value, let mask):
            let octets = [24, 16, 8, 0].map { (value: value >> $0 & 0xFF, mask: mask >> $0 & 0xFF) }
            if octets.allSatisfy({ $0.mask == 0 || $0.mask == 0xFF }) {
                return octets.map { $0.mask == 0 ? "*" : String($0.value) }.joined(separator: ".")
            }
            return octets.map { String($0.value) }.joined(separator: ".") + "/\(mask.nonzeroBitCount)"
        }
    }

    /// Addresses in it, as a power of two.
    package var hostBits: Int {
        switch self {
        case .ipv4(_, let mask): 32 - mask.nonzeroBitCount
        case .ipv6(_, let length): 128 - length
        }
    }

    private static func prefixLength(_ text: some StringProtocol) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 0x30
        else { return nil }
        return Int(text)
    }

    private static func wildcard(_ text: some StringProtocol) -> (UInt32, UInt32)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        var mask: UInt32 = 0
        for part in parts {
            value <<= 8
            mask <<= 8
            if part == "*" { continue }
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let octet = UInt8(part)
            else { return nil }
            value |= UInt32(octet)
            mask |= 0xFF
        }
        return (value, mask)
    }
}

extension IPAddress {
    /// The four octets as a number in host order; 0 for IPv6.
    package var ipv4Value: UInt32 {
        isIPv4 ? octets.reduce(0) { $0 << 8 | UInt32($1) } : 0
    }

    /// With all bits behind the first `bits` cleared.
    package func masked(to bits: Int) -> IPAddress {
        var out = octets
        for index in out.indices {
            let left = bits - index * 8
            if left >= 8 { continue }
            out[index] &= left <= 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - left))
        }
        return IPAddress(octets: out) ?? self
    }
}

extension IPPattern: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let pattern = IPPattern(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an address pattern: \(text)"))
        }
        self = pattern
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
