import MailModel

/// AUTH PLAIN (RFC 4616) and AUTH LOGIN, seen from the client.
struct ClientAuthentication {
    enum Step { case goOn, done, refused(ClientOutcome) }
    private enum Expected { case result, userPrompt, passwordPrompt }

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
        }
    }

    mutating func answer(_ reply: Reply, _ output: inout [UInt8]) -> Step {
        switch (expected, reply.code) {
        case (.userPrompt, 334):
            output += Array("\(Self.base64(Array(credentials.user.utf8)))\r\n".utf8)
            expected = .passwordPrompt
            return .goOn
        case (.passwordPrompt, 334):
            output += Array("\(Self.base64(Array(credentials.password.utf8)))\r\n".utf8)
            expected = .result
            return .goOn
        case (.result, 235), (.passwordPrompt, 235), (.userPrompt, 235): return .done
        default: return .refused(.init(refusal: reply))
        }
    }

    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 §4.
    static func base64(_ octets: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((octets.count + 2) / 3 * 4)
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = octets[start..<min(start + 3, octets.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                out.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
