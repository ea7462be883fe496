import MailModel

/// Bounds of one session. Zero means unlimited where the field says so; lines never go below what RFC 5321 and the
/// extensions offered demand of a server.
package struct ServerLimits: Hashable, Sendable {
    /// Octets of a command line, CR LF included. Floor: 512 (RFC 5321 §4.5.3.1.4) and what the parameters of SIZE, BODY,
    /// AUTH, DSN and SMTPUTF8 add to it.
    package var commandLineOctets: Int { didSet { commandLineOctets = max(commandLineOctets, Self.lineFloor) } }
    /// Octets of a line that carries authentication data. Floor: 12,288 (RFC 4954 §4.4).
    package var authenticationLineOctets: Int {
        didSet { authenticationLineOctets = max(authenticationLineOctets, Self.authenticationFloor) }
    }
    /// Accepted recipients of one message (R-RCV-24); 0: unlimited.
    package var recipients: Int
    /// Octets of one message, counted as in R-RCV-28; 0: unlimited.
    package var messageOctets: Int
    /// Commands answered with 5yz until the session is closed; 0: unlimited.
    package var errors: Int
    /// Commands other than RCPT and filled BDAT since the last accepted message; 0: unlimited.
    package var commands: Int
    /// Failed authentications until the session is closed (R-RCV-18).
    package var authenticationFailures: Int

    package static let lineFloor = 2_048
    package static let authenticationFloor = 12_288

    package init(
        commandLineOctets: Int = ServerLimits.lineFloor,
        authenticationLineOctets: Int = ServerLimits.authenticationFloor, recipients: Int = 0, messageOctets: Int = 0,
        errors: Int = 20, commands: Int = 1_000, authenticationFailures: Int = 3
    ) {
        self.commandLineOctets = max(commandLineOctets, Self.lineFloor)
        self.authenticationLineOctets = max(authenticationLineOctets, Self.authenticationFloor)
        self.recipients = recipients
        self.messageOctets = messageOctets
        self.errors = errors
        self.commands = commands
        self.authenticationFailures = authenticationFailures
    }
}

/// What the sessions of a listener have in common: made once per change of the settings, shared by reference.
package final class ServerProfile: Sendable {
    /// Own name in greeting and EHLO (R-RCV-07).
    package let hostName: String
    package let limits: ServerLimits
    /// Whether STARTTLS is offered: a certificate is loaded.
    package let offersTLS: Bool
    /// Empty: AUTH is neither announced nor known (R-RCV-14).
    package let mechanisms: [AuthMechanism]
    /// Outside TLS AUTH is not announced and refused with 538.
    package let authenticationRequiresTLS: Bool
    /// VRFY and EXPN are asked of the driver (R-RCV-08); otherwise 502 and not announced.
    package let answersEnquiries: Bool
    /// A bare CR or LF inside content becomes a line end instead of a refusal. It never ends the message.
    package let toleratesBareLineEnds: Bool

    let helloPlain: Reply
    let helloInsideTLS: Reply
    /// With the mechanisms that need a channel binding.
    let helloInsideBoundTLS: Reply
    let help: Reply

    package init(
        hostName: String, limits: ServerLimits = ServerLimits(), offersTLS: Bool = false,
        mechanisms: [AuthMechanism] = [], authenticationRequiresTLS: Bool = true, answersEnquiries: Bool = true,
        toleratesBareLineEnds: Bool = false
    ) {
        self.hostName = hostName
        self.limits = limits
        self.offersTLS = offersTLS
        self.mechanisms = mechanisms
        self.authenticationRequiresTLS = authenticationRequiresTLS
        self.answersEnquiries = answersEnquiries
        self.toleratesBareLineEnds = toleratesBareLineEnds
        func extensions(isTLS: Bool, isBound: Bool = false) -> [String] {
            var lines = ["PIPELINING", limits.messageOctets > 0 ? "SIZE \(limits.messageOctets)" : "SIZE"]
            if answersEnquiries { lines += ["VRFY", "EXPN"] }
            if offersTLS, !isTLS { lines.append("STARTTLS") }
            let offered = mechanisms.filter { isBound || $0 != .scramSHA256Plus }
            if !offered.isEmpty, isTLS || !authenticationRequiresTLS {
                lines.append("AUTH " + offered.map(\.rawValue).joined(separator: " "))
            }
            return lines + ["ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING", "HELP"]
        }
        helloPlain = .hello(host: hostName, extensions: extensions(isTLS: false))
        helloInsideTLS = .hello(host: hostName, extensions: extensions(isTLS: true))
        helloInsideBoundTLS = .hello(host: hostName, extensions: extensions(isTLS: true, isBound: true))
        let hidden: Set<Verb> = answersEnquiries ? [] : [.vrfy, .expn]
        help = .help(verbs: Verb.allCases.filter { !hidden.contains($0) }.map(\.rawValue))
    }
}
