import COpenSSL

/// What ties an authentication to the TLS connection that it runs in, so that nobody can pass it on from another one.
enum ChannelBindings {
    static let exporter = "tls-exporter"
    static let serverEndPoint = "tls-server-end-point"

    /// - Parameter ssl: behind its handshake.
    /// - Returns: values by name; without those that this connection has not.
    static func of(_ ssl: OpaquePointer, isServer: Bool) -> [String: [UInt8]] {
        var out: [String: [UInt8]] = [:]
        // RFC 9266 §4.2: before TLS 1.3 it would be unique only with an extension that need not be there.
        if SSL_version(ssl) >= TLS1_3_VERSION, let value = exported(from: ssl) { out[exporter] = value }
        if let value = certificateHash(ssl, isServer: isServer) { out[serverEndPoint] = value }
        return out
    }

    /// RFC 9266 §2: no context, which is not the same as an empty one only before TLS 1.3.
    private static func exported(from ssl: OpaquePointer) -> [UInt8]? {
        let label = Array("EXPORTER-Channel-Binding".utf8).map { CChar(bitPattern: $0) }
        var value = [UInt8](repeating: 0, count: 32)
        let code = SSL_export_keying_material(ssl, &value, value.count, label, label.count, [], 0, 1)
        return code == 1 ? value : nil
    }

    private static func certificateHash(_ ssl: OpaquePointer, isServer: Bool) -> [UInt8]? {
        let own = isServer ? SSL_get_certificate(ssl) : nil
        let theirs = isServer ? nil : SSL_get1_peer_certificate(ssl)
        defer { X509_free(theirs) }
        guard let certificate = own ?? theirs else { return nil }
        var value = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        let count = Int(cossl_certificate_hash(certificate, &value))
        return count > 0 ? Array(value.prefix(count)) : nil
    }
}
