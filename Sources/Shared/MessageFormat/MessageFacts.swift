import MailModel

/// What the server needs to know of a message's header, found in one pass over its octets.
package struct MessageFacts: Hashable, Sendable {
    package var receivedFields = 0
    package var hasDate = false
    /// Bodies as octet ranges of the scanned content.
    package var messageID: Range<Int>?
    package var subject: Range<Int>?
    package var from: [Range<Int>] = []
    package var deliveredTo: [Range<Int>] = []
    /// First octet of the body.
    package var bodyStart = 0
    package var isHeaderComplete = false
    package var isHeaderMalformed = false

    package init() {}

    /// Scans the start of a message: all of it, or as much as is in memory.
    package init(scanning octets: Span<UInt8>, limits: HeaderLimits = .init()) {
        let end = HeaderScan.fields(in: octets, limits: limits) { field in
            note(field, octets)
            return true
        }
        bodyStart = end.bodyStart
        isHeaderComplete = end.isComplete
        isHeaderMalformed = end.isMalformed
    }

    package init(scanning octets: [UInt8], limits: HeaderLimits = .init()) {
        self.init(scanning: octets.span, limits: limits)
    }

    private mutating func note(_ field: HeaderField, _ octets: Span<UInt8>) {
        // The length alone rules out nearly every other field.
        switch field.name.count {
        case 4:
            if HeaderScan.name(field, in: octets, is: "from") {
                if from.count < Self.keptFields { from.append(field.body) }
            } else if HeaderScan.name(field, in: octets, is: "date") {
                hasDate = true
            }
        case 7: if subject == nil, HeaderScan.name(field, in: octets, is: "subject") { subject = field.body }
        case 8: if HeaderScan.name(field, in: octets, is: "received") { receivedFields += 1 }
        case 10: if messageID == nil, HeaderScan.name(field, in: octets, is: "message-id") { messageID = field.body }
        case 12:
            if deliveredTo.count < Self.keptFields, HeaderScan.name(field, in: octets, is: "delivered-to") {
                deliveredTo.append(field.body)
            }
        default: break
        }
    }

    /// Fields of one name that are kept; more are a trick or an accident.
    private static let keptFields = 100
}

extension MessageFacts {
    /// Addresses of all `From:` fields, in order.
    package func fromAddresses(in octets: Span<UInt8>) -> [MailAddress] {
        from.flatMap { AddressList.addresses(in: Self.copy($0, octets)) }
    }

    /// The subject for people: unfolded, RFC 2047 decoded, safe to show, at most `limit` characters.
    package func subjectText(in octets: Span<UInt8>, limit: Int = 200) -> String? {
        subject.map { DisplayText.clean(EncodedWord.decode(Self.copy($0, octets)), limit: limit) }
    }

    /// The message id with its angle brackets, safe to show; at most 250 characters.
    package func messageIDText(in octets: Span<UInt8>) -> String? {
        messageID.map { DisplayText.clean(octets: HeaderUnfold.text(Self.copy($0, octets)), limit: 250) }
    }

    /// Whether one of the `Delivered-To:` fields names `address`.
    package func wasDelivered(to address: MailAddress, in octets: Span<UInt8>) -> Bool {
        deliveredTo.contains { range in
            AddressList.addresses(in: Self.copy(range, octets)).contains { $0.folded == address.folded }
        }
    }

    private static func copy(_ range: Range<Int>, _ octets: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        for position in range where position < octets.count { out.append(octets[position]) }
        return out
    }
}

/// The same for contents that are arrays.
extension MessageFacts {
    package func fromAddresses(in octets: [UInt8]) -> [MailAddress] { fromAddresses(in: octets.span) }
    package func subjectText(in octets: [UInt8], limit: Int = 200) -> String? {
        subjectText(in: octets.span, limit: limit)
    }
    package func messageIDText(in octets: [UInt8]) -> String? { messageIDText(in: octets.span) }
    package func wasDelivered(to address: MailAddress, in octets: [UInt8]) -> Bool {
        wasDelivered(to: address, in: octets.span)
    }
}

package enum HeaderUnfold {
    /// A field body on one line: line ends are dropped, blanks at both ends too (RFC 5322 §2.2.3).
    package static func text(_ body: [UInt8]) -> [UInt8] {
        let joined = body.filter { $0 != 0x0A && $0 != 0x0D }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        guard let first = joined.firstIndex(where: { !isBlank($0) }),
            let last = joined.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return Array(joined[first...last])
    }
}
