import MailModel
import Testing

@testable import SMTP

@Suite("Client: odd and hostile servers")
struct ClientTroubleTests {
    /// A server that stops in the middle, at each stage.
    static let stages: [(server: String, phase: ClientPhase)] = [
        ("", .greeting),
        ("220 x\n", .hello),
        ("220 x\n250 x\n", .mail),
        ("220 x\n250 x\n250 ok\n", .recipient),
        ("220 x\n250 x\n250 ok\n250 ok\n", .dataStart),
        ("220 x\n250 x\n250 ok\n250 ok\n354 go\n", .dataEnd),
    ]

    @Test("connection lost: the stage is named, nothing stays open", arguments: stages)
    func lost(_ server: String, _ phase: ClientPhase) {
        var client = ClientDialogue()
        for line in server.split(separator: "\n") { client.server(line + "\n") }
        #expect(client.session.phase == phase)
        client.lose()
        let reply = DeliveryTrouble.connectionLost.reply("while waiting for \(phase.text)")
        #expect(client.end == .broken(.deferred(reply, .line)))
        #expect(client.session.phase == nil)
        if client.results.isEmpty { return #expect(phase == .greeting || phase == .hello) }
        #expect(client.outcomes == [.deferred(reply, .line)])
        #expect(client.results[0].contentWasSent == (phase == .dataEnd))
    }

    @Test("time-out: the stage is named", arguments: stages)
    func silent(_ server: String, _ phase: ClientPhase) {
        var client = ClientDialogue()
        for line in server.split(separator: "\n") { client.server(line + "\n") }
        client.timeOut()
        #expect(
            client.end
                == .broken(.deferred(DeliveryTrouble.sessionTimeout.reply("while waiting for \(phase.text)"), .line)))
    }

