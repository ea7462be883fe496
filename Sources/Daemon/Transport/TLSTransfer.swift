import COpenSSL
import NIOCore

/// The far side of an SSL: cipher text in and out as `ByteBuffer`, reached by OpenSSL through a BIO of our own. A memory
/// BIO would copy every octet once more and keep its largest buffer for the life of the connection.
final class TLSTransfer {
    private var input: ByteBuffer?
    private var output: ByteBuffer?
    /// Of writes whose cipher text is in `output`.
    var promises: [EventLoopPromise<Void>] = []

    /// Octets of cipher text that OpenSSL has not taken.
    var waiting: Int { input?.readableBytes ?? 0 }

    func receive(_ buffer: ByteBuffer) {
        var buffer = buffer
        guard input == nil else {
            input?.writeBuffer(&buffer)
            return
        }
        input = buffer
    }

    func takeOutput() -> ByteBuffer? {
        defer { output = nil }
        return output
    }

    /// The SSL that gets it must not outlive this object.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method.pointer, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var buffer = input else { return 0 }
        input = nil  // the only reference, so that nothing is copied below
        let count = min(target.count, buffer.readableBytes)
        buffer.readWithUnsafeReadableBytes { octets in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: octets[..<count]))
            return count
        }
        if buffer.readableBytes > 0 { input = buffer }
        return count
    }

    private func write(_ octets: UnsafeRawBufferPointer) {
        if output == nil { output = ByteBufferAllocator().buffer(capacity: octets.count) }
        output?.writeBytes(octets)
    }

    // MARK: BIO

    private struct Method: @unchecked Sendable {
        // Unchecked: filled in once below and only read afterwards.
        let pointer: OpaquePointer?
    }

    private static let method: Method = {
        let made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "epost")
        guard let made else { return Method(pointer: nil) }
        BIO_meth_set_read(made) { bio, target, length in
            guard let transfer = TLSTransfer.of(bio), let target, length > 0 else { return -1 }
            cossl_bio_clear_retry(bio)
            let count = transfer.read(into: UnsafeMutableRawBufferPointer(start: target, count: Int(length)))
            if count == 0 {
                cossl_bio_retry_read(bio)
                return -1
            }
            return Int32(count)
        }
        BIO_meth_set_write(made) { bio, source, length in
            guard let transfer = TLSTransfer.of(bio), let source, length > 0 else { return -1 }
            transfer.write(UnsafeRawBufferPointer(start: source, count: Int(length)))
            return length
        }
        BIO_meth_set_ctrl(made) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return Method(pointer: made)
    }()

    private static func of(_ bio: OpaquePointer?) -> TLSTransfer? {
        BIO_get_data(bio).map { Unmanaged<TLSTransfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
