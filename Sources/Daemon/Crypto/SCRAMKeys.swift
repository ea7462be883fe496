import COpenSSL

/// What the server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3): enough to check a client and to show that it
/// is the right server, not enough to log in with. Short to test guesses against, compared with scrypt; that is why it
/// exists only while the method is on, and sealed.
package struct SCRAMKeys: Hashable, Sendable {
    package let iterations: Int
    package let salt: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    /// Asked of the client for new keys: some 10 ms of its time. RFC 7677 §4 asks for 4,096 or more.
    package static let iterationsOfNew = 32_768
    package static let saltOctets = 16

    /// - Parameter salt: `nil`: a new one.
    /// - Returns: `nil` when OpenSSL has no entropy or no memory.
    package init?(password: [UInt8], salt: [UInt8]? = nil, iterations: Int = SCRAMKeys.iterationsOfNew) {
        guard let salt = salt ?? Random.octets(Self.saltOctets) else { return nil }
        var salted = [UInt8](repeating: 0, count: 32)
        // An empty array may have no address; the count says how much of it counts.
        let secret = (password.isEmpty ? [0] : password).map { CChar(bitPattern: $0) }
        guard
            PKCS5_PBKDF2_HMAC(
                secret, Int32(password.count), salt, Int32(salt.count), Int32(clamping: iterations), EVP_sha256(), 32,
                &salted) == 1
        else { return nil }
        let clientKey = Digest.hmacSHA256(key: salted, Array("Client Key".utf8))
        self.init(
            iterations: iterations, salt: salt, storedKey: Digest.sha256(clientKey),
            serverKey: Digest.hmacSHA256(key: salted, Array("Server Key".utf8)))
    }

    private init?(iterations: Int, salt: [UInt8], storedKey: [UInt8], serverKey: [UInt8]) {
        guard storedKey.count == 32, serverKey.count == 32, (8...64).contains(salt.count),
            (1_000...10_000_000).contains(iterations)
        else { return nil }
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Keys that no password fits, to do the same work for a user who does not exist.
    package static func decoy() -> SCRAMKeys? {
        guard let salt = Random.octets(saltOctets), let stored = Random.octets(32), let server = Random.octets(32)
        else { return nil }
        return SCRAMKeys(iterations: iterationsOfNew, salt: salt, storedKey: stored, serverKey: server)
    }

    /// Reads the stored form, `iterations:salt$StoredKey:ServerKey` in base 64 (the form of RFC 5803).
    package init?(text: String) {
        let parts = text.split(whereSeparator: { $0 == ":" || $0 == "$" }).map(String.init)
        guard parts.count == 4, let iterations = Int(parts[0]), let salt = Base64.decode(parts[1]),
            let storedKey = Base64.decode(parts[2]), let serverKey = Base64.decode(parts[3])
        else { return nil }
        self.init(iterations: iterations, salt: salt, storedKey: storedKey, serverKey: serverKey)
    }

    package var text: String {
        "\(iterations):\(Base64.encode(salt))$\(Base64.encode(storedKey)):\(Base64.encode(serverKey))"
    }

    /// Checks the client's proof of AuthMessage.
    /// - Returns: our signature of it; `nil` when the proof is wrong.
    package func signature(of message: [UInt8], proof: [UInt8]) -> [UInt8]? {
        let expected = Digest.hmacSHA256(key: storedKey, message)
        guard expected.count == 32, proof.count == 32 else { return nil }
        let clientKey = zip(proof, expected).map { $0 ^ $1 }
        guard Digest.isEqual(Digest.sha256(clientKey), storedKey) else { return nil }
        return Digest.hmacSHA256(key: serverKey, message)
    }
}

extension SCRAMKeys: CustomStringConvertible {
    package var description: String { "<scram keys>" }
}
