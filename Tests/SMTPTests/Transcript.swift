import SMTP
import TestSupport
import Testing

extension Transcript {
    /// Runs the dialogue against the machine. - Parameter piece: octets fed at a time.
    func replay(piece: Int) {
        var harness = SessionHarness(profile: Self.profile([]))
        var expected: [String] = []
        var delivered = 0
        for (line, step) in steps {
            switch step {
            case .features(let words):
                harness = SessionHarness(profile: Self.profile(words), isTLS: words.contains("implicit-tls"))
            case .client(let octets):
                var rest = octets[...]
                while !rest.isEmpty {
                    harness.feed(rest.prefix(piece))
                    rest = rest.dropFirst(piece)
                }
            case .server(let text):
                if expected.isEmpty { expected = harness.takeOutput() }
                let got = expected.isEmpty ? "nothing" : expected.removeFirst()
                let matches = text.hasSuffix("…") ? got.hasPrefix(String(text.dropLast())) : got == text
                #expect(matches, "\(name):\(line): expected \(text), got \(got)")
            case .anyReply:
                if expected.isEmpty { expected = harness.takeOutput() }
                while !expected.isEmpty, expected.removeFirst().dropFirst(3).first == "-" {}
            case .message(let octets):
                #expect(harness.messages.count > delivered, "\(name):\(line): no message was accepted")
                guard harness.messages.count > delivered else { return }
                #expect(harness.messages[delivered].content == octets, "\(name):\(line): content")
                delivered += 1
            case .handshake:
                #expect(harness.isAwaitingHandshake, "\(name):\(line): no handshake was asked for")
                harness.finishHandshake()
            case .closed: #expect(harness.isClosed, "\(name):\(line): still open")
            }
        }
        #expect(expected + harness.takeOutput() == [], "\(name): left over at the end")
        #expect(harness.messages.count == delivered, "\(name): messages that no line M: names")
    }

    static func profile(_ words: [String]) -> ServerProfile {
        func number(_ key: String) -> Int? {
            words.first { $0.hasPrefix(key + "=") }.flatMap { Int($0.dropFirst(key.utf8.count + 1)) }
        }
        return ServerProfile(
            hostName: "mail.in.example",
            limits: ServerLimits(
                recipients: number("recipients") ?? 0, messageOctets: number("size") ?? 0,
                errors: number("errors") ?? 20, commands: number("commands") ?? 1_000),
            offersTLS: words.contains("tls"),
            mechanisms: words.contains("auth") || words.contains("auth-in-clear") ? [.plain, .login] : [],
            authenticationRequiresTLS: !words.contains("auth-in-clear"), answersEnquiries: !words.contains("no-vrfy"),
            toleratesBareLineEnds: words.contains("tolerant"))
    }
}
