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
        guard let connection = try open(path) else { return nil }
        // The receiver may be about to make its first record.
        let isMade = try connection.first("SELECT 1 FROM sqlite_schema WHERE name = 'decision'") { _ in true }
        guard isMade == true else { return nil }
        let text = try connection.first("SELECT record FROM decision WHERE reference = ?", .text(reference.rawValue)) {
            $0.text(0)
        }
        return text.flatMap(DecisionText.decode)
    }

    /// Where a page of records ended.
    package struct Place: Hashable, Sendable {
        package var time: Int64
        package var reference: String
        package init(time: Int64, reference: String) {
            self.time = time
            self.reference = reference
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
    ///   - since: milliseconds since 1970, inclusive.
    ///   - limit: reasons at most; most frequent first.
    package static func counts(since: Int64, limit: Int, in path: String) throws(DatabaseError) -> [Count] {
        guard let connection = try open(path) else { return [] }
        // With one max() the bare column comes from its row.
        return try connection.rows(
            """
            SELECT json_extract(record, '$.verdict.reason') AS reason, count(*) AS number, max(time), reference
            FROM decision WHERE time >= ? GROUP BY reason ORDER BY number DESC, reason LIMIT ?
            """, .integer(since), .integer(Int64(max(1, limit)))
        ) { Count(reason: $0.text(0), count: Int($0.integer(1)), time: $0.integer(2), reference: $0.text(3)) }
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

    static func decode(_ text: String) -> DecisionRecord? {
        decode(DecisionRecord.self, text)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
        try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
