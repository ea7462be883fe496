import MailModel

/// What is known at the end of DATA, after the header was scanned.
package struct ContentFacts: Hashable, Sendable, Codable {
    /// Octets as received: dot-stuffing removed, CR LF counted as two, our own fields not counted (R-RCV-28).
    package var size: Int64
    package var receivedFields: Int
    /// One of its `Delivered-To:` fields names a recipient of this transaction.
    package var wasDeliveredHere: Bool
    /// Addresses of all `From:` fields, in order.
    package var fromAddresses: [MailAddress]

    package init(
        size: Int64, receivedFields: Int = 0, wasDeliveredHere: Bool = false, fromAddresses: [MailAddress] = []
    ) {
        self.size = size
        self.receivedFields = receivedFields
        self.wasDeliveredHere = wasDeliveredHere
        self.fromAddresses = fromAddresses
    }
}

package enum ContentPolicy {
    /// Check 14 of spec file 04, part 1, and the loop limit.
    package static func decide(
        _ facts: ContentFacts, in session: SessionFacts, settings: AcceptanceSettings, explain: Bool = false
    ) -> Verdict {
        Verdict.deciding(explain: explain) { check(facts, session, settings, &$0) }
    }

    private static func check(
        _ facts: ContentFacts, _ session: SessionFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling {
        if settings.maxMessageSize > 0, facts.size > settings.maxMessageSize {
            return trail.refuse(
                .messageTooLarge, "content.size",
                "the message has \(facts.size) octets, \(settings.maxMessageSize) are allowed",
                .setting("receiver.max_message_size"),
                remedy: "raise receiver.max_message_size to \(facts.size) or more")
        }
        if let refusal = loop(facts, settings, &trail) { return refusal }
        return trust(facts, session, settings, &trail) ?? .accept(.queued)
    }

    private static func loop(
        _ facts: ContentFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling? {
        if LoopPolicy.isLooping(receivedFields: facts.receivedFields, limit: settings.maxReceivedFields) {
            return trail.refuse(
                .mailLoop, "content.loop",
                "\(facts.receivedFields) Received fields, \(settings.maxReceivedFields) are allowed",
                .setting("delivery.max_hops"),
                remedy: "two servers hand this message to each other: look at its Received fields"
            )
        }
        if facts.wasDeliveredHere {
            return trail.refuse(
                .mailLoop, "content.delivered-to", "the message was delivered to this recipient before",
                .builtIn("RFC 5321 §6.3"), remedy: "a forward points back to its own address")
        }
        trail.note("content.loop", "\(facts.receivedFields) Received fields")
        return nil
    }

    /// R-RCV-19: several addresses never match.
    private static func trust(
        _ facts: ContentFacts, _ session: SessionFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling? {
        guard settings.senderTrust == .authIDEnvelopeFrom, let account = session.authentication.account else {
            return nil
        }
        if facts.fromAddresses.count == 1, facts.fromAddresses.first?.folded == account.folded {
            trail.note("content.from", "the From field is the authenticated user's", .setting("receiver.sender_trust"))
            return nil
        }
        let found = facts.fromAddresses.prefix(3).map(\.text).joined(separator: ", ")
        return trail.refuse(
            .headerFromMismatch, "content.from",
            "authenticated as \(account.text), From field: \(found.isEmpty ? "no address" : found)",
            .setting("receiver.sender_trust"),
            remedy: "write \(account.text) in the From field, or lower receiver.sender_trust")
    }
}

package enum LoopPolicy {
    /// More than `limit` trace fields: the message goes round in circles (RFC 5321 §6.3).
    package static func isLooping(receivedFields: Int, limit: Int = 50) -> Bool { receivedFields > limit }
}
