import MailModel

/// AUTH (RFC 4954) with PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), CRAM-MD5 (RFC 2195) and SCRAM-SHA-256
/// with and without channel binding (RFC 7677).
extension ServerSession {
    mutating func authenticate(_ name: String, _ initialResponse: [UInt8]?) -> ServerAction {
        guard !profile.mechanisms.isEmpty else { return refuse(.commandDisabled, verb: .auth) }
        guard hello?.isExtended == true else { return refuse(.heloRequired, verb: .auth) }
        guard identity == nil else { return refuse(.authenticationTwice, verb: .auth) }
        guard case .idle = state else { return refuse(.badSequence, verb: .auth) }
        guard isTLS || !profile.authenticationRequiresTLS else { return refuse(.tlsRequired, verb: .auth) }
        guard let mechanism = AuthMechanism(rawValue: name), isOffered(mechanism) else {
            return refuse(.authenticationNotOffered, verb: .auth)
        }
        switch (mechanism, initialResponse) {
        case (.plain, nil): return ask(for: .plain)
        case (.plain, let response?): return takePlain(response)
        case (.login, nil): return ask(for: .loginName, prompt: Self.loginNamePrompt)
        case (.login, let response?): return takeLoginName(response)
        case (.cramMD5, nil):
            state = .asking(.challenge(.digest))
            return .makeChallenge(.cramMD5, name: nil)
        // RFC 4954 §4: the server speaks first, so there can be no initial response.
        case (.cramMD5, .some): return malformed()
        case (.scramSHA256, nil), (.scramSHA256Plus, nil): return ask(for: .scramFirst(mechanism))
        case (.scramSHA256, let response?), (.scramSHA256Plus, let response?):
            return takeSCRAMFirst(response, mechanism)
        }
    }

    private func isOffered(_ mechanism: AuthMechanism) -> Bool {
        profile.mechanisms.contains(mechanism) && (mechanism != .scramSHA256Plus || !bindings.isEmpty)
    }

