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

    /// Decisions since a time, the newest first.
    /// - Parameters:
    ///   - place: of the last record of the page before; `nil` = the newest.
    ///   - since: milliseconds since 1970, inclusive.
    ///   - limit: records at most.
    package static func decisions(
        before place: Place? = nil, since: Int64, limit: Int, in path: String
    ) throws(DatabaseError) -> [PastDecision] {
        guard let connection = try openWithFacts(path) else { return [] }
        var place = place ?? Place(time: .max, reference: "")
        while true {
            let rows = try connection.rows(
                """
                SELECT time, reference, record, facts FROM decision
                WHERE time >= ? AND (time < ? OR (time = ? AND reference < ?)) AND facts IS NOT NULL
                ORDER BY time DESC, reference DESC LIMIT ?
                """,
                .integer(since), .integer(place.time), .integer(place.time), .text(place.reference),
                .integer(Int64(max(1, limit)))
            ) { ($0.integer(0), $0.text(1), $0.text(2), $0.text(3)) }
            guard let end = rows.last else { return [] }
            place = Place(time: end.0, reference: end.1)
            // A page of records that this version cannot read is not the end of them.
            let found = rows.compactMap { row -> PastDecision? in
                guard let record = DecisionText.decode(row.2), let evidence = DecisionText.decode(Evidence.self, row.3)
                else { return nil }
                return PastDecision(record: record, evidence: evidence)
            }
            if !found.isEmpty { return found }
        }
    }
}
