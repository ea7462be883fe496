import MailModel
import SMTP
import Testing

/// CRAM-MD5 and SCRAM-SHA-256 on the wire, with the examples of the RFCs.
@Suite struct ChallengeTests {
    /// A session step by step: what it says, what it asks.
    private struct Dialogue {
        var session: ServerSession
        var content: [UInt8] = []

        init(
            _ mechanisms: [AuthMechanism], host: String = "mail.in.example", bindings: [String: [UInt8]]? = nil
        ) {
            session = ServerSession(
                profile: ServerProfile(
                    hostName: host, offersTLS: true, mechanisms: mechanisms, authenticationRequiresTLS: false))
            if let bindings { session.startedTLS(bindings: bindings) }
            _ = say("EHLO client.example")
        }

        /// The first action behind a line that does something.
        mutating func say(_ line: String) -> ServerAction {
            let octets = Array((line + "\r\n").utf8)
            return octets.withUnsafeBytes { session.step($0, content: &content).action }
        }

        mutating func say(base64 text: String) -> ServerAction { say(ChallengeTests.base64(text)) }
    }

    private static func base64(_ text: String) -> String {
        String(decoding: Base64.encode(Array(text.utf8)), as: UTF8.self)
    }

    private func text(_ action: ServerAction) -> String {
        switch action {
        case .reply(let reply), .replyAndClose(let reply): reply.text
        case .refuse(let refusal), .refuseAndClose(let refusal): (refusal.reply ?? refusal.reason.reply).text
        default: "\(action)"
        }
    }

    private func challenge(_ action: ServerAction) -> String? {
        guard case .reply(let reply) = action, reply.code == 334, let line = reply.lines.first,
            let octets = Base64.decode(Array(line.utf8))
        else { return nil }
        return String(decoding: octets, as: UTF8.self)
    }

    /// RFC 2195 §2
    @Test func cramMD5() throws {
        var dialogue = Dialogue([.cramMD5], host: "postoffice.reston.mci.net")
        guard case .makeChallenge(.cramMD5, nil) = dialogue.say("AUTH CRAM-MD5") else {
            Issue.record("no challenge was asked for")
            return
        }
        let prompt = dialogue.session.resolve(.challenge(nonce: Array("1896.697170952".utf8)))
        #expect(text(prompt) == "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
        let action = dialogue.say("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw")
        guard case .authenticate(let credentials) = action, case .digest(let digest, let signed) = credentials.proof
        else {
            Issue.record("\(action)")
            return
        }
        #expect(credentials.name == "tim")
        #expect(signed == Array("<1896.697170952@postoffice.reston.mci.net>".utf8))
        #expect(digest.prefix(2) == [0xB9, 0x13])
        #expect(digest.count == 16)
        #expect(text(dialogue.session.resolve(.authenticated("tim@in.example"))).hasPrefix("235 2.7.0"))
        #expect(dialogue.session.identity == "tim@in.example")
    }

    @Test(arguments: [
        "tim", "tim b913", "tim b913a602c7eda7a495b4e6e7334d38ZZ", " b913a602c7eda7a495b4e6e7334d3890",
        "tim +b13a602c7eda7a495b4e6e7334d3890", "",
    ])
    func malformedDigests(_ response: String) {
        var dialogue = Dialogue([.cramMD5])
        _ = dialogue.say("AUTH CRAM-MD5")
        _ = dialogue.session.resolve(.challenge(nonce: Array("1".utf8)))
        #expect(text(dialogue.say(base64: response)).hasPrefix("501 5.5.2"))
        #expect(text(dialogue.say("NOOP")).hasPrefix("250"))
    }

    /// RFC 4954 §4: CRAM-MD5 has no initial response.
    @Test func cramTakesNoInitialResponse() {
        var dialogue = Dialogue([.cramMD5])
        #expect(text(dialogue.say("AUTH CRAM-MD5 dGlt")).hasPrefix("501 5.5.2"))
    }