    private mutating func ask(for step: CredentialStep, prompt: String = "") -> ServerAction {
        state = .authenticating(step)
        return .reply(.challenge(prompt))
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
            return ask(.login, name, password)
        case .digest(let challenge): return takeDigest(response, challenge)
        case .scramFirst(let mechanism): return takeSCRAMFirst(response, mechanism)
        case .scramFinal(let exchange): return takeSCRAMFinal(response, exchange)
        case .scramEnd(let mechanism, let name):
            guard response.isEmpty else { return malformed() }
            state = .asking(.credentials)
            return .authenticate(Credentials(mechanism: mechanism, name: name, proof: .confirmed))
        }
    }

    private mutating func malformed() -> ServerAction {
        state = .idle
        return refuse(.authenticationMalformed, verb: .auth)
    }

    /// Wrong without a look at the directory.
    private mutating func failed() -> ServerAction {
        authenticationFailures += 1
        state = .idle
        return refuse(.authenticationFailed, verb: .auth)
    }

    private mutating func ask(_ mechanism: AuthMechanism, _ name: String, _ password: [UInt8]) -> ServerAction {
        guard !password.contains(0) else { return malformed() }
        state = .asking(.credentials)
        return .authenticate(Credentials(mechanism: mechanism, name: name, proof: .password(password)))
    }

    /// An initial response of `=` is empty (RFC 4954 §4).
    private static func decode(_ response: [UInt8]) -> [UInt8]? {
        response == [UInt8(ascii: "=")] ? [] : Base64.decode(response)
    }

    // MARK: PLAIN, LOGIN

    /// `[authzid] NUL authcid NUL passwd` (RFC 4616 §2). An authorization identity other than the login name asks for
    /// rights that nobody has here.
    private mutating func takePlain(_ response: [UInt8]) -> ServerAction {
        guard let message = Self.decode(response) else { return malformed() }
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let name = Self.loginName(parts[1]) else { return malformed() }
        guard parts[0].isEmpty || parts[0] == parts[1] else { return failed() }
        return ask(.plain, name, Array(parts[2]))
    }

    private mutating func takeLoginName(_ response: [UInt8]) -> ServerAction {
        guard let octets = Self.decode(response), let name = Self.loginName(octets[...]) else { return malformed() }
        return ask(for: .loginPassword(name: name), prompt: Self.loginPasswordPrompt)
    }

    /// 1–320 octets of UTF-8 without control characters, prepared by SASLprep (RFC 4616 §2); a name that it prohibits
    /// is nobody's and stays as it is.
    private static func loginName(_ octets: ArraySlice<UInt8>) -> String? {
        guard (1...320).contains(octets.count), let name = octets.withUnsafeBytes(\.printableText) else { return nil }
        let prepared = SASLprep.prepare(name) ?? name
        return prepared.isEmpty ? nil : prepared
    }

    // MARK: CRAM-MD5

    /// `name SP digest`, the digest as 32 hexadecimal digits (RFC 2195 §2).
    private mutating func takeDigest(_ response: [UInt8], _ challenge: [UInt8]) -> ServerAction {
        guard let message = Base64.decode(response), let blank = message.lastIndex(of: UInt8(ascii: " ")),
            let name = Self.loginName(message[..<blank]), let digest = Self.digest(message[(blank + 1)...])
        else { return malformed() }
        state = .asking(.credentials)
        return .authenticate(
            Credentials(mechanism: .cramMD5, name: name, proof: .digest(digest, challenge: challenge)))
    }

    private static func digest(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count == 32 else { return nil }
        var out: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard digit != UInt8(ascii: "+"), digit != UInt8(ascii: "-"),
                let value = UInt8(String(decoding: [digit], as: UTF8.self), radix: 16)
            else { return nil }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }

    // MARK: SCRAM

    private mutating func takeSCRAMFirst(_ response: [UInt8], _ mechanism: AuthMechanism) -> ServerAction {
        guard let message = Self.decode(response), let first = SCRAM.clientFirst(message) else { return malformed() }
        guard first.authorizationName.isEmpty || first.authorizationName == first.name else { return failed() }
        switch (mechanism, first.binding) {
        case (.scramSHA256Plus, .used(let name)):
            guard bindings[name] != nil else { return malformed() }
        case (.scramSHA256, .none): break
        // Somebody took the mechanism out of what we offered: a downgrade (RFC 5802 §6).
        case (.scramSHA256, .believedMissing): if isOffered(.scramSHA256Plus) { return failed() }
        default: return malformed()
        }
        state = .asking(.challenge(.scram(mechanism, first)))
        return .makeChallenge(mechanism, name: first.name)
    }

    /// The driver has made what the next message is built from.
    mutating func challenge(
        _ question: Question, _ nonce: [UInt8], _ salt: [UInt8], _ iterations: Int
    ) -> ServerAction {
        guard case .challenge(let challenge) = question else { return .proceed }
        switch challenge {
        case .digest:
            let text = Array("<".utf8) + nonce + Array("@\(profile.hostName)>".utf8)
            return ask(for: .digest(challenge: text), prompt: Self.base64(text))
        case .scram(let mechanism, let first):
            var channel = first.gs2Header
            if case .used(let name) = first.binding { channel += bindings[name] ?? [] }
            let whole = first.nonce + nonce
            let message = SCRAM.serverFirst(nonce: whole, salt: salt, iterations: iterations)
            let exchange = SCRAM.Exchange(
                mechanism: mechanism, first: first, serverFirst: message, nonce: whole, channel: channel)
            return ask(for: .scramFinal(exchange), prompt: Self.base64(message))
        }
    }

    private mutating func takeSCRAMFinal(_ response: [UInt8], _ exchange: SCRAM.Exchange) -> ServerAction {
        guard let message = Base64.decode(response), let last = SCRAM.clientFinal(message) else { return malformed() }
        guard last.nonce == exchange.nonce, last.channel == exchange.channel else { return failed() }
        let signed =
            exchange.first.bare + Array(",".utf8) + exchange.serverFirst + Array(",".utf8) + last.withoutProof
        state = .asking(.proof(exchange.mechanism, name: exchange.first.name))
        return .authenticate(
            Credentials(
                mechanism: exchange.mechanism, name: exchange.first.name,
                proof: .signed(message: signed, proof: last.proof)))
    }

    /// RFC 4954 §4 knows no data with success: the signature goes out as a challenge, and an empty line answers it.
    mutating func proved(_ question: Question, _ signature: [UInt8]) -> ServerAction {
        guard case .proof(let mechanism, let name) = question else { return .proceed }
        return ask(
            for: .scramEnd(mechanism, name: name), prompt: Self.base64(SCRAM.serverFinal(signature: signature)))
    }

    private static func base64(_ octets: [UInt8]) -> String { String(decoding: Base64.encode(octets), as: UTF8.self) }

    mutating func authenticated(_ question: Question, as name: String) -> ServerAction {
        guard case .credentials = question else { return .proceed }
        identity = name
        state = .idle
        return .reply(.authenticated)
    }
}
