import MailModel

/// AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login).
extension ServerSession {
    mutating func authenticate(_ name: String, _ initialResponse: [UInt8]?) -> ServerAction {
        guard !profile.mechanisms.isEmpty else { return refuse(.commandDisabled, verb: .auth) }
        guard hello?.isExtended == true else { return refuse(.heloRequired, verb: .auth) }
        guard identity == nil else { return refuse(.authenticationTwice, verb: .auth) }
        guard case .idle = state else { return refuse(.badSequence, verb: .auth) }
        guard isTLS || !profile.authenticationRequiresTLS else { return refuse(.tlsRequired, verb: .auth) }
        guard let mechanism = AuthMechanism(rawValue: name), profile.mechanisms.contains(mechanism) else {
            return refuse(.authenticationNotOffered, verb: .auth)
        }
        switch (mechanism, initialResponse) {
        case (.plain, nil):
            state = .authenticating(.plain)
            return .reply(.challenge(""))
        case (.login, nil):
            state = .authenticating(.loginName)
            return .reply(.challenge(Self.loginNamePrompt))
        case (.plain, let response?): return takePlain(response)
        case (.login, let response?): return takeLoginName(response)
        }
    }

    /// "Username:" and "Password:", as every client expects them.
    private static let loginNamePrompt = "VXNlcm5hbWU6"
    private static let loginPasswordPrompt = "UGFzc3dvcmQ6"

    /// A line of the exchange.
    mutating func takeResponse(_ line: UnsafeRawBufferPointer, _ step: CredentialStep) -> ServerAction {
        if line.count == 1, line.first == UInt8(ascii: "*") {
            state = .idle
            return refuse(.authenticationCancelled, verb: .auth)
        }
        let response = Array(line)
        switch step {
        case .plain: return takePlain(response)
        case .loginName: return takeLoginName(response)
        case .loginPassword(let name):
            guard let password = Base64.decode(response) else { return malformed() }
            return ask(Credentials(mechanism: .login, name: name, password: password))
        }
    }

    private mutating func malformed() -> ServerAction {
        state = .idle
        return refuse(.authenticationMalformed, verb: .auth)
    }

    private mutating func ask(_ credentials: Credentials) -> ServerAction {
        guard !credentials.password.contains(0) else { return malformed() }
        state = .asking(.credentials)
        return .authenticate(credentials)
    }

    /// An initial response of `=` is empty (RFC 4954 §4).
    private static func decode(_ response: [UInt8]) -> [UInt8]? {
        response == [UInt8(ascii: "=")] ? [] : Base64.decode(response)
    }

    /// `[authzid] NUL authcid NUL passwd` (RFC 4616 §2). An authorization identity other than the login name asks for
    /// rights that nobody has here.
    private mutating func takePlain(_ response: [UInt8]) -> ServerAction {
        guard let message = Self.decode(response) else { return malformed() }
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let name = Self.loginName(parts[1]) else { return malformed() }
        guard parts[0].isEmpty || parts[0] == parts[1] else {
            authenticationFailures += 1
            state = .idle
            return refuse(.authenticationFailed, verb: .auth)
        }
        return ask(Credentials(mechanism: .plain, name: name, password: Array(parts[2])))
    }

    private mutating func takeLoginName(_ response: [UInt8]) -> ServerAction {
        guard let octets = Self.decode(response), let name = Self.loginName(octets[...]) else { return malformed() }
        state = .authenticating(.loginPassword(name: name))
        return .reply(.challenge(Self.loginPasswordPrompt))
    }

    /// 1–320 octets of UTF-8 without control characters.
    private static func loginName(_ octets: ArraySlice<UInt8>) -> String? {
        guard (1...320).contains(octets.count) else { return nil }
        return octets.withUnsafeBytes(\.printableText)
    }

    mutating func authenticated(_ question: Question, as name: String) -> ServerAction {
        guard case .credentials = question else { return .proceed }
        identity = name
        state = .idle
        return .reply(.authenticated)
    }
}
