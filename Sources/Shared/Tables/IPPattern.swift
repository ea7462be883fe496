import MailModel

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

/// A list of address patterns, one a line (exemptions, hidden addresses); empty lines and lines beginning with `'` are
/// left out.
package struct IPPatternList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let line: Int
        package let pattern: IPPattern
    }
    package let entries: [Entry]

    package static let empty = IPPatternList(entries: [])

    private init(entries: [Entry]) { self.entries = entries }

    package static func read(_ text: TableText) -> TableReading<IPPatternList> {
        var entries: [Entry] = []
        var problems: [TableProblem] = []
        for (index, line) in text.lines.enumerated() {
            let content = line.trimmingBlanks()
            if content.isEmpty || content.hasPrefix("'") { continue }
            if let pattern = IPPattern(content) {
                entries.append(Entry(line: index + 1, pattern: pattern))
            } else {
                problems.append(
                    TableProblem(
                        line: index + 1, text: TableText.shown(line), code: "table.ip.pattern",
                        arguments: [TableText.shown(content)],
                        message: "'\(TableText.shown(content))' is not an IP address, range or wildcard."))
            }
        }
        return TableReading(value: IPPatternList(entries: entries), problems: problems)
    }

    /// The line of the first pattern that holds the address.
    package func firstLine(containing address: IPAddress) -> Int? {
        entries.first { $0.pattern.contains(address) }?.line
    }
    package func contains(_ address: IPAddress) -> Bool { firstLine(containing: address) != nil }
}
