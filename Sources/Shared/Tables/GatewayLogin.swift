import MailModel

/// How to log in at a gateway: the method and the name of a file with what is secret, so that no secret stands in
/// gateway.dat (field notes A7).
package struct GatewayLogin: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable, CaseIterable {
        case plain = "PLAIN"
        case login = "LOGIN"
        case cramMD5 = "CRAM-MD5"
        case xoauth2 = "XOAUTH2"
    }
    package let method: Method
    /// Name of a file in `conf/credentials`.
    package let name: String

    package init(method: Method, name: String) {
        self.method = method
        self.name = name
    }

    /// - Parameters:
    ///   - method: `XOAUTH2`; digits in front, as the original writes them (`1XOAUTH2`), are passed over.
    ///   - name: letters, digits, `.`, `_`, `-`, `@` and `+`, not beginning with a dot.
    package init?(method: String, name: String) {
        let word = String(method.uppercased().drop { $0.isNumber })
        guard let method = Method(rawValue: word), Self.isName(name) else { return nil }
        self.init(method: method, name: name)
    }

    private static func isName(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), !text.hasPrefix(".") else { return false }
        return text.utf8.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: [0x2E, 0x5F, 0x2D, 0x40, 0x2B].contains(octet)
            }
        }
    }
}

/// The content of a file in `conf/credentials`: `user = …`, and `password = …` or `token_command = /program arguments…`.
/// Lines that begin with `#` or `'` are comments.
package struct GatewayCredentials: Sendable, Equatable {
    package var user: String
    package var password: String?
    /// Prints an access token; the program's absolute path first. No shell looks at it.
    package var tokenCommand: [String]

    package init(user: String, password: String? = nil, tokenCommand: [String] = []) {
        self.user = user
        self.password = password
        self.tokenCommand = tokenCommand
    }

    /// What is wrong with a file; holds nothing of its content.
    package enum Fault: Error, Equatable {
        case line(Int)
        case noUser, noSecret

        package var text: String {
            switch self {
            case .line(let number): "line \(number) is not user, password or token_command with a value"
            case .noUser: "it names no user"
            case .noSecret: "it has neither a password nor a token command"
            }
        }
    }

    package static func read(_ text: String) throws(Fault) -> GatewayCredentials {
        var out = GatewayCredentials(user: "")
        for (index, line) in TableText(text).lines.enumerated() {
            let line = line.trimmingBlanks()
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("'") { continue }
            guard let equals = line.firstIndex(of: "=") else { throw .line(index + 1) }
            let value = line[line.index(after: equals)...].trimmingBlanks()
            switch line[..<equals].trimmingBlanks().lowercased() {
            case "user" where !value.isEmpty: out.user = value
            case "password" where !value.isEmpty: out.password = value
            case "token_command" where value.hasPrefix("/"):
                out.tokenCommand = value.split { $0 == " " || $0 == "\t" }.map(String.init)
            default: throw .line(index + 1)
            }
        }
        if out.user.isEmpty { throw .noUser }
        if out.password == nil, out.tokenCommand.isEmpty { throw .noSecret }
        return out
    }
}

extension GatewayCredentials: CustomStringConvertible, CustomDebugStringConvertible {
    /// The password shows itself nowhere.
    package var description: String { "\(user) <redacted>" }
    package var debugDescription: String { description }
}
