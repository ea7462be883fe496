import MailModel
import Spool

/// Content for messages that are made from another one.
enum ContentCopy {
    private static let piece = 1 << 20

    /// The content with `header` in front, small in memory or large in a file of its own.
    static func make(
        _ content: StoredContent, under header: [UInt8] = [], id: QueueID, in spool: any Spool
    ) throws(SpoolError) -> NewMessage.Content {
        switch content {
        case .inline(let octets): return try store(header + octets, id: id, in: spool)
        case .file(let file):
            let copy = try spool.beginLarge(id)
            try copy.append(header)
            var offset = 0
            while offset < file.size {
                let octets = try file.read(at: offset, count: piece)
                guard !octets.isEmpty else { throw SpoolError(.io, "\(id): the content ends early") }
                try copy.append(octets)
                offset += octets.count
            }
            return .large(copy)
        }
    }

    static func store(_ octets: [UInt8], id: QueueID, in spool: any Spool) throws(SpoolError) -> NewMessage.Content {
        if octets.count <= SpoolLimits.inlineContent { return .inline(octets) }
        let content = try spool.beginLarge(id)
        try content.append(octets)
        return .large(content)
    }
}
