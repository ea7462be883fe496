import Database
import MailModel

/// The SQL for a window of the queue. No index serves it: a pass over 100,000 small rows takes 5 to 30 ms, and an index
/// would cost every message that is delivered at once.
///
/// Rows of `message` drive it where the order and the conditions are theirs. Otherwise recipients do: of each message
/// the first one that meets the condition on recipients stands for it.
struct QueuePlan {
    private let query: QueueQuery
    private var messageConditions: [String] = []
    /// Values for the conditions of recipients, then of messages.
    private(set) var values: [DatabaseValue] = []
    private let isByRecipient: Bool

    init(_ query: QueueQuery) {
        self.query = query
        switch query.sort {
        case .to, .tries, .next: isByRecipient = true
        case .age, .id, .size, .from: isByRecipient = query.state != nil
        }
        func byRecipient(_ like: String) -> String {
            "m.row IN (SELECT key >> 20 FROM recipient WHERE address \(like))"
        }
        if let text = query.text, !text.isEmpty {
            let like = Self.like(text)
            messageConditions.append("(m.id \(like) OR m.sender \(like) OR \(byRecipient(like)))")
            values += [Self.pattern(text), Self.pattern(text), Self.pattern(text)]
        }
        if let sender = query.sender, !sender.isEmpty {
            messageConditions.append("m.sender \(Self.like(sender))")
            values.append(Self.pattern(sender))
        }
        if let recipient = query.recipient, !recipient.isEmpty {
            messageConditions.append(byRecipient(Self.like(recipient)))
            values.append(Self.pattern(recipient))
        }
        if let time = query.receivedBefore {
            messageConditions.append("m.received < ?")
            values.append(.integer(time))
        }
    }

    /// Every message matches.
    var isUnfiltered: Bool { messageConditions.isEmpty && query.state == nil }

    var count: String { "SELECT count(*) FROM \(source(joinsMessage: !messageConditions.isEmpty))" }

    /// Rows of messages; takes a limit and an offset behind `values`.
    /// - Parameter isReversed: in the opposite order.
    func window(isReversed: Bool) -> String {
        let direction = query.descending != isReversed ? "DESC" : "ASC"
        let row = isByRecipient ? "r.key >> 20" : "m.row"
        let tie = isByRecipient ? "r.key" : "m.row"
        let joins = !messageConditions.isEmpty || [.id, .size, .from].contains(query.sort)
        let order = sortValue.map { "\($0) \(direction), " } ?? ""
        return """
            SELECT \(row) FROM \(source(joinsMessage: joins)) ORDER BY \(order)\(tie) \(direction) LIMIT ? OFFSET ?
            """
    }

    private func source(joinsMessage: Bool) -> String {
        guard isByRecipient else {
            return "message m WHERE " + ([Schema.isPresent] + messageConditions).joined(separator: " AND ")
        }
        let join = joinsMessage ? " JOIN message m ON m.row = r.key >> 20" : ""
        let conditions = recipientConditions + messageConditions
        // In the order of keys, which is that of arrival; the index on deferred ones would give another.
        return "recipient r NOT INDEXED\(join) WHERE " + conditions.joined(separator: " AND ")
    }

    private var recipientConditions: [String] {
        func isWanted(_ name: String) -> String { query.state.map { "\(name).state = \($0.rawValue)" } ?? "1" }
        let others = "SELECT 1 FROM recipient p WHERE p.key BETWEEN \(Self.firstKey) AND r.key - 1 AND \(isWanted("p"))"
        return [isWanted("r"), "(r.siblings = 0 OR NOT EXISTS (\(others)))"]
    }

    private static let firstKey = "(r.key & -1048576)"
    private static let siblings = "FROM recipient p WHERE p.key BETWEEN \(firstKey) AND (r.key | 1048575)"

    private var sortValue: String? {
        func due(_ name: String) -> String {
            "CASE \(name).state WHEN \(RecipientState.held.rawValue) THEN \(Int64.max) ELSE \(name).due END"
        }
        return switch query.sort {
        case .age: nil
        case .id: "m.id"
        case .size: "m.size"
        case .from: "m.sender COLLATE NOCASE"
        case .to: "r.address COLLATE NOCASE"
        case .tries: "CASE r.siblings WHEN 0 THEN r.tries ELSE (SELECT max(p.tries) \(Self.siblings)) END"
        case .next: "CASE r.siblings WHEN 0 THEN \(due("r")) ELSE (SELECT min(\(due("p"))) \(Self.siblings)) END"
        }
    }

    /// Queue ids are of Crockford's alphabet: digits, and letters without I, L, O and U.
    static func mayBePartOfID(_ part: String) -> Bool {
        part.utf8.count <= QueueID.length
            && part.utf8.allSatisfy { octet in
                let upper = octet & 0xDF
                return (0x30...0x39).contains(octet)
                    || (0x41...0x5A).contains(upper) && ![0x49, 0x4C, 0x4F, 0x55].contains(upper)
            }
    }

    /// The comparison for `pattern`. The form with an escape is slower by a third, and seldom needed.
    static func like(_ part: String) -> String {
        let isPlain = part.utf8.allSatisfy { ![0x25, 0x5F, 0x5C].contains($0) }
        return isPlain ? "LIKE ?" : "LIKE ? ESCAPE '\\'"
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
}
