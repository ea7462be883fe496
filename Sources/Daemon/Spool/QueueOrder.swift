import Database
import MailModel

/// A window of the queue in one of its orders.
///
/// A few messages are looked up one by one and sorted. Of many, the table is passed over in the order that is asked for;
/// the order of next tries is read from the index of deferred recipients. A window in the far half is read from the
/// other end.
struct QueueOrder {
    let connection: Connection
    let sort: QueueQuery.Sort
    let descending: Bool

    /// Messages that are looked up one by one at most: some microseconds each.
    var few = 2_000
    /// Rows of the front that SQLite picks out faster than it sorts all.
    var front = 2_000

    /// - Parameters:
    ///   - range: places in that order, inside of `0..<matching`.
    ///   - found: the messages that match, in the order of arrival; `nil` = all `matching` of the queue.
    func rows(_ range: Range<Int>, of matching: Int, among found: [Int64]?) throws -> [Int64] {
        if let found, sort == .age { return Self.slice(found, range, isReversed: descending) }
        if let found, found.count <= few { return Self.slice(try sorted(found), range, isReversed: false) }
        if sort == .next { return Self.slice(try byNextTry(range, found), range, isReversed: descending) }
        let isFar = range.lowerBound > matching / 2
        let wanted = isFar ? Self.mirrored(range, of: matching) : range
        let rows = try scan(wanted, found, isReversed: isFar)
        return isFar ? rows.reversed() : rows
    }

    private static func mirrored(_ range: Range<Int>, of count: Int) -> Range<Int> {
        max(0, count - range.upperBound)..<max(0, count - range.lowerBound)
    }

    private static func slice(_ rows: [Int64], _ range: Range<Int>, isReversed: Bool) -> [Int64] {
        let part = (isReversed ? mirrored(range, of: rows.count) : range).clamped(to: 0..<rows.count)
        return isReversed ? rows[part].reversed() : Array(rows[part])
    }

    // MARK: By SQL

    private func scan(_ range: Range<Int>, _ found: [Int64]?, isReversed: Bool) throws -> [Int64] {
        var sql = order(isReversed: isReversed, among: false)
        // Beyond the front this is slower than to sort all; so it is where most rows come in order already.
        if found == nil, sort != .id, range.upperBound <= front { sql += " LIMIT \(range.upperBound)" }
        var rows: [Int64] = []
        var place = 0
        try connection.forEach(sql) { statement in
            let row = statement.integer(0)
            guard found.map({ Self.holds($0, row) }) ?? true else { return true }
            if place >= range.lowerBound { rows.append(row) }
            place += 1
            return place < range.upperBound
        }
        return rows
    }

    private func sorted(_ found: [Int64]) throws -> [Int64] {
        let list = "[" + found.map(String.init).joined(separator: ",") + "]"
        return try connection.rows(order(isReversed: false, among: true), [.text(list)]) { $0.integer(0) }
    }

    private static func holds(_ rows: [Int64], _ row: Int64) -> Bool {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low] == row
    }

    /// - Parameter among: the rows come as a list, the statement's one parameter.
    func order(isReversed: Bool, among: Bool) -> String {
        let direction = descending != isReversed ? "DESC" : "ASC"
        let value = sortValue.map { "\($0) \(direction), " } ?? ""
        let source: String
        switch (isByRecipient, among) {
        case (false, false): source = "SELECT m.row FROM message m WHERE \(Schema.isPresent)"
        case (false, true): source = "SELECT m.row FROM json_each(?) c CROSS JOIN message m ON m.row = c.value"
        case (true, false):
            // One recipient stands for its message: the first.
            let earlier = "SELECT 1 FROM recipient p WHERE p.key BETWEEN \(Self.firstKey) AND r.key - 1"
            source = """
                SELECT r.key >> 20 FROM recipient r NOT INDEXED
                WHERE r.siblings = 0 OR NOT EXISTS (\(earlier))
                """
        case (true, true):
            source = """
                SELECT r.key >> 20 FROM json_each(?) c CROSS JOIN recipient r ON r.key =
                (SELECT min(p.key) FROM recipient p WHERE p.key BETWEEN c.value << 20 AND (c.value << 20) | 1048575)
                """
        }
        return "\(source) ORDER BY \(value)\(isByRecipient ? "r.key" : "m.row") \(direction)"
    }

    private var isByRecipient: Bool {
        switch sort {
        case .to, .tries, .next: true
        case .age, .id, .size, .from: false
        }
    }

    private static let firstKey = "(r.key & -1048576)"
    private static let siblings = "FROM recipient p WHERE p.key BETWEEN \(firstKey) AND (r.key | 1048575)"

    private var sortValue: String? {
        let due = "CASE p.state WHEN \(RecipientState.held.rawValue) THEN \(Int64.max) ELSE p.due END"
        return switch sort {
        case .age: nil
        case .id: "m.id"
        case .size: "m.size"
        case .from: "m.sender COLLATE NOCASE"
        case .to: "r.address COLLATE NOCASE"
        case .tries: "CASE r.siblings WHEN 0 THEN r.tries ELSE (SELECT max(p.tries) \(Self.siblings)) END"
        case .next: "(SELECT min(\(due)) \(Self.siblings))"
        }
    }

    // MARK: By the next try

    /// In ascending order, as far as the range needs it: fresh recipients are due at once, deferred ones at their time,
    /// held ones never. A message stands where its first recipient does.
    private func byNextTry(_ range: Range<Int>, _ found: [Int64]?) throws -> [Int64] {
        // The other direction begins at the end, which nobody knows before.
        let end = descending ? Int.max : range.upperBound
        var rows: [Int64] = []
        let bounds = try connection.first("SELECT min(row), max(row) FROM message") { ($0.integer(0), $0.integer(1)) }
        var seen = RowSet(from: bounds?.0 ?? 0, through: bounds?.1 ?? 0)
        for source in [
            "SELECT key FROM recipient NOT INDEXED WHERE state = 0 ORDER BY key",
            "SELECT key FROM recipient WHERE state = 1 ORDER BY due, key",
            "SELECT key FROM recipient WHERE state = 2 ORDER BY key",
        ] where rows.count < end {
            try connection.forEach(source) { statement in
                let row = Schema.row(of: statement.integer(0))
                if seen.insert(row), found.map({ Self.holds($0, row) }) ?? true { rows.append(row) }
                return rows.count < end
            }
        }
        return rows
    }
}

/// Rows that were met: one bit each where they lie close together, as the rows of a queue do.
private struct RowSet {
    private let first: Int64
    private var bits: [UInt64] = []
    private var others = Set<Int64>()

    /// Rows that get a bit at most: 2 MiB.
    private static let limit: Int64 = 16 << 20

    init(from first: Int64, through last: Int64) {
        self.first = first
        let (span, isTooLarge) = last.subtractingReportingOverflow(first)
        if !isTooLarge, (0..<Self.limit).contains(span) { bits = Array(repeating: 0, count: Int(span / 64) + 1) }
    }

    /// - Returns: whether it was not there before.
    mutating func insert(_ row: Int64) -> Bool {
        let (place, isTooLarge) = row.subtractingReportingOverflow(first)
        guard !isTooLarge, place >= 0, place / 64 < Int64(bits.count) else { return others.insert(row).inserted }
        let bit: UInt64 = 1 << UInt64(place % 64)
        defer { bits[Int(place / 64)] |= bit }
        return bits[Int(place / 64)] & bit == 0
    }
}
