import COpenSSL

/// A stored password, in one of three forms (salts and hashes in base 64 without padding, as passlib writes them):
/// - `$scrypt$ln=14,r=8,p=1$salt$hash`: what a password becomes when it is set;
/// - `$pbkdf2-sha256$i=1000$salt$hash`: the first step of a mass import, which cannot wait 40 ms for each password;
/// - `$scrypt-pbkdf2-sha256$ln=14,r=8,p=1,i=1000,s=salt$salt$hash`: scrypt over that first step. It is made without the
///   password (`completed`), so nothing readable has to be kept until then, and costs a guess as much as plain scrypt.
package struct PasswordHash: Hashable, Sendable {
    /// Parameters of scrypt; memory is 1 KiB · 2^logarithm at r = 8.
    struct Cost: Hashable, Sendable {
        var logarithm: Int
        var blockSize: Int
        var parallel: Int
        var salt: [UInt8]
    }
    /// PBKDF2-HMAC-SHA-256 under scrypt.
    struct First: Hashable, Sendable {
        var iterations: Int
        var salt: [UInt8]
    }
    /// `nil`: the first step alone.
    let cost: Cost?
    /// `nil`: scrypt of the password itself.
    let first: First?
    let key: [UInt8]

    /// 16 MiB and some 40 ms of one core: OWASP's row for r = 8 asks for more, but a mail client logs in for each
    /// message; a small cache of verified passwords (`PasswordVerifier`) does not help against a wrong one.
    private static let logarithmOfNew = 14
    private static let saltOctets = 16
    private static let keyOctets = 32
    /// What a stored hash may ask for, so that a made-up one cannot exhaust memory: 128 MiB.
    private static let largestLogarithm = 17
    /// Some 0.25 ms: 100,000 passwords in half a minute of one core.
    private static let iterationsOfFirst = 1_000

    private init(cost: Cost?, first: First?, key: [UInt8]) {
        self.cost = cost
        self.first = first
        self.key = key
    }

    /// Hashes a password with a new salt. Takes some 40 ms.
    /// - Returns: `nil` when OpenSSL has no entropy or no memory.
    package init?(password: String) {
        guard let made = Self.stretched(Array(password.utf8)) else { return nil }
        self.init(cost: made.cost, first: nil, key: made.key)
    }

    /// The first step of a hash, in a quarter of a millisecond. `completed()` must follow soon.
    package init?(firstStepOf password: String) {
        guard let salt = Random.octets(Self.saltOctets) else { return nil }
        let first = First(iterations: Self.iterationsOfFirst, salt: salt)
        guard let key = Self.derive(Array(password.utf8), first) else { return nil }
        self.init(cost: nil, first: first, key: key)
    }

    /// Whether it is the first step alone.
    package var isFirstStep: Bool { cost == nil }

    /// The same password under scrypt. Takes some 40 ms.
    /// - Returns: itself when it is complete; `nil` when OpenSSL has no entropy or no memory.
    package func completed() -> PasswordHash? {
        guard isFirstStep else { return self }
        guard let made = Self.stretched(key) else { return nil }
        return PasswordHash(cost: made.cost, first: first, key: made.key)
    }

    /// Names one setting of one password: the same before and after `completed()`.
    package var generation: String {
        first.map { "first \($0.iterations) \(Base64.encode($0.salt))" } ?? text
    }

    /// Reads the stored form.
    /// - Returns: `nil` for another scheme or parameters out of bounds.
    package init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty else { return nil }
        var fields: [Substring: Substring] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            guard sides.count == 2 else { return nil }
            fields[sides[0]] = sides[1]
        }
        func number(_ name: Substring, _ range: ClosedRange<Int>) -> Int? {
            fields[name].flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
        }
        guard let salt = Base64.decode(parts[3]), (8...64).contains(salt.count), let key = Base64.decode(parts[4]),
            (16...64).contains(key.count)
        else { return nil }
        var cost: Cost?
        if parts[1] != "pbkdf2-sha256" {
            guard let logarithm = number("ln", 10...Self.largestLogarithm), let blockSize = number("r", 1...8),
                let parallel = number("p", 1...4)
            else { return nil }
            cost = Cost(logarithm: logarithm, blockSize: blockSize, parallel: parallel, salt: salt)
        }
        var first: First?
        if parts[1] != "scrypt" {
            // A first step of fewer rounds could be guessed too fast; more cost more than a log-in may.
            let own = cost == nil ? salt : fields["s"].flatMap { Base64.decode($0) }
            guard let iterations = number("i", Self.iterationsOfFirst...1_000_000), let own,
                (8...64).contains(own.count)
            else { return nil }
            first = First(iterations: iterations, salt: own)
        }
        guard ["scrypt", "pbkdf2-sha256", "scrypt-pbkdf2-sha256"].contains(parts[1]) else { return nil }
        self.init(cost: cost, first: first, key: key)
    }

    package var text: String {
        let end = Base64.encode(key)
        switch (cost, first) {
        case (let cost?, let first?):
            return "$scrypt-pbkdf2-sha256$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallel),"
                + "i=\(first.iterations),s=\(Base64.encode(first.salt))$\(Base64.encode(cost.salt))$\(end)"
        case (let cost?, nil):
            return "$scrypt$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallel)$"
                + "\(Base64.encode(cost.salt))$\(end)"
        case (nil, let first):
            return "$pbkdf2-sha256$i=\(first?.iterations ?? 0)$\(Base64.encode(first?.salt ?? []))$\(end)"
        }
    }

    /// Whether this is the password. Takes some 40 ms: not on an event loop.
    package func matches(_ password: [UInt8]) -> Bool {
        var tried: [UInt8]? = password
        if let first { tried = Self.derive(password, first, octets: cost == nil ? key.count : Self.keyOctets) }
        if let cost { tried = tried.flatMap { Self.derive($0, cost, key.count) } }
        return tried.map { Digest.isEqual($0, key) } ?? false
    }

    private static func stretched(_ secret: [UInt8]) -> (cost: Cost, key: [UInt8])? {
        guard let salt = Random.octets(saltOctets) else { return nil }
        let cost = Cost(logarithm: logarithmOfNew, blockSize: 8, parallel: 1, salt: salt)
        return derive(secret, cost, keyOctets).map { (cost, $0) }
    }

    private static func derive(_ password: [UInt8], _ first: First, octets: Int = keyOctets) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: octets)
        let secret = (password.isEmpty ? [0] : password).map { CChar(bitPattern: $0) }
        let code = PKCS5_PBKDF2_HMAC(
            secret, Int32(clamping: password.count), first.salt, Int32(first.salt.count), Int32(first.iterations),
            EVP_sha256(), Int32(octets), &out)
        return code == 1 ? out : nil
    }

    private static func derive(_ password: [UInt8], _ cost: Cost, _ octets: Int) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: octets)
        // An empty array may have no address, and OpenSSL reads a null password as "only check the parameters".
        let secret = password.isEmpty ? [0] : password
        let rounds = UInt64(1) << UInt64(cost.logarithm)
        let memory = UInt64(128 * cost.blockSize) * rounds + (4 << 20)
        let code = secret.withUnsafeBytes { octetsOfSecret in
            EVP_PBE_scrypt(
                octetsOfSecret.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, cost.salt,
                cost.salt.count, rounds, UInt64(cost.blockSize), UInt64(cost.parallel), memory, &out, octets)
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
