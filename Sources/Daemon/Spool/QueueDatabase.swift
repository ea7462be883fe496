import Database
import MailModel

/// The writing side of `queue.db`: one connection and its statements, on the committer's thread. Every method runs
/// inside a transaction of the caller.
final class QueueDatabase {
    let connection: Connection
    private let insertMessage: Statement
    private let insertContent: Statement
    private let insertRecipient: Statement
    private let deleteRecipient: Statement
    private let anyRecipient: Statement
    private let messageInfo: Statement
    private let deleteMessage: Statement
    private let deleteContent: Statement
    private let deferRecipient: Statement
    private let postponeRecipient: Statement
    /// Ids up to this millisecond may have been acknowledged: none is given out again after a restart.
    private(set) var idMark: Int64
    /// Done messages whose rows are kept until there is a newer one.
    private var tombstones: [Int64] = []

    init(path: String) throws {
        connection = try Connection(path: path, mode: .readWrite, options: Schema.options)
        // A log that grew during a long read is cut back.
        try connection.execute("PRAGMA journal_size_limit=\(64 << 20)")
        insertMessage = try connection.prepare(
            """
            INSERT INTO message (id, received, sender, size, flags, client, hello, authenticated, protocol, parent,
            ret, envid) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
            """)
        insertContent = try connection.prepare("INSERT INTO content VALUES (?,?)")
        insertRecipient = try connection.prepare(
            "INSERT INTO recipient (key, address, notify, orcpt, siblings) VALUES (?,?,?,?,?)")
        deleteRecipient = try connection.prepare("DELETE FROM recipient WHERE key = ?")
        anyRecipient = try connection.prepare("SELECT 1 FROM recipient WHERE key BETWEEN ? AND ? LIMIT 1")
        messageInfo = try connection.prepare(
            "SELECT id, flags, (SELECT max(row) FROM message) FROM message WHERE row = ?")
        deleteMessage = try connection.prepare("DELETE FROM message WHERE row = ?")
        deleteContent = try connection.prepare("DELETE FROM content WHERE row = ?")
        // Held meanwhile: stays held. To be bounced: stays due at once.
        deferRecipient = try connection.prepare(
            """
            UPDATE recipient SET state = max(state, 1), due = CASE bounce WHEN 1 THEN due ELSE ? END,
            tries = ?, failure = ?, first_failure = ?, reply = ?, route = ?, refusals = ?, warned = ? WHERE key = ?
            """)
        postponeRecipient = try connection.prepare(
            """
            UPDATE recipient SET state = max(state, 1), due = CASE bounce WHEN 1 THEN due ELSE ? END WHERE key = ?
            """)
        idMark = try connection.first("SELECT value FROM spool WHERE key = 'mark'") { $0.integer(0) } ?? 0
        tombstones = try connection.rows(
            "SELECT row FROM message WHERE flags & \(Schema.Flag.isTombstone)"
        ) { $0.integer(0) }
    }

    // MARK: Adding

    func insert(_ message: NewMessage) throws {
        guard (1...SpoolLimits.recipients).contains(message.envelope.recipients.count) else {
            throw SpoolError(.io, "\(message.id): \(message.envelope.recipients.count) recipients")
        }
        let row = try insertRow(message)
        if case .inline(let octets) = message.content {
            try insertContent.bind(row, at: 1)
            try insertContent.withBlob(octets, at: 2) { try insertContent.run() }
        }
        var key = Schema.key(row: row, index: 0)
        for recipient in message.envelope.recipients {
            try insertRecipient.bind(key, at: 1)
            try insertRecipient.bind(StoredAddress.text(recipient), at: 2)
            try insertRecipient.bind(Int64(recipient.notify.rawValue), at: 3)
            try insertRecipient.bind(recipient.originalRecipient, at: 4)
            try insertRecipient.bind(message.envelope.recipients.count > 1, at: 5)
            try insertRecipient.run()
            key += 1
        }
        if let hold = message.hold {
            let keys = Schema.keys(of: row)
            try connection.run(
                "UPDATE recipient SET state = 2, reply = ? WHERE key BETWEEN ? AND ?",
                .text(String(hold.prefix(Self.replyLimit))), .integer(keys.first), .integer(keys.last))
        }
        try raiseMark(message.id)
    }

