/// Why the server answered what it answered. Raw values are stable identifiers: they appear in logs, explain records,
/// scripts and tests, and are never renamed or used again. Adding one is adding a case here and a row in
/// `Reason.reply`; the compiler names what is missing.
package enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
    // Acceptance
    case accepted = "ok"
    case senderAccepted = "ok.sender"
    case recipientAccepted = "ok.recipient"
    case queued = "ok.queued"
    /// Queued, and waiting for an administrator; the client is not told.
    case held = "ok.held"

    // Connection
    case tooManySessions = "connect.sessions"
    case tooManySessionsFromClient = "connect.sessions-per-client"
    case addressLocked = "connect.locked"
    case addressRefused = "connect.refused"
    case shuttingDown = "connect.shutdown"
    case idleTimeout = "connect.timeout"
    case tooManyErrors = "connect.errors"
    case tooManyCommands = "connect.commands"

    // Commands
    case unknownCommand = "command.unknown"
    case syntaxError = "command.syntax"
    case lineTooLong = "command.length"
    case badSequence = "command.sequence"
    case parameterUnknown = "command.parameter"
    case commandDisabled = "command.disabled"
    case bareLineEnd = "command.bare-line-end"
    case heloRequired = "command.helo-first"

    // TLS and authentication
    case tlsNotAvailable = "tls.unavailable"
    case tlsAlreadyActive = "tls.active"
    case tlsRequired = "auth.tls-required"
    case authenticationFailed = "auth.failed"
    case authenticationMalformed = "auth.malformed"
    case authenticationCancelled = "auth.cancelled"
    case authenticationRequired = "auth.required"
    case authenticationNotOffered = "auth.not-offered"
    case authenticationTwice = "auth.twice"
    case authenticationUnavailable = "auth.unavailable"
    case tooManyAuthenticationFailures = "auth.too-many"

    // Sender
    case senderRefusedByRule = "sender.rule"
    case senderNotAuthenticatedID = "sender.identity"
    case senderSyntax = "sender.syntax"
    case announcedSizeTooLarge = "sender.size"
    case senderNeedsSMTPUTF8 = "sender.smtputf8"
    case senderOutsideHours = "sender.hours"
    case clientListed = "sender.dnsbl"
    case senderLocked = "sender.locked"

    // Recipient
    case unknownRecipient = "recipient.unknown"
    case relayDenied = "recipient.relay"
    case tooManyRecipients = "recipient.count"
    case mailboxFull = "recipient.mailbox-full"
    case recipientSyntax = "recipient.syntax"
    case accountDisabled = "recipient.disabled"
    case recipientNotPermitted = "recipient.restriction"

    // Content
    case messageTooLarge = "content.size"
    case contentTooSlow = "content.too-slow"
    case bareLineEndInContent = "content.bare-line-end"
    case nulInContent = "content.nul"
    case mailLoop = "content.loop"
    case headerFromMismatch = "content.from-identity"
    case noValidRecipients = "content.no-recipients"

    // Our own trouble: always temporary
    case storageFailed = "local.storage"
    case diskFull = "local.disk-full"
    case directoryUnavailable = "local.directory"
    case internalError = "local.error"
}

