import MailModel

/// The verbs of the server. The raw value is the text on the wire and the moment in decision records.
package enum Verb: String, Hashable, Sendable, CaseIterable {
    case ehlo = "EHLO"
    case helo = "HELO"
    case mail = "MAIL"
    case rcpt = "RCPT"
    case data = "DATA"
    case bdat = "BDAT"
    case rset = "RSET"
    case noop = "NOOP"
    case quit = "QUIT"
    case vrfy = "VRFY"
    case expn = "EXPN"
    case help = "HELP"
    case starttls = "STARTTLS"
    case auth = "AUTH"
}

/// SASL mechanisms that the server speaks.
package enum AuthMechanism: String, Hashable, Sendable, CaseIterable {
    case plain = "PLAIN"
    case login = "LOGIN"
    /// RFC 2195
    case cramMD5 = "CRAM-MD5"
    /// RFC 7677
    case scramSHA256 = "SCRAM-SHA-256"
    /// RFC 7677 with channel binding (RFC 5802 §6).
    case scramSHA256Plus = "SCRAM-SHA-256-PLUS"
}

/// Arguments of MAIL (RFC 5321 §4.1.1.2 and the extensions named at the fields).
package struct MailArguments: Hashable, Sendable {
    package var path: ReversePath
    /// SIZE, octets (RFC 1870); `nil`: not given.
    package var size: Int?
    /// BODY=8BITMIME (RFC 6152).
    package var is8BitMIME = false
    /// SMTPUTF8 (RFC 6531).
    package var needsSMTPUTF8 = false
    package var notification = SenderNotification()
    /// Whether parameters were given at all: they belong to EHLO sessions only.
    package var hasParameters = false

    package init(path: ReversePath) { self.path = path }
}

/// Arguments of RCPT (RFC 5321 §4.1.1.3, RFC 3461).
package struct RecipientArguments: Hashable, Sendable {
    package var recipient: Recipient
    package var hasParameters = false

    package init(recipient: Recipient) { self.recipient = recipient }
}

/// One command, its arguments checked for form.
package enum Command: Hashable, Sendable {
    /// The name is cleaned for trace headers and logs: other octets than those of host names became `?`.
    case ehlo(String)
    case helo(String)
    case mail(MailArguments)
    case rcpt(RecipientArguments)
    case data
    case bdat(octets: Int, isLast: Bool)
    case rset
    case noop
    case quit
    case vrfy(String)
    case expn(String)
    case help
    case starttls
    /// The mechanism in upper case as given; the initial response still in base 64, `=` for an empty one (RFC 4954 §4).
    case auth(mechanism: String, initialResponse: [UInt8]?)

    package var verb: Verb {
        switch self {
        case .ehlo: .ehlo
        case .helo: .helo
        case .mail: .mail
        case .rcpt: .rcpt
        case .data: .data
        case .bdat: .bdat
        case .rset: .rset
        case .noop: .noop
        case .quit: .quit
        case .vrfy: .vrfy
        case .expn: .expn
        case .help: .help
        case .starttls: .starttls
        case .auth: .auth
        }
    }
}

extension Command: CustomStringConvertible {
    /// For logs; what AUTH carries stays out.
    package var description: String {
        switch self {
        case .auth(let mechanism, _): "AUTH \(mechanism) <redacted>"
        case .mail(let arguments): "MAIL FROM:<\(arguments.path.text)>"
        case .rcpt(let arguments): "RCPT TO:<\(arguments.recipient.address.text)>"
        case .ehlo, .helo, .data, .bdat, .rset, .noop, .quit, .vrfy, .expn, .help, .starttls: verb.rawValue
        }
    }
}

/// Why a line is no command.
package struct CommandError: Error, Hashable, Sendable {
    package let reason: Reason
    /// The verb, when it was known.
    package let verb: Verb?
    /// Octets that follow the line and have to be eaten although the command is refused (a BDAT whose chunk size is
    /// clear). `nil`: nobody can tell where the next command begins, the session must end.
    package let chunk: Int?

    package init(_ reason: Reason, verb: Verb? = nil, chunk: Int? = 0) {
        self.reason = reason
        self.verb = verb
        self.chunk = chunk
    }
}
