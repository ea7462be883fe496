import Database
import MailModel

/// Reading rows of `recipient`.
enum RecipientColumns {
    static let select =
        "SELECT key, address, notify, orcpt, state, due, tries, failure, first_failure, reply, route, bounce, refusals, warned FROM recipient"

    static func recipient(_ row: Statement) -> Recipient {
        let (address, resolved) = StoredAddress.recipient(row.text(1))
        return Recipient(
            address: address, notify: Recipient.Notify(rawValue: UInt8(truncatingIfNeeded: row.integer(2))),
            originalRecipient: row.optionalText(3), resolved: resolved)
    }

    /// A value of a later program counts as held: it waits for an administrator.
    static func state(_ row: Statement) -> RecipientState { RecipientState(rawValue: row.int(4)) ?? .held }

    static func history(_ row: Statement) -> AttemptHistory {
        AttemptHistory(
            tries: row.int(6), firstFailure: row.optionalInteger(8),
            failure: row.optionalInteger(7).flatMap { FailureClass(rawValue: Int(clamping: $0)) },
            reply: row.optionalText(9), route: row.optionalText(10), refusals: row.int(12), isWarned: row.bool(13))
    }

    static func claimed(_ row: Statement) -> ClaimedRecipient {
        ClaimedRecipient(
            index: Schema.index(of: row.integer(0)), recipient: recipient(row), history: history(row),
            mustBounce: row.bool(11))
    }

    static func queued(_ row: Statement, isActive: Bool) -> QueuedMessage.Recipient {
        let state = state(row)
        return QueuedMessage.Recipient(
            index: Schema.index(of: row.integer(0)), recipient: recipient(row), state: state, isActive: isActive,
            nextAttempt: state == .held ? nil : row.integer(5), history: history(row), mustBounce: row.bool(11))
    }
}

/// Reading rows of `message`.
enum MessageColumns {
    static let select =
        "SELECT row, id, received, sender, size, flags, authenticated, parent, ret, envid, client, hello, protocol FROM message"

    /// - Returns: `nil` for a row whose id is none.
    static func id(_ row: Statement) -> QueueID? { QueueID(row.text(1)) }
    static func sender(_ row: Statement) -> ReversePath { StoredAddress.path(row.optionalText(3)) }
    static func has(_ flag: Int64, _ row: Statement) -> Bool { row.integer(5) & flag != 0 }
    static func parent(_ row: Statement) -> QueueID? { row.optionalText(7).flatMap { QueueID($0) } }

    static func notification(_ row: Statement) -> SenderNotification {
        SenderNotification(
            ret: row.optionalText(8).flatMap { SenderNotification.Return(rawValue: $0) },
            envelopeID: row.optionalText(9))
    }

    static func claimed(_ row: Statement) -> ClaimedMessage? {
        guard let id = id(row) else { return nil }
        return ClaimedMessage(
            key: MessageKey(row: row.integer(0)), id: id, sender: sender(row), notification: notification(row),
            needsSMTPUTF8: has(Schema.Flag.needsSMTPUTF8, row), is8BitMIME: has(Schema.Flag.is8BitMIME, row),
            size: row.int(4), receivedAt: row.integer(2), authenticatedID: row.optionalText(6), parent: parent(row),
            receivedFrom: ClaimedMessage.receivedFrom(hello: row.optionalText(11), client: row.optionalText(10)),
            recipients: [])
    }
}
