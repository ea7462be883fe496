import MailModel

/// A DNS server: `192.0.2.53`, `2001:db8::53`, with another port than 53 `127.0.0.1@5353`.
package struct DNSServerAddress: Hashable, Sendable {
    package let address: IPAddress
    package let port: UInt16

    package init(address: IPAddress, port: UInt16 = 53) {
        self.address = address
        self.port = port
    }

    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address: address)
            return
        }
        guard let port = Self.port(parts[1]) else { return nil }
        self.init(address: address, port: port)
    }

    package var text: String { port == 53 ? address.description : "\(address)@\(port)" }

    /// 1–65535 in decimal digits.
    static func port(_ text: some StringProtocol) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(text), port > 0
        else { return nil }
        return port
    }
}

/// Where the receiver listens: `ADDRESS:PORT`, an asterisk behind the port for TLS from the first octet (R-SVC-20).
/// IPv6 addresses stand in brackets. `*.*.*.*` is every local IPv4 address, also one that is added later (R-RCV-02).
package struct ListenerAddress: Hashable, Sendable {
    package enum Host: Hashable, Sendable {
        /// `*.*.*.*`
        case anyIPv4
        /// `[::]` is every local IPv6 address.
        case address(IPAddress)
    }
    package let host: Host
    package let port: UInt16
    /// TLS from the first octet.
    package let isTLS: Bool

    package init(host: Host, port: UInt16, isTLS: Bool = false) {
        self.host = host
        self.port = port
        self.isTLS = isTLS
    }

    package init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        var portText = text[text.index(after: colon)...]
        let isTLS = portText.hasSuffix("*")
        if isTLS { portText.removeLast() }
        guard let port = DNSServerAddress.port(portText) else { return nil }
        let hostText = text[..<colon]
        if hostText == "*.*.*.*" || hostText == "0.0.0.0" || hostText == "*" {
            self.init(host: .anyIPv4, port: port, isTLS: isTLS)
        } else if hostText.hasPrefix("["), hostText.hasSuffix("]"), hostText.utf8.count > 2 {
            guard let address = IPAddress(hostText.dropFirst().dropLast()), !address.isIPv4 else { return nil }
            self.init(host: .address(address), port: port, isTLS: isTLS)
        } else {
            guard let address = IPAddress(hostText), address.isIPv4 else { return nil }
            self.init(host: .address(address), port: port, isTLS: isTLS)
        }
    }

    package var text: String {
        let hostText =
            switch host {
            case .anyIPv4: "*.*.*.*"
            case .address(let address): address.isIPv4 ? address.description : "[\(address)]"
            }
        return "\(hostText):\(port)\(isTLS ? "*" : "")"
    }

    package var isIPv6: Bool {
        if case .address(let address) = host { !address.isIPv4 } else { false }
    }
}
