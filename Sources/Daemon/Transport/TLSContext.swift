import COpenSSL

/// An SSL_CTX: TLS 1.2 and 1.3 only (RFC 8996), no renegotiation, no compression; everything else as the system's
/// openssl.cnf says. Made once per change of certificate; sessions keep the one they began with.
package final class TLSContext: @unchecked Sendable {
    // Unchecked: set up in `init`, afterwards only used through functions that OpenSSL documents as thread-safe.
    let pointer: OpaquePointer
    let isServer: Bool

    /// For accepting. - Parameters: PEM files; the certificate's chain follows it in the same file.
    package convenience init(certificateFile: String, privateKeyFile: String) throws(TLSError) {
        try self.init(isServer: true)
        guard SSL_CTX_use_certificate_chain_file(pointer, certificateFile) == 1 else {
            throw .current(.configuration, "certificate \(certificateFile) cannot be used")
        }
        guard SSL_CTX_use_PrivateKey_file(pointer, privateKeyFile, SSL_FILETYPE_PEM) == 1 else {
            throw .current(.configuration, "private key \(privateKeyFile) cannot be used")
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else {
            throw .current(.configuration, "\(privateKeyFile) is not the key of \(certificateFile)")
        }
    }

    /// For connecting, without looking at the peer's certificate: opportunistic (RFC 7435).
    package static func opportunisticClient() throws(TLSError) -> TLSContext { try TLSContext(isServer: false) }

    /// For connecting to servers whose certificate an authority gave to the name that they are called by.
    /// - Parameter authorities: PEM file; `nil`: those of the system.
    package static func verifyingClient(authorities: String?) throws(TLSError) -> TLSContext {
        let context = try TLSContext(isServer: false)
        let code =
            authorities.map { SSL_CTX_load_verify_file(context.pointer, $0) }
            ?? SSL_CTX_set_default_verify_paths(context.pointer)
        guard code == 1 else {
            throw .current(.configuration, "authorities \(authorities ?? "of the system") cannot be used")
        }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        context.verifies = true
        return context
    }

    /// The peer must prove its name.
    private(set) var verifies = false

    private init(isServer: Bool) throws(TLSError) {
        ERR_clear_error()
        guard let made = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .current(.configuration, "no TLS context")
        }
        pointer = made
        self.isServer = isServer
        cossl_ctx_harden(made)
        // A session is resumed by its ticket, so the server keeps none; one ticket a handshake is enough.
        _ = cossl_ctx_set_session_cache_mode(made, Int(SSL_SESS_CACHE_OFF))
        SSL_CTX_set_num_tickets(made, 1)
        guard cossl_ctx_set_min_proto(made, TLS1_2_VERSION) == 1 else {
            throw .current(.configuration, "TLS 1.2 cannot be made the lowest version")
        }
    }

    deinit { SSL_CTX_free(pointer) }
}
