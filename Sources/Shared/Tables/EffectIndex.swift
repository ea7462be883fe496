import MailModel

/// Finds the first matching rule without walking a long file: rules are grouped by what they compare, each group is a
/// dictionary, and the smallest rule number over all groups wins. Automatic entries make files of thousands of lines.
struct EffectIndex: Sendable {
    private struct IPv4Group: Sendable {
        let mask: UInt32
        var first: [UInt32: Int]
    }
    private struct IPv6Group: Sendable {
        let prefixLength: Int
        var first: [IPAddress: Int]
    }
    private var ipv4: [IPv4Group] = []
    private var ipv6: [IPv6Group] = []
    private var domains: [String: Int] = [:]
    private var addresses: [MailAddress: Int] = [:]
    private var subdomains: [(suffix: String, rule: Int)] = []
    private var tokens: [(token: EffectTable.Token, rule: Int)] = []

    init(_ rules: [EffectTable.Rule]) {
        for (number, rule) in rules.enumerated() {
            switch rule.pattern {
            case .client(.ipv4(let value, let mask)): add(ipv4: value, mask: mask, number)
            case .client(.ipv6(let network, let length)): add(ipv6: network, length: length, number)
            case .domain(let domain): domains[domain] = domains[domain] ?? number
            case .address(let address): addresses[address] = addresses[address] ?? number
            case .subdomains(let suffix): subdomains.append((suffix, number))
            case .token(let token): tokens.append((token, number))
            }
        }
    }

    private mutating func add(ipv4 value: UInt32, mask: UInt32, _ number: Int) {
        guard let group = ipv4.firstIndex(where: { $0.mask == mask }) else {
            ipv4.append(IPv4Group(mask: mask, first: [value: number]))
            return
        }
        ipv4[group].first[value] = ipv4[group].first[value] ?? number
    }

    private mutating func add(ipv6 network: IPAddress, length: Int, _ number: Int) {
        guard let group = ipv6.firstIndex(where: { $0.prefixLength == length }) else {
            ipv6.append(IPv6Group(prefixLength: length, first: [network: number]))
            return
        }
        ipv6[group].first[network] = ipv6[group].first[network] ?? number
    }

    func firstMatch(client: IPAddress, sender: ReversePath) -> Int? {
        var best = Int.max
        if client.isIPv4 {
            let value = client.ipv4Value
            for group in ipv4 { best = min(best, group.first[value & group.mask] ?? best) }
        } else {
            for group in ipv6 { best = min(best, group.first[client.masked(to: group.prefixLength)] ?? best) }
        }
        if let address = sender.address, !(domains.isEmpty && addresses.isEmpty && subdomains.isEmpty) {
            let folded = address.folded
            best = min(best, addresses[folded] ?? best)
            if !folded.domain.isEmpty { best = min(best, domains[folded.domain] ?? best) }
            for entry in subdomains where entry.rule < best && folded.domain.hasSuffix(entry.suffix) {
                best = entry.rule
            }
        }
        for entry in tokens where entry.rule < best && entry.token.matches(sender) { best = entry.rule }
        return best == Int.max ? nil : best
    }
}

extension EffectTable.Token {
    package func matches(_ sender: ReversePath) -> Bool {
        switch (self, sender) {
        case (.blank, .blank), (.null, .null): true
        case (.number, .address(let address)): Self.isNumeric(address.domain)
        case (.noDomain, .address(let address)): address.domain.isEmpty
        case (.host, .address(let address)): Self.isHostName(address.domain)
        case (.blank, _), (.null, _), (.number, _), (.noDomain, _), (.host, _): false
        }
    }

    /// An address literal in brackets or a dotted quad, also one with impossible numbers (R-RELAY-27).
    private static func isNumeric(_ domain: String) -> Bool {
        if domain.hasPrefix("[") { return true }
        let labels = domain.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count == 4 && labels.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// A single label without dot.
    private static func isHostName(_ domain: String) -> Bool {
        !domain.isEmpty && !domain.hasPrefix("[") && !domain.utf8.contains(UInt8(ascii: "."))
    }
}
