import NIOCore

/// A next hop with work: what waits for it, its connections, and how many it may have. Lives on the event loop.
final class RemoteDestination: @unchecked Sendable {
    // @unchecked: confined to the event loop.

    /// Connections at a time to a destination that has not taken a message yet; each success allows one more, so that
    /// a host that swallows connections cannot take all slots at once.
    static let firstLimit = 4

    let record: DestinationRecord
    var hop: NextHop { record.hop }
    var waiting = CircularBuffer<RemoteJob>()
    /// Used last stands last.
    var idle: [RemoteLink] = []
    /// Jobs under way.
    var active = 0
    var limit = RemoteDestination.firstLimit
    /// Hosts whose handshake failed: they get their mail without TLS while the destination has work.
    var withoutTLS: Set<HostAddress> = []

    init(_ record: DestinationRecord) { self.record = record }

    var isEmpty: Bool { waiting.isEmpty && idle.isEmpty && active == 0 }
    var wantsSlot: Bool { !waiting.isEmpty && active < limit }

    /// Recipients of one message that were claimed apart go together again (R-DLV-14).
    func add(_ job: RemoteJob) {
        if let last = waiting.last, last.message.key == job.message.key {
            last.recipients += job.recipients
        } else {
            waiting.append(job)
        }
    }

    func succeeded(most: Int) {
        if limit < most { limit += 1 }
    }
}
