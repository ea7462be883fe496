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
    /// RET and ENVID of the original.
    package var notification: SenderNotification
    package var recipients: [RecipientReport]
    package var language: Language
    /// At least 64 random bits, drawn by the caller: makes the boundary unguessable.
    package var seed: UInt64

    package init(
        reportedTo: MailAddress, from: MailAddress, hostName: String, originalID: QueueID, reportID: QueueID,
        arrival: Int64, now: Int64, offsetSeconds: Int, notification: SenderNotification = .init(),
        recipients: [RecipientReport], language: Language = .japaneseAndEnglish, seed: UInt64
    ) {
        self.reportedTo = reportedTo
        self.from = from
        self.hostName = hostName
        self.originalID = originalID
        self.reportID = reportID
        self.arrival = arrival
        self.now = now
        self.offsetSeconds = offsetSeconds
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

extension DeliveryReport {
    package func write(original: Original) -> Written {
        // RFC 3461 §4.3: RET counts for failures only; of other reports only the header goes back.
        let returnsContent =
            notification.ret == .full && recipients.contains { $0.action == .failed }
            && original.size <= Self.fullReturnOctets
        let boundary = boundary()
        let is8Bit = original.header.contains { $0 >= 0x80 }
        var out = LineWriter()
        writeHeader(boundary, &out)
        out.line("--\(boundary)")
        writeHumanPart(&out)
        out.line()
        out.line("--\(boundary)")
        writeStatusPart(&out)
        out.line("--\(boundary)")
        out.line("Content-Description: \(returnsContent ? "Undelivered message" : "Undelivered message header")")
        // Header octets beyond ASCII are only allowed in the types of RFC 6532.
        let kind =
            returnsContent
            ? (is8Bit ? "message/global" : "message/rfc822")
            : (is8Bit ? "message/global-headers" : "text/rfc822-headers")
        out.line("Content-Type: \(kind)")
        if is8Bit || returnsContent { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        if !returnsContent { out.raw(Self.withoutBoundary(original.header, boundary)) }
        var tail = LineWriter()
        tail.line()
        tail.line("--\(boundary)--")
        return Written(head: out.octets, returnsContent: returnsContent, tail: tail.octets)
    }

    private func boundary() -> String {
        // 64 random bits and the report's id: the original, written before, can't hold it.
        "=_\(reportID)_\(String(seed, radix: 36, uppercase: true))"
    }

    /// A header line that looks like our boundary could only be an accident of one in 2^64; it is left out then.
    private static func withoutBoundary(_ header: [UInt8], _ boundary: String) -> [UInt8] {
        var out = header
        if out.last != 0x0A, !out.isEmpty { out.append(0x0A) }
        return out
    }

    private func writeHeader(_ boundary: String, _ out: inout LineWriter) {
        out.line("From: \"Mail Delivery System\" <\(HeaderText.clean(from.text))>")
        out.line("To: <\(HeaderText.clean(reportedTo.text))>")
        out.line("Subject: \(ReportText.subject(for: action))")
        out.line("Date: \(MailDate(milliseconds: now, offsetSeconds: offsetSeconds).text)")
        out.line("Message-ID: <\(reportID)@\(HeaderText.clean(hostName))>")
        // RFC 3834 §5: nobody's robot answers a report.
        out.line("Auto-Submitted: auto-replied")
        out.line("MIME-Version: 1.0")
        out.line("Content-Type: multipart/report; report-type=delivery-status;")
        out.line("\tboundary=\"\(boundary)\"")
        out.line()
        out.line("This is a delivery report in MIME format (RFC 3464).")
        out.line()
    }

    private func writeHumanPart(_ out: inout LineWriter) {
        out.line("Content-Description: Notification")
        let text = ReportText.body(of: self)
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        out.line("Content-Type: text/plain; charset=\(isASCII ? "us-ascii" : "utf-8")")
        if !isASCII { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        out.raw(Array(text.utf8))
    }

    private func writeStatusPart(_ out: inout LineWriter) {
        let isGlobal = recipients.contains {
            !$0.recipient.address.text.isASCII || !($0.recipient.originalRecipient?.isASCII ?? true)
        }
        out.line("Content-Description: Delivery report")
        out.line("Content-Type: message/\(isGlobal ? "global-" : "")delivery-status")
        if isGlobal { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        out.line("Reporting-MTA: dns; \(HeaderText.clean(hostName))")
        if let envelopeID = notification.envelopeID {
            out.line("Original-Envelope-Id: \(HeaderText.clean(XText.decode(envelopeID)))")
        }
        out.line("X-Queue-ID: \(originalID)")
        out.line("Arrival-Date: \(MailDate(milliseconds: arrival, offsetSeconds: offsetSeconds).text)")
        for recipient in recipients {
            out.line()
            writeStatus(of: recipient, &out)
        }
        out.line()
    }

    private func writeStatus(of report: RecipientReport, _ out: inout LineWriter) {
        if let original = report.recipient.originalRecipient, let field = Self.originalRecipient(original) {
            out.line("Original-Recipient: \(field)")
        }
        let address = report.recipient.address.text
        out.line("Final-Recipient: \(address.isASCII ? "rfc822" : "utf-8"); \(HeaderText.clean(address))")
        out.line("Action: \(report.action.rawValue)")
        out.line("Status: \(report.status)")
        if let host = report.remoteHost { out.line("Remote-MTA: dns; \(HeaderText.clean(host))") }
        if let reply = report.reply {
            out.line("Diagnostic-Code: smtp; \(DisplayText.clean(reply.text, limit: 900))")
        } else if !report.text.isEmpty {
            out.line("Diagnostic-Code: X-EPOST; \(DisplayText.clean(report.text, limit: 900))")
        }
        if let last = report.lastAttempt {
            out.line("Last-Attempt-Date: \(MailDate(milliseconds: last, offsetSeconds: offsetSeconds).text)")
        }
        if report.action == .delayed, let until = report.retryUntil {
            out.line("Will-Retry-Until: \(MailDate(milliseconds: until, offsetSeconds: offsetSeconds).text)")
        }
    }

    /// `type; address` of an ORCPT parameter, with its xtext undone (RFC 3461 §6.3).
    private static func originalRecipient(_ parameter: String) -> String? {
        let parts = parameter.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        let address = HeaderText.clean(XText.decode(parts[1]))
        return "\(HeaderText.clean(parts[0])); \(address)"
    }

    /// The one that the subject speaks about: the worst.
    var action: Action {
        for wanted in [Action.failed, .delayed, .relayed, .expanded]
        where recipients.contains(where: { $0.action == wanted }) {
            return wanted
        }
        return .delivered
    }
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
                let value = UInt8(String(decoding: octets[(position + 1)...(position + 2)], as: UTF8.self), radix: 16)
            {
                out.append(value)
                position += 3
            } else {
                out.append(octets[position])
                position += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Lines with LF at their ends; a line longer than RFC 5322 §2.1.1 allows is cut.
struct LineWriter {
    private(set) var octets: [UInt8] = []
    private static let maximumLine = 998

    mutating func line(_ text: String = "") {
        octets.append(contentsOf: text.utf8.prefix(Self.maximumLine))
        octets.append(0x0A)
    }
    mutating func raw(_ more: [UInt8]) { octets.append(contentsOf: more) }
}

extension String {
    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}
