import COpenSSL

/// Seals secrets that must be readable again (AES-256-GCM) under a key that lies in a file of its own, so that a copy
/// of the store alone gives nothing away.
package struct SecretBox: Sendable {
    private let key: [UInt8]
    private static let keyOctets = 32
    private static let nonceOctets = 12
    private static let tagOctets = 16

    /// - Returns: `nil` unless the key has 32 octets.
    package init?(key: [UInt8]) {
        guard key.count == Self.keyOctets else { return nil }
        self.key = key
    }

    /// Reads the key, makes it when there is none; several processes may do so at once. Mode 0600.
    /// - Returns: `nil` when it can be neither read nor made.
    package init?(file path: String) {
        let length = Self.keyOctets...Self.keyOctets
        if let key = KeyFile.read(path, octets: length) {
            self.init(key: key)
        } else if KeyFile.make(path, octets: Self.keyOctets) == nil, let key = KeyFile.read(path, octets: length) {
            self.init(key: key)
        } else {
            return nil
        }
    }

    /// - Parameter context: what the secret belongs to; it opens under the same context only.
    package func seal(_ secret: [UInt8], context: String) -> [UInt8]? {
        guard let nonce = Random.octets(Self.nonceOctets), let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        let associated = Array(context.utf8)
        var out = [UInt8](repeating: 0, count: secret.count + 16)
        var tag = [UInt8](repeating: 0, count: Self.tagOctets)
        var count: Int32 = 0
        guard EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(cipher, nil, &count, associated, Int32(clamping: associated.count)) == 1,
            EVP_EncryptUpdate(cipher, &out, &count, secret, Int32(clamping: secret.count)) == 1
        else { return nil }
        var rest: Int32 = 0
        var nothing = [UInt8](repeating: 0, count: 16)
        guard EVP_EncryptFinal_ex(cipher, &nothing, &rest) == 1,
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), &tag) == 1
        else { return nil }
        return nonce + out.prefix(Int(count)) + tag
    }

    /// - Returns: `nil` when it was sealed under another key or context, or changed since.
    package func open(_ sealed: [UInt8], context: String) -> [UInt8]? {
        guard sealed.count >= Self.nonceOctets + Self.tagOctets, let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        let nonce = Array(sealed.prefix(Self.nonceOctets))
        var tag = Array(sealed.suffix(Self.tagOctets))
        let text = Array(sealed.dropFirst(Self.nonceOctets).dropLast(Self.tagOctets))
        let associated = Array(context.utf8)
        var out = [UInt8](repeating: 0, count: text.count + 16)
        var count: Int32 = 0
        guard EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(cipher, nil, &count, associated, Int32(clamping: associated.count)) == 1,
            EVP_DecryptUpdate(cipher, &out, &count, text, Int32(clamping: text.count)) == 1,
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
        else { return nil }
        var rest: Int32 = 0
        var nothing = [UInt8](repeating: 0, count: 16)
        guard EVP_DecryptFinal_ex(cipher, &nothing, &rest) == 1 else { return nil }
        return Array(out.prefix(Int(count)))
    }

    /// Octets that look random and are the same for the same text as long as the key is.
    package func imitation(of text: String, count: Int) -> [UInt8] {
        Array(Digest.hmacSHA256(key: key, Array("imitation \(text)".utf8)).prefix(count))
    }
}

extension SecretBox: CustomStringConvertible {
    package var description: String { "<key>" }
}

extension SecretBox {
    /// A text sealed, in base 64.
    package func seal(_ text: String, context: String) -> String? {
        seal(Array(text.utf8), context: context).map(Base64.encode)
    }

    package func open(_ sealed: String, context: String) -> String? {
        guard let octets = Base64.decode(sealed), let secret = open(octets, context: context) else { return nil }
        return String(validating: secret, as: UTF8.self)
    }
}