extension Reason {
    /// The reply for this reason, the only place where reply texts are written (English, ASCII: RFC 5321 §4.2).
    /// `detail` is put behind a colon where it helps; refusals get ` (ref …)` added by `Policy`.
    package var reply: Reply {
        switch self {
        case .accepted: Reply(250, EnhancedCode(2, 0, 0), "OK")
        case .senderAccepted: Reply(250, EnhancedCode(2, 1, 0), "sender OK")
        case .recipientAccepted: Reply(250, EnhancedCode(2, 1, 5), "recipient OK")
        case .queued, .held: Reply(250, EnhancedCode(2, 0, 0), "queued")
        case .tooManySessions: Reply(421, EnhancedCode(4, 7, 0), "too many sessions, try again later")
        case .tooManySessionsFromClient:
            Reply(421, EnhancedCode(4, 7, 0), "too many sessions from your address, try again later")
        case .addressLocked:
            Reply(421, EnhancedCode(4, 7, 0), "your address is locked for a time, try again later")
        case .addressRefused: Reply(554, EnhancedCode(5, 7, 1), "no SMTP service for your address here")
        case .shuttingDown: Reply(421, EnhancedCode(4, 3, 2), "service is shutting down, try again later")
        case .idleTimeout: Reply(421, EnhancedCode(4, 4, 2), "time-out, closing connection")
        case .tooManyErrors: Reply(421, EnhancedCode(4, 7, 0), "too many errors, closing connection")
        case .tooManyCommands: Reply(421, EnhancedCode(4, 7, 0), "too many commands, closing connection")
        case .unknownCommand: Reply(500, EnhancedCode(5, 5, 1), "command not recognized")
        case .syntaxError: Reply(501, EnhancedCode(5, 5, 4), "syntax error in arguments")
        case .lineTooLong: Reply(500, EnhancedCode(5, 5, 2), "line too long")
        case .badSequence: Reply(503, EnhancedCode(5, 5, 1), "bad sequence of commands")
        case .parameterUnknown: Reply(555, EnhancedCode(5, 5, 4), "parameter not recognized")
        case .commandDisabled: Reply(502, EnhancedCode(5, 5, 1), "command is switched off here")
        case .bareLineEnd: Reply(500, EnhancedCode(5, 5, 2), "a line ends with CR LF; bare CR or LF is refused")
        case .heloRequired: Reply(503, EnhancedCode(5, 5, 1), "send EHLO or HELO first")
        case .tlsNotAvailable: Reply(454, EnhancedCode(4, 7, 0), "TLS is not available")
        case .tlsAlreadyActive: Reply(503, EnhancedCode(5, 5, 1), "TLS is already active")
        case .tlsRequired: Reply(538, EnhancedCode(5, 7, 11), "authentication is offered inside TLS only")
        case .authenticationFailed: Reply(535, EnhancedCode(5, 7, 8), "authentication failed")
        case .authenticationMalformed: Reply(501, EnhancedCode(5, 5, 2), "malformed authentication data")
        case .authenticationCancelled: Reply(501, EnhancedCode(5, 7, 0), "authentication cancelled")
        case .authenticationRequired: Reply(530, EnhancedCode(5, 7, 0), "authentication required")
        case .authenticationNotOffered: Reply(504, EnhancedCode(5, 5, 4), "authentication mechanism not offered")
        case .authenticationTwice: Reply(503, EnhancedCode(5, 5, 1), "already authenticated")
        case .authenticationUnavailable:
            Reply(454, EnhancedCode(4, 7, 0), "authentication is temporarily not possible")
        case .tooManyAuthenticationFailures:
            Reply(421, EnhancedCode(4, 7, 0), "too many failed authentications, closing connection")
        case .senderRefusedByRule: Reply(550, EnhancedCode(5, 7, 1), "mail from you is refused here")
        case .senderNotAuthenticatedID:
            Reply(553, EnhancedCode(5, 7, 1), "sender address is not the authenticated user's")
        case .senderSyntax: Reply(501, EnhancedCode(5, 1, 7), "sender address is malformed")
        case .announcedSizeTooLarge: Reply(552, EnhancedCode(5, 3, 4), "message is larger than the limit")
        case .senderNeedsSMTPUTF8:
            Reply(553, EnhancedCode(5, 6, 7), "address needs SMTPUTF8, which was not asked for")
        case .senderOutsideHours: Reply(550, EnhancedCode(5, 7, 1), "your account may not send at this time")
        case .clientListed: Reply(550, EnhancedCode(5, 7, 1), "your address is in a block list")
        case .senderLocked: Reply(550, EnhancedCode(5, 7, 1), "your account is locked, ask your administrator")
        case .unknownRecipient: Reply(550, EnhancedCode(5, 1, 1), "no such user here")
        case .relayDenied: Reply(550, EnhancedCode(5, 7, 1), "relaying denied")
        case .tooManyRecipients: Reply(452, EnhancedCode(4, 5, 3), "too many recipients")
        case .mailboxFull: Reply(452, EnhancedCode(4, 2, 2), "mailbox is full")
        case .recipientSyntax: Reply(501, EnhancedCode(5, 1, 3), "recipient address is malformed")
        case .accountDisabled: Reply(550, EnhancedCode(5, 2, 1), "mailbox is disabled")
        case .recipientNotPermitted: Reply(550, EnhancedCode(5, 7, 1), "you may not write to this recipient")
        case .contentTooSlow: Reply(421, EnhancedCode(4, 4, 2), "message arrives too slowly, closing connection")
        case .messageTooLarge: Reply(552, EnhancedCode(5, 3, 4), "message is larger than the limit")
        case .bareLineEndInContent:
            Reply(550, EnhancedCode(5, 5, 2), "message holds a bare CR or LF; lines end with CR LF")
        case .nulInContent: Reply(550, EnhancedCode(5, 6, 0), "message holds a NUL octet")
        case .mailLoop: Reply(554, EnhancedCode(5, 4, 6), "mail loop: too many Received fields")
        case .headerFromMismatch:
            Reply(550, EnhancedCode(5, 7, 1), "From field is not the authenticated user's address")
        case .noValidRecipients: Reply(554, EnhancedCode(5, 5, 1), "no valid recipients")
        case .storageFailed: Reply(451, EnhancedCode(4, 3, 0), "message could not be stored, try again later")
        case .diskFull: Reply(452, EnhancedCode(4, 3, 1), "not enough disk space, try again later")
        case .directoryUnavailable: Reply(451, EnhancedCode(4, 3, 0), "account directory unavailable, try again later")
        case .internalError: Reply(451, EnhancedCode(4, 3, 0), "local error in processing, try again later")
        }
    }

    /// Temporary and permanent refusals carry a reference and leave an explain record; acceptances do not.
    package var isRefusal: Bool { !reply.isPositive }
}
