import MailModel

extension ServerSession {
    // MARK: DATA

    mutating func takeContent(
        _ input: UnsafeRawBufferPointer, _ decoder: ContentDecoder, into content: inout [UInt8]
    ) -> ServerStep {
        guard !input.isEmpty else { return ServerStep(0, .needInput) }
        var decoder = decoder
        let (consumed, isComplete) = decoder.decode(input, into: &content)
        guard isComplete else {
            state = .content(decoder)
            return ServerStep(consumed, .content)
        }
        return ServerStep(consumed, endContent(decoder, verb: .data))
    }

    /// Sender and recipients are gone from here on, whatever the answer will be.
    private mutating func endContent(_ decoder: ContentDecoder, verb: Verb) -> ServerAction {
        guard let fault = decoder.fault else {
            state = .asking(.end(verb))
            return .finish(size: decoder.size)
        }
        state = .idle
        following = refuse(Self.reason(fault), verb: verb)
        return .discardContent
    }

    private static func reason(_ fault: ContentDecoder.Fault) -> Reason {
        switch fault {
        case .bareLineEnd: .bareLineEndInContent
        case .nul: .nulInContent
        case .tooLarge: .messageTooLarge
        }
    }

    // MARK: BDAT (RFC 3030)

    mutating func chunk(octets: Int, isLast: Bool) -> ServerAction {
        switch state {
        case .transaction(let sender):
            guard hello?.isExtended == true else { return refuseChunk(octets, .badSequence) }
            guard !recipients.isEmpty else { return refuseChunk(octets, .noValidRecipients) }
            let limit = profile.limits.messageOctets
            guard limit <= 0 || octets <= limit else { return refuseChunk(octets, .messageTooLarge) }
            return askForContent(from: sender, .chunk(octets: octets, isLast: isLast))
        case .chunks(let decoder):
            state = .chunk(decoder, left: octets, isLast: isLast)
            return .proceed
        case .idle, .authenticating, .content, .chunk, .asking, .closed:
            return refuseChunk(octets, .badSequence)
        }
    }

    /// The octets are eaten first, then comes the reply; the transaction is over (RFC 3030 §2: only RSET may follow).
    mutating func refuseChunk(_ octets: Int, _ reason: Reason, reply: Reply? = nil) -> ServerAction {
        intake = .refusedChunk(left: octets, Refusal(reason, verb: .bdat, reply: reply))
        return endTransaction(.proceed)
    }

    mutating func skipChunk(_ input: UnsafeRawBufferPointer, left: Int, _ refusal: Refusal) -> ServerStep {
        let consumed = min(left, input.count)
        guard consumed == left else {
            intake = .refusedChunk(left: left - consumed, refusal)
            return ServerStep(consumed, .needInput)
        }
        intake = .normal(scanned: 0)
        return ServerStep(consumed, refuse(refusal.reason, verb: refusal.verb, reply: refusal.reply))
    }

    mutating func takeChunk(
        _ input: UnsafeRawBufferPointer, _ decoder: ContentDecoder, left: Int, isLast: Bool,
        into content: inout [UInt8]
    ) -> ServerStep {
        var decoder = decoder
        let consumed = min(left, input.count)
        _ = decoder.decode(UnsafeRawBufferPointer(rebasing: input[..<consumed]), into: &content)
        guard consumed == left else {
            state = .chunk(decoder, left: left - consumed, isLast: isLast)
            return ServerStep(consumed, consumed == 0 ? .needInput : .content)
        }
        if isLast {
            decoder.finish(into: &content)
            return ServerStep(consumed, endContent(decoder, verb: .bdat))
        }
        if let fault = decoder.fault {
            state = .idle
            following = refuse(Self.reason(fault), verb: .bdat)
            return ServerStep(consumed, .discardContent)
        }
        state = .chunks(decoder)
        following = .reply(Reason.accepted.reply)
        return ServerStep(consumed, .content)
    }

    // MARK: Answers

    /// The answer to the question of the last action.
    package mutating func resolve(_ resolution: Resolution) -> ServerAction {
        guard case .asking(let question) = state else { return .proceed }
        switch resolution {
        case .accepted(let reply): return accepted(question, reply)
        case .acceptedRecipient(let address):
            guard case .recipient(var recipient, let sender) = question else { return .proceed }
            recipient.address = address
            return accepted(.recipient(recipient, sender), nil)
        case .challenge(let nonce, let salt, let iterations): return challenge(question, nonce, salt, iterations)
        case .proved(let signature): return proved(question, signature)
        case .authenticated(let name): return authenticated(question, as: name)
        case .refused(let reason, let reply): return refused(question, reason, reply)
        case .closed(let reason, let reply): return close(reason, verb: Self.verb(question), reply: reply)
        }
    }

    private mutating func accepted(_ question: Question, _ reply: Reply?) -> ServerAction {
        switch question {
        case .sender(let sender):
            state = .transaction(sender)
            recipients = []
            return .reply(reply ?? Reason.senderAccepted.reply)
        case .recipient(let recipient, let sender):
            recipients.append(recipient)
            state = .transaction(sender)
            return .reply(reply ?? Reason.recipientAccepted.reply)
        case .content(.data):
            state = .content(decoder(isDotted: true))
            return .reply(.startContent)
        case .content(.chunk(let octets, let isLast)):
            state = .chunk(decoder(isDotted: false), left: octets, isLast: isLast)
            return .proceed
        case .end:
            state = .idle
            commands = 0
            return .reply(reply ?? Reason.queued.reply)
        case .enquiry(_, let sender):
            state = sender.map { .transaction($0) } ?? .idle
            return .reply(reply ?? .cannotVerify)
        case .challenge, .proof, .credentials, .handshake:
            return .proceed  // answered by `challenge`, `proved`, `authenticated`, `startedTLS`
        }
    }

    private func decoder(isDotted: Bool) -> ContentDecoder {
        ContentDecoder(
            isDotted: isDotted, limit: profile.limits.messageOctets,
            toleratesBareLineEnds: profile.toleratesBareLineEnds)
    }

    private mutating func refused(_ question: Question, _ reason: Reason, _ reply: Reply?) -> ServerAction {
        let verb = Self.verb(question)
        switch question {
        case .sender, .end, .handshake: state = .idle
        case .recipient(_, let sender): state = .transaction(sender)
        case .enquiry(_, let sender): state = sender.map { .transaction($0) } ?? .idle
        case .content(.data): state = .idle
        case .content(.chunk(let octets, _)):
            state = .idle
            return refuseChunk(octets, reason, reply: reply)
        case .challenge, .proof, .credentials:
            state = .idle
            if reason == .authenticationFailed { authenticationFailures += 1 }
        }
        return refuse(reason, verb: verb, reply: reply)
    }

    private static func verb(_ question: Question) -> Verb {
        switch question {
        case .sender: .mail
        case .recipient: .rcpt
        case .content(.data): .data
        case .content(.chunk): .bdat
        case .end(let verb), .enquiry(let verb, _): verb
        case .challenge, .proof, .credentials: .auth
        case .handshake: .starttls
        }
    }
}
