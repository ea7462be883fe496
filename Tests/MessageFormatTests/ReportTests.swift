import MailModel
import Testing

@testable import MessageFormat

private func address(_ text: String) -> MailAddress {
    let parts = text.split(separator: "@")
    return MailAddress(localPart: String(parts[0]), domain: String(parts[1]))
}

private func id(_ text: String) -> QueueID {
    guard let id = QueueID(text) else { preconditionFailure("test data") }
    return id
}

@Suite("delivery reports")
struct DeliveryReportTests {
    static let header = "Received: from x\n\tby y; Mon\nFrom: a@in.example\nSubject: hi\n"
    static let content = header + "\nbody\n"

    static func report(
        _ recipients: [DeliveryReport.RecipientReport] = [failure()], ret: SenderNotification.Return? = nil,
        language: DeliveryReport.Language = .english, envelopeID: String? = nil, to: String = "a@in.example"
    ) -> DeliveryReport {
        DeliveryReport(
            reportedTo: address(to), from: address("postmaster@in.example"), hostName: "mx.in.example",
            originalID: id("01HZXA00000000"), reportID: id("01HZXA00000001"), arrival: 1_440_400_153_000,
            now: 1_440_403_753_000, offsetSeconds: 32_400, notification: .init(ret: ret, envelopeID: envelopeID),
            recipients: recipients, language: language, seed: 0x1234_5678_9ABC_DEF0)
    }

    static func failure(
        _ to: String = "e@ext.example", text: String = "",
        reply: Reply? = Reply(550, EnhancedCode(5, 1, 1), "no such user"),
        original: String? = nil
    ) -> DeliveryReport.RecipientReport {
        .init(
            recipient: Recipient(address: address(to), originalRecipient: original), action: .failed,
            status: EnhancedCode(5, 1, 1), reply: reply, text: text, remoteHost: "mx.ext.example",
            lastAttempt: 1_440_403_700_000)
    }

    static func written(_ report: DeliveryReport, content: String = content) -> String {
        let octets = Array(content.utf8)
        let written = report.write(original: .init(contentStart: octets, size: octets.count))
        return String(decoding: written.octets(content: octets), as: UTF8.self)
    }

