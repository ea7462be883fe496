/// One line of the structured log; the five text logs of the original are views of the same events (spec file 12).
package struct LogEvent: Hashable, Sendable, Codable {
    /// Which of the original's logs shows it; `system` and `session` stand in the structured log only.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// A recipient was accepted (R-LOG-03, folder inlog).
        case receive
        /// A recipient in an external domain was delivered (R-LOG-04, folder outlog).
        case send
        /// A client tried MAIL FROM (R-LOG-05, folder acceptlog).
        case accept
        /// A step of EPSTDS (R-LOG-06, folder senderlog).
        case sender
        /// A recipient finally failed (R-LOG-07, folder faillog).
        case fail
        /// A recipient was stored in a local mailbox.
        case local
        /// A refusal, an authentication, a TLS handshake: what happened in a session beside the above.
        case session
        /// Start, stop, reload, trouble of a service.
        case system
    }
    package enum Level: String, Hashable, Sendable, Codable, CaseIterable { case debug, info, warning, error }

    /// Milliseconds since 1970.
    package var time: Int64
    /// `EPSTRS`, `EPSTDS`, `EPOSTD`, …
    package var service: String
    package var kind: Kind
    package var level: Level
    package var queueID: QueueID?
    /// Client or remote server address.
    package var address: String?
    /// HELO name of a client, or host name of a remote server.
    package var host: String?
    package var sender: String?
    package var recipient: String?
    /// Result code or reply text, as sent or received.
    package var reply: String?
    package var text: String?
    /// Octets of the message.
    package var size: Int?
    package var reference: String?
    package var messageID: String?
    /// Version and cipher of the connection, `TLSv1.3 TLS_AES_256_GCM_SHA384`; `nil`: in clear, or no connection.
    package var tls: String?
    /// Account of an authenticated session.
    package var login: String?
    /// Names one connection of a client: its lines belong together.
    package var session: String?
    /// The message that this one was made from (reports, forwards).
    package var parent: QueueID?

    package init(
        time: Int64, service: String, kind: Kind, level: Level = .info, queueID: QueueID? = nil, address: String? = nil,
        host: String? = nil, sender: String? = nil, recipient: String? = nil, reply: String? = nil,
        text: String? = nil, size: Int? = nil, reference: String? = nil, messageID: String? = nil,
        tls: String? = nil, login: String? = nil, session: String? = nil, parent: QueueID? = nil
    ) {
        self.time = time
        self.service = service
        self.kind = kind
        self.level = level
        self.queueID = queueID
        self.address = address
        self.host = host
        self.sender = sender
        self.recipient = recipient
        self.reply = reply
        self.text = text
        self.size = size
        self.reference = reference
        self.messageID = messageID
        self.tls = tls
        self.login = login
        self.session = session
        self.parent = parent
    }
}
