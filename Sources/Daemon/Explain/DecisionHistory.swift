import Database
import MailModel
import Policy

/// A refusal with what it was decided from.
package struct PastDecision: Hashable, Sendable {
    package let record: DecisionRecord
    package let evidence: Evidence
    /// Refusals of a flood that it stands for, itself included.
    package let weight: Int
    /// Where to go on behind it.
    package let place: DecisionArchive.Place
}

extension DecisionArchive {
    /// Where a page of records ended.
    package struct Place: Hashable, Sendable {
        fileprivate let block: Int64
    }

    /// What a refusal was decided from; `nil`: no such record, no decision about mail, or one of a flood of which only
    /// some are kept with their facts.
    /// - Throws: when the database cannot be read.
    package static func evidence(
        of reference: DecisionReference, in path: String
    ) throws(DatabaseError) -> Evidence? {
        guard let connection = try openRefusals(path), let (block, item) = try locate(reference, connection) else {
            return nil
        }
        let text = try connection.first("SELECT facts FROM refusals WHERE id = ?", .integer(block)) {
            $0.optionalText(0)
        }
        let facts = (text ?? nil).flatMap { DecisionText.decode([DecisionBlock.Facts].self, $0) }
        return facts?.first { $0.item == item }?.evidence
    }

    /// Decisions since a time, the newest first.
    /// - Parameters:
    ///   - place: of the last record of the page before; `nil` = the newest.
    ///   - since: milliseconds since 1970, inclusive.
    ///   - limit: where a page ends; what was written together with its last record comes with it.
    package static func decisions(
        before place: Place? = nil, since: Int64, limit: Int, in path: String
    ) throws(DatabaseError) -> [PastDecision] {
        guard let connection = try openRefusals(path) else { return [] }
        var place = place ?? Place(block: .max)
        var found: [PastDecision] = []
        while found.count < limit {
            let blocks = try connection.rows(
                """
                SELECT id, refs, body, facts FROM refusals WHERE id < ? AND last >= ? AND facts IS NOT NULL
                ORDER BY id DESC LIMIT ?
                """, .integer(place.block), .integer(since), .integer(16)
            ) { ($0.integer(0), $0.blob(1), $0.blob(2), $0.text(3)) }
            for (id, references, body, text) in blocks where found.count < limit {
                place = Place(block: id)
                let facts = DecisionText.decode([DecisionBlock.Facts].self, text) ?? []
                let records = DecisionBlockReader.records(body, references: references)
                found += facts.reversed().compactMap { kept in
                    guard records.indices.contains(kept.item), records[kept.item].time >= since else { return nil }
                    return PastDecision(
                        record: records[kept.item], evidence: kept.evidence, weight: max(1, kept.weight), place: place)
                }
            }
            // A page of records that this version cannot read is not the end of them.
            if blocks.isEmpty { break }
        }
        return found
    }
}
