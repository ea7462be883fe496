import Glibc
import Testing

@testable import Crypto

@Suite struct PasswordTests {
    @Test func rightPasswordMatchesAndWrongDoesNot() throws {
        let hash = try #require(PasswordHash(password: "Secret1 ü"))
        #expect(hash.matches(Array("Secret1 ü".utf8)))
        #expect(!hash.matches(Array("secret1 ü".utf8)))
        #expect(!hash.matches([]))
        let again = try #require(PasswordHash(text: hash.text))
        #expect(again == hash)
        #expect(hash.text.hasPrefix("$scrypt$ln=14,r=8,p=1$"))
        #expect("\(hash)" == "<password hash>")
    }

    /// RFC 7914 §12, third vector (N=16384, r=8, p=1).
    @Test func vectorOfTheRFC() throws {
        let key: [UInt8] = [
            0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48, 0x46, 0x1c, 0x06, 0xcd, 0x81, 0xfd, 0x38, 0xeb, 0xfd, 0xa8,
            0xfb, 0xba, 0x90, 0x4f, 0x8e, 0x3e, 0xa9, 0xb5, 0x43, 0xf6, 0x54, 0x5d, 0xa1, 0xf2, 0xd5, 0x43, 0x29, 0x55,
            0x61, 0x3f, 0x0f, 0xcf, 0x62, 0xd4, 0x97, 0x05, 0x24, 0x2a, 0x9a, 0xf9, 0xe6, 0x1e, 0x85, 0xdc, 0x0d, 0x65,
            0x1e, 0x40, 0xdf, 0xcf, 0x01, 0x7b, 0x45, 0x57, 0x58, 0x87,
        ]
        let salt = Base64.encode(Array("SodiumChloride".utf8))
        let hash = try #require(PasswordHash(text: "$scrypt$ln=14,r=8,p=1$\(salt)$\(Base64.encode(key))"))
        #expect(hash.matches(Array("pleaseletmein".utf8)))
    }

