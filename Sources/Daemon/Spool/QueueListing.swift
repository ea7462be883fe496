import Database
import MailModel

/// What the queue holds, by SQL inside one read transaction.
struct QueueListing {
    let connection: Connection
    let claims: DeliveryClaims

    private static let windowLimit = 1_000

    // MARK: Windows

    func window(_ query: QueueQuery) throws -> QueueWindow {
        let selection = QueueSelection(connection: connection)
        let found = try selection.rows(query)
        let matching = try found?.count ?? selection.messageCount()
        let offset = max(0, query.offset)
        let count = max(0, min(query.limit, Self.windowLimit, matching - min(offset, matching)))
        guard count > 0 else { return QueueWindow(rows: [], matching: matching) }
        let order = QueueOrder(connection: connection, sort: query.sort, descending: query.descending)
        let rows = try order.rows(offset..<offset + count, of: matching, among: found)
        return QueueWindow(rows: try rows.compactMap(row), matching: matching)
    }

    // MARK: One message

    /// - Returns: `nil` for a message without recipients.
    private func row(_ row: Int64) throws -> QueuedRow? {
        let keys = Schema.keys(of: row)
        let bounds: [DatabaseValue] = [.integer(keys.first), .integer(keys.last)]
        let first = try connection.first(
            RecipientColumns.select + " WHERE key BETWEEN ? AND ? ORDER BY key LIMIT 1", bounds
        ) { ($0.integer(0), RecipientColumns.queued($0, isActive: false)) }
        guard let (key, recipient) = first else { return nil }
        // Most messages have one recipient: then there is nothing to sum up.
        var summary = Summary(recipient)
        let next = try connection.first(
            "SELECT key FROM recipient WHERE key > ? AND key <= ? LIMIT 1", [.integer(key), bounds[1]]
        ) { $0.integer(0) }
        if next != nil { summary = try connection.first(Summary.select, bounds) { Summary($0) } ?? summary }
        let isActive = claims.isActive(key)
        return try connection.first(MessageColumns.select + " WHERE row = ?", .integer(row)) { message in
            MessageColumns.id(message).map { id in
                QueuedRow(
                    id: id, receivedAt: message.integer(2), size: message.int(4),
                    sender: MessageColumns.sender(message), recipient: recipient.recipient.address,
                    recipientCount: summary.count, state: summary.state, isActive: isActive, tries: summary.tries,
                    nextAttempt: summary.next, reply: summary.reply)
            }
        } ?? nil
    }

    private struct Summary {
        var count: Int
        var state: RecipientState
        var tries: Int
        var next: Int64?
        var reply: String?

        static let select = """
            SELECT count(*), min(state), max(tries), min(CASE state WHEN 2 THEN NULL ELSE due END),
            max(reply) FROM recipient WHERE key BETWEEN ? AND ?
            """

        init(_ recipient: QueuedMessage.Recipient) {
            count = 1
            state = recipient.state
            tries = recipient.history.tries
            next = recipient.nextAttempt
            reply = recipient.history.reply
        }

        init(_ row: Statement) {
            count = row.int(0)
            state = RecipientState(rawValue: row.int(1)) ?? .held
            tries = row.int(2)
            next = row.optionalInteger(3)
            reply = row.optionalText(4)
        }
    }

    func message(_ id: QueueID) throws -> QueuedMessage {
        let number = try row(of: id)
        let keys = Schema.keys(of: number)
        let recipients = try connection.rows(
            RecipientColumns.select + " WHERE key BETWEEN ? AND ? ORDER BY key",
            [.integer(keys.first), .integer(keys.last)]
        ) { RecipientColumns.queued($0, isActive: claims.isActive($0.integer(0))) }
        let found = try row(number)
        let message = try connection.first(MessageColumns.select + " WHERE row = ?", .integer(number)) { message in
            found.map { row in
                QueuedMessage(
                    row: row, notification: MessageColumns.notification(message),
                    needsSMTPUTF8: MessageColumns.has(Schema.Flag.needsSMTPUTF8, message),
                    is8BitMIME: MessageColumns.has(Schema.Flag.is8BitMIME, message),
                    clientAddress: message.optionalText(10).flatMap { IPAddress($0) },
                    hello: message.optionalText(11), authenticatedID: message.optionalText(6),
                    protocolName: message.text(12), parent: MessageColumns.parent(message), recipients: recipients)
            }
        }
        guard var message = message ?? nil else { throw SpoolError(.notFound, id.rawValue) }
        message.row.isActive = recipients.contains(where: \.isActive)
        return message
    }

    /// - Throws: `notFound`.
    func row(of id: QueueID) throws -> Int64 {
        let found = try connection.first(
            "SELECT m.row FROM message m WHERE m.id = ? AND \(Schema.isPresent)", .text(id.rawValue)
        ) { $0.integer(0) }
        guard let found else { throw SpoolError(.notFound, id.rawValue) }
        return found
    }

    func counts() throws -> QueueCounts {
        let deferred = try connection.first("SELECT count(*) FROM recipient WHERE state = 1") { $0.int(0) } ?? 0
        let held = try connection.first("SELECT count(*) FROM recipient WHERE state = 2") { $0.int(0) } ?? 0
        let all = try connection.first("SELECT count(*) FROM recipient") { $0.int(0) } ?? 0
        // Rows are in the order of arrival.
        let oldest = try connection.first(
            "SELECT m.received FROM message m WHERE \(Schema.isPresent) ORDER BY m.row LIMIT 1"
        ) { $0.integer(0) }
        return QueueCounts(
            messages: try QueueSelection(connection: connection).messageCount(), queued: all - deferred - held,
            deferred: deferred, held: held,
            active: claims.activeCount, oldest: oldest)
    }
}
