import MailModel

extension ServerSession {
    /// One well-formed command in the state the session is in. No `default`: a new verb stops the build here.
    mutating func perform(_ command: Command) -> ServerAction {
        count(command)
        switch command {
        case .ehlo(let name): return greet(Hello(name: name, isExtended: true))
        case .helo(let name): return greet(Hello(name: name, isExtended: false))
        case .mail(let arguments): return mail(arguments)
        case .rcpt(let arguments): return recipient(arguments)
        case .data: return data()
        case .bdat(let octets, let isLast): return chunk(octets: octets, isLast: isLast)
        case .rset: return endTransaction(.reply(Reason.accepted.reply))
        case .noop: return .reply(Reason.accepted.reply)
        case .quit: return quit()
        case .vrfy(let text): return enquire(.vrfy, text)
        case .expn(let text): return enquire(.expn, text)
        case .help: return .reply(profile.help)
        case .starttls: return startTLS()
        case .auth(let mechanism, let response): return authenticate(mechanism, response)
        }
    }

    /// Recipients are bounded by their own limits, octets of chunks by the message's size; chunks without substance
    /// count, or a peer could send them for ever.
    private mutating func count(_ command: Command) {
        switch command {
        case .rcpt: break
        case .bdat(let octets, _) where octets >= 512: break
        case .ehlo, .helo, .mail, .data, .bdat, .rset, .noop, .quit, .vrfy, .expn, .help, .starttls, .auth:
            commands += 1
        }
    }

    /// Drops the transaction, and with it content that was begun, before `action`.
    mutating func endTransaction(_ action: ServerAction) -> ServerAction {
        let hadContent =
            switch state {
            case .chunks, .chunk: true
            case .idle, .transaction, .authenticating, .content, .asking, .closed: false
            }
        state = .idle
        recipients = []
        guard hadContent else { return action }
        following = action
        return .discardContent
    }

    private mutating func greet(_ new: Hello) -> ServerAction {
        hello = new
        let reply =
            !new.isExtended
            ? Reply.hello(host: profile.hostName)
            : !isTLS ? profile.helloPlain : bindings.isEmpty ? profile.helloInsideTLS : profile.helloInsideBoundTLS
        return endTransaction(.reply(reply))  // RFC 5321 §4.1.4: as if RSET had been sent
    }

    private mutating func quit() -> ServerAction {
        let action = endTransaction(.replyAndClose(.goodbye))
        state = .closed
        return action
    }

    private mutating func mail(_ arguments: MailArguments) -> ServerAction {
        guard let hello else { return refuse(.heloRequired, verb: .mail) }
        switch state {
        case .idle: break
        // RFC 5321 §4.1.4: MAIL inside an open transaction is out of order.
        case .transaction, .chunks, .authenticating, .content, .chunk, .asking, .closed:
            return refuse(.badSequence, verb: .mail)
        }
        guard hello.isExtended || !arguments.hasParameters else { return refuse(.parameterUnknown, verb: .mail) }
        state = .asking(.sender(arguments))
        return .decideSender(arguments)
    }

    private mutating func recipient(_ arguments: RecipientArguments) -> ServerAction {
        guard case .transaction(let sender) = state else { return refuse(.badSequence, verb: .rcpt) }
        let recipient = arguments.recipient
        guard hello?.isExtended == true || !arguments.hasParameters else {
            return refuse(.parameterUnknown, verb: .rcpt)
        }
        guard sender.needsSMTPUTF8 || !recipient.address.isInternational else {
            return refuse(.senderNeedsSMTPUTF8, verb: .rcpt)
        }
        let limit = profile.limits.recipients
        guard limit <= 0 || recipients.count < limit else {
            // Temporary, so no error of the peer (RFC 5321 §4.5.3.1.10), but it counts as a command: it is bounded.
            commands += 1
            return refuse(.tooManyRecipients, verb: .rcpt)
        }
        state = .asking(.recipient(recipient, sender))
        return .decideRecipient(arguments)
    }

    private mutating func data() -> ServerAction {
        switch state {
        case .transaction(let sender):
            guard !recipients.isEmpty else {
                return refuse(.noValidRecipients, verb: .data)  // RFC 5321 §3.3
            }
            return askForContent(from: sender, .data)
        // RFC 3030 §2: DATA must not follow BDAT in one transaction.
        case .idle, .chunks, .authenticating, .content, .chunk, .asking, .closed:
            return refuse(.badSequence, verb: .data)
        }
    }

    mutating func askForContent(from sender: MailArguments, _ start: Start) -> ServerAction {
        let envelope = Envelope(
            sender: sender.path, notification: sender.notification, recipients: recipients,
            needsSMTPUTF8: sender.needsSMTPUTF8, is8BitMIME: sender.is8BitMIME)
        state = .asking(.content(start))
        recipients = []
        return .beginContent(envelope, expected: sender.size)
    }

    private mutating func enquire(_ verb: Verb, _ text: String) -> ServerAction {
        guard profile.answersEnquiries else { return refuse(.commandDisabled, verb: verb) }
        switch state {
        case .idle: state = .asking(.enquiry(verb, nil))
        case .transaction(let sender): state = .asking(.enquiry(verb, sender))
        case .chunks, .authenticating, .content, .chunk, .asking, .closed: return refuse(.badSequence, verb: verb)
        }
        return .enquire(verb, text)
    }

    private mutating func startTLS() -> ServerAction {
        guard !isTLS else { return refuse(.tlsAlreadyActive, verb: .starttls) }
        guard profile.offersTLS else { return refuse(.tlsNotAvailable, verb: .starttls) }
        guard case .idle = state, hello != nil else { return refuse(.badSequence, verb: .starttls) }
        state = .asking(.handshake)
        return .startTLS(.readyForTLS)
    }

    /// The handshake is done: the session begins anew, nothing said before counts (RFC 3207 §4.2). On a port that
    /// speaks TLS from the first octet it is the beginning.
    package mutating func startedTLS(bindings: [String: [UInt8]] = [:]) {
        isTLS = true
        self.bindings = bindings
        hello = nil
        identity = nil
        state = .idle
        recipients = []
        intake = .normal(scanned: 0)
        following = nil
    }
}