    /// Every octet, so that a change of form is a decision.
    @Test func wholeReport() {
        #expect(
            Self.written(Self.report(envelopeID: "QQ+2B314")) == """
                From: "Mail Delivery System" <postmaster@in.example>
                To: <a@in.example>
                Subject: Undelivered mail returned to sender
                Date: Mon, 24 Aug 2015 17:09:13 +0900
                Message-ID: <01HZXA00000001@mx.in.example>
                Auto-Submitted: auto-replied
                MIME-Version: 1.0
                Content-Type: multipart/report; report-type=delivery-status;
                \tboundary="=_01HZXA00000001_9YS742PPS3QO"

                This is a delivery report in MIME format (RFC 3464).

                --=_01HZXA00000001_9YS742PPS3QO
                Content-Description: Notification
                Content-Type: text/plain; charset=us-ascii

                This is the mail system at mx.in.example.

                Your message could not be delivered to one or more recipients.

                <e@ext.example>: 5.1.1
                    mx.ext.example: 550 5.1.1 no such user

                Queue ID: 01HZXA00000000
                Accepted: Mon, 24 Aug 2015 16:09:13 +0900

                --=_01HZXA00000001_9YS742PPS3QO
                Content-Description: Delivery report
                Content-Type: message/delivery-status

                Reporting-MTA: dns; mx.in.example
                Original-Envelope-Id: QQ+314
                X-Queue-ID: 01HZXA00000000
                Arrival-Date: Mon, 24 Aug 2015 16:09:13 +0900

                Final-Recipient: rfc822; e@ext.example
                Action: failed
                Status: 5.1.1
                Remote-MTA: dns; mx.ext.example
                Diagnostic-Code: smtp; 550 5.1.1 no such user
                Last-Attempt-Date: Mon, 24 Aug 2015 17:08:20 +0900

                --=_01HZXA00000001_9YS742PPS3QO
                Content-Description: Undelivered message header
                Content-Type: text/rfc822-headers

                Received: from x
                \tby y; Mon
                From: a@in.example
                Subject: hi

                --=_01HZXA00000001_9YS742PPS3QO--

                """)
    }

    /// RFC 3461 §4.3.
    @Test func fullReturnHoldsTheMessage() {
        let text = Self.written(Self.report(ret: .full))
        #expect(text.contains("Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n\(Self.content)\n--=_"))
        #expect(Self.written(Self.report(ret: .headers)).contains("text/rfc822-headers"))
        let large = Self.report(ret: .full).write(
            original: .init(header: [], size: DeliveryReport.fullReturnOctets + 1))
        #expect(!large.returnsContent)
        var success = Self.failure()
        success.action = .delivered
        #expect(!Self.report([success], ret: .full).write(original: .init(header: [], size: 1)).returnsContent)
    }

    @Test func japaneseAndEnglish() {
        let text = Self.written(Self.report(language: .japaneseAndEnglish))
        #expect(text.contains("charset=utf-8\nContent-Transfer-Encoding: 8bit\n"))
        #expect(text.contains("配送できませんでした"))
        #expect(text.contains("could not be delivered"))
    }

    @Test(
        "subject and action",
        arguments: [
            (DeliveryReport.Action.failed, "Undelivered mail returned to sender"),
            (.delayed, "Delayed mail (still being retried)"), (.delivered, "Successful mail delivery report"),
            (.relayed, "Successful mail delivery report"),
        ])
    func actions(_ action: DeliveryReport.Action, _ subject: String) {
        var recipient = Self.failure()
        recipient.action = action
        recipient.retryUntil = 1_440_403_753_000
        let text = Self.written(Self.report([recipient]))
        #expect(text.contains("Subject: \(subject)\n"))
        #expect(text.contains("\nAction: \(action.rawValue)\n"))
        #expect(text.contains("Will-Retry-Until:") == (action == .delayed))
    }

    /// RFC 6533: addresses and header octets beyond ASCII have types of their own.
    @Test func internationalAddresses() {
        let text = Self.written(
            Self.report([Self.failure("太郎@ext.example", original: "utf-8;taro")]), content: "Subject: 日本\n\nx\n")
        #expect(text.contains("Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n"))
        #expect(text.contains("Final-Recipient: utf-8; 太郎@ext.example\n"))
        #expect(text.contains("Original-Recipient: utf-8; taro\n"))
        #expect(text.contains("Content-Type: message/global-headers\n"))
        #expect(Self.report(to: "太郎@ext.example").needsSMTPUTF8)
        #expect(!Self.report().needsSMTPUTF8)
    }

    /// CWE-93: a hostile reply, address or ENVID adds no field, part or line.
    @Test func nothingIsInjected() {
        let hostile = "x\r\nBcc: evil@x\n\n--=_01HZXA00000001_9YS742PPS3QO--\n\u{1B}[2J"
        var recipient = Self.failure(text: hostile, reply: Reply(550, nil, hostile))
        recipient.recipient.address = MailAddress(localPart: hostile, domain: "ext.example")
        recipient.recipient.originalRecipient = "rfc822;a+0D+0ABcc:+20evil@x"
        recipient.remoteHost = hostile
        let text = Self.written(Self.report([recipient], envelopeID: "a+0ABcc: evil"))
        #expect(!text.contains("\nBcc:"))
        #expect(!text.utf8.contains(0x1B))
        #expect(!text.utf8.contains(0x0D))
        let boundaries = text.split(separator: "\n", omittingEmptySubsequences: false).filter { $0.hasPrefix("--=_") }
        #expect(boundaries.count == 4)
    }

    /// A remote reply in UTF-8 must not make a 7-bit part 8-bit.
    @Test func statusPartStaysASCII() {
        let text = Self.written(Self.report([Self.failure(reply: Reply(550, nil, "宛先不明"))]))
        #expect(text.contains("Diagnostic-Code: smtp; 550 \\xE5\\xAE\\x9B"))
        #expect(text.contains("\nContent-Type: message/delivery-status\n\n"))
        #expect(text.contains("mx.ext.example: 550 宛先不明"))
    }

    /// RFC 2045 §6.4.
    @Test func theWholeSaysEightBitWhenAPartIs() {
        func isMarked(_ text: String) -> Bool {
            text.split(separator: "This is a delivery report").first?.contains("Content-Transfer-Encoding: 8bit")
                ?? false
        }
        #expect(!isMarked(Self.written(Self.report())))
        #expect(isMarked(Self.written(Self.report(language: .japaneseAndEnglish))))
        #expect(isMarked(Self.written(Self.report(ret: .full))))
        #expect(isMarked(Self.written(Self.report(), content: "Subject: 日本\n\n")))
    }

    @Test func originalRecipientIsDecoded() {
        let text = Self.written(Self.report([Self.failure(original: "rfc822;Bob+2BB@x.example")]))
        #expect(text.contains("Original-Recipient: rfc822; Bob+B@x.example\n"))
        #expect(!Self.written(Self.report([Self.failure(original: "nonsense")])).contains("Original-Recipient"))
    }

    @Test func boundariesDiffer() {
        var other = Self.report()
        other.seed = 1
        #expect(Self.written(other) != Self.written(Self.report()))
    }

    @Test(
        "the original's header",
        arguments: [
            ("A: 1\n\nbody", "A: 1\n"), ("A: 1\r\n\r\nbody", "A: 1\r\n"), ("A: 1\n", "A: 1\n"), ("body only", ""),
            ("", ""), ("\nx", ""),
        ])
    func originalHeader(_ content: String, _ header: String) {
        let original = DeliveryReport.Original(contentStart: Array(content.utf8), size: content.utf8.count)
        #expect(String(decoding: original.header, as: UTF8.self) == header)
    }

    @Test(
        "xtext",
        arguments: [("a+2Bb", "a+b"), ("+3D", "="), ("+", "+"), ("+2", "+2"), ("+ZZ", "+ZZ"), ("a++2B", "a++")])
    func xtext(_ text: String, _ expected: String) { #expect(XText.decode(text) == expected) }

    @Test func longLinesAreCut() {
        let text = Self.written(
            Self.report([Self.failure(reply: Reply(550, nil, String(repeating: "x", count: 5000)))]))
        #expect(text.utf8.split(separator: 0x0A).allSatisfy { $0.count <= 998 })
    }
}

