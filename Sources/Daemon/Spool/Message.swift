import Glibc
import MailModel

/// A message on its way into the spool.
package struct NewMessage: Sendable {
    package enum Content: Sendable {
        /// Trace fields on top, LF line ends.
        case inline([UInt8])
        case large(any LargeContent)

        package var size: Int {
            switch self {
            case .inline(let octets): octets.count
            case .large(let content): content.size
            }
        }
    }
    package var id: QueueID
    package var envelope: Envelope
    package var content: Content
    /// Milliseconds since 1970.
    package var receivedAt: Int64
    /// `nil` for what the server made itself.
    package var clientAddress: IPAddress?
    /// The argument of HELO or EHLO.
    package var hello: String?
    package var authenticatedID: String?
    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA`, … (RFC 3848); `local` for what the server made itself.
    package var protocolName: String
    /// The message that this one was made from: list post, forward, report, automatic reply.
    package var parent: QueueID?
    /// Why it waits for an administrator from the start; `nil`: it goes.
    package var hold: String?

    package init(
        id: QueueID, envelope: Envelope, content: Content, receivedAt: Int64, clientAddress: IPAddress? = nil,
        hello: String? = nil, authenticatedID: String? = nil, protocolName: String = "local", parent: QueueID? = nil,
        hold: String? = nil
    ) {
        self.hold = hold
        self.id = id
        self.envelope = envelope
        self.content = content
        self.receivedAt = receivedAt
        self.clientAddress = clientAddress
        self.hello = hello
        self.authenticatedID = authenticatedID
        self.protocolName = protocolName
        self.parent = parent
    }
}

/// The content of a stored message.
package enum StoredContent: Sendable {
    case inline([UInt8])
    case file(ContentFile)

    package var size: Int {
        switch self {
        case .inline(let octets): octets.count
        case .file(let file): file.size
        }
    }
}

/// An open file with content, read by position, so that several threads may share it. Closed with the last reference;
/// the octets stay readable although the message is removed meanwhile.
package final class ContentFile: Sendable {
    package let descriptor: Int32
    /// Octets.
    package let size: Int

    /// Takes over `descriptor`.
    package init(descriptor: Int32, size: Int) {
        self.descriptor = descriptor
        self.size = size
    }

    deinit { close(descriptor) }

    /// At most `count` octets from `offset`; fewer only at the end of the file.
    package func read(at offset: Int, count: Int) throws(SpoolError) -> [UInt8] {
        let wanted = max(0, min(count, size - offset))
        var failure: Int32 = 0
        let octets = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            while filled < wanted {
                guard let start = buffer.baseAddress else { return }
                let got = pread(descriptor, start + filled, wanted - filled, off_t(offset + filled))
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        if failure != 0 { throw SpoolError(.io, "read content: \(String(cString: strerror(failure)))") }
        return octets
    }
}
