import MailModel
import Settings
import Spool
import Store

/// How a refusal is provoked over the wire.
struct ReasonCase: Sendable {
    enum Step: Sendable {
        /// A command and its reply.
        case say(String)
        /// Octets that get no reply of their own.
        case put(String)
        /// A further connection is held open.
        case occupy
        /// The account directory fails from here on.
        case breakDirectory
        case stop
        case nothing
    }
    let reason: Reason
    var words: [String] = []
    var effect: String?
    var settings: [(key: String, values: [String])] = []
    var spoolFailure: SpoolError.Kind?
    var fillsMailbox = false
    var source = "127.0.0.1"
    /// The last reply that follows is the refusal.
    let steps: [Step]
}

extension ReasonCase {
    private static let hello = Step.say("EHLO c")
    private static let mail = Step.say("MAIL FROM:<e@ext.example>")
    private static let rcpt = Step.say("RCPT TO:<bob@in.example>")
    private static let login = Step.say("AUTH PLAIN AGFubgBzZWNyZXQ=")
    private static let transaction = [hello, mail, rcpt]
    private static let content = transaction + [.say("DATA")]
    private static let inClear = ["auth-in-clear"]

    static let all: [ReasonCase] = connection + commands + authentication + mailAndRecipients + contents

    private static let connection: [ReasonCase] = [
        .init(reason: .tooManySessions, settings: [("receiver.max_sessions", ["1"])], steps: [.occupy, .nothing]),
        .init(
            reason: .tooManySessionsFromClient, settings: [("receiver.max_sessions_per_client", ["1"])],
            source: "127.0.0.7", steps: [.occupy, .nothing]),
        .init(reason: .shuttingDown, steps: [hello, .stop]),
        .init(reason: .idleTimeout, settings: [("receiver.command_timeout", ["1"])], steps: [hello, .put("NOO")]),
        .init(reason: .tooManyErrors, words: ["errors=1"], steps: [.put("FOO\r\n"), .put("NOOP\r\n")]),
        .init(
            reason: .tooManyCommands, settings: [("receiver.max_commands", ["10"])],
            steps: Array(repeating: .say("NOOP"), count: 10) + [.put("NOOP\r\n")]),
    ]

    private static let commands: [ReasonCase] = [
        .init(reason: .unknownCommand, steps: [.say("FOO")]),
        .init(reason: .syntaxError, steps: [.say("EHLO")]),
        .init(reason: .lineTooLong, steps: [.say("NOOP " + String(repeating: "x", count: 3_000))]),
        .init(reason: .badSequence, steps: [hello, .say("RCPT TO:<bob@in.example>")]),
        .init(reason: .parameterUnknown, steps: [hello, .say("MAIL FROM:<> FOO=1")]),
        .init(reason: .commandDisabled, words: ["no-vrfy"], steps: [hello, .say("VRFY bob")]),
        .init(reason: .bareLineEnd, steps: [.put("NOOP\n")]),
        .init(reason: .heloRequired, steps: [.say("MAIL FROM:<>")]),
    ]

    private static let authentication: [ReasonCase] = [
        .init(reason: .tlsNotAvailable, steps: [hello, .say("STARTTLS")]),
        .init(reason: .tlsAlreadyActive, words: ["tls"], steps: [hello, .say("STARTTLS")]),
        .init(reason: .tlsRequired, words: ["auth"], steps: [hello, .say("AUTH PLAIN AGFubgBzZWNyZXQ=")]),
        .init(
            reason: .authenticationFailed, words: inClear, steps: [hello, .say("AUTH PLAIN AGFubgB3cm9uZw==")]),
        .init(reason: .authenticationMalformed, words: inClear, steps: [hello, .say("AUTH PLAIN !")]),
        .init(reason: .authenticationCancelled, words: inClear, steps: [hello, .say("AUTH PLAIN"), .say("*")]),
        .init(
            reason: .authenticationRequired, words: inClear, effect: "*.*.*.* default\n",
            settings: [("receiver.security_level", ["auth_only"])], steps: [hello, mail]),
        .init(reason: .authenticationNotOffered, words: inClear, steps: [hello, .say("AUTH FOO")]),
        .init(reason: .authenticationTwice, words: inClear, steps: [hello, login, login]),
        .init(reason: .authenticationUnavailable, words: inClear, steps: [hello, .breakDirectory, login]),
        .init(
            reason: .tooManyAuthenticationFailures, words: inClear,
            settings: [("receiver.max_auth_failures", ["1"])],
            steps: [hello, .say("AUTH PLAIN AGFubgB3cm9uZw==")]),
    ]

