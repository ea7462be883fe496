import MailModel
import Tables

/// What routing of one recipient is decided from, at delivery time.
package struct RoutingFacts: Hashable, Sendable {
    package var recipient: MailAddress
    package var sender: ReversePath
    package var directory: DirectoryFacts

    package init(recipient: MailAddress, sender: ReversePath, directory: DirectoryFacts) {
        self.recipient = recipient
        self.sender = sender
        self.directory = directory
    }
}

package struct RoutingSettings: Sendable {
    /// `server.smtp_gateway`: host name or IP address; empty: none.
    package var gateway: String
    /// `server.forward_all_to_gateway` (R-SRV-12).
    package var forwardsAll: Bool
    /// `delivery.port`
    package var port: Int
    package var table: GatewayTable
    /// Names of this server, lower case: greeting name, names in operated domains, `localhost`.
    package var ownNames: Set<String>
    /// Addresses on which this server listens, the machine's own ones.
    package var ownAddresses: Set<IPAddress>
    /// Ports on which the receiver listens; a gateway on another port of this machine is another server.
    package var ownPorts: Set<Int>

    package init(
        gateway: String = "", forwardsAll: Bool = false, port: Int = 25, table: GatewayTable = .empty,
        ownNames: Set<String> = [], ownAddresses: Set<IPAddress> = [], ownPorts: Set<Int> = [25]
    ) {
        self.gateway = gateway
        self.forwardsAll = forwardsAll
        self.port = port
        self.table = table
        self.ownNames = ownNames
        self.ownAddresses = ownAddresses
        self.ownPorts = ownPorts
    }

    /// Whether a connection to `host` would reach this very server.
    package func isOurselves(host: String, port: Int) -> Bool {
        guard ownPorts.contains(port) else { return false }
        if let address = IPAddress(host) { return address.isLoopback || ownAddresses.contains(address) }
        return ownNames.contains(DomainName.folded(host))
    }
}

/// Where the next hop of a recipient is.
package enum Route: Hashable, Sendable {
    case localMailbox(MailAddress)
    /// Resolved by alias or list expansion before it becomes a mailbox or an outside address.
    case alias(MailAddress)
    case list(MailAddress)
    case gateway(host: String, port: Int, isImplicitTLS: Bool, login: GatewayLogin? = nil)
    /// MX look-up of this domain, then its addresses.
    case exchangers(domain: String, port: Int)
    /// `user@[192.0.2.1]`
    case address(IPAddress, port: Int)
    /// In an operated domain, and nobody has this name.
    case unknownRecipient
    /// The domain part can't be routed: empty, or a malformed literal.
    case unroutable
    /// The next hop would be this server again.
    case loopToSelf
}

/// A route, and why. The trail is made when it is read: deliveries that go well never ask for it.
package struct RouteDecision: Sendable {
    package let route: Route
    package let source: RuleSource
    private let facts: RoutingFacts

    init(_ route: Route, _ source: RuleSource, _ facts: RoutingFacts) {
        self.route = route
        self.source = source
        self.facts = facts
    }

    package var trail: [TrailStep] {
        let recipient = facts.recipient.text
        let place = facts.directory.isOperatedDomain ? "operated domain" : "outside domain"
        return [
            TrailStep(check: "route.domain", finding: "<\(recipient)> is in an \(place)"),
            TrailStep(check: "route.choice", finding: route.finding, source: source, decided: true),
        ]
    }

    /// What is reported for routes that are failures; `nil` for the others.
    package var failure: (status: EnhancedCode, text: String)? {
        switch route {
        case .unknownRecipient: (EnhancedCode(5, 1, 1), "no such user here")
        case .unroutable: (EnhancedCode(5, 1, 2), "the domain of the address cannot be routed")
        case .loopToSelf: (EnhancedCode(5, 4, 6), "the next hop would be this server itself")
        default: nil
        }
    }
}

extension Route {
    package var finding: String {
        switch self {
        case .localMailbox(let address): "mailbox of \(address.text)"
        case .alias(let address): "alias \(address.text)"
        case .list(let address): "mailing list \(address.text)"
        case .gateway(let host, let port, let tls, let login):
            "gateway \(host) port \(port)\(tls ? " with TLS from the start" : "")"
                + (login.map { ", login \($0.method.rawValue)" } ?? "")
        case .exchangers(let domain, let port): "mail exchangers of \(domain), port \(port)"
        case .address(let address, let port): "address \(address), port \(port)"
        case .unknownRecipient: "no account, alias or list has this name"
        case .unroutable: "the domain part cannot be routed"
        case .loopToSelf: "the next hop would be this server itself"
        }
    }
}

