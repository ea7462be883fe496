import MailModel

/// One mail transaction as the client gives it to the session.
package struct ClientTransaction: Sendable {
    package var sender: ReversePath
    package var notification: SenderNotification
    /// At least one.
    package var recipients: [Recipient]
    /// Octets as they will be sent, about; for SIZE.
    package var size: Int
    /// The message cannot travel without SMTPUTF8: an address or a header field holds UTF-8 (RFC 6531 §3.1).
    package var needsSMTPUTF8: Bool
    /// The content holds octets above 127, or the sender said so.
    package var is8Bit: Bool

    package init(
        sender: ReversePath, notification: SenderNotification = .init(), recipients: [Recipient], size: Int,
        needsSMTPUTF8: Bool = false, is8Bit: Bool = false
    ) {
        self.sender = sender
        self.notification = notification
        self.recipients = recipients
        self.size = size
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.is8Bit = is8Bit
    }
}

/// What kind of failure a temporary one was: decides which limit of the retry settings counts (R-DLV-20).
package enum ClientFailureClass: String, Hashable, Sendable {
    /// 回線異常: 4yz, connection lost or time-out after the connection stood.
    case line
    /// マシン無応答: no connection, or no answer of the name servers.
    case unreachable
}

/// What became of one recipient in one attempt.
package enum ClientOutcome: Hashable, Sendable {
    /// The remote took responsibility.
    case delivered(Reply)
    case deferred(Reply, ClientFailureClass)
    /// The remote refused for good (5yz), or does not offer what the administrator asks of it.
    case failed(Reply)
    /// We cannot send this to that server, and no repetition changes it.
    case impossible(Reply)

    package var reply: Reply {
        switch self {
        case .delivered(let reply), .deferred(let reply, _), .failed(let reply), .impossible(let reply): reply
        }
    }

    /// What a reply to a command means for a recipient. A positive reply where none can be is a fault of the line.
    package init(refusal reply: Reply) {
        switch reply.kind {
        case .permanent: self = .failed(reply)
        case .transient: self = .deferred(reply, .line)
        case .positive, .intermediate: self = .deferred(DeliveryTrouble.malformedReply.reply(reply.text), .line)
        }
    }
}

/// The end of a transaction.
package struct ClientTransactionResult: Sendable, Equatable {
    /// One for each recipient, in the order of the transaction.
    package var outcomes: [ClientOutcome]
    /// The server offers DSN, so the duty to report travels on with the message (RFC 3461 §5.2.1).
    package var passedNotification: Bool
    /// Some outcome is the server's answer to the end of the content: it has seen the whole message.
    package var contentWasSent: Bool

    package init(outcomes: [ClientOutcome], passedNotification: Bool, contentWasSent: Bool) {
        self.outcomes = outcomes
        self.passedNotification = passedNotification
        self.contentWasSent = contentWasSent
    }
}

/// Why a session ended, seen from this side.
package enum ClientEnd: Sendable, Equatable {
    /// We said QUIT, and nothing was lost.
    case quit
    /// The host will not talk to us now or ever: the reply is its own or a `DeliveryTrouble`'s. Another host may.
    case refused(ClientOutcome)
    /// The handshake failed; without TLS the host may take the mail.
    case tlsFailed(Reply)
    /// The connection broke or made no sense.
    case broken(ClientOutcome)
}

/// What the edge must do next.
package enum ClientEvent: Sendable, Equatable {
    /// Begin the TLS handshake now, then call `tlsEstablished` or `tlsFailed`.
    case startTLS
    /// The session takes a transaction now.
    case ready
    /// 354: stream the content through a `ClientContentEncoder`, its end included, then call `contentSent`.
    case sendContent
    /// Each recipient has its outcome.
    case transactionEnded(ClientTransactionResult)
    /// Close the connection; output that is left is sent first.
    case ended(ClientEnd)
}

/// Which time-out runs (RFC 5321 §4.5.3.2).
package enum ClientPhase: Hashable, Sendable, CaseIterable {
    case greeting, hello, startTLS, authentication, mail, recipient, dataStart, dataBlock, dataEnd, reset, quit, idle

    /// For people: `while waiting for the reply to MAIL`.
    package var text: String {
        switch self {
        case .greeting: "the greeting"
        case .hello: "the reply to EHLO"
        case .startTLS: "TLS"
        case .authentication: "the reply to AUTH"
        case .mail: "the reply to MAIL"
        case .recipient: "the reply to RCPT"
        case .dataStart: "the reply to DATA"
        case .dataBlock: "the remote to take content"
        case .dataEnd: "the reply to the end of content"
        case .reset: "the reply to RSET"
        case .quit: "the reply to QUIT"
        case .idle: "the next message"
        }
    }
}
