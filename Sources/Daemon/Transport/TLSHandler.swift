import COpenSSL
import MailModel
import NIOCore

/// Fired as an inbound user event once the handshake is done.
package struct TLSEstablished: Sendable {
    /// `TLSv1.3`
    package let version: String
    package let cipher: String
    /// Channel bindings by name (RFC 5929, RFC 9266); both ends of one connection have the same.
    package let bindings: [String: [UInt8]]

    package init(version: String = "", cipher: String = "", bindings: [String: [UInt8]] = [:]) {
        self.version = version
        self.cipher = cipher
        self.bindings = bindings
    }
}

/// TLS by OpenSSL between the socket and the rest of the pipeline, for both sides. Added as the first handler, to a new
/// channel (implicit TLS) or to an active one (STARTTLS): then the handshake starts at once.
///
/// A failed handshake sends its alert, fires `TLSError` and closes. OpenSSL reads from and writes into this handler's
/// buffers by way of `TLSTransfer`, so an idle connection holds no buffers.
package final class TLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case idle, handshaking, active
        /// Nothing is encrypted or decrypted any more.
        case closed
    }

    /// Octets that may be written before the handshake is done.
    private static let heldOctets = 64 << 10
    /// Octets that the peer may still send after our close_notify.
    private static let droppedOctets = 1 << 20

    private let tls: TLSContext
    private let ssl: OpaquePointer
    private let transfer = TLSTransfer()
    private let handshakeTimeout: TimeAmount
    private var state = State.idle
    private var timer: Scheduled<Void>?
    private var held = CircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>()
    private var heldOctets = 0
    private var droppedOctets = 0
    private var isHandlingRead = false

    /// - Parameters:
    ///   - serverName: client side: name or address that it is called by, for SNI and for verifying.
    ///   - scope: server side: tickets given out under one scope are worth nothing under another; the listener's name.
    package init(
        _ tls: TLSContext, serverName: String? = nil, scope: String = "", handshakeTimeout: TimeAmount = .seconds(60)
    ) throws(TLSError) {
        ERR_clear_error()
        guard let ssl = SSL_new(tls.pointer) else { throw .current(.configuration, "no TLS session") }
        self.tls = tls
        self.ssl = ssl
        self.handshakeTimeout = handshakeTimeout
        guard let bio = transfer.makeBIO() else { throw .current(.configuration, "no TLS buffers") }
        SSL_set_bio(ssl, bio, bio)
        if tls.isServer {
            SSL_set_accept_state(ssl)
            var hash = scope.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
            withUnsafeBytes(of: &hash) { octets in
                _ = SSL_set_session_id_context(ssl, octets.bindMemory(to: UInt8.self).baseAddress, 8)
            }
        } else {
            SSL_set_connect_state(ssl)
            if let serverName {
                // An address is no name for SNI (RFC 6066 §3), but a certificate may hold it.
                let isAddress = IPAddress(serverName) != nil
                if !isAddress { _ = cossl_set_sni(ssl, serverName) }
                let isExpected =
                    isAddress
                    ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), serverName) == 1
                    : SSL_set1_host(ssl, serverName) == 1
                if tls.verifies, !isExpected { throw .current(.configuration, "\(serverName) cannot be verified") }
            } else if tls.verifies {
                throw TLSError(.configuration, "a name is needed for verifying")
            }
        }
    }

    deinit { SSL_free(ssl) }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        failHeld(ChannelError.ioOnClosedChannel)
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let before = state
        state = .closed
        timer?.cancel()
        failHeld(ChannelError.ioOnClosedChannel)
        switch before {
        case .handshaking: context.fireErrorCaught(TLSError(.handshake, "connection lost in the TLS handshake"))
        case .active where SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN == 0:
            context.fireErrorCaught(TLSError(.truncated, "connection lost without close_notify"))
        case .active, .idle, .closed: break
        }
        context.fireChannelInactive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard state == .idle else { return }
        state = .handshaking
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: handshakeTimeout) {
            let (handler, context) = bound.value
            if handler.state == .handshaking { handler.fail(TLSError(.timeout, "TLS handshake timed out"), context) }
        }
        handshake(context)
        flushCipher(context)
    }

    // MARK: In

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return drop(unwrapInboundIn(data), context) }
        transfer.receive(unwrapInboundIn(data))
        // A reader further up may close or write while it gets plain text; it may not make us read again from here.
        guard !isHandlingRead else { return }
        isHandlingRead = true
        defer { isHandlingRead = false }
        handshake(context)
        readPlain(context)
        writeHeld()
        flushCipher(context)
    }

    /// Behind our last words nothing is decrypted; who goes on talking is not listened to without end.
    private func drop(_ cipher: ByteBuffer, _ context: ChannelHandlerContext) {
        droppedOctets += cipher.readableBytes
        if droppedOctets > Self.droppedOctets { context.close(promise: nil) }
    }

    private func handshake(_ context: ChannelHandlerContext) {
        guard state == .handshaking else { return }
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            state = .active
            timer?.cancel()
            timer = nil
            flushCipher(context)
            let version = SSL_get_version(ssl).map { String(cString: $0) } ?? ""
            let cipher =
                SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) } ?? ""
            let bindings = ChannelBindings.of(ssl, isServer: tls.isServer)
            context.fireUserInboundEventTriggered(
                TLSEstablished(version: version, cipher: cipher, bindings: bindings))
            return
        }
        let error = SSL_get_error(ssl, result)
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return }
        let verdict = SSL_get_verify_result(ssl)
        guard !tls.isServer, tls.verifies, verdict != Int(X509_V_OK) else {
            return fail(.current(.handshake, "TLS handshake failed"), context)
        }
        let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? "it does not verify"
        ERR_clear_error()
        fail(TLSError(.handshake, "certificate refused: \(reason)"), context)
    }

    private func readPlain(_ context: ChannelHandlerContext) {
        var hasRead = false
        while state == .active {
            // Plain text is shorter than its records; a record's rest may still be inside OpenSSL.
            let capacity = max(1_024, min(transfer.waiting, 64 << 10))
            var plain = context.channel.allocator.buffer(capacity: capacity)
            ERR_clear_error()
            let count = plain.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { space in
                max(0, Int(SSL_read(ssl, space.baseAddress, Int32(clamping: space.count))))
            }
            if count > 0 {
                hasRead = true
                context.fireChannelRead(wrapInboundOut(plain))
                continue
            }
            let error = SSL_get_error(ssl, 0)
            if isExpected(error) { break }
            if error == SSL_ERROR_ZERO_RETURN {
                // The peer says that it is done. Ours follows, and the connection ends.
                shutDown(context)
                context.close(promise: nil)
                break
            }
            fail(.current(.connection, "TLS record refused"), context)
        }
        if hasRead { context.fireChannelReadComplete() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        // Plain text has its own, in `readPlain`; with automatic reading off, what brought no plain text must not stall.
        if state == .handshaking { context.read() }
    }

    private func isExpected(_ error: Int32) -> Bool {
        error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE
    }

    // MARK: Out

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        guard state != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if state != .active, heldOctets + buffer.readableBytes > Self.heldOctets {
            promise?.fail(TLSError(.queueFull, "too much written before the TLS handshake"))
            return
        }
        heldOctets += buffer.readableBytes
        held.append((buffer, promise))
    }

    package func flush(context: ChannelHandlerContext) {
        writeHeld()
        flushCipher(context)
    }

    /// Encrypts what waits. The promises follow the cipher text in `flushCipher`.
    private func writeHeld() {
        guard state == .active else { return }
        while let (written, promise) = held.popFirst() {
            var buffer = written
            heldOctets -= buffer.readableBytes
            while buffer.readableBytes > 0 {
                ERR_clear_error()
                let count = buffer.withUnsafeReadableBytes { octets in
                    SSL_write(ssl, octets.baseAddress, Int32(clamping: octets.count))
                }
                guard count > 0 else { break }
                buffer.moveReaderIndex(forwardBy: Int(count))
            }
            guard buffer.readableBytes == 0 else {
                // Our side of the transfer takes everything, so this is a connection that OpenSSL gave up.
                promise?.fail(TLSError.current(.connection, "TLS write failed"))
                continue
            }
            if let promise { transfer.promises.append(promise) }
        }
    }

    private func flushCipher(_ context: ChannelHandlerContext) {
        guard let cipher = transfer.takeOutput() else { return }
        let promises = transfer.promises
        transfer.promises.removeAll()
        guard let first = promises.first else {
            context.writeAndFlush(wrapOutboundOut(cipher), promise: nil)
            return
        }
        for other in promises.dropFirst() { first.futureResult.cascade(to: other) }
        context.writeAndFlush(wrapOutboundOut(cipher), promise: first)
    }

    // MARK: End

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        let wasActive = state == .active
        if wasActive, mode != .input { writeHeld() }
        shutDown(context)
        // Our last words can stand alone: the peer's are dropped until it closes.
        let canHalve = mode == .input || mode == .output && wasActive
        context.close(mode: canHalve ? mode : .all, promise: promise)
    }

    /// Sends close_notify once.
    private func shutDown(_ context: ChannelHandlerContext) {
        guard state == .active else { return }
        state = .closed
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        flushCipher(context)
    }

    private func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
        state = .closed
        timer?.cancel()
        flushCipher(context)  // the alert
        failHeld(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func failHeld(_ error: any Error) {
        while let (_, promise) = held.popFirst() { promise?.fail(error) }
        heldOctets = 0
    }
}
