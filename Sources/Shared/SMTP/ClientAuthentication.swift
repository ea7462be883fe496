import MailModel

/// AUTH PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) and XOAUTH2, seen from the client.
struct ClientAuthentication {
    enum Step { case goOn, done, refused(ClientOutcome) }
    private enum Expected { case result, userPrompt, passwordPrompt, challenge }

    private let credentials: ClientSettings.Credentials
    private var expected: Expected

    /// Sends the first line.
    init(_ credentials: ClientSettings.Credentials, _ output: inout [UInt8]) {
        self.credentials = credentials
        switch credentials.mechanism {
        case .plain:
            let message = [0] + Array(credentials.user.utf8) + [0] + Array(credentials.password.utf8)
            output += Array("AUTH PLAIN \(Self.base64(message))\r\n".utf8)
            expected = .result
        case .login:
            output += Array("AUTH LOGIN\r\n".utf8)
            expected = .userPrompt
        case .cramMD5:
            output += Array("AUTH CRAM-MD5\r\n".utf8)
            expected = .challenge
        case .xoauth2:
            // The password is the access token (Google, Microsoft: "SASL XOAUTH2").
            let message = "user=\(credentials.user)\u{1}auth=Bearer \(credentials.password)\u{1}\u{1}"
            output += Array("AUTH XOAUTH2 \(Self.base64(Array(message.utf8)))\r\n".utf8)
            expected = .result
        }
    }

    mutating func answer(_ reply: Reply, _ output: inout [UInt8]) -> Step {
        switch (expected, reply.code) {
        case (.userPrompt, 334): return say(credentials.user, then: .passwordPrompt, &output)
        case (.passwordPrompt, 334): return say(credentials.password, then: .result, &output)
        case (.challenge, 334):
            guard let challenge = Base64.decode(reply.lines.joined().utf8) else {
                output += Array("*\r\n".utf8)
                expected = .result
                return .goOn
            }
            let digest = HMACMD5.authenticate(challenge, key: Array(credentials.password.utf8))
            return say("\(credentials.user) \(HMACMD5.hex(digest))", then: .result, &output)
        case (.result, 334) where credentials.mechanism == .xoauth2:
            // The refusal in JSON; an empty line asks for the reply itself.
            output += Array("\r\n".utf8)
            return .goOn
        case (_, 235): return .done
        default: return .refused(.init(refusal: reply))
        }
    }

    private mutating func say(_ text: String, then next: Expected, _ output: inout [UInt8]) -> Step {
        output += Array("\(Self.base64(Array(text.utf8)))\r\n".utf8)
        expected = next
        return .goOn
    }

    static func base64(_ octets: [UInt8]) -> String { String(decoding: Base64.encode(octets), as: UTF8.self) }
}