    private func insertRow(_ message: NewMessage) throws -> Int64 {
        let envelope = message.envelope
        var flags: Int64 = 0
        if envelope.needsSMTPUTF8 { flags |= Schema.Flag.needsSMTPUTF8 }
        if envelope.is8BitMIME { flags |= Schema.Flag.is8BitMIME }
        if case .large = message.content { flags |= Schema.Flag.isLarge }
        try insertMessage.bind(message.id.rawValue, at: 1)
        try insertMessage.bind(message.receivedAt, at: 2)
        try insertMessage.bind(StoredAddress.text(envelope.sender), at: 3)
        try insertMessage.bind(message.content.size, at: 4)
        try insertMessage.bind(flags, at: 5)
        try insertMessage.bind(message.clientAddress?.description, at: 6)
        try insertMessage.bind(message.hello, at: 7)
        try insertMessage.bind(message.authenticatedID, at: 8)
        try insertMessage.bind(message.protocolName, at: 9)
        try insertMessage.bind(message.parent?.rawValue, at: 10)
        try insertMessage.bind(envelope.notification.ret?.rawValue, at: 11)
        try insertMessage.bind(envelope.notification.envelopeID, at: 12)
        try insertMessage.run()
        return connection.lastInsertedRow
    }

    /// Milliseconds by which the mark runs ahead of the ids, so that it is seldom written.
    private static let markStep: Int64 = 1_000

    private func raiseMark(_ id: QueueID) throws {
        guard id.milliseconds > idMark else { return }
        let mark = id.milliseconds + Self.markStep
        try connection.run("UPDATE spool SET value = max(value, ?) WHERE key = 'mark'", .integer(mark))
        idMark = mark
    }

    // MARK: Changing

    /// - Returns: the id of large content that went out of use.
    func apply(_ change: DeliveryChange) throws -> String? {
        let row = change.message.row
        var finished = 0
        var removed = 0
        var kept = 0
        for item in change.items {
            let key = Schema.key(row: row, index: item.index)
            switch item.outcome {
            case .released: break
            case .postponed(let until):
                try postponeRecipient.bind(until, at: 1)
                try postponeRecipient.bind(key, at: 2)
                try postponeRecipient.run()
            case .deferred(let history, let until):
                try store(history, until: until, key: key)
                kept += connection.changes
            case .finished:
                finished += 1
                try deleteRecipient.bind(key, at: 1)
                try deleteRecipient.run()
                removed += connection.changes
            }
        }
        // Nobody is told twice, nor of what an administrator removed meanwhile.
        if removed == 0, finished > 0 || kept == 0 { return nil }
        for child in change.children { try insert(child) }
        return removed > 0 ? try removeIfDone(row) : nil
    }

    /// Octets of a reply that are kept.
    private static let replyLimit = 2_000

    private func store(_ history: AttemptHistory, until: Int64, key: Int64) throws {
        try deferRecipient.bind(until, at: 1)
        try deferRecipient.bind(history.tries, at: 2)
        try deferRecipient.bind((history.failure?.rawValue).map(Int64.init), at: 3)
        try deferRecipient.bind(history.firstFailure, at: 4)
        try deferRecipient.bind(history.reply.map { String($0.prefix(Self.replyLimit)) }, at: 5)
        try deferRecipient.bind(history.route.map { String($0.prefix(Self.replyLimit)) }, at: 6)
        try deferRecipient.bind(history.refusals, at: 7)
        try deferRecipient.bind(history.isWarned, at: 8)
        try deferRecipient.bind(key, at: 9)
        try deferRecipient.run()
    }

