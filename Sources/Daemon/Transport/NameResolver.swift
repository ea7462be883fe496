import MailModel

/// One MX record (RFC 5321 §5.1).
package struct MailExchange: Hashable, Sendable {
    /// Lower is better.
    package var preference: Int
    /// Lower case, A-label form, without the final dot.
    package var host: String

    package init(preference: Int, host: String) {
        self.preference = preference
        self.host = host
    }
}

/// What name servers said about the mail exchanges of a domain.
package enum MailExchanges: Hashable, Sendable {
    /// At least one usable record, in the order of the answer.
    case hosts([MailExchange])
    /// The domain exists and has no MX record: its own address counts (RFC 5321 §5.1).
    case none
    /// RFC 7505: it takes no mail.
    case null
}

/// A usable answer and how long it may be kept.
package struct NameAnswer<Value: Sendable>: Sendable {
    package var value: Value
    /// Seconds, 0 = use it once.
    package var ttl: Int

    package init(_ value: Value, ttl: Int) {
        self.value = value
        self.ttl = ttl
    }
}

/// Why there is no answer. Only `notFound` is the name servers' word that the domain does not exist; everything else
/// may be different at the next attempt.
package enum NameFailure: Error, Hashable, Sendable {
    /// NXDOMAIN.
    case notFound
    /// SERVFAIL, REFUSED, a broken answer, no way to ask; the text says which.
    case temporary(String)
    /// Nobody answered in time.
    case timeout
    /// DNSSEC validation failed; the records are not to be used.
    case bogus(String)
}

/// Look-ups for delivery. Completions come once, on any thread, perhaps before the call returns.
package protocol NameResolver: Sendable {
    /// - Parameter domain: A-label form.
    func mailExchanges(
        of domain: String, completion: @escaping @Sendable (Result<NameAnswer<MailExchanges>, NameFailure>) -> Void)
    /// Addresses of one family; an empty answer means that the host exists and has none of it.
    func addresses(
        of host: String, family: AddressFamily,
        completion: @escaping @Sendable (Result<NameAnswer<[IPAddress]>, NameFailure>) -> Void)
}

package enum AddressFamily: Hashable, Sendable, CaseIterable { case ipv4, ipv6 }
