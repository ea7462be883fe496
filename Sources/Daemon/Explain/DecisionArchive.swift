import Database
import FoundationEssentials
import Glibc
import MailModel

/// Reads what `DecisionLog` wrote; any process.
package enum DecisionArchive {
    /// - Parameter path: of the database.
    /// - Returns: `nil` when there is no such record, or no database yet.
    /// - Throws: when the database cannot be read.
    package static func find(
        _ reference: DecisionReference, in path: String
    ) throws(DatabaseError) -> DecisionRecord? {
        guard let connection = try openRefusals(path), let (block, item) = try locate(reference, connection) else {
            return nil
        }
        let found = try connection.first("SELECT refs, body FROM refusals WHERE id = ?", .integer(block)) {
            DecisionBlockReader.records($0.blob(1), references: $0.blob(0), upTo: item)
        }
        guard let records = found, item < records.count else { return nil }
        return records[item]
    }

    /// The block of a record, and its number there.
    static func locate(
        _ reference: DecisionReference, _ connection: Connection
    ) throws(DatabaseError) -> (block: Int64, item: Int)? {
        let name = Array(reference.rawValue.utf8)
        if let block = try connection.first(
            "SELECT id FROM refusals WHERE count = 1 AND refs = ?", .blob(name), read: { $0.integer(0) })
        {
            return (block, 0)
        }
        let found = try connection.rows("SELECT id, refs FROM refusals WHERE count > 1") { row -> (Int64, Int)? in
            row.withBlob(1) { position(of: name, in: $0) }.map { (row.integer(0), $0) }
        }
        return found.lazy.compactMap { $0 }.first
    }

    private static func position(of name: [UInt8], in references: UnsafeRawBufferPointer) -> Int? {
        guard name.count == 8 else { return nil }
        let wanted = name.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        return (0..<references.count / 8).first {
            references.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) == wanted
        }
    }

    /// How often each reason was given since a time.
    package struct Count: Hashable, Sendable {
        package var reason: String
        package var count: Int
        package var time: Int64
        /// Of the latest.
        package var reference: String
    }

    /// - Parameters:
    ///   - since: milliseconds since 1970; records that were written together are counted together.
    ///   - limit: reasons at most; most frequent first.
    package static func counts(since: Int64, limit: Int, in path: String) throws(DatabaseError) -> [Count] {
        guard let connection = try openRefusals(path) else { return [] }
        let blocks = try connection.rows(
            "SELECT tallies, refs FROM refusals WHERE last >= ?", .integer(since)
        ) { row in
            (DecisionText.decode([DecisionBlock.Tally].self, row.text(0)) ?? []).map { tally in
                (tally, row.withBlob(1) { reference(tally.item, in: $0) })
            }
        }
        var counts: [Reason: Count] = [:]
        for (tally, reference) in blocks.joined() {
            let name = tally.reason.rawValue
            var count = counts[tally.reason] ?? Count(reason: name, count: 0, time: .min, reference: "")
            count.count += tally.count
            if tally.time >= count.time {
                count.time = tally.time
                count.reference = reference
            }
            counts[tally.reason] = count
        }
        let sorted = counts.values.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
        return Array(sorted.prefix(max(1, limit)))
    }

    private static func reference(_ item: Int, in references: UnsafeRawBufferPointer) -> String {
        guard item >= 0, item < references.count / 8 else { return "" }
        return String(decoding: references[(item * 8)..<(item * 8 + 8)], as: UTF8.self)
    }

    /// - Returns: `nil` also for a database to which no receiver has written yet.
    static func openRefusals(_ path: String) throws(DatabaseError) -> Connection? {
        guard let connection = try open(path) else { return nil }
        // The receiver may be about to make its first record.
        let isMade = try connection.first("SELECT 1 FROM sqlite_schema WHERE name = 'refusals'") { _ in true }
        return isMade == true ? connection : nil
    }

    static func open(_ path: String) throws(DatabaseError) -> Connection? {
        guard access(path, F_OK) == 0 else { return nil }
        return try Connection(path: path, mode: .readOnly, options: .init(busyTimeout: 2_000, durability: .normal))
    }
}

enum DecisionText {
    static func encode(_ record: some Encodable) -> String {
        (try? JSONEncoder().encode(record)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
        try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