    private func removeIfDone(_ row: Int64) throws -> String? {
        let keys = Schema.keys(of: row)
        try anyRecipient.bind(keys.first, at: 1)
        try anyRecipient.bind(keys.last, at: 2)
        let isWaiting = try anyRecipient.step()
        anyRecipient.reset()
        return isWaiting ? nil : try removeMessage(row)
    }

    /// Removes a message without recipients. Rows must never be given out twice, or delivery, which looks behind the
    /// last row it saw, would miss one: SQLite gives out the highest row plus one, so the highest one stays.
    private func removeMessage(_ row: Int64) throws -> String? {
        try messageInfo.bind(row, at: 1)
        guard try messageInfo.step() else {
            messageInfo.reset()
            return nil
        }
        let large = messageInfo.integer(1) & Schema.Flag.isLarge != 0 ? messageInfo.text(0) : nil
        let newest = messageInfo.integer(2)
        messageInfo.reset()
        if row == newest {
            try connection.run(
                "UPDATE message SET flags = \(Schema.Flag.isTombstone), size = 0 WHERE row = ?", .integer(row))
            tombstones.append(row)
        } else {
            try deleteMessage.bind(row, at: 1)
            try deleteMessage.run()
        }
        if large == nil {
            try deleteContent.bind(row, at: 1)
            try deleteContent.run()
        }
        return large
    }

    /// Removes tombstones that a newer message has made superfluous.
    func dropTombstones() throws {
        guard !tombstones.isEmpty else { return }
        let newest = try connection.first("SELECT max(row) FROM message") { $0.integer(0) } ?? 0
        for row in tombstones where row < newest {
            try deleteMessage.bind(row, at: 1)
            try deleteMessage.run()
        }
        tombstones.removeAll { $0 < newest }
    }

    // MARK: Acting

    /// - Returns: those ids that were there, and the large content that went out of use.
    func act(_ action: QueueAction, on ids: [QueueID], now: Int64) throws -> (done: [QueueID], large: [String]) {
        var done: [QueueID] = []
        var large: [String] = []
        let rows = try rows(of: ids)
        for id in ids {
            guard let row = rows[id.rawValue] else { continue }
            let keys = Schema.keys(of: row)
            switch action {
            case .remove:
                try connection.run(
                    "DELETE FROM recipient WHERE key BETWEEN ? AND ?", .integer(keys.first), .integer(keys.last))
                if let content = try removeMessage(row) { large.append(content) }
            case .hold: try update("state = 2", "1", keys, now)
            case .release: try update("state = 1, due = ?3", "state = 2", keys, now)
            case .retry: try update("due = ?3", "state = 1", keys, now)
            case .bounce: try update("state = 1, due = ?3, bounce = 1", "1", keys, now)
            }
            done.append(id)
        }
        return (done, large)
    }

    private func update(_ change: String, _ condition: String, _ keys: (first: Int64, last: Int64), _ now: Int64) throws
    {
        // ?3 counts as a parameter in each text, so that all of them take the same three values.
        try connection.run(
            "UPDATE recipient SET \(change) WHERE key BETWEEN ?1 AND ?2 AND \(condition) AND ?3 IS NOT NULL",
            .integer(keys.first), .integer(keys.last), .integer(now))
    }

    private func rows(of ids: [QueueID]) throws -> [String: Int64] {
        var wanted = Set<String>()
        for id in ids { wanted.insert(id.rawValue) }
        var found: [String: Int64] = [:]
        let all = try connection.statement(
            "SELECT row, id FROM message WHERE flags & \(Schema.Flag.isTombstone) = 0 ORDER BY row")
        defer { all.reset() }
        while found.count < wanted.count, try all.step() {
            let id = all.text(1)
            if wanted.contains(id) { found[id] = all.integer(0) }
        }
        return found
    }
}