    @Test("each stage answers 4yz and 5yz", arguments: ["421", "450", "451", "452", "500", "550", "552", "554"], 0..<6)
    func refusals(_ code: String, _ stage: Int) {
        let good = ["220 x\n", "250 x\n", "250 ok\n", "250 ok\n", "354 go\n", "250 done\n"]
        var client = ClientDialogue()
        for line in good[..<stage] { client.server(line) }
        client.server("\(code) \(code.first ?? "4").7.1 go away\n")
        let first = code.hasPrefix("5") ? 5 : 4
        let reply = Reply(Int(code) ?? 0, EnhancedCode(first, 7, 1), "go away")
        let outcome: ClientOutcome = first == 5 ? .failed(reply) : .deferred(reply, .line)
        switch stage {
        case 0: #expect(client.end == .refused(outcome))
        case 1 where first == 5:
            #expect(client.takeSent().hasSuffix("HELO client.example\n"))
            client.server("\(code) \(first).7.1 go away\n")
            #expect(client.end == .refused(outcome))
        case 1: #expect(client.end == .refused(outcome))
        default:
            #expect(client.outcomes == [outcome])
            if code == "421" { #expect(client.end == .broken(outcome)) } else { #expect(client.end == nil) }
        }
    }

    @Test(
        "nonsense ends the session and defers",
        arguments: ["", "220 x\n", "220 x\n250 x\n", "220 x\n250 x\n250 ok\n250 ok\n354 go\n"],
        ["hello?\n", "250-a\n550 b\n", "99\n", "250 " + String(repeating: "x", count: 4_000) + "\n"])
    func nonsense(_ server: String, _ garbage: String) {
        var client = ClientDialogue()
        for line in server.split(separator: "\n") { client.server(line + "\n") }
        client.server(garbage)
        guard case .broken(.deferred(let reply, .line)) = client.end else {
            Issue.record("ended as \(String(describing: client.end))")
            return
        }
        #expect(reply.enhanced == EnhancedCode(4, 5, 0))
    }

    @Test("an answer nobody asked for ends an idle session")
    func unasked() {
        var client = ClientDialogue(transactions: [])
        client.server("220 x\n250 x\n")
        #expect(client.end == nil)
        client.server("250 surprise\n")
        #expect(client.end != nil)
    }

    @Test("a positive answer in the middle of the content is not believed")
    func early() {
        var session = ClientSession(settings: ClientSettings(hello: "c.example", tls: .off))
        var events: [ClientEvent] = []
        func feed(_ text: String) { Array(text.utf8).withUnsafeBytes { session.receive($0, events: &events) } }
        feed("220 x\r\n250 x\r\n")
        session.begin(.plain(), events: &events)
        feed("250 ok\r\n250 ok\r\n354 go\r\n")
        #expect(events.last == .sendContent)
        feed("250 queued already\r\n")
        guard case .ended(.broken(.deferred(_, .line))) = events.last else {
            Issue.record("\(events)")
            return
        }
    }

    // MARK: TLS

    static let tls = ClientSettings(hello: "client.example", tls: .opportunistic)

    @Test("STARTTLS when offered: EHLO again, what came before the handshake is dropped")
    func startTLS() {
        var client = ClientDialogue(Self.tls)
        client.server("220 x\n")
        client.server("250-x\n250 STARTTLS\n")
        #expect(client.takeSent() == "EHLO client.example\nSTARTTLS\n")
        client.server("220 go\n250-injected\n250 AUTH PLAIN\n")
        #expect(client.handshakes == 1)
        #expect(client.takeSent() == "EHLO client.example\n")
        #expect(client.session.isSecured)
        client.server("250 x\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
    }

    @Test("STARTTLS refused: in clear when that is allowed", arguments: ["454 4.7.0 not now", "502 5.5.1 no"])
    func tlsRefused(_ answer: String) {
        var client = ClientDialogue(Self.tls)
        client.server("220 x\n")
        client.server("250-x\n250 STARTTLS\n")
        client.server(answer + "\n")
        #expect(client.takeSent().hasSuffix("STARTTLS\nMAIL FROM:<a@client.example>\n"))
        var strict = ClientDialogue(ClientSettings(hello: "client.example", tls: .required))
        strict.server("220 x\n")
        strict.server("250-x\n250 STARTTLS\n")
        strict.server(answer + "\n")
        guard case .refused(.deferred) = strict.end else {
            Issue.record("\(String(describing: strict.end))")
            return
        }
    }

    @Test("TLS required and not offered: nothing is sent")
    func tlsRequired() {
        var client = ClientDialogue(ClientSettings(hello: "client.example", tls: .required))
        client.server("220 x\n")
        client.server("250 x\n")
        #expect(client.takeSent() == "EHLO client.example\nQUIT\n")
        #expect(client.end == .refused(.deferred(DeliveryTrouble.tlsNotOffered.reply(), .line)))
    }

    @Test("a failed handshake says so")
    func handshakeFails() {
        var client = ClientDialogue(Self.tls)
        client.handshakeFails = true
        client.server("220 x\n")
        client.server("250-x\n250 STARTTLS\n")
        client.server("220 go\n")
        #expect(client.end == .tlsFailed(DeliveryTrouble.tlsFailed.reply("bad certificate")))
    }

    // MARK: AUTH (R-DLV-22, R-DLV-23)

    private func gateway(_ mechanism: ClientSettings.Mechanism, inClear: Bool = true) -> ClientSettings {
        ClientSettings(
            hello: "client.example", tls: .off,
            credentials: .init(mechanism: mechanism, user: "taro", password: "pass", allowedInClear: inClear))
    }

    @Test("AUTH PLAIN")
    func plain() {
        var client = ClientDialogue(gateway(.plain))
        client.server("220 x\n")
        client.server("250-x\n250 AUTH LOGIN PLAIN\n")
        #expect(client.takeSent().hasSuffix("AUTH PLAIN AHRhcm8AcGFzcw==\n"))
        client.server("235 ok\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
    }

    @Test("AUTH LOGIN")
    func login() {
        var client = ClientDialogue(gateway(.login))
        client.server("220 x\n")
        client.server("250-x\n250 AUTH=LOGIN\n")
        #expect(client.takeSent().hasSuffix("AUTH LOGIN\n"))
        client.server("334 VXNlcm5hbWU6\n")
        #expect(client.takeSent() == "dGFybw==\n")
        client.server("334 UGFzc3dvcmQ6\n")
        #expect(client.takeSent() == "cGFzcw==\n")
        client.server("235 ok\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
    }

    @Test("the method is not announced: refused by the remote; no password in clear; a wrong password")
    func authenticationFails() {
        var missing = ClientDialogue(gateway(.plain))
        missing.server("220 x\n250-x\n250 AUTH CRAM-MD5\n")
        #expect(missing.end == .refused(.failed(DeliveryTrouble.authNotOffered.reply("PLAIN"))))
        var clear = ClientDialogue(gateway(.plain, inClear: false))
        clear.server("220 x\n250-x\n250 AUTH PLAIN\n")
        #expect(clear.end == .refused(.deferred(DeliveryTrouble.authInClear.reply(), .line)))
        #expect(clear.takeSent() == "EHLO client.example\nQUIT\n")
        var wrong = ClientDialogue(gateway(.plain))
        wrong.server("220 x\n")
        wrong.server("250-x\n250 AUTH PLAIN\n")
        wrong.server("535 5.7.8 no\n")
        #expect(wrong.end == .refused(.failed(Reply(535, EnhancedCode(5, 7, 8), "no"))))
        var later = ClientDialogue(gateway(.plain))
        later.server("220 x\n")
        later.server("250-x\n250 AUTH PLAIN\n")
        later.server("454 4.7.0 later\n")
        #expect(later.end == .refused(.deferred(Reply(454, EnhancedCode(4, 7, 0), "later"), .line)))
    }

    @Test("AUTH CRAM-MD5 (RFC 2195 §2)")
    func cramMD5() {
        let settings = ClientSettings(
            hello: "client.example", tls: .off,
            credentials: .init(mechanism: .cramMD5, user: "tim", password: "tanstaaftanstaaf", allowedInClear: true))
        var client = ClientDialogue(settings)
        client.server("220 x\n")
        client.server("250-x\n250 AUTH CRAM-MD5\n")
        #expect(client.takeSent().hasSuffix("AUTH CRAM-MD5\n"))
        client.server("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n")
        #expect(client.takeSent() == "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\n")
        client.server("235 ok\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
        var odd = ClientDialogue(settings)
        odd.server("220 x\n")
        odd.server("250-x\n250 AUTH CRAM-MD5\n")
        odd.server("334 !!!\n")
        #expect(odd.takeSent().hasSuffix("*\n"))
        odd.server("501 5.5.2 cancelled\n")
        #expect(odd.end == .refused(.failed(Reply(501, EnhancedCode(5, 5, 2), "cancelled"))))
    }

    @Test("AUTH XOAUTH2; a refusal comes in JSON first")
    func xoauth2() {
        let settings = gateway(.xoauth2)
        var client = ClientDialogue(settings)
        client.server("220 x\n")
        client.server("250-x\n250 AUTH XOAUTH2\n")
        #expect(client.takeSent().hasSuffix("AUTH XOAUTH2 dXNlcj10YXJvAWF1dGg9QmVhcmVyIHBhc3MBAQ==\n"))
        client.server("334 eyJzdGF0dXMiOiI0MDEifQ==\n")
        #expect(client.takeSent() == "\n")
        client.server("535 5.7.8 token expired\n")
        #expect(client.end == .refused(.failed(Reply(535, EnhancedCode(5, 7, 8), "token expired"))))
    }

    @Test(
        "MD5 (RFC 1321 §A.5)",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
        ])
    func md5(_ text: String, _ digest: String) { #expect(HMACMD5.hex(HMACMD5.md5(Array(text.utf8))) == digest) }

    @Test("a password is not in any description")
    func secret() {
        let settings = gateway(.plain)
        #expect(!String(describing: settings).contains("pass"))
    }
}
