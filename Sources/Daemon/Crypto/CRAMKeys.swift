import COpenSSL

/// What the server keeps of a password for CRAM-MD5: the two states of HMAC-MD5 behind the key (RFC 2104 §4). They log
/// in by CRAM-MD5, so they are as secret as the password, but the password cannot be read from them.
package struct CRAMKeys: Hashable, Sendable {
    let inner: [UInt32]
    let outer: [UInt32]

    package init(password: [UInt8]) {
        var key = password
        if key.count > 64 { key = Self.md5(key) }
        key += [UInt8](repeating: 0, count: 64 - key.count)
        inner = Self.state(key.map { $0 ^ 0x36 })
        outer = Self.state(key.map { $0 ^ 0x5C })
    }

    /// Reads the stored form: eight words in hexadecimal.
    package init?(text: String) {
        let words = text.split(separator: ".").compactMap { UInt32($0, radix: 16) }
        guard words.count == 8 else { return nil }
        inner = Array(words[..<4])
        outer = Array(words[4...])
    }

    package var text: String { (inner + outer).map { String($0, radix: 16) }.joined(separator: ".") }

    /// HMAC-MD5 of a challenge, 16 octets.
    package func digest(of challenge: [UInt8]) -> [UInt8] { Self.end(outer, Self.end(inner, challenge)) }

    package func matches(_ digest: [UInt8], challenge: [UInt8]) -> Bool {
        Digest.isEqual(self.digest(of: challenge), digest)
    }

    private static func state(_ block: [UInt8]) -> [UInt32] {
        var state: [UInt32] = [0, 0, 0, 0]
        cossl_md5_begin(block, &state)
        return state
    }

    private static func end(_ state: [UInt32], _ octets: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 16)
        cossl_md5_end(state, octets, octets.count, &out)
        return out
    }

    private static func md5(_ octets: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 16)
        _ = MD5(octets, octets.count, &out)
        return out
    }
}

extension CRAMKeys: CustomStringConvertible {
    package var description: String { "<cram keys>" }
}
