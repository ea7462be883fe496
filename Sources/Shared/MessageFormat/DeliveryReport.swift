import MailModel

/// A report about the fate of a message (RFC 3464, RFC 6533): what it is about and how it is written. The original's
/// content is not held here: `write` gives the octets around it, so that a large message is never in memory.
package struct DeliveryReport: Sendable {
    package enum Language: String, Hashable, Sendable, Codable { case english, japaneseAndEnglish }

    package enum Action: String, Hashable, Sendable, Codable {
        case failed, delayed, delivered, relayed, expanded
    }

    package struct RecipientReport: Hashable, Sendable {
        package var recipient: Recipient
        package var action: Action
        package var status: EnhancedCode
        /// The reply that decided, ours or the remote server's.
        package var reply: Reply?
        /// What happened when there is no reply: `connection refused`, …; English.
        package var text: String
        /// Host that gave the reply; `nil`: this server.
        package var remoteHost: String?
        /// Milliseconds since 1970.
        package var lastAttempt: Int64?
        /// For `delayed`: until when it will be tried.
        package var retryUntil: Int64?

        package init(
            recipient: Recipient, action: Action, status: EnhancedCode, reply: Reply? = nil, text: String = "",
            remoteHost: String? = nil, lastAttempt: Int64? = nil, retryUntil: Int64? = nil
        ) {
            self.recipient = recipient
            self.action = action
            self.status = status
            self.reply = reply
            self.text = text
            self.remoteHost = remoteHost
            self.lastAttempt = lastAttempt
            self.retryUntil = retryUntil
        }
    }

    /// Envelope sender of the original: the report's only recipient.
    package var reportedTo: MailAddress
    /// `From:` of the report: the administrator's address.
    package var from: MailAddress
    /// Own name.
    package var hostName: String
    /// Queue id of the original.
    package var originalID: QueueID
    /// Queue id of the report itself; makes its Message-ID.
    package var reportID: QueueID
    /// When the original was accepted, milliseconds since 1970.
    package var arrival: Int64
    /// Now, with the zone in which dates are written.
    package var now: Int64
    package var offsetSeconds: Int
    /// Who brought the original (RFC 3464 §2.2.4): name as it called itself, address; `nil`: it was made here.
    package var receivedFrom: String?
    /// RET and ENVID of the original.
    package var notification: SenderNotification
    package var recipients: [RecipientReport]
    package var language: Language
    /// At least 64 random bits, drawn by the caller: makes the boundary unguessable.
    package var seed: UInt64

    package init(
        reportedTo: MailAddress, from: MailAddress, hostName: String, originalID: QueueID, reportID: QueueID,
        arrival: Int64, now: Int64, offsetSeconds: Int, receivedFrom: String? = nil,
        notification: SenderNotification = .init(), recipients: [RecipientReport],
        language: Language = .japaneseAndEnglish, seed: UInt64
    ) {
        self.reportedTo = reportedTo
        self.from = from
        self.hostName = hostName
        self.originalID = originalID
        self.reportID = reportID
        self.arrival = arrival
        self.now = now
        self.offsetSeconds = offsetSeconds
        self.receivedFrom = receivedFrom
        self.notification = notification
        self.recipients = recipients
        self.language = language
        self.seed = seed
    }

    /// The original as the report returns it.
    package struct Original: Sendable {
        /// The stored header with its last line end, without the empty line.
        package var header: [UInt8]
        /// Octets of the whole stored content.
        package var size: Int

        package init(header: [UInt8], size: Int) {
            self.header = header
            self.size = size
        }

        /// From a content's start: everything in front of the empty line.
        package init(contentStart: [UInt8], size: Int) {
            let facts = MessageFacts(scanning: contentStart)
            var end = min(facts.bodyStart, contentStart.count)
            // The empty line belongs to neither part.
            if facts.isHeaderComplete, !facts.isHeaderMalformed, end > 0 { end -= 1 }
            if end > 0, contentStart[end - 1] == 0x0D { end -= 1 }
            self.init(header: Array(contentStart[..<end]), size: size)
        }
    }

    /// A report in stored form (LF): `head`, then the original's content when `returnsContent`, then `tail`.
    package struct Written: Hashable, Sendable {
        package var head: [UInt8]
        package var returnsContent: Bool
        package var tail: [UInt8]

        /// The whole report.
        package func octets(content: [UInt8]) -> [UInt8] { head + (returnsContent ? content : []) + tail }
    }

    /// Whether the report needs SMTPUTF8 on its way (RFC 6533): an address in its envelope or fields is not ASCII.
    package var needsSMTPUTF8: Bool { !reportedTo.text.isASCII || !from.text.isASCII }

    /// The largest original that is returned as a whole, octets.
    package static let fullReturnOctets = 1024 * 1024
}

/// The xtext form of DSN parameters (RFC 3461 §4): `+3D` for an octet.
package enum XText {
    /// Never fails: a `+` without two hexadecimal digits stays as it is.
    package static func decode(_ text: some StringProtocol) -> String {
        let octets = Array(text.utf8)
        var out: [UInt8] = []
        var position = 0
        while position < octets.count {
            if octets[position] == UInt8(ascii: "+"), position + 2 < octets.count,
                let high = EncodedWord.hex(octets[position + 1]), let low = EncodedWord.hex(octets[position + 2])
            {
                out.append(high << 4 | low)
                position += 3
            } else {
                out.append(octets[position])
                position += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Printable ASCII but `+` and `=` stays (RFC 3461 §4), octets beyond ASCII too: they are UTF-8 (RFC 6533 §3).
    package static func encode(_ text: some StringProtocol) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for octet in text.utf8 {
            if octet >= 0x80
                || (0x21...0x7E).contains(octet) && octet != UInt8(ascii: "+") && octet != UInt8(ascii: "=")
            {
                out.append(octet)
            } else {
                out += [UInt8(ascii: "+"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension String {
    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}
