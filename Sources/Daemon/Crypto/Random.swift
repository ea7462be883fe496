import COpenSSL

/// Random octets from OpenSSL's generator.
package enum Random {
    /// - Returns: `nil` when the generator has no entropy; never weaker octets.
    package static func octets(_ count: Int) -> [UInt8]? {
        guard count > 0, count <= 1 << 20 else { return count == 0 ? [] : nil }
        var out = [UInt8](repeating: 0, count: count)
        return RAND_bytes(&out, Int32(count)) == 1 ? out : nil
    }
}

package enum Digest {
    /// SHA-256 in lower-case hexadecimal digits.
    package static func sha256Hex(_ octets: [UInt8]) -> String {
        var out = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 32
        guard EVP_Digest(octets, octets.count, &out, &length, EVP_sha256(), nil) == 1 else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: out.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// SHA-256, 32 octets; empty when OpenSSL fails.
    package static func sha256(_ octets: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 32
        return EVP_Digest(octets, octets.count, &out, &length, EVP_sha256(), nil) == 1 ? out : []
    }

    /// HMAC-SHA-256, 32 octets; empty when OpenSSL fails.
    package static func hmacSHA256(key: [UInt8], _ octets: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 32
        guard HMAC(EVP_sha256(), key, Int32(key.count), octets, octets.count, &out, &length) != nil else { return [] }
        return out
    }

    /// Comparison whose time does not depend on the content.
    package static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}

/// What OpenSSL says about its last failure, for logs; empties its list.
func opensslError() -> String {
    var text = ""
    while true {
        let code = ERR_get_error()
        if code == 0 { return text.isEmpty ? "no reason given" : text }
        var line = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &line, line.count)
        let octets = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        text += (text.isEmpty ? "" : "; ") + String(decoding: octets, as: UTF8.self)
    }
}
