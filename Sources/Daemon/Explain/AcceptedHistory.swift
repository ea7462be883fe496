import Database
import MailModel
import Policy

/// Reads the accepted mail that `DecisionLog` wrote; any process.
package struct AcceptedHistory: Sendable {
    private let path: String
    /// Number of the last record that was read; records come newest first.
    private var last = Int64.max
    /// Settings that were read already, by their row.
    private var settings: [Int64: AcceptanceSettings] = [:]

    /// - Parameter path: of the database.
    package init(path: String) { self.path = path }

    /// The next older ones.
    /// - Parameters:
    ///   - since: milliseconds since 1970, inclusive.
    ///   - limit: messages at most.
    /// - Returns: empty when there are no older ones.
    /// - Throws: when the database cannot be read.
    package mutating func next(since: Int64, limit: Int) throws(DatabaseError) -> [AcceptedMail] {
        guard let connection = try Self.open(path) else { return [] }
        while true {
            let rows = try connection.rows(
                """
                SELECT id, time, weight, settings, facts FROM accepted WHERE id < ? AND time >= ?
                ORDER BY id DESC LIMIT ?
                """, .integer(last), .integer(since), .integer(Int64(max(1, limit)))
            ) { ($0.integer(0), $0.integer(1), $0.integer(2), $0.integer(3), $0.text(4)) }
            guard let end = rows.last else { return [] }
            last = end.0
            var mails: [AcceptedMail] = []
            for row in rows {
                guard let settings = try settings(row.3, connection),
                    let facts = DecisionText.decode(AcceptedMail.Facts.self, row.4)
                else { continue }
                mails.append(
                    AcceptedMail(time: row.1, weight: max(1, Int(row.2)), facts: facts, settings: settings))
            }
            if !mails.isEmpty { return mails }
        }
    }

    private mutating func settings(
        _ id: Int64, _ connection: Connection
    ) throws(DatabaseError) -> AcceptanceSettings? {
        if let known = settings[id] { return known }
        let text = try connection.first("SELECT settings FROM acceptance WHERE id = ?", .integer(id)) { $0.text(0) }
        let found = text.flatMap { DecisionText.decode(AcceptanceSettings.self, $0) }
        settings[id] = found
        return found
    }

    /// When the oldest accepted mail came of which records were kept; milliseconds since 1970.
    package static func oldest(in path: String) throws(DatabaseError) -> Int64? {
        guard let connection = try open(path) else { return nil }
        return try connection.first("SELECT time FROM accepted ORDER BY time LIMIT 1") { $0.integer(0) }
    }

    /// - Returns: `nil` also for a database to which no receiver that keeps accepted mail has written yet.
    private static func open(_ path: String) throws(DatabaseError) -> Connection? {
        guard let connection = try DecisionArchive.open(path) else { return nil }
        let isMade = try connection.first("SELECT 1 FROM sqlite_schema WHERE name = 'accepted'") { _ in true }
        return isMade == true ? connection : nil
    }
}