    private static let clientNonce = "rOprNGfwEbeRWgbNEkqO"
    private static let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    private static let salt = Base64.decode(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)) ?? []

    /// RFC 7677 §3
    @Test(arguments: [true, false])
    func scramSHA256(isInitial: Bool) throws {
        var dialogue = Dialogue([.scramSHA256])
        let first = "n,,n=user,r=\(Self.clientNonce)"
        var action: ServerAction
        if isInitial {
            action = dialogue.say("AUTH SCRAM-SHA-256 \(Self.base64(first))")
        } else {
            #expect(text(dialogue.say("AUTH SCRAM-SHA-256")) == "334 ")
            action = dialogue.say(base64: first)
        }
        guard case .makeChallenge(.scramSHA256, "user") = action else {
            Issue.record("\(action)")
            return
        }
        action = dialogue.session.resolve(
            .challenge(nonce: Array(Self.nonce.utf8), salt: Self.salt, iterations: 4096))
        let whole = Self.clientNonce + Self.nonce
        #expect(challenge(action) == "r=\(whole),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        action = dialogue.say(base64: "c=biws,r=\(whole),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        guard case .authenticate(let credentials) = action, case .signed(let message, let proof) = credentials.proof
        else {
            Issue.record("\(action)")
            return
        }
        #expect(credentials.name == "user")
        #expect(
            String(decoding: message, as: UTF8.self)
                == "n=user,r=\(Self.clientNonce),r=\(whole),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=\(whole)")
        #expect(proof.count == 32)
        let signature = try #require(Base64.decode(Array("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)))
        #expect(
            challenge(dialogue.session.resolve(.proved(signature: signature)))
                == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        // Proved is not yet authenticated: the client may still give up.
        #expect(dialogue.session.identity == nil)
        guard case .authenticate(let end) = dialogue.say(""), case .confirmed = end.proof else {
            Issue.record("no end")
            return
        }
        #expect(text(dialogue.session.resolve(.authenticated("user@in.example"))).hasPrefix("235"))
    }

    private static let bindings: [String: [UInt8]] = ["tls-exporter": [1, 2, 3], "tls-server-end-point": [4, 5]]

    @Test func channelBinding() throws {
        var dialogue = Dialogue([.plain, .scramSHA256, .scramSHA256Plus], bindings: Self.bindings)
        guard case .reply(let hello) = dialogue.say("EHLO c") else { return }
        #expect(hello.lines.contains("AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"))
        _ = dialogue.say("AUTH SCRAM-SHA-256-PLUS " + Self.base64("p=tls-exporter,,n=user,r=abc"))
        _ = dialogue.session.resolve(.challenge(nonce: Array("def".utf8), salt: Self.salt, iterations: 4096))
        let channel = String(
            decoding: Base64.encode(Array("p=tls-exporter,,".utf8) + [1, 2, 3]), as: UTF8.self)
        let proof = String(decoding: Base64.encode([UInt8](repeating: 7, count: 32)), as: UTF8.self)
        guard case .authenticate(let credentials) = dialogue.say(base64: "c=\(channel),r=abcdef,p=\(proof)") else {
            Issue.record("the right binding is refused")
            return
        }
        #expect(credentials.mechanism == .scramSHA256Plus)
    }

    /// Final messages that never reach the directory, with the answer.
    @Test(arguments: [
        ("c=biws,r=abcdef,p=AAAA", "501"), ("c=biws,r=abcdef", "501"), ("r=abcdef,c=biws,p=AAAA", "501"),
        ("c=eSws,r=abcdef,p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "535"),
        ("c=biws,r=abcdeX,p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "535"),
    ])
    func wrongFinals(_ message: String, _ code: String) {
        var dialogue = Dialogue([.scramSHA256])
        _ = dialogue.say("AUTH SCRAM-SHA-256 " + Self.base64("n,,n=user,r=abc"))
        _ = dialogue.session.resolve(.challenge(nonce: Array("def".utf8), salt: Self.salt, iterations: 4096))
        #expect(text(dialogue.say(base64: message)).hasPrefix(code))
    }

    /// First messages with their mechanism and the answer; 535 counts as a failed authentication.
    @Test(arguments: [
        ("SCRAM-SHA-256", "y,,n=user,r=abc", "535"), ("SCRAM-SHA-256", "p=tls-exporter,,n=user,r=abc", "501"),
        ("SCRAM-SHA-256-PLUS", "n,,n=user,r=abc", "501"), ("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=user,r=abc", "501"),
        ("SCRAM-SHA-256", "n,a=root,n=user,r=abc", "535"), ("SCRAM-SHA-256", "n,,m=x,n=user,r=abc", "501"),
        ("SCRAM-SHA-256", "n,,n=us=er,r=abc", "501"), ("SCRAM-SHA-256", "n,,n=user,r=", "501"),
        ("SCRAM-SHA-256", "n,,n=user", "501"), ("SCRAM-SHA-256", "x,,n=user,r=abc", "501"),
        ("SCRAM-SHA-256", "", "501"),
    ])
    func wrongFirsts(_ mechanism: String, _ message: String, _ code: String) {
        var dialogue = Dialogue([.scramSHA256, .scramSHA256Plus], bindings: Self.bindings)
        let response = message.isEmpty ? "=" : Self.base64(message)
        #expect(text(dialogue.say("AUTH \(mechanism) \(response)")).hasPrefix(code))
    }

    /// `=2C` and `=3D` in names, an authorization name that says the same, `y` where there is nothing to believe in.
    @Test func namesAreDecoded() {
        var dialogue = Dialogue([.scramSHA256])
        let action = dialogue.say("AUTH SCRAM-SHA-256 " + Self.base64("y,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=abc"))
        guard case .makeChallenge(_, "a,b=c") = action else {
            Issue.record("\(action)")
            return
        }
    }

    /// Without a channel binding PLUS is neither offered nor taken.
    @Test func plusNeedsABinding() {
        var dialogue = Dialogue([.scramSHA256, .scramSHA256Plus])
        guard case .reply(let hello) = dialogue.say("EHLO c") else { return }
        #expect(hello.lines.contains("AUTH SCRAM-SHA-256"))
        #expect(text(dialogue.say("AUTH SCRAM-SHA-256-PLUS")).hasPrefix("504"))
    }

    @Test func aCancelledProofDoesNotCount() {
        var dialogue = Dialogue([.scramSHA256])
        _ = dialogue.say("AUTH SCRAM-SHA-256 " + Self.base64("n,,n=user,r=abc"))
        _ = dialogue.session.resolve(.challenge(nonce: Array("def".utf8), salt: Self.salt, iterations: 4096))
        _ = dialogue.say(base64: "c=biws,r=abcdef,p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")
        _ = dialogue.session.resolve(.proved(signature: [1]))
        #expect(text(dialogue.say("*")).hasPrefix("501 5.7.0"))
        #expect(dialogue.session.identity == nil)
        #expect(text(dialogue.say("")).hasPrefix("500"))
    }
}
