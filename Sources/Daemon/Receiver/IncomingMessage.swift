import MailModel
import MessageFormat
import Policy

/// A message between DATA and its 250.
struct IncomingMessage {
    let id: QueueID
    let envelope: Envelope
    let receivedAt: Int64
    let protocolName: String
    /// Octets of our Received field, which stands in front.
    let traceOctets: Int
    /// Set when the header was looked at: before content first leaves memory, or at the end.
    var header: Header?
    var upload: LargeUpload?

    struct Header {
        var facts: ContentFacts
        var messageID: String?
    }
}
