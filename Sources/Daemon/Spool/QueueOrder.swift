import Database
import MailModel

/// A window of the queue in one of its orders.
///
/// No index serves them, for an accepted and delivered message would pay for it: what they go by is read in one pass over
/// the table, or row by row where few messages match, and only the window is put in order.
struct QueueOrder {
    let connection: Connection
    let sort: QueueQuery.Sort
    let descending: Bool

    /// Messages that are looked up one by one at most: some microseconds each.
    var few = 2_000

    /// - Parameters:
    ///   - range: places in that order, inside of `0..<matching`.
    ///   - found: the messages that match, in the order of arrival; `nil` = all `matching` of the queue.
    func rows(_ range: Range<Int>, of matching: Int, among found: [Int64]?) throws -> [Int64] {
        guard sort != .age else {
            return try found.map { Self.slice($0, range, isReversed: descending) } ?? byArrival(range, of: matching)
        }
        switch sort {
        case .age, .size, .tries, .next: return try window(range, of: numbers(found))
        case .id, .from, .to: return try window(range, of: texts(found))
        }
    }

    private func window(_ range: Range<Int>, of ranking: some Ranking) -> [Int64] {
        var ranking = ranking
        let part = (descending ? Self.mirrored(range, of: ranking.count) : range).clamped(to: 0..<ranking.count)
        let rows = ranking.rows(part)
        return descending ? rows.reversed() : rows
    }

    private static func mirrored(_ range: Range<Int>, of count: Int) -> Range<Int> {
        max(0, count - range.upperBound)..<max(0, count - range.lowerBound)
    }

    private static func slice(_ rows: [Int64], _ range: Range<Int>, isReversed: Bool) -> [Int64] {
        let part = (isReversed ? mirrored(range, of: rows.count) : range).clamped(to: 0..<rows.count)
        return isReversed ? rows[part].reversed() : Array(rows[part])
    }

    // MARK: By arrival

    /// From the nearer end.
    private func byArrival(_ range: Range<Int>, of matching: Int) throws -> [Int64] {
        let isFar = range.lowerBound > matching / 2
        let wanted = isFar ? Self.mirrored(range, of: matching) : range
        let direction = descending != isFar ? "DESC" : "ASC"
        var rows: [Int64] = []
        var place = 0
        try connection.forEach("SELECT m.row FROM message m WHERE \(Schema.isPresent) ORDER BY m.row \(direction)") {
            if place >= wanted.lowerBound { rows.append($0.integer(0)) }
            place += 1
            return place < wanted.upperBound
        }
        return isFar ? rows.reversed() : rows
    }

    // MARK: By what a row says

    private func numbers(_ found: [Int64]?) throws -> NumberRanking {
        var ranking = NumberRanking()
        switch sort {
        case .tries:
            try recipients("tries", among: found) { ranking.add($0.integer(1), for: $1, joining: max) }
        case .next:
            // Fresh recipients are due at once, deferred ones at their time, held ones never; a message stands where
            // its first recipient does.
            let held = Int64(RecipientState.held.rawValue)
            try recipients("state, due", among: found) {
                ranking.add($0.integer(1) == held ? .max : $0.integer(2), for: $1, joining: min)
            }
        case .age, .size, .id, .from, .to:
            try messages("size", among: found) { ranking.add($0.integer(1), for: $1, joining: max) }
        }
        return ranking
    }

    private func texts(_ found: [Int64]?) throws -> TextRanking {
        var ranking = TextRanking()
        let add = { (statement: Statement, row: Int64) in statement.withBlob(1) { ranking.add($0, for: row) } }
        switch sort {
        // One recipient stands for its message: the first.
        case .to: try recipients("address", among: found, add)
        case .from: try messages("sender", among: found, add)
        case .id, .age, .size, .tries, .next: try messages("id", among: found, add)
        }
        return ranking
    }

    private func recipients(
        _ columns: String, among found: [Int64]?, _ add: (Statement, Int64) -> Void
    ) throws {
        let table = "SELECT key, \(columns) FROM recipient NOT INDEXED"
        try pass(
            "\(table) ORDER BY key", among: found, one: "\(table) WHERE key BETWEEN ? AND ? ORDER BY key",
            { Schema.keys(of: $0) }, rowOf: Schema.row(of:), add)
    }

    private func messages(
        _ column: String, among found: [Int64]?, _ add: (Statement, Int64) -> Void
    ) throws {
        let table = "SELECT row, \(column) FROM message m"
        try pass(
            "\(table) WHERE \(Schema.isPresent) ORDER BY row", among: found, one: "\(table) WHERE row BETWEEN ? AND ?",
            { ($0, $0) }, rowOf: { $0 }, add)
    }

    /// Rows in the order of arrival, all or those that were found.
    private func pass(
        _ all: String, among found: [Int64]?, one: String, _ keys: (Int64) -> (first: Int64, last: Int64),
        rowOf: (Int64) -> Int64, _ add: (Statement, Int64) -> Void
    ) throws {
        guard let found else {
            return try connection.forEach(all) { statement in
                add(statement, rowOf(statement.integer(0)))
                return true
            }
        }
        guard found.count > few else {
            for row in found {
                let keys = keys(row)
                try connection.forEach(one, [.integer(keys.first), .integer(keys.last)]) { statement in
                    add(statement, row)
                    return true
                }
            }
            return
        }
        var place = 0
        try connection.forEach(all) { statement in
            let row = rowOf(statement.integer(0))
            while place < found.count, found[place] < row { place += 1 }
            guard place < found.count else { return false }
            if found[place] == row { add(statement, row) }
            return true
        }
    }
}
