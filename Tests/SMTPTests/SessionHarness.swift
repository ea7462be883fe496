import MailModel
import SMTP

/// A driver without network, clock and policy: it answers the session's questions by fixed rules and keeps what the
/// session says.
///
/// Rules: domain in.example is ours, with ann, bob and postmaster, and full (mailbox full); every other domain is
/// relayed for authenticated sessions alone; ann's password is "secret"; senders in refused.example are refused;
/// SIZE above 1,000,000 finds a full disk.
final class SessionHarness {
    struct Message: Equatable {
        var envelope: Envelope
        var content: [UInt8]
        var size: Int
    }

    var session: ServerSession
    private var input: [UInt8] = []
    private var content: [UInt8] = []
    private var envelope: Envelope?
    /// Lines as sent, without CR LF.
    private(set) var output: [String] = []
    private(set) var messages: [Message] = []
    private(set) var isClosed = false
    private(set) var isAwaitingHandshake = false
    private(set) var logins: [String] = []

    init(profile: ServerProfile, isTLS: Bool = false) {
        session = ServerSession(profile: profile, isTLS: isTLS)
        send(session.greeting)
    }

    func takeOutput() -> [String] {
        defer { output = [] }
        return output
    }

    func finishHandshake() {
        isAwaitingHandshake = false
        session.startedTLS()
    }

    func feed(_ octets: some Sequence<UInt8>) {
        if isAwaitingHandshake { return }  // octets in clear cannot reach a session that waits for TLS
        input.append(contentsOf: octets)
        while !isClosed, !isAwaitingHandshake {
            let step = input.withUnsafeBytes { session.step($0, content: &content) }
            precondition((0...input.count).contains(step.consumed))
            input.removeFirst(step.consumed)
            if case .needInput = step.action { return }
            perform(step.action)
        }
    }

    private func perform(_ action: ServerAction) {
        switch action {
        case .needInput, .proceed, .content: break
        case .reply(let reply): send(reply)
        case .refuse(let refusal): send(refusal.reply ?? refusal.reason.reply)
        case .replyAndClose(let reply):
            send(reply)
            isClosed = true
        case .refuseAndClose(let refusal):
            send(refusal.reply ?? refusal.reason.reply)
            isClosed = true
        case .decideSender(let arguments): perform(session.resolve(decide(arguments)))
        case .decideRecipient(let arguments): perform(session.resolve(decide(arguments)))
        case .makeChallenge: perform(session.resolve(.challenge(nonce: Array("nonce".utf8))))
        case .authenticate(let credentials):
            logins.append(credentials.name)
            var isRight = false
            if case .password(let password) = credentials.proof {
                isRight = credentials.name == "ann" && password == Array("secret".utf8)
            }
            perform(session.resolve(isRight ? .authenticated("ann") : .refused(.authenticationFailed)))
        case .enquire(_, let text):
            perform(session.resolve(text == "ann" ? .accepted(nil) : .refused(.unknownRecipient)))
        case .beginContent(let envelope, let expected):
            guard (expected ?? 0) <= 1_000_000 else { return perform(session.resolve(.refused(.diskFull))) }
            self.envelope = envelope
            content = []
            perform(session.resolve(.accepted()))
        case .finish(let size):
            if let envelope { messages.append(Message(envelope: envelope, content: content, size: size)) }
            content = []
            perform(session.resolve(.accepted()))
        case .discardContent: content = []
        case .startTLS(let reply):
            send(reply)
            input = []
            isAwaitingHandshake = true
        }
    }

    private func decide(_ arguments: MailArguments) -> Resolution {
        arguments.path.address?.domain == "refused.example" ? .refused(.senderRefusedByRule) : .accepted()
    }

    private func decide(_ arguments: RecipientArguments) -> Resolution {
        let address = arguments.recipient.address.folded
        switch (address.domain, address.localPart) {
        case ("in.example", "ann"), ("in.example", "bob"), ("in.example", "postmaster"), ("", "postmaster"):
            return .accepted()
        case ("in.example", "full"): return .refused(.mailboxFull)
        case ("in.example", _): return .refused(.unknownRecipient)
        default: return session.identity == nil ? .refused(.relayDenied) : .accepted()
        }
    }

    private func send(_ reply: Reply) {
        var wire: [UInt8] = []
        reply.wire(into: &wire)
        for line in wire.split(separator: 10) { output.append(String(decoding: line.dropLast(), as: UTF8.self)) }
    }
}
