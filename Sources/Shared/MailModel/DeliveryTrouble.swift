/// What may go wrong on the way out before or beside a remote server's own words. Raw values are stable identifiers
/// as those of `Reason`; the reply made from one stands in queue rows, logs and reports in the place of the remote's.
package enum DeliveryTrouble: String, Hashable, Sendable, Codable, CaseIterable {
    // Names
    case domainNotFound = "dns.nxdomain"
    case noAddress = "dns.no-address"
    case nullMX = "dns.null-mx"
    case dnsTemporary = "dns.temporary"
    case dnsTimeout = "dns.timeout"
    case dnsBogus = "dns.bogus"
    case mxIsUs = "dns.mx-is-us"

    // Connection
    case connectRefused = "connect.refused"
    case connectTimeout = "connect.timeout"
    case connectFailed = "connect.failed"
    case connectionLost = "session.lost"
    case sessionTimeout = "session.timeout"
    case malformedReply = "session.malformed"
    case tlsFailed = "session.tls-failed"
    case tlsNotOffered = "session.tls-not-offered"
    case authNotOffered = "session.auth-not-offered"
    case authInClear = "session.auth-in-clear"
    case noCredentials = "session.no-credentials"

    // Message
    case needsSMTPUTF8 = "message.smtputf8"
    case tooLarge = "message.size"
    case badSender = "message.sender"
    case badRecipient = "message.recipient"
    case loop = "message.loop"
    case returned = "message.returned"

    // Local delivery
    case unknownUser = "local.unknown"
    case mailboxFull = "local.mailbox-full"
    case mailboxFailed = "local.mailbox"
    case diskFull = "local.disk-full"
    case contentMissing = "local.content"
    case directoryUnavailable = "local.directory"
    case aliasLoop = "local.alias-loop"

    // Administrator
    case bouncedByAdministrator = "queue.bounced"

    /// - Parameter detail: what helps people to understand it (a host, an errno text); put behind a colon, made safe.
    package func reply(_ detail: String = "") -> Reply {
        let (code, enhanced, text) = parts
        let safe = String(
            String.UnicodeScalarView(detail.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        return Reply(code, enhanced, safe.isEmpty ? text : "\(text): \(safe)")
    }

    private var parts: (Int, EnhancedCode, String) {
        switch self {
        case .domainNotFound: (550, EnhancedCode(5, 1, 2), "domain does not exist")
        case .noAddress: (550, EnhancedCode(5, 1, 2), "domain has no mail server and no address")
        case .nullMX: (556, EnhancedCode(5, 1, 10), "domain accepts no mail (null MX)")  // RFC 7505 §4
        case .dnsTemporary: (451, EnhancedCode(4, 4, 3), "name server failed")
        case .dnsTimeout: (451, EnhancedCode(4, 4, 3), "name server did not answer")
        case .dnsBogus: (451, EnhancedCode(4, 4, 3), "answer of the name server fails DNSSEC validation")
        case .mxIsUs: (554, EnhancedCode(5, 4, 6), "mail for the domain loops back to this server")
        case .connectRefused: (451, EnhancedCode(4, 4, 1), "connection refused")
        case .connectTimeout: (451, EnhancedCode(4, 4, 1), "connection timed out")
        case .connectFailed: (451, EnhancedCode(4, 4, 1), "cannot connect")
        case .connectionLost: (451, EnhancedCode(4, 4, 2), "connection lost")
        case .sessionTimeout: (451, EnhancedCode(4, 4, 2), "conversation timed out")
        case .malformedReply: (451, EnhancedCode(4, 5, 0), "remote server does not speak SMTP")
        case .tlsFailed: (451, EnhancedCode(4, 7, 5), "TLS handshake failed")
        case .tlsNotOffered: (451, EnhancedCode(4, 7, 10), "TLS is required here but not offered")
        case .authNotOffered: (554, EnhancedCode(5, 7, 4), "gateway does not offer the authentication method")
        case .authInClear: (451, EnhancedCode(4, 7, 11), "no password without TLS")
        case .noCredentials: (451, EnhancedCode(4, 7, 8), "no credentials for the gateway")
        case .needsSMTPUTF8: (553, EnhancedCode(5, 6, 7), "remote server does not support internationalised addresses")
        case .tooLarge: (552, EnhancedCode(5, 3, 4), "message is larger than the remote server's limit")
        case .badSender: (553, EnhancedCode(5, 1, 7), "sender address cannot be sent")
        case .badRecipient: (553, EnhancedCode(5, 1, 3), "recipient address cannot be sent")
        case .loop: (554, EnhancedCode(5, 4, 6), "mail loop: too many Received fields")
        case .returned: (554, EnhancedCode(5, 4, 6), "mail loop: this server's mail is sent back to it")
        case .unknownUser: (550, EnhancedCode(5, 1, 1), "no such user here")
        case .mailboxFull: (552, EnhancedCode(5, 2, 2), "mailbox is full")
        case .mailboxFailed: (451, EnhancedCode(4, 2, 0), "mailbox cannot be written")
        case .diskFull: (452, EnhancedCode(4, 3, 1), "not enough disk space")
        case .contentMissing: (451, EnhancedCode(4, 3, 0), "message content cannot be read")
        case .directoryUnavailable: (451, EnhancedCode(4, 3, 0), "account directory unavailable")
        case .aliasLoop: (554, EnhancedCode(5, 4, 6), "alias leads back to itself")
        case .bouncedByAdministrator: (550, EnhancedCode(5, 7, 0), "returned by the administrator")
        }
    }
}
