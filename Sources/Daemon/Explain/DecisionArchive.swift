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
