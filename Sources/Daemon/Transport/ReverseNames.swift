import MailModel

extension DNSResolver {
    /// The name of a client for trace fields: what its address points to, provided that the name points back to the
    /// address (RFC 8601 §3, iprev), so that nobody names himself after another.
    /// - Parameter completion: called once, on any thread, perhaps before this returns; `nil`: no such name.
    package func confirmedName(of address: IPAddress, completion: @escaping @Sendable (String?) -> Void) {
        reverseName(of: address) { name in
            guard let name else { return completion(nil) }
            self.addresses(of: name, family: address.isIPv4 ? .ipv4 : .ipv6) { answer in
                let found = (try? answer.get())?.value ?? []
                completion(found.contains(address) ? name : nil)
            }
        }
    }

    /// `192.0.2.1` → `1.2.0.192.in-addr.arpa`, IPv6 by nibbles below `ip6.arpa` (RFC 1035 §3.5, RFC 3596 §2.5).
    static func pointerName(of address: IPAddress) -> String {
        if address.isIPv4 {
            return address.octets.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
        }
        let nibbles = address.octets.reversed().flatMap { [$0 & 15, $0 >> 4] }
        return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
    }
}
