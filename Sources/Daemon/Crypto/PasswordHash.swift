import COpenSSL

/// A stored password: `$scrypt$ln=14,r=8,p=1$salt$hash`, both in base 64 without padding (the form of passlib).
package struct PasswordHash: Hashable, Sendable {
    /// log2 of the cost; memory is 1 KiB · 2^ln at r = 8.
    let logarithm: Int
    let blockSize: Int
    let parallel: Int
    let salt: [UInt8]
    let key: [UInt8]

    /// 16 MiB and some 40 ms of one core: OWASP's row for r = 8 asks for more, but a mail client logs in for each
    /// message; a small cache of verified passwords (`PasswordVerifier`) does not help against a wrong one.
    private static let logarithmOfNew = 14
    private static let saltOctets = 16
    private static let keyOctets = 32
    /// What a stored hash may ask for, so that a made-up one cannot exhaust memory: 128 MiB.
    private static let largestLogarithm = 17

    /// Hashes a password with a new salt. Takes some 40 ms.
    /// - Returns: `nil` when OpenSSL has no entropy or no memory.
    package init?(password: String) {
        guard let salt = Random.octets(Self.saltOctets),
            let key = Self.derive(Array(password.utf8), salt, Self.logarithmOfNew, 8, 1, Self.keyOctets)
        else { return nil }
        logarithm = Self.logarithmOfNew
        blockSize = 8
        parallel = 1
        self.salt = salt
        self.key = key
    }

    /// Reads the stored form.
    /// - Returns: `nil` for another scheme or parameters out of bounds.
    package init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        var numbers: [String: Int] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            guard sides.count == 2, let number = Int(sides[1]) else { return nil }
            numbers[String(sides[0])] = number
        }
        guard let logarithm = numbers["ln"], let blockSize = numbers["r"], let parallel = numbers["p"],
            (10...Self.largestLogarithm).contains(logarithm), (1...8).contains(blockSize),
            (1...4).contains(parallel), let salt = Base64.decode(parts[3]), (8...64).contains(salt.count),
            let key = Base64.decode(parts[4]), (16...64).contains(key.count)
        else { return nil }
        self.logarithm = logarithm
        self.blockSize = blockSize
        self.parallel = parallel
        self.salt = salt
        self.key = key
    }

    package var text: String {
        "$scrypt$ln=\(logarithm),r=\(blockSize),p=\(parallel)$\(Base64.encode(salt))$\(Base64.encode(key))"
    }

    /// Whether this is the password. Takes some 40 ms: not on an event loop.
    package func matches(_ password: [UInt8]) -> Bool {
        guard let tried = Self.derive(password, salt, logarithm, blockSize, parallel, key.count) else { return false }
        return Digest.isEqual(tried, key)
    }

    private static func derive(
        _ password: [UInt8], _ salt: [UInt8], _ logarithm: Int, _ blockSize: Int, _ parallel: Int, _ octets: Int
    ) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: octets)
        // An empty array may have no address, and OpenSSL reads a null password as "only check the parameters".
        let secret = password.isEmpty ? [0] : password
        let memory = UInt64(128 * blockSize) * (UInt64(1) << UInt64(logarithm)) + (4 << 20)
        let code = secret.withUnsafeBytes { octetsOfSecret in
            EVP_PBE_scrypt(
                octetsOfSecret.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count,
                UInt64(1) << UInt64(logarithm), UInt64(blockSize), UInt64(parallel), memory, &out, octets)
        }
        return code == 1 ? out : nil
    }
}

extension PasswordHash: CustomStringConvertible {
    package var description: String { "<password hash>" }
}

enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ octets: [UInt8]) -> String {
        var out: [UInt8] = []
        var bits = 0
        var held = 0
        for octet in octets {
            held = (held << 8 | Int(octet)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(alphabet[held >> bits & 63])
            }
        }
        if bits > 0 { out.append(alphabet[held << (6 - bits) & 63]) }
        return String(decoding: out, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count <= 1024 else { return nil }
        var out: [UInt8] = []
        var bits = 0
        var held = 0
        for octet in text.utf8 {
            guard let value = alphabet.firstIndex(of: octet) else { return nil }
            held = (held << 6 | value) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: held >> bits))
            }
        }
        return out
    }
}
