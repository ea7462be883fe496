import MailModel
import SMTP
import Testing

/// The grammar by tables with three outcomes.
@Suite struct CommandTests {
    enum Outcome: Equatable, Sendable {
        case success(Command)
        case incomplete
        case failure(Reason)
    }
    struct Case: Sendable {
        let wire: String
        let outcome: Outcome
        init(_ wire: String, _ outcome: Outcome) { (self.wire, self.outcome) = (wire, outcome) }
    }

    static func mailed(_ path: ReversePath, _ change: (inout MailArguments) -> Void = { _ in }) -> Outcome {
        var arguments = MailArguments(path: path)
        change(&arguments)
        return .success(.mail(arguments))
    }
    static func address(_ local: String, _ domain: String) -> ReversePath {
        .address(MailAddress(localPart: local, domain: domain))
    }
    static func rcpt(_ local: String, _ domain: String, _ change: (inout RecipientArguments) -> Void = { _ in })
        -> Outcome
    {
        var arguments = RecipientArguments(
            recipient: Recipient(address: MailAddress(localPart: local, domain: domain)))
        change(&arguments)
        return .success(.rcpt(arguments))
    }

    func outcome(_ wire: String) -> Outcome {
        let octets = Array(wire.utf8)
        guard octets.suffix(2) == [13, 10] else {
            var session = ServerSession(profile: ServerProfile(hostName: "h"))
            var content: [UInt8] = []
            let step = octets.withUnsafeBytes { session.step($0, content: &content) }
            if case .needInput = step.action, step.consumed == 0 { return .incomplete }
            return .failure(.internalError)
        }
        return octets.dropLast(2).withUnsafeBytes { line in
            do throws(CommandError) { return .success(try CommandParser.parse(line)) } catch {
                return .failure(error.reason)
            }
        }
    }

    @Test(arguments: mailCases) func mailCommand(_ test: Case) {
        #expect(outcome(test.wire) == test.outcome, "\(test.wire)")
    }
    @Test(arguments: recipientCases) func rcptCommand(_ test: Case) {
        #expect(outcome(test.wire) == test.outcome, "\(test.wire)")
    }
    @Test(arguments: otherCases) func otherCommand(_ test: Case) {
        #expect(outcome(test.wire) == test.outcome, "\(test.wire)")
    }

