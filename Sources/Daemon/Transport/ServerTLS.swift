import Synchronization

/// The server's certificate in force. Replaced while sessions run: each keeps the one it began with.
package final class ServerTLS: Sendable {
    private let context = Mutex<TLSContext?>(nil)

    package init() {}

    /// `nil`: no certificate, STARTTLS is not offered and implicit TLS listeners refuse.
    package var current: TLSContext? { context.withLock { $0 } }

    /// Reads the files. On an error the certificate that was in force stays.
    package func load(certificateFile: String, privateKeyFile: String) throws(TLSError) {
        let new = try TLSContext(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
        context.withLock { $0 = new }
    }

    package func unload() { context.withLock { $0 = nil } }
}
