import MailModel

/// The server's side of one SMTP session (RFC 5321 and the extensions in `ServerProfile`): octets in, actions out. Does
/// no I/O, knows no clock and takes no decision about mail; the driver does, and tells the result with `resolve`.
///
/// The driver calls `step` with everything it has read and not consumed, carries the action out and calls again until
/// `needInput`. Replies leave in the order of the actions; holding them back until `needInput` or a question makes
/// pipelining cheap (RFC 2920 §3.2).
package struct ServerSession: Sendable {
    enum Start: Sendable {
        case data
        case chunk(octets: Int, isLast: Bool)
    }

    enum CredentialStep: Sendable {
        case plain
        case loginName
        case loginPassword(name: String)
        case digest(challenge: [UInt8])
        case scramFirst(AuthMechanism)
        case scramFinal(SCRAM.Exchange)
        /// Our signature is out; an empty line says that the client believes it.
        case scramEnd(AuthMechanism, name: String)
    }

    /// What a fresh challenge is for.
    enum Challenge: Sendable {
        case digest
        case scram(AuthMechanism, SCRAM.ClientFirst)
    }

    enum Question: Sendable {
        case sender(MailArguments)
        case recipient(Recipient, MailArguments)
        case challenge(Challenge)
        case proof(AuthMechanism, name: String)
        case credentials
        case enquiry(Verb, MailArguments?)
        case content(Start)
        case end(Verb)
        case handshake
    }

    enum State: Sendable {
        /// Between transactions; before HELO when `hello` is `nil`.
        case idle
        /// A message under way: what MAIL said. Its recipients are in `recipients`.
        case transaction(MailArguments)
        /// AUTH was begun; the next line belongs to it.
        case authenticating(CredentialStep)
        case content(ContentDecoder)
        /// Inside a chunk of BDAT; `left` octets are to come.
        case chunk(ContentDecoder, left: Int, isLast: Bool)
        /// Between chunks.
        case chunks(ContentDecoder)
        /// A question is open.
        case asking(Question)
        case closed
    }

    /// How the octets in front of us are to be read, when not by `state`.
    enum Intake: Sendable {
        /// `scanned` octets are known to hold no LF.
        case normal(scanned: Int)
        /// Rest of a line that was too long; its refusal is out.
        case overlongLine
        /// Octets of a refused BDAT, and what to answer behind them (RFC 3030 §2).
        case refusedChunk(left: Int, Refusal)
    }

    package let profile: ServerProfile
    package internal(set) var hello: Hello?
    package internal(set) var isTLS: Bool
    /// Channel bindings of the TLS connection by their names, `tls-exporter`, `tls-server-end-point`.
    package internal(set) var bindings: [String: [UInt8]] = [:]
    /// The name that AUTH proved.
    package internal(set) var identity: String?

    var state = State.idle
    /// Those accepted in the open transaction. They stand beside the state, which is copied with every question, so that
    /// a list of thousands grows in place.
    var recipients: [Recipient] = []
    var intake = Intake.normal(scanned: 0)
    /// An action that waits for the one before it to be carried out.
    var following: ServerAction?
    var errors = 0
    var commands = 0
    var authenticationFailures = 0

    /// - Parameter isTLS: an implicit TLS listener.
    package init(profile: ServerProfile, isTLS: Bool = false) {
        self.profile = profile
        self.isTLS = isTLS
    }

    package var greeting: Reply { .greeting(host: profile.hostName) }

    /// A message is being received: from its first octet asked for to its last octet answered. An orderly stop waits
    /// for the end of it.
    package var isReceivingContent: Bool {
        switch state {
        case .content, .chunk, .chunks, .asking(.content), .asking(.end): true
        case .idle, .transaction, .authenticating, .asking, .closed: false
        }
    }

    /// - Parameters:
    ///   - input: all octets that were read and not consumed; the same octets are given again until they are.
    ///   - content: where content is appended; the driver may take from it between steps.
    package mutating func step(_ input: UnsafeRawBufferPointer, content: inout [UInt8]) -> ServerStep {
        if let action = following {
            following = nil
            return ServerStep(0, action)
        }
        switch intake {
        case .normal: break
        case .overlongLine: return skipLine(input)
        case .refusedChunk(let left, let refusal): return skipChunk(input, left: left, refusal)
        }
        switch state {
        case .asking, .closed: return ServerStep(0, .needInput)
        case .content(let decoder): return takeContent(input, decoder, into: &content)
        case .chunk(let decoder, let left, let isLast):
            return takeChunk(input, decoder, left: left, isLast: isLast, into: &content)
        case .idle, .transaction, .authenticating, .chunks: return takeLine(input)
        }
    }

    // MARK: Lines

    private mutating func takeLine(_ input: UnsafeRawBufferPointer) -> ServerStep {
        if let close = closingForAbuse() { return ServerStep(0, close) }
        var scanned = 0
        if case .normal(let octets) = intake { scanned = min(octets, input.count) }
        guard let found = UnsafeRawBufferPointer(rebasing: input[scanned...]).firstOffset(of: 10) else {
            guard input.count >= lineLimit(input) else {
                intake = .normal(scanned: input.count)
                return ServerStep(0, .needInput)
            }
            intake = .overlongLine
            return ServerStep(input.count, refuseOverlongLine())
        }
        intake = .normal(scanned: 0)
        let end = scanned + found
        guard end < lineLimit(input) else { return ServerStep(end + 1, refuseOverlongLine()) }
        let hasCR = end > 0 && input[end - 1] == 13
        let line = UnsafeRawBufferPointer(rebasing: input[..<(hasCR ? end - 1 : end)])
        guard hasCR, line.firstOffset(of: 13) == nil else {
            return ServerStep(end + 1, refuseBareLineEnd(line))
        }
        let action = takeCommand(line)
        if case .startTLS = action {
            // Whatever came behind STARTTLS was sent in clear: it must not be read as if it came inside TLS
            // (RFC 3207 §4.2, CVE-2011-0411).
            return ServerStep(input.count, action)
        }
        return ServerStep(end + 1, action)
    }

    private mutating func takeCommand(_ line: UnsafeRawBufferPointer) -> ServerAction {
        if case .authenticating(let step) = state { return takeResponse(line, step) }
        do throws(CommandError) {
            return perform(try CommandParser.parse(line))
        } catch {
            return refuse(error, line: line)
        }
    }

    /// Octets that a line may have, its end included. AUTH is the one command that carries more.
    private func lineLimit(_ input: UnsafeRawBufferPointer) -> Int {
        if case .authenticating = state { return profile.limits.authenticationLineOctets }
        var reader = OctetReader(input)
        return reader.skip(word: "AUTH ")
            ? profile.limits.authenticationLineOctets : profile.limits.commandLineOctets
    }

    private mutating func refuseOverlongLine() -> ServerAction {
        if case .authenticating = state { state = .idle }
        return refuse(.lineTooLong, verb: nil)
    }

    private mutating func refuseBareLineEnd(_ line: UnsafeRawBufferPointer) -> ServerAction {
        if case .authenticating = state { state = .idle }
        var reader = OctetReader(line)
        if reader.skip(word: "BDAT") {
            // Whether its octets follow depends on how the peer counts this line end: nothing behind it can be trusted.
            return close(.bareLineEnd, verb: .bdat)
        }
        return refuse(.bareLineEnd, verb: nil)
    }

    private mutating func skipLine(_ input: UnsafeRawBufferPointer) -> ServerStep {
        guard let end = input.firstOffset(of: 10) else { return ServerStep(input.count, .needInput) }
        intake = .normal(scanned: 0)
        return ServerStep(end + 1, .proceed)
    }

    private mutating func refuse(_ error: CommandError, line: UnsafeRawBufferPointer) -> ServerAction {
        guard let octets = error.chunk else { return close(error.reason, verb: error.verb) }
        if error.verb == .bdat { return refuseChunk(octets, error.reason) }
        if error.reason == .unknownCommand, hello == nil, Self.looksLikeHTTP(line) {
            // A browser made to talk to us: what follows is somebody else's text (Postfix smtpd_forbidden_commands).
            return close(.unknownCommand, verb: nil)
        }
        return refuse(error.reason, verb: error.verb)
    }

    private static func looksLikeHTTP(_ line: UnsafeRawBufferPointer) -> Bool {
        var reader = OctetReader(line)
        return reader.skip(word: "GET ") || reader.skip(word: "POST ") || reader.skip(word: "PUT ")
            || reader.skip(word: "HEAD ") || reader.skip(word: "OPTIONS ") || reader.skip(word: "CONNECT ")
    }

    // MARK: Refusals

    /// Every refusal of the session passes here and is counted when the peer is to blame.
    mutating func refuse(_ reason: Reason, verb: Verb?, reply: Reply? = nil) -> ServerAction {
        if (reply ?? reason.reply).kind == .permanent { errors += 1 }
        return .refuse(Refusal(reason, verb: verb, reply: reply))
    }

    mutating func close(_ reason: Reason, verb: Verb?, reply: Reply? = nil) -> ServerAction {
        state = .closed
        return .refuseAndClose(Refusal(reason, verb: verb, reply: reply))
    }

    private mutating func closingForAbuse() -> ServerAction? {
        let limits = profile.limits
        if limits.authenticationFailures > 0, authenticationFailures >= limits.authenticationFailures {
            return close(.tooManyAuthenticationFailures, verb: .auth)
        }
        if limits.errors > 0, errors >= limits.errors { return close(.tooManyErrors, verb: nil) }
        if limits.commands > 0, commands > limits.commands { return close(.tooManyCommands, verb: nil) }
        return nil
    }
}
