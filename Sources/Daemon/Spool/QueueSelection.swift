import Database
import MailModel

/// Which messages a question asks for. No index serves texts: one pass over 100,000 small rows takes some 10 ms, and an
/// index would cost every message that is delivered at once. Each table that the question speaks of is passed over once.
struct QueueSelection {
    let connection: Connection

    /// Rows of the messages that match, in the order of arrival; `nil` when every message does.
    func rows(_ query: QueueQuery) throws -> [Int64]? {
        var found: [Int64]?
        func narrow(_ rows: [Int64]) { found = found.map { Self.intersection($0, rows) } ?? rows }
        if let text = query.text, !text.isEmpty { narrow(try holding(text)) }
        if let part = query.recipient, !part.isEmpty { narrow(try recipients(holding: part)) }
        var conditions: [String] = []
        var values: [DatabaseValue] = []
        if let part = query.sender, !part.isEmpty {
            conditions.append("m.sender \(Self.like(part))")
            values.append(Self.pattern(part))
        }
        if let time = query.receivedBefore {
            conditions.append("m.received < ?")
            values.append(.integer(time))
        }
        if !conditions.isEmpty { narrow(try messages(where: conditions.joined(separator: " AND "), values)) }
        guard let state = query.state else { return found }
        // Few are looked up one by one.
        if let few = found, few.count <= 2_000 { return try few.filter { try has(state, $0) } }
        narrow(try messages(in: state))
        return found
    }

    /// Counting a whole table is free of charge in SQLite, and there are few tombstones.
    func messageCount() throws -> Int {
        let sql = "SELECT (SELECT count(*) FROM message) - (SELECT count(*) FROM message m WHERE \(Schema.isTombstone))"
        return try connection.first(sql) { $0.int(0) } ?? 0
    }

    private func holding(_ text: String) throws -> [Int64] {
        let (pattern, like) = (Self.pattern(text), Self.like(text))
        // Most texts hold a character that no queue id has: then senders alone are compared.
        let isPartOfID = Self.mayBePartOfID(text)
        let byRecipient = try recipients(holding: text)
        // A part that all addresses share: no message is left to look at.
        if !byRecipient.isEmpty, byRecipient.count == (try messageCount()) { return byRecipient }
        // Ids are written in capitals, which allows the plain comparison.
        let byMessage = try messages(
            where: isPartOfID ? "(instr(m.id, ?) OR m.sender \(like))" : "m.sender \(like)",
            isPartOfID ? [.text(text.uppercased()), pattern] : [pattern])
        return Self.union(byRecipient, byMessage)
    }

    private func messages(where condition: String, _ values: [DatabaseValue]) throws -> [Int64] {
        try connection.rows(
            "SELECT m.row FROM message m WHERE \(condition) AND \(Schema.isPresent) ORDER BY m.row", values
        ) { $0.integer(0) }
    }

    private func recipients(holding part: String) throws -> [Int64] {
        try distinct("SELECT key FROM recipient WHERE address \(Self.like(part)) ORDER BY key", [Self.pattern(part)])
    }

    /// Those with at least one recipient in that state.
    private func messages(in state: RecipientState) throws -> [Int64] {
        // The index of deferred ones would give another order; the few that are held have one in the order of keys.
        let source = state == .held ? "recipient" : "recipient NOT INDEXED"
        return try distinct("SELECT key FROM \(source) WHERE state = \(state.rawValue) ORDER BY key", [])
    }

    private func has(_ state: RecipientState, _ row: Int64) throws -> Bool {
        let keys = Schema.keys(of: row)
        return try connection.first(
            "SELECT 1 FROM recipient WHERE key BETWEEN ? AND ? AND state = \(state.rawValue) LIMIT 1",
            .integer(keys.first), .integer(keys.last)
        ) { _ in true } ?? false
    }

    /// Rows of the messages of recipients that come in the order of their keys.
    private func distinct(_ sql: String, _ values: [DatabaseValue]) throws -> [Int64] {
        var rows: [Int64] = []
        try connection.forEach(sql, values) { statement in
            let row = Schema.row(of: statement.integer(0))
            if rows.last != row { rows.append(row) }
            return true
        }
        return rows
    }

    // MARK: Sets of rows, ascending

    static func union(_ one: [Int64], _ other: [Int64]) -> [Int64] {
        if one.isEmpty || other.isEmpty { return one.isEmpty ? other : one }
        var out: [Int64] = []
        out.reserveCapacity(max(one.count, other.count))
        var place = 0
        for row in one {
            while place < other.count, other[place] < row {
                out.append(other[place])
                place += 1
            }
            if place < other.count, other[place] == row { place += 1 }
            out.append(row)
        }
        return out + other[place...]
    }

    static func intersection(_ one: [Int64], _ other: [Int64]) -> [Int64] {
        var out: [Int64] = []
        var place = 0
        for row in one {
            while place < other.count, other[place] < row { place += 1 }
            if place == other.count { break }
            if other[place] == row { out.append(row) }
        }
        return out
    }

    // MARK: Texts

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
    private static func like(_ part: String) -> String {
        let isPlain = part.utf8.allSatisfy { ![0x25, 0x5F, 0x5C].contains($0) }
        return isPlain ? "LIKE ?" : "LIKE ? ESCAPE '\\'"
    }

    /// A LIKE pattern for a part; what LIKE would read as a sign is escaped.
    private static func pattern(_ part: String) -> DatabaseValue {
        var out = "%"
        for character in part.unicodeScalars {
            if character == "%" || character == "_" || character == "\\" { out += "\\" }
            out.unicodeScalars.append(character)
        }
        return .text(out + "%")
    }
}
