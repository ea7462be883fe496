import Database
import MailModel
import Policy

/// A refusal with what it was decided from.
package struct PastDecision: Hashable, Sendable {
    package let record: DecisionRecord
    package let evidence: Evidence
}

extension DecisionArchive {
    /// What a refusal was decided from; `nil`: no such record, or no decision about mail.
    /// - Throws: when the database cannot be read.
    package static func evidence(
        of reference: DecisionReference, in path: String
    ) throws(DatabaseError) -> Evidence? {
        guard let connection = try openWithFacts(path) else { return nil }
        let text = try connection.first("SELECT facts FROM decision WHERE reference = ?", .text(reference.rawValue)) {
            $0.optionalText(0)
        }
        return (text ?? nil).flatMap { DecisionText.decode(Evidence.self, $0) }
    }

    /// - Returns: `nil` also for a database that no receiver with facts has written to yet.
    private static func openWithFacts(_ path: String) throws(DatabaseError) -> Connection? {
        guard let connection = try open(path) else { return nil }
        let columns = try connection.rows("SELECT name FROM pragma_table_info('decision')") { $0.text(0) }
        return columns.contains("facts") ? connection : nil
    }

    /// Decisions about mail since a time, the newest first.
    /// - Parameters:
    ///   - since: milliseconds since 1970.
    ///   - limit: records at most.
    package static func decisions(
        since: Int64, limit: Int, in path: String
    ) throws(DatabaseError) -> [PastDecision] {
        guard let connection = try openWithFacts(path) else { return [] }
        let rows = try connection.rows(
            "SELECT record, facts FROM decision WHERE time >= ? AND facts IS NOT NULL ORDER BY time DESC LIMIT ?",
            .integer(since), .integer(Int64(limit))
        ) { ($0.text(0), $0.text(1)) }
        return rows.compactMap { row in
            guard let record = DecisionText.decode(row.0), let evidence = DecisionText.decode(Evidence.self, row.1)
            else { return nil }
            return PastDecision(record: record, evidence: evidence)
        }
    }
}
