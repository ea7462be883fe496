import MailModel

extension DeliveryReport {
    /// Writes the report; deterministic: the same report and original give the same octets.
    package func write(original: Original) -> Written {
        // RFC 3461 §4.3: RET counts for failures only; of other reports only the header goes back.
        let returnsContent =
            notification.ret == .full && recipients.contains { $0.action == .failed }
            && original.size <= Self.fullReturnOctets
        let boundary = boundary()
        let is8Bit = original.header.contains { $0 >= 0x80 }
        var out = LineWriter()
        let human = ReportText.body(of: self)
        // RFC 2045 §6.4: the whole is at least what its parts are.
        writeHeader(boundary, is8Bit: is8Bit || returnsContent || isGlobal || !human.isASCII, &out)
        out.line("--\(boundary)")
        writeHumanPart(human, &out)
        out.line()
        out.line("--\(boundary)")
        writeStatusPart(&out)
        out.line("--\(boundary)")
        out.line("Content-Description: \(returnsContent ? "Undelivered message" : "Undelivered message header")")
        // Header octets beyond ASCII are allowed in the types of RFC 6532 only.
        let kind =
            returnsContent
            ? (is8Bit ? "message/global" : "message/rfc822")
            : (is8Bit ? "message/global-headers" : "text/rfc822-headers")
        out.line("Content-Type: \(kind)")
        if is8Bit || returnsContent { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        if !returnsContent {
            out.raw(original.header)
            if let last = original.header.last, last != 0x0A { out.line() }
        }
        var tail = LineWriter()
        tail.line()
        tail.line("--\(boundary)--")
        return Written(head: out.octets, returnsContent: returnsContent, tail: tail.octets)
    }

    private func boundary() -> String {
        // 64 random bits and the report's id: the original, written before, can't hold it.
        "=_\(reportID)_\(String(seed, radix: 36, uppercase: true))"
    }

    private func writeHeader(_ boundary: String, is8Bit: Bool, _ out: inout LineWriter) {
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
        if is8Bit { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        out.line("This is a delivery report in MIME format (RFC 3464).")
        out.line()
    }

    private func writeHumanPart(_ text: String, _ out: inout LineWriter) {
        out.line("Content-Description: Notification")
        out.line("Content-Type: text/plain; charset=\(text.isASCII ? "us-ascii" : "utf-8")")
        if !text.isASCII { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        out.raw(Array(text.utf8))
    }

    private func writeStatusPart(_ out: inout LineWriter) {
        out.line("Content-Description: Delivery report")
        out.line("Content-Type: message/\(isGlobal ? "global-" : "")delivery-status")
        if isGlobal { out.line("Content-Transfer-Encoding: 8bit") }
        out.line()
        out.line("Reporting-MTA: dns; \(HeaderText.clean(hostName))")
        if let receivedFrom, !receivedFrom.isEmpty {
            out.line("Received-From-MTA: dns; \(DisplayText.ascii(receivedFrom, limit: 300))")
        }
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

    /// An address of the report is not ASCII: the types of RFC 6533.
    private var isGlobal: Bool {
        recipients.contains {
            !$0.recipient.address.text.isASCII || !($0.recipient.originalRecipient?.isASCII ?? true)
        }
    }

    private func writeStatus(of report: RecipientReport, _ out: inout LineWriter) {
        if let original = report.recipient.originalRecipient, let field = Self.originalRecipient(original) {
            out.line("Original-Recipient: \(field)")
        }
        let address = report.recipient.address.text
        out.line("Final-Recipient: \(address.isASCII ? "rfc822" : "utf-8"); \(HeaderText.clean(address))")
        out.line("Action: \(report.action.rawValue)")
        out.line("Status: \(report.status)")
        if let host = report.remoteHost { out.line("Remote-MTA: dns; \(DisplayText.ascii(host, limit: 240))") }
        if let reply = report.reply {
            out.line("Diagnostic-Code: smtp; \(DisplayText.ascii(reply.text, limit: Self.replyLimit))")
        } else if !report.text.isEmpty {
            out.line("Diagnostic-Code: X-EPOST; \(DisplayText.ascii(report.text, limit: Self.replyLimit))")
        }
        if let last = report.lastAttempt {
            out.line("Last-Attempt-Date: \(MailDate(milliseconds: last, offsetSeconds: offsetSeconds).text)")
        }
        if report.action == .delayed, let until = report.retryUntil {
            out.line("Will-Retry-Until: \(MailDate(milliseconds: until, offsetSeconds: offsetSeconds).text)")
        }
    }

    /// The remote's whole answer, as far as it fits into a line (RFC 5322 §2.1.1).
    private static let replyLimit = 900

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
