import Database
import MailModel

/// Windows of the queue by SQL. No index serves them: a whole pass over 100,000 small rows takes 5 to 30 ms, and an
/// index would cost every message that is delivered at once.
struct QueueListing {
    let connection: Connection
    let claims: DeliveryClaims

    private static let present = "m.flags & \(Schema.Flag.isTombstone) = 0"
    private static let windowLimit = 1_000

    // MARK: Windows

    func window(_ query: QueueQuery) throws -> QueueWindow {
        let (condition, values) = Self.condition(query)
        let matching =
            try connection.first("SELECT count(*) FROM message m WHERE \(condition)", values) { $0.int(0) } ?? 0
        let order = Self.order(query)
        let rows = try connection.rows(
            "SELECT m.row FROM message m \(order.join) WHERE \(condition) ORDER BY \(order.by) LIMIT ? OFFSET ?",
            values + [.init(max(0, min(query.limit, Self.windowLimit))), .init(max(0, query.offset))]
        ) { $0.integer(0) }
        return QueueWindow(rows: try rows.compactMap(row), matching: matching)
    }

    private static func condition(_ query: QueueQuery) -> (sql: String, values: [DatabaseValue]) {
        var parts = [present]
        var values: [DatabaseValue] = []
        if let text = query.text, !text.isEmpty {
            parts.append(
                """
                (m.id LIKE ? ESCAPE '\\' OR m.sender LIKE ? ESCAPE '\\' OR m.row IN (SELECT key >> 20 FROM recipient
                WHERE address LIKE ? ESCAPE '\\'))
                """)
            values += [pattern(text), pattern(text), pattern(text)]
        }
        if let sender = query.sender, !sender.isEmpty {
            parts.append("m.sender LIKE ? ESCAPE '\\'")
            values.append(pattern(sender))
        }
        if let recipient = query.recipient, !recipient.isEmpty {
            parts.append("m.row IN (SELECT key >> 20 FROM recipient WHERE address LIKE ? ESCAPE '\\')")
            values.append(pattern(recipient))
        }
        if let state = query.state {
            parts.append("m.row IN (SELECT key >> 20 FROM recipient WHERE state = ?)")
            values.append(.init(state.rawValue))
        }
        if let time = query.receivedBefore {
            parts.append("m.received < ?")
            values.append(.integer(time))
        }
        return (parts.joined(separator: " AND "), values)
    }

    /// A LIKE pattern for a part; what LIKE would read as a sign is escaped.
    static func pattern(_ part: String) -> DatabaseValue {
        var out = "%"
        for character in part.unicodeScalars {
            if character == "%" || character == "_" || character == "\\" { out += "\\" }
            out.unicodeScalars.append(character)
        }
        return .text(out + "%")
    }

    private static func order(_ query: QueueQuery) -> (join: String, by: String) {
        let direction = query.descending ? "DESC" : "ASC"
        /// One value for each message out of its recipients.
        func grouped(_ value: String) -> (String, String) {
            (
                "JOIN (SELECT key >> 20 AS row, \(value) AS value FROM recipient GROUP BY 1) r ON r.row = m.row",
                "r.value \(direction), m.row \(direction)"
            )
        }
        func plain(_ column: String) -> (String, String) { ("", "\(column) \(direction), m.row \(direction)") }
        return switch query.sort {
        case .age: ("", "m.row \(direction)")
        case .id: plain("m.id")
        case .size: plain("m.size")
        case .from: plain("m.sender COLLATE NOCASE")
        // With min(key), SQLite takes the other column from the row that has it: the first recipient that waits.
        case .to:
            (
                """
                JOIN (SELECT key >> 20 AS row, min(key), address AS value FROM recipient GROUP BY 1) r
                ON r.row = m.row
                """, "r.value COLLATE NOCASE \(direction), m.row \(direction)"
            )
        case .tries: grouped("max(tries)")
        case .next: grouped("min(CASE state WHEN 2 THEN 9223372036854775807 ELSE due END)")
        }
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
            "SELECT m.row FROM message m WHERE m.id = ? AND \(Self.present)", .text(id.rawValue)
        ) { $0.integer(0) }
        guard let found else { throw SpoolError(.notFound, id.rawValue) }
        return found
    }

    func counts() throws -> QueueCounts {
        var counts = QueueCounts(active: claims.activeCount)
        for (state, number) in try connection.rows(
            "SELECT state, count(*) FROM recipient GROUP BY state", read: { ($0.int(0), $0.int(1)) })
        {
            switch RecipientState(rawValue: state) {
            case .queued: counts.queued = number
            case .deferred: counts.deferred = number
            case .held, nil: counts.held += number
            }
        }
        let messages = try connection.first("SELECT count(*) FROM message m WHERE \(Self.present)") { $0.int(0) }
        counts.messages = messages ?? 0
        // Rows are in the order of arrival.
        counts.oldest = try connection.first(
            "SELECT m.received FROM message m WHERE \(Self.present) ORDER BY m.row LIMIT 1"
        ) { $0.integer(0) }
        return counts
    }
}