    private static let mailAndRecipients: [ReasonCase] = [
        .init(reason: .senderRefusedByRule, effect: "ext.example false\n", steps: [hello, mail]),
        .init(
            reason: .senderNotAuthenticatedID, words: inClear,
            steps: [hello, login, .say("MAIL FROM:<bob@in.example>")]
        ),
        .init(reason: .senderSyntax, steps: [hello, .say("MAIL FROM:<a@b@c>")]),
        .init(reason: .announcedSizeTooLarge, words: ["size=10"], steps: [hello, .say("MAIL FROM:<> SIZE=11")]),
        .init(reason: .senderNeedsSMTPUTF8, steps: [hello, .say("MAIL FROM:<太郎@ext.example>")]),
        .init(reason: .unknownRecipient, steps: [hello, mail, .say("RCPT TO:<nobody@in.example>")]),
        .init(reason: .relayDenied, steps: [hello, mail, .say("RCPT TO:<f@ext.example>")]),
        .init(reason: .tooManyRecipients, words: ["recipients=1"], steps: transaction + [rcpt]),
        .init(reason: .mailboxFull, fillsMailbox: true, steps: [hello, mail, .say("RCPT TO:<full@in.example>")]),
        .init(reason: .recipientSyntax, steps: [hello, mail, .say("RCPT TO:<>")]),
        .init(reason: .accountDisabled, steps: [hello, mail, .say("RCPT TO:<off@in.example>")]),
        .init(reason: .directoryUnavailable, steps: [hello, .breakDirectory, mail]),
    ]

    private static let contents: [ReasonCase] = [
        .init(reason: .noValidRecipients, steps: [hello, mail, .say("DATA")]),
        .init(reason: .messageTooLarge, words: ["size=10"], steps: content + [.say("12345678901\r\n.")]),
        .init(
            reason: .contentTooSlow, settings: [("receiver.data_timeout", ["1"]), ("receiver.min_rate", ["1000"])],
            steps: content + [.put("x")]),
        .init(reason: .bareLineEndInContent, steps: content + [.say("a\nb\r\n.")]),
        .init(reason: .nulInContent, steps: content + [.say("a\0b\r\n.")]),
        .init(
            reason: .mailLoop,
            steps: content + [.say(String(repeating: "Received: a\r\n", count: 51) + "\r\nx\r\n.")]),
        .init(
            reason: .headerFromMismatch, words: inClear,
            settings: [("receiver.sender_trust", ["auth_id_envelope_from"])],
            steps: [hello, login, .say("MAIL FROM:<ann@in.example>"), rcpt, .say("DATA")]
                + [.say("From: bob@in.example\r\n\r\nx\r\n.")]),
        .init(reason: .storageFailed, spoolFailure: .io, steps: content + [.say("x\r\n.")]),
        .init(reason: .diskFull, spoolFailure: .diskFull, steps: content + [.say("x\r\n.")]),
    ]

    /// Reasons that other tests provoke, and where.
    static let elsewhere: [Reason: String] = [
        .clientListed: "test_limits.py: a name server is needed",
        .senderOutsideHours: "AcceptanceTests, SessionRulesTests",
        .recipientNotPermitted: "AcceptanceTests, SessionRulesTests",
        .addressLocked: "SentryTests and the tests of locks", .addressRefused: "SentryTests and the tests of locks",
        .senderLocked: "SentryTests and the tests of locks",
        .internalError: "a fault of this program: nothing provokes it",
    ]

    /// Where nothing that anybody could change would have let it in.
    static let hopeless: Set<Reason> = [.tlsAlreadyActive, .authenticationCancelled]
}