    @Test(arguments: [
        "", "$", "plain", "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$",
        "$scrypt$ln=30,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=14,r=800,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$x$y$z",
        "$scrypt$ln=14,r=8$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=14,r=8,p=1$c2Fs*$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func unreadableHashes(text: String) { #expect(PasswordHash(text: text) == nil) }

    /// Mass import: the first step is checked at once, and becomes scrypt without the password.
    @Test(arguments: ["Secret1 ü", "", String(repeating: "x", count: 300)])
    func firstStepIsCompletedWithoutThePassword(password: String) throws {
        let first = try #require(PasswordHash(firstStepOf: password))
        #expect(first.isFirstStep && first.text.hasPrefix("$pbkdf2-sha256$i=1000$"))
        let read = try #require(PasswordHash(text: first.text))
        #expect(read == first)
        let whole = try #require(read.completed())
        #expect(!whole.isFirstStep && whole.text.hasPrefix("$scrypt-pbkdf2-sha256$ln=14,r=8,p=1,i=1000,s="))
        #expect(try #require(PasswordHash(text: whole.text)) == whole)
        #expect(whole.completed() == whole)
        for hash in [first, whole] {
            #expect(hash.matches(Array(password.utf8)))
            #expect(!hash.matches(Array((password + "x").utf8)))
            #expect(hash.generation == first.generation)
        }
        // What lies on disk as a first step is no password of the whole.
        #expect(!whole.matches(first.key))
    }

    @Test(arguments: [
        "$pbkdf2-sha256$i=10$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$pbkdf2-sha256$$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt-pbkdf2-sha256$ln=14,r=8,p=1,i=1000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$pbkdf2-sha512$i=1000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func unreadableFirstSteps(text: String) { #expect(PasswordHash(text: text) == nil) }

    @Test func emptyPasswordIsAPassword() throws {
        let hash = try #require(PasswordHash(password: ""))
        #expect(hash.matches([]))
        #expect(!hash.matches([1]))
    }

    @Test(arguments: [[], [0], [1, 2], [1, 2, 3], [255, 254, 253, 252], Array(0...255)] as [[UInt8]])
    func base64GoesBothWays(octets: [UInt8]) { #expect(Base64.decode(Base64.encode(octets)) == octets) }

    @Test func verifierRemembersOnlyWhatWasRight() throws {
        let verifier = PasswordVerifier(limit: 2, lifetime: 60)
        let text = try #require(PasswordHash(password: "a")).text
        #expect(!verifier.verify(Array("b".utf8), hash: text))
        #expect(verifier.verify(Array("a".utf8), hash: text))
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<100 { #expect(verifier.verify(Array("a".utf8), hash: text)) }
        #expect(clock.now - start < .milliseconds(500), "remembered passwords cost no scrypt")
        #expect(!verifier.verify(Array("b".utf8), hash: text))
        #expect(!verifier.verify(Array("a".utf8), hash: nil))
    }

    /// Password store (failure classes): an unknown user takes as long as a wrong password.
    @Test func unknownUserCostsTheSame() throws {
        let verifier = PasswordVerifier()
        let text = try #require(PasswordHash(password: "a")).text
        // Time of this thread alone: other tests and other users of the machine must not count.
        func work(_ body: () -> Void) -> Int {
            func now() -> Int {
                var time = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
            }
            let start = now()
            body()
            return now() - start
        }
        // In turn, and the least of each: what neighbours do to the caches only adds, and must not meet one side alone.
        var (known, unknown) = (Int.max, Int.max)
        for number in 0..<9 {
            let password = Array("wrong \(number)".utf8)
            known = min(known, work { _ = verifier.verify(password, hash: text) })
            unknown = min(unknown, work { _ = verifier.verify(password, hash: nil) })
        }
        #expect(unknown > known * 3 / 4 && unknown < known * 4 / 3, "\(known) and \(unknown) µs")
    }
}

@Suite struct CertificateTests {
    @Test func selfSignedPairIsSound() throws {
        let pair = try Certificate.selfSigned(names: ["mail.example.jp", "example.jp"], addresses: ["192.0.2.1"])
        let found = try Certificate.check(certificate: pair.certificate, key: pair.key)
        #expect(!found.isExpired)
        #expect(String(decoding: pair.key, as: UTF8.self).contains("PRIVATE KEY"))
    }

    /// R-SSL-05: what the console says of a certificate.
    @Test func detailsOfASelfSignedChain() throws {
        let one = try Certificate.selfSigned(
            names: ["mail.example.jp", "example.jp"], addresses: ["192.0.2.1", "2001:db8::1"])
        let two = try Certificate.selfSigned(names: ["other.example"])
        let found = try Certificate.details(one.certificate + two.certificate)
        #expect(found.subject == "CN=mail.example.jp" && found.issuer == found.subject && found.isSelfSigned)
        #expect(found.names == ["mail.example.jp", "example.jp", "192.0.2.1", "2001:db8:0:0:0:0:0:1"])
        #expect(found.keyType == "EC" && found.keyBits == 256 && found.chain == 2 && found.fingerprint.count == 64)
        #expect((3650...3652).contains((found.notAfter - found.notBefore) / 86_400))
        #expect(throws: Certificate.Failure.self) { try Certificate.details(one.key) }
    }

    @Test func foreignKeyAndRubbishAreNamed() throws {
        let one = try Certificate.selfSigned(names: ["a.example"])
        let two = try Certificate.selfSigned(names: ["a.example"])
        func part(_ certificate: [UInt8], _ key: [UInt8]) -> Certificate.Failure.Part? {
            do {
                _ = try Certificate.check(certificate: certificate, key: key)
                return nil
            } catch { return error.part }
        }
        #expect(part(one.certificate, two.key) == .pair)
        #expect(part([], one.key) == .certificate)
        #expect(part(one.certificate, Array("no key".utf8)) == .key)
        #expect(part(one.key, one.key) == .certificate)
    }

    @Test func badNamesFail() {
        #expect(throws: Certificate.Failure.self) { try Certificate.selfSigned(names: []) }
    }

    /// FIPS 180-4, "abc".
    @Test func digestOfAbc() {
        #expect(
            Digest.sha256Hex(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
