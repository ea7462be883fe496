import MailModel
import SMTP
import Testing

@Suite("Our client and our server, back to back")
struct BackToBackTests {
    private static func profile(limit: Int = 0) -> ServerProfile {
        ServerProfile(
            hostName: "mx.in.example", limits: ServerLimits(messageOctets: limit), offersTLS: true,
            mechanisms: [.plain, .login])
    }

    private static func transaction(
        to names: [String], domain: String = "in.example", sender: String = "a@out.example", utf8: Bool = false
    ) -> ClientTransaction {
        ClientTransaction(
            sender: MailAddress(typed: sender).map { .address($0) } ?? .null,
            recipients: names.map { Recipient(address: MailAddress(localPart: $0, domain: domain)) }, size: 30,
            needsSMTPUTF8: utf8, is8Bit: true)
    }

    /// Carries octets to and fro in pieces of `size` until both fall silent.
    private func converse(_ client: inout ClientDialogue, _ server: SessionHarness, pieces size: Int) {
        for _ in 0..<10_000 {
            let toClient = Array(server.takeOutput().map { $0 + "\r\n" }.joined().utf8)
            for start in stride(from: 0, to: toClient.count, by: size) {
                client.server(octets: Array(toClient[start..<min(start + size, toClient.count)]))
            }
            if server.isAwaitingHandshake { server.finishHandshake() }
            let toServer = Array(client.takeOctets())
            if toClient.isEmpty, toServer.isEmpty { return }
            for start in stride(from: 0, to: toServer.count, by: size) {
                server.feed(toServer[start..<min(start + size, toServer.count)])
            }
        }
        Issue.record("they never stop")
    }

    @Test(
        "messages arrive as they were, in pieces of any size, with and without TLS",
        arguments: [1, 2, 3, 7, 100, 100_000], [true, false])
    func arrive(_ size: Int, _ withTLS: Bool) {
        let content = "Subject: x\n\n.\n..\nline\n.end\n\n"
        var client = ClientDialogue(
            ClientSettings(hello: "out.example", tls: withTLS ? .opportunistic : .off),
            [
                Self.transaction(to: ["ann", "bob"]), Self.transaction(to: ["nobody"]),
                Self.transaction(to: ["ann", "full"]),
            ],
            content: content)
        let server = SessionHarness(profile: Self.profile())
        converse(&client, server, pieces: size)
        #expect(client.handshakes == (withTLS ? 1 : 0))
        #expect(client.outcomes.map(\.reply.code) == [250, 250, 550, 250, 452])
        #expect(server.messages.map(\.content) == [Array(content.utf8), Array(content.utf8)])
        #expect(server.messages.first?.envelope.recipients.map(\.address.localPart) == ["ann", "bob"])
        #expect(client.end == nil)
    }

    @Test(
        "AUTH over TLS, and what only an authenticated session may do",
        arguments: [ClientSettings.Mechanism.plain, .login])
    func authentication(_ mechanism: ClientSettings.Mechanism) {
        func settings(_ password: String) -> ClientSettings {
            ClientSettings(
                hello: "out.example", tls: .opportunistic,
                credentials: .init(mechanism: mechanism, user: "ann", password: password, allowedInClear: false))
        }
        var client = ClientDialogue(settings("secret"), [Self.transaction(to: ["x"], domain: "far.example")])
        let server = SessionHarness(profile: Self.profile())
        converse(&client, server, pieces: 5)
        #expect(client.outcomes.map(\.reply.code) == [250])
        var wrong = ClientDialogue(settings("wrong"), [Self.transaction(to: ["x"], domain: "far.example")])
        converse(&wrong, SessionHarness(profile: Self.profile()), pieces: 5)
        guard case .refused(.failed(let reply)) = wrong.end else {
            Issue.record("\(String(describing: wrong.end))")
            return
        }
        #expect(reply.code == 535)
    }

    @Test("a thousand recipients in one transaction")
    func many() {
        let names = (0..<1_000).map { $0.isMultiple(of: 2) ? "ann" : "u\($0)" }
        var client = ClientDialogue(ClientSettings(hello: "out.example", tls: .off), [Self.transaction(to: names)])
        let profile = ServerProfile(
            hostName: "mx.in.example", limits: ServerLimits(recipients: 2_000, errors: 0), offersTLS: false,
            mechanisms: [])
        converse(&client, SessionHarness(profile: profile), pieces: 1_000)
        #expect(client.outcomes.count { $0.reply.code == 250 } == 500)
        #expect(client.outcomes.count == 1_000)
    }
}