@Suite("own header fields")
struct TraceFieldTests {
    @Test func returnPath() {
        #expect(TraceField.returnPath(.null) == Array("Return-Path: <>\n".utf8))
        #expect(TraceField.returnPath(.blank) == Array("Return-Path: <>\n".utf8))
        #expect(TraceField.returnPath(.address(address("a@x.example"))) == Array("Return-Path: <a@x.example>\n".utf8))
        let hostile = MailAddress(localPart: "a\nBcc: x", domain: "y")
        #expect(TraceField.returnPath(.address(hostile)).filter { $0 == 0x0A }.count == 1)
        #expect(TraceField.deliveredTo(address("a@x.example")) == Array("Delivered-To: a@x.example\n".utf8))
    }

    /// RFC 6409 §8.
    @Test(
        "fields that a submission lacks",
        arguments: [
            ("Subject: x\n\n", "Date: Mon, 24 Aug 2015 16:09:13 +0900\nMessage-ID: <01HZXA00000000@mx.in.example>\n"),
            ("Date: x\n\n", "Message-ID: <01HZXA00000000@mx.in.example>\n"),
            ("Message-ID: <1@x>\n\n", "Date: Mon, 24 Aug 2015 16:09:13 +0900\n"),
            ("DATE: x\nmessage-id: <1@x>\n\n", ""),
        ])
    func missing(_ content: String, _ expected: String) {
        let facts = MessageFacts(scanning: Array(content.utf8))
        let added = TraceField.missing(
            from: facts, id: id("01HZXA00000000"), hostName: "mx.in.example",
            date: MailDate(milliseconds: 1_440_400_153_000, offsetSeconds: 32_400))
        #expect(String(decoding: added, as: UTF8.self) == expected)
    }
}
