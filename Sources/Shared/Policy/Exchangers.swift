import MailModel

/// One MX record.
package struct MailExchanger: Hashable, Sendable {
    /// Lower is better.
    package var preference: Int
    /// `.` or empty = null MX (RFC 7505).
    package var host: String

    package init(preference: Int, host: String) {
        self.preference = preference
        self.host = host
    }
}

/// What the DNS said about a domain's mail exchangers.
package enum ExchangerAnswer: Hashable, Sendable {
    /// Possibly empty: the domain exists and has no MX record.
    case records([MailExchanger])
    /// NXDOMAIN.
    case noSuchDomain
    /// SERVFAIL, REFUSED, time-out, bogus: nothing is known, nothing is decided.
    case unavailable(String)
}

package enum ExchangerDecision: Hashable, Sendable {
    /// Hosts in the order in which they are to be tried.
    case hosts([String])
    /// No MX record: the domain's own addresses (RFC 5321 §5.1).
    case implicit(domain: String)
    /// Permanent: report now.
    case fail(status: EnhancedCode, text: String)
    /// Temporary, class "host unreachable" (R-DLV-20).
    case retry(text: String)
}

package enum ExchangerPolicy {
    /// Decides what to do with an MX answer.
    /// - Parameters:
    ///   - isOurselves: whether a host name is this server's (its names, or names that resolve to its addresses).
    ///   - generator: shuffles hosts of equal preference (RFC 5321 §5.1).
    package static func decide(
        _ answer: ExchangerAnswer, domain: String, isOurselves: (String) -> Bool,
        using generator: inout some RandomNumberGenerator
    ) -> ExchangerDecision {
        switch answer {
        case .noSuchDomain:
            return .fail(status: EnhancedCode(5, 1, 2), text: "the domain \(domain) does not exist")
        case .unavailable(let why):
            return .retry(text: "mail exchangers of \(domain) cannot be looked up: \(why)")
        case .records(let records):
            return order(records, domain: domain, isOurselves: isOurselves, using: &generator)
        }
    }

    private static func order(
        _ records: [MailExchanger], domain: String, isOurselves: (String) -> Bool,
        using generator: inout some RandomNumberGenerator
    ) -> ExchangerDecision {
        if records.isEmpty {
            // The domain's own address record stands for an MX of preference 0.
            if isOurselves(DomainName.folded(domain)) { return loop(domain) }
            return .implicit(domain: DomainName.folded(domain))
        }
        let usable = records.filter { !$0.host.isEmpty && $0.host != "." }
        // RFC 7505 §3: a null MX must stand alone; beside others it is ignored.
        if usable.isEmpty {
            return .fail(status: EnhancedCode(5, 1, 10), text: "the domain \(domain) takes no mail (null MX)")
        }
        let named = usable.map { MailExchanger(preference: $0.preference, host: DomainName.folded($0.host)) }
        // RFC 5321 §5.1: our own record and all that are not better are left out, or mail would loop.
        let own = named.filter { isOurselves($0.host) }.map(\.preference).min() ?? .max
        let better = named.filter { $0.preference < own && !isOurselves($0.host) }
        if better.isEmpty { return loop(domain) }
        var hosts: [String] = []
        for preference in Set(better.map(\.preference)).sorted() {
            for exchanger in better.filter({ $0.preference == preference }).shuffled(using: &generator)
            where !hosts.contains(exchanger.host) {
                hosts.append(exchanger.host)
            }
        }
        return .hosts(hosts)
    }

    private static func loop(_ domain: String) -> ExchangerDecision {
        .fail(
            status: EnhancedCode(5, 4, 6),
            text: "mail for \(domain) is routed to this server, which does not operate that domain")
    }
}