    static let mailCases = [
        Case("MAIL FROM:<ada@b.example>\r\n", mailed(address("ada", "b.example"))),
        Case("mail from: <ada@b.example> \r\n", mailed(address("ada", "b.example"))),
        Case("MAIL FROM:<ada@b.exa", .incomplete),
        Case("MAIL FROM:<ada@b.example>\r", .incomplete),
        Case("MAIL FROM:<>\r\n", mailed(.null)),
        Case("MAIL FROM:\r\n", mailed(.blank)),
        Case("MAIL FROM:<taro>\r\n", mailed(address("taro", ""))),
        Case("MAIL FROM:ada@b.example\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<ada@b.example\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<ada@b.example>x\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a da@b.example>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<@a.example,@b.example:ada@c.example>\r\n", mailed(address("ada", "c.example"))),
        Case("MAIL FROM:<@a.example:>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<.a..b.@docomo.example>\r\n", mailed(address(".a..b.", "docomo.example"))),
        Case(#"MAIL FROM:<"a b\"\\"@c.example>"# + "\r\n", mailed(address(#"a b"\"#, "c.example"))),
        Case(#"MAIL FROM:<"">"# + "\r\n", .failure(.senderSyntax)),
        Case(#"MAIL FROM:<"a@c.example>"# + "\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a@[192.0.2.1]>\r\n", mailed(address("a", "[192.0.2.1]"))),
        Case("MAIL FROM:<a@[IPv6:2001:db8::1]>\r\n", mailed(address("a", "[IPv6:2001:db8::1]"))),
        Case("MAIL FROM:<a@[2001:db8::1]>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a@[192.0.2.1>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a@b..c>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a@-b.c>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<a@b.example.>\r\n", mailed(address("a", "b.example"))),
        Case("MAIL FROM:<a@b.example..>\r\n", .failure(.senderSyntax)),
        Case("MAIL FROM:<@b.example>\r\n", .failure(.senderSyntax)),
        Case(
            "MAIL FROM:<\(String(repeating: "a", count: 64))@b>\r\n",
            mailed(address(String(repeating: "a", count: 64), "b"))),
        Case("MAIL FROM:<\(String(repeating: "a", count: 65))@b>\r\n", .failure(.senderSyntax)),
        Case("MAIL <ada@b.example>\r\n", .failure(.syntaxError)),
        Case("MAIL\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> SIZE=12\r\n", mailed(.null) { ($0.size, $0.hasParameters) = (12, true) }),
        Case(
            "MAIL FROM:<> size=99999999999999999999\r\n", mailed(.null) { ($0.size, $0.hasParameters) = (.max, true) }),
        Case("MAIL FROM:<> SIZE=-1\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> SIZE=\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> SIZE\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> SIZE=1 SIZE=1\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> BODY=8bitmime\r\n", mailed(.null) { ($0.is8BitMIME, $0.hasParameters) = (true, true) }),
        Case("MAIL FROM:<> BODY=BINARYMIME\r\n", .failure(.parameterUnknown)),
        Case("MAIL FROM:<> XYZ=1\r\n", .failure(.parameterUnknown)),
        Case("MAIL FROM:<> RET=SOME\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> ENVID=a+b\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> ENVID=\(String(repeating: "e", count: 101))\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> AUTH=ann+40in.example\r\n", mailed(.null) { $0.hasParameters = true }),
        Case("MAIL FROM:<> AUTH=a=b\r\n", .failure(.syntaxError)),
        Case("MAIL FROM:<> SMTPUTF8=1\r\n", .failure(.syntaxError)),
    ]

    static let recipientCases = [
        Case("RCPT TO:<ada@b.example>\r\n", rcpt("ada", "b.example")),
        Case("RCPT TO:<ada@b.exa", .incomplete),
        Case("RCPT TO:<postmaster>\r\n", rcpt("postmaster", "")),
        Case("RCPT TO:<ada>\r\n", .failure(.recipientSyntax)),
        Case("RCPT TO:<>\r\n", .failure(.recipientSyntax)),
        Case("RCPT TO:\r\n", .failure(.recipientSyntax)),
        Case(
            "RCPT TO:<a@b> NOTIFY=NEVER\r\n",
            rcpt("a", "b") { ($0.recipient.notify, $0.hasParameters) = (.never, true) }),
        Case(
            "RCPT TO:<a@b> NOTIFY=success,DELAY\r\n",
            rcpt("a", "b") { ($0.recipient.notify, $0.hasParameters) = ([.success, .delay], true) }),
        Case("RCPT TO:<a@b> NOTIFY=NEVER,DELAY\r\n", .failure(.syntaxError)),
        Case("RCPT TO:<a@b> NOTIFY=DELAY,DELAY\r\n", .failure(.syntaxError)),
        Case("RCPT TO:<a@b> NOTIFY=\r\n", .failure(.syntaxError)),
        Case(
            "RCPT TO:<a@b> ORCPT=rfc822;a+2Bx@b\r\n",
            rcpt("a", "b") { ($0.recipient.originalRecipient, $0.hasParameters) = ("rfc822;a+2Bx@b", true) }),
        Case("RCPT TO:<a@b> ORCPT=a@b\r\n", .failure(.syntaxError)),
        Case("RCPT TO:<a@b> SIZE=1\r\n", .failure(.parameterUnknown)),
    ]

    static let otherCases = [
        Case("EHLO client.example\r\n", .success(.ehlo("client.example"))),
        Case("EHLO [IPv6:::1]\r\n", .success(.ehlo("[IPv6:::1]"))),
        Case("HELO my_pc\r\n", .success(.helo("my_pc"))),
        Case("HELO <script>\r\n", .success(.helo("?script?"))),
        Case("EHLO a b\r\n", .failure(.syntaxError)),
        Case("EHLO \(String(repeating: "h", count: 256))\r\n", .failure(.syntaxError)),
        Case("DATA\r\n", .success(.data)),
        Case("data \r\n", .success(.data)),
        Case("DATA x\r\n", .failure(.syntaxError)),
        Case("DAT", .incomplete),
        Case("DATA2\r\n", .failure(.unknownCommand)),
        Case("BDAT 10\r\n", .success(.bdat(octets: 10, isLast: false))),
        Case("BDAT 0 last\r\n", .success(.bdat(octets: 0, isLast: true))),
        Case("BDAT 10LAST\r\n", .failure(.syntaxError)),
        Case("BDAT\r\n", .failure(.syntaxError)),
        Case("BDAT -1\r\n", .failure(.syntaxError)),
        Case("BDAT 99999999999999999999 LAST\r\n", .failure(.syntaxError)),
        Case("NOOP anything\r\n", .success(.noop)),
        Case("VRFY <ann>\r\n", .success(.vrfy("ann"))),
        Case("VRFY\r\n", .failure(.syntaxError)),
        Case("EXPN list\r\n", .success(.expn("list"))),
        Case("HELP MAIL\r\n", .success(.help)),
        Case("AUTH plain\r\n", .success(.auth(mechanism: "PLAIN", initialResponse: nil))),
        Case("AUTH PLAIN =\r\n", .success(.auth(mechanism: "PLAIN", initialResponse: [0x3D]))),
        Case("AUTH\r\n", .failure(.syntaxError)),
        Case("AUTH PLA*N\r\n", .failure(.syntaxError)),
        Case("STARTTLS\r\n", .success(.starttls)),
        Case("\r\n", .failure(.unknownCommand)),
        Case("VERYLONGVERB\r\n", .failure(.unknownCommand)),
        Case("NOOP \u{7}\r\n", .failure(.syntaxError)),
    ]

    /// RFC 3030: the octets behind a malformed BDAT are known, or the session cannot go on.
    @Test(arguments: [("BDAT 7 X", 7 as Int?), ("BDAT x", nil), ("BDAT 7\u{1}", nil), ("RCPT TO:<", 0)])
    func octetsBehindARefusedLine(_ line: String, _ octets: Int?) {
        Array(line.utf8).withUnsafeBytes { bytes in
            do throws(CommandError) {
                _ = try CommandParser.parse(bytes)
                Issue.record("\(line) was accepted")
            } catch { #expect(error.chunk == octets) }
        }
    }

    /// No line of any octets traps, and whatever is accepted as an address prints as one that is read again.
    @Test func addressesSurviveARound() {
        for text in [#""a b"@c.example"#, "x@y.example", ".dot.@z.example", #""\"quoted\""@c"#, "a@[192.0.2.1]"] {
            let address = PathParser.mailbox(text)
            #expect(address != nil, "\(text)")
            #expect(address.flatMap { PathParser.mailbox($0.text) } == address, "\(text)")
        }
        for text in ["", "@", "a@", "a b", "a@b@c", "<a@b>", "a@b>"] {
            #expect(PathParser.mailbox(text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "\u{0}\u{ff}\u{10}"])
    func base64Round(_ text: String) {
        let octets = Array(text.utf8)
        #expect(Base64.decode(Base64.encode(octets)) == octets)
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Z g="])
    func base64Refused(_ text: String) { #expect(Base64.decode(Array(text.utf8)) == nil, "\(text)") }
}
