import MailModel

/// What HELO or EHLO told.
package struct Hello: Hashable, Sendable {
    package let name: String
    /// EHLO: extensions may be used.
    package let isExtended: Bool
}

/// A negative answer on its way to the peer.
package struct Refusal: Hashable, Sendable {
    /// The command it answers; `nil` where there was none that we know.
    package let verb: Verb?
    package let reason: Reason
    /// The reply where a decision made it; `nil`: the catalogue's, and the driver adds the reference.
    package let reply: Reply?

    package init(_ reason: Reason, verb: Verb? = nil, reply: Reply? = nil) {
        self.verb = verb
        self.reason = reason
        self.reply = reply
    }
}

/// A login name and what shall prove it. Never printed.
package struct Credentials: Sendable, CustomStringConvertible {
    package enum Proof: Sendable {
        /// Cleaned of nothing: compare octets.
        case password([UInt8])
        /// CRAM-MD5: HMAC-MD5 of the challenge, 16 octets → `authenticated`
        case digest([UInt8], challenge: [UInt8])
        /// SCRAM: ClientProof of AuthMessage, 32 octets → `proved`
        case signed(message: [UInt8], proof: [UInt8])
        /// SCRAM: the client has seen our signature; what was proved before counts from here on → `authenticated`
        case confirmed
    }
    package let mechanism: AuthMechanism
    package let name: String
    package let proof: Proof

    package var description: String { "\(mechanism.rawValue) <redacted>" }
}

/// What the driver has to do next. After one of the questions (`decide…`, `makeChallenge`, `authenticate`, `enquire`,
/// `beginContent`, `finish`, `startTLS`) the session takes no input until the answer was given.
package enum ServerAction: Sendable {
    /// Nothing more can be done with the octets at hand: send what was collected, then read.
    case needInput
    /// Go on with the next step at once; nothing to send.
    case proceed
    case reply(Reply)
    case refuse(Refusal)
    case replyAndClose(Reply)
    case refuseAndClose(Refusal)
    /// → `resolve`
    case decideSender(MailArguments)
    /// → `resolve`; the envelope is that of the recipients accepted so far.
    case decideRecipient(RecipientArguments)
    /// Something fresh for a challenge, and for SCRAM the salt of this login name → `resolve` with `challenge`
    case makeChallenge(AuthMechanism, name: String?)
    /// → `resolve`; accepted: the name to show as identity.
    case authenticate(Credentials)
    /// VRFY or EXPN of this text → `resolve` with a reply.
    case enquire(Verb, String)
    /// Before the first octet of content: is there room? → `resolve`. `expected`: SIZE of MAIL.
    case beginContent(Envelope, expected: Int?)
    /// Octets were appended to the content.
    case content
    /// The content is whole and without fault; size as in R-RCV-28 → `resolve`.
    case finish(size: Int)
    /// The content that was begun will not be finished: throw away what was kept of it. Go on with the next step.
    case discardContent
    /// Send the reply, drop every octet that was read, start the handshake → `startedTLS`.
    case startTLS(Reply)
}

/// The driver's answer to a question.
package enum Resolution: Sendable {
    /// Yes; with a reply that replaces the usual one.
    case accepted(Reply? = nil)
    /// The recipient is accepted under its full address: `<postmaster>` has none of its own.
    case acceptedRecipient(MailAddress)
    /// - Parameters:
    ///   - nonce: printable ASCII without comma, never the same again.
    ///   - salt: SCRAM's, with its iterations; of a user who does not exist it looks like any other.
    case challenge(nonce: [UInt8], salt: [UInt8] = [], iterations: Int = 0)
    /// SCRAM: the proof was right; our signature, which the client has to see first.
    case proved(signature: [UInt8])
    /// Credentials were right.
    case authenticated(String)
    case refused(Reason, Reply? = nil)
    /// Answer and close: our own shutdown.
    case closed(Reason, Reply? = nil)
}

/// One step of the session.
package struct ServerStep: Sendable {
    /// Octets of the input that are done with.
    package let consumed: Int
    package let action: ServerAction

    init(_ consumed: Int, _ action: ServerAction) {
        self.consumed = consumed
        self.action = action
    }
}