package enum RoutingPolicy {
    /// Operated domain: alias, list, account (or the gateway instead of the mailbox). Outside: gateway table, then the
    /// gateway, then MX (R-DLV-05, R-SRV-22, R-SRV-23).
    package static func route(_ facts: RoutingFacts, _ settings: RoutingSettings) -> RouteDecision {
        guard facts.directory.isOperatedDomain else { return outside(facts, settings) }
        switch facts.directory.entry {
        case nil: return RouteDecision(.unknownRecipient, .builtIn("R-RCV-22"), facts)
        case .alias: return RouteDecision(.alias(facts.recipient), .builtIn("R-ALIAS-01"), facts)
        case .list: return RouteDecision(.list(facts.recipient), .builtIn("R-DLV-05"), facts)
        case .account:
            if settings.forwardsAll, let gateway = gateway(facts, settings) { return gateway }
            return RouteDecision(.localMailbox(facts.recipient), .builtIn("R-DLV-06"), facts)
        }
    }

    private static func outside(_ facts: RoutingFacts, _ settings: RoutingSettings) -> RouteDecision {
        let domain = facts.recipient.domain
        if domain.isEmpty { return RouteDecision(.unroutable, .builtIn("RFC 5321 §5.1"), facts) }
        if let gateway = gateway(facts, settings) { return gateway }
        return byDNS(facts, settings, port: settings.port, .builtIn("R-DLV-11"))
    }

    private static func byDNS(
        _ facts: RoutingFacts, _ settings: RoutingSettings, port: Int, _ source: RuleSource
    ) -> RouteDecision {
        let domain = facts.recipient.domain
        guard domain.hasPrefix("[") else {
            return RouteDecision(.exchangers(domain: DomainName.folded(domain), port: port), source, facts)
        }
        guard let address = DomainName.literal(domain) else {
            return RouteDecision(.unroutable, .builtIn("RFC 5321 §4.1.3"), facts)
        }
        if settings.isOurselves(host: address.description, port: port) {
            return RouteDecision(.loopToSelf, .builtIn("RFC 5321 §5.1"), facts)
        }
        return RouteDecision(.address(address, port: port), .builtIn("RFC 5321 §5.1"), facts)
    }

    private static func gateway(_ facts: RoutingFacts, _ settings: RoutingSettings) -> RouteDecision? {
        if let rule = settings.table.firstMatch(recipient: facts.recipient, sender: facts.sender) {
            let port = rule.port ?? settings.port
            guard let host = rule.host else {
                // A mailbox of ours is not looked up: what is kept here is kept here.
                return facts.directory.isOperatedDomain ? nil : byDNS(facts, settings, port: port, rule.source)
            }
            if settings.isOurselves(host: host, port: port) { return RouteDecision(.loopToSelf, rule.source, facts) }
            return RouteDecision(
                .gateway(host: host, port: port, isImplicitTLS: rule.isImplicitTLS, login: rule.login), rule.source,
                facts)
        }
        guard !settings.gateway.isEmpty else { return nil }
        let source = RuleSource.setting("server.smtp_gateway")
        if settings.isOurselves(host: settings.gateway, port: settings.port) {
            return RouteDecision(.loopToSelf, source, facts)
        }
        return RouteDecision(
            .gateway(host: settings.gateway, port: settings.port, isImplicitTLS: false), source, facts)
    }
}

package enum DomainName {
    /// Lower case, without the root's dot at the end: as look-ups and comparisons need it.
    package static func folded(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.utf8.count > 1 && lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    /// The address of `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    package static func literal(_ domain: String) -> IPAddress? {
        guard domain.hasPrefix("["), domain.hasSuffix("]"), domain.utf8.count > 2 else { return nil }
        let inner = domain.dropFirst().dropLast()
        if inner.lowercased().hasPrefix("ipv6:") {
            let text = inner.dropFirst(5)
            return text.contains(":") ? IPAddress(text) : nil
        }
        return inner.contains(":") ? nil : IPAddress(inner)
    }
}
