import COpenSSL

/// What went wrong with TLS.
package struct TLSError: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Certificate or key cannot be read, or do not belong together.
        case configuration
        /// The peers could not agree.
        case handshake
        case timeout
        /// The connection ended without close_notify: what was received may be cut off.
        case truncated
        /// A broken record or a write against the rules.
        case connection
        /// More was written before the handshake ended than is held back.
        case queueFull
    }
    /// Callers switch on this.
    package let kind: Kind
    /// For the log only.
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// Takes the reasons from OpenSSL's queue of this thread and empties it.
    static func current(_ kind: Kind, _ what: String) -> TLSError {
        var reasons: [String] = []
        while reasons.count < 4, let reason = nextReason() { reasons.append(reason) }
        ERR_clear_error()
        return TLSError(kind, reasons.isEmpty ? what : "\(what): \(reasons.joined(separator: "; "))")
    }

    private static func nextReason() -> String? {
        let code = ERR_get_error()
        guard code != 0 else { return nil }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension TLSError: CustomStringConvertible {
    package var description: String { detail }
}
