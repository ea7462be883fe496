import Crypto
import Glibc
import Testing

@Suite struct ChallengeKeyTests {
    private func hex(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// RFC 2195 §2, RFC 2202 §2 (keys of less, exactly and more than one block).
    @Test(arguments: [
        (
            Array("tanstaaftanstaaf".utf8), "<1896.697170952@postoffice.reston.mci.net>",
            "b913a602c7eda7a495b4e6e7334d3890"
        ),
        ([UInt8](repeating: 0x0B, count: 16), "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (
            [UInt8](repeating: 0xAA, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        ),
    ])
    func cram(_ password: [UInt8], _ challenge: String, _ digest: String) throws {
        let keys = CRAMKeys(password: password)
        #expect(hex(keys.digest(of: Array(challenge.utf8))) == digest)
        let stored = try #require(CRAMKeys(text: keys.text))
        #expect(stored == keys)
        #expect(stored.matches(keys.digest(of: Array(challenge.utf8)), challenge: Array(challenge.utf8)))
        #expect(!stored.matches([UInt8](repeating: 0, count: 16), challenge: Array(challenge.utf8)))
    }

    /// RFC 7677 §3
    @Test func scram() throws {
        let salt: [UInt8] = [91, 109, 153, 104, 157, 18, 53, 142, 236, 160, 75, 20, 18, 54, 250, 129]
        let keys = try #require(SCRAMKeys(password: Array("pencil".utf8), salt: salt, iterations: 4096))
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let message = Array(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=\(nonce)".utf8)
        let proof: [UInt8] = [
            0x74, 0x7C, 0xDB, 0x65, 0xAA, 0x56, 0x22, 0x4E, 0x23, 0x52, 0x13, 0x7E, 0x52, 0xD7, 0xBD, 0xCA, 0xD6, 0xA0,
            0xF7, 0x38, 0xDF, 0x30, 0x78, 0x2C, 0xAA, 0x69, 0xA2, 0xCF, 0xB0, 0x27, 0x75, 0x54,
        ]
        let signature = try #require(keys.signature(of: message, proof: proof))
        #expect(hex(signature) == "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e")
        #expect(try #require(SCRAMKeys(text: keys.text)) == keys)
        var wrong = proof
        wrong[0] ^= 1
        #expect(keys.signature(of: message, proof: wrong) == nil)
        #expect(keys.signature(of: message, proof: []) == nil)
        #expect("\(keys)" == "<scram keys>")
    }

    @Test(arguments: ["", "1:2$3:4", "4096:AAAA$BBBB:CCCC", "x:W22ZaJ0SNY7soEsUEjb6gQ$a:b"])
    func damagedKeysAreNone(_ text: String) {
        #expect(SCRAMKeys(text: text) == nil)
        #expect(CRAMKeys(text: text) == nil)
    }

    @Test func aBoxOpensWhatItSealed() throws {
        let path = "/tmp/epost-key-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(path) }
        let box = try #require(SecretBox(file: path))
        let sealed = try #require(box.seal("secret", context: "ann"))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        // Another process finds the same key.
        #expect(SecretBox(file: path)?.open(sealed, context: "ann") == "secret")
        #expect(box.open(sealed, context: "bob") == nil)
        #expect(box.open(String(sealed.dropLast(4)) + "AAAA", context: "ann") == nil)
        #expect(box.open("", context: "ann") == nil)
        #expect(box.seal("secret", context: "ann") != sealed)
        #expect(box.imitation(of: "nobody", count: 16) == SecretBox(file: path)?.imitation(of: "nobody", count: 16))
    }
}
