import MailModel

/// Why a destination did not take mail, in the few words that an administrator counts by. Raw values are stable
/// identifiers: they travel on the control socket, and `cause.<raw value>` is the text's key in the catalogues.
package enum RefusalCause: String, Hashable, Sendable, Codable, CaseIterable {
    case unknownUser = "unknown-user"
    case mailboxFull = "mailbox-full"
    /// The domain does not exist, or takes no mail.
    case noDomain = "no-domain"
    case relayDenied = "relay-denied"
    /// Spam, a block list, the reputation of our address.
    case reputation
    /// SPF, DKIM, DMARC, the name of our address (PTR).
    case senderAuthentication = "sender-authentication"
    case greylisted
    case rateLimited = "rate-limited"
    case tooLarge = "too-large"
    case content
    /// Any other rule of the remote.
    case policy
    /// Our user id and password at a gateway.
    case login
    case tls
    /// Nobody answers, or nobody is to be reached.
    case noConnection = "no-connection"
    case connectionLost = "connection-lost"
    case nameServer = "name-server"
    case loop
    /// Trouble on the remote's own side: disk, system.
    case remoteTrouble = "remote-trouble"
    /// Trouble on this side: mailbox, disk, directory.
    case localTrouble = "local-trouble"
    case other

    /// Reads code, enhanced code and words, in this order of trust: what the enhanced code says for certain, then the
    /// words, since x.7.1 and a missing code may mean anything, then what is left of the codes.
    package init(of reply: Reply) {
        self = Self.certain(reply) ?? Self.words(reply) ?? Self.probable(reply)
    }

    /// RFC 3463 §3, RFC 7372, RFC 7505.
    private static func certain(_ reply: Reply) -> RefusalCause? {
        guard let code = reply.enhanced else { return nil }
        switch (code.subject, code.detail) {
        case (1, 1), (1, 6): return .unknownUser
        case (1, 2), (1, 10): return .noDomain
        case (1, 7), (1, 8): return .policy
        case (2, 2): return .mailboxFull
        case (2, 3), (3, 4): return .tooLarge
        case (4, 1): return .noConnection
        case (4, 2): return .connectionLost
        case (4, 3): return .nameServer
        case (4, 6): return .loop
        case (7, 20...27): return .senderAuthentication
        case (7, 28): return .rateLimited
        case (7, 8), (7, 9), (7, 4): return .login
        case (7, 5), (7, 10), (7, 11): return .tls
        default: return nil
        }
    }

    private static let phrases: [(RefusalCause, [String])] = [
        (.greylisted, ["greylist", "graylist", "grey list", "gray list"]),
        (.senderAuthentication, ["spf", "dkim", "dmarc", "reverse dns", "ptr record", "unauthenticated"]),
        (.rateLimited, ["rate limit", "too many", "throttl", "too fast", "try again later because", "exceeded the"]),
        (.relayDenied, ["relay"]),
        (
            .reputation,
            ["spam", "block list", "blocklist", "blacklist", "blocked", "reputation", "dnsbl", "rbl", "listed"]
        ),
        (.mailboxFull, ["mailbox full", "mailbox is full", "over quota", "quota exceeded", "overquota", "box full"]),
        (
            .unknownUser,
            [
                "user unknown", "unknown user", "no such user", "no such recipient", "does not exist",
                "unknown recipient",
                "recipient unknown", "invalid recipient", "no mailbox", "mailbox unavailable", "unknown address",
            ]
        ),
        (.tooLarge, ["too large", "too big", "message size", "exceeds size"]),
        (.tls, ["starttls", "tls "]),
        (.content, ["virus", "malware", "attachment"]),
    ]

    private static func words(_ reply: Reply) -> RefusalCause? {
        let text = reply.lines.joined(separator: " ").lowercased()
        return phrases.first { $0.1.contains { text.contains($0) } }?.0
    }

    private static func probable(_ reply: Reply) -> RefusalCause {
        if let code = reply.enhanced {
            switch code.subject {
            case 1: return .unknownUser
            case 2: return .mailboxFull
            case 3: return .remoteTrouble
            case 4: return .noConnection
            case 6: return .content
            case 7: return .policy
            default: break
            }
        }
        switch reply.code {
        case 421: return .connectionLost
        case 450, 451, 452: return .remoteTrouble
        case 530, 535, 454: return .login
        case 552: return .tooLarge
        default: return .other
        }
    }
}
