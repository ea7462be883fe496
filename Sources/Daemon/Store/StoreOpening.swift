import Database
import Glibc

/// Opening `store.db`: new, sound, of another version, or damaged.
enum StoreOpening {
    private static let options = Connection.Options(
        durability: .full, cacheSize: 4 << 20, overwritesDeleted: true, enforcesForeignKeys: false)

    static func open(_ path: String, now: Int64) throws(DatabaseError) -> (Connection, report: String?) {
        do {
            return (try openSound(path), nil)
        } catch  where error.kind == .damaged {
            return try recover(path, now: now, cause: error.detail)
        }
    }

    private static func openSound(_ path: String) throws(DatabaseError) -> Connection {
        let connection = try Connection(path: path, mode: .readWrite, options: options)
        // Password hashes are inside.
        chmod(path, 0o600)
        let version = try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0
        if version == 0 {
            let tables = try connection.first("SELECT count(*) FROM sqlite_master") { $0.integer(0) } ?? 0
            guard tables == 0 else { throw DatabaseError(.damaged, "\(path): tables without a schema version") }
            try connection.execute("BEGIN IMMEDIATE")
            try connection.execute(Schema.statements)
            try connection.execute(Schema.additions)
            try connection.execute("COMMIT")
            return connection
        }
        guard version == Schema.version else {
            throw DatabaseError(
                .other,
                "\(path) has schema version \(version); this program knows \(Schema.version). It was left as it is.")
        }
        let found = connection.problems()
        if let first = found.first { throw DatabaseError(.damaged, "\(path): \(first)") }
        try connection.execute(Schema.additions)
        return connection
    }

    /// Sets the damaged file aside and copies what can be read of it into a new one.
    private static func recover(
        _ path: String, now: Int64, cause: String
    ) throws(DatabaseError) -> (Connection, report: String?) {
        let aside = "\(path).damaged-\(now)"
        guard rename(path, aside) == 0 else {
            throw DatabaseError(.damaged, "\(cause); and it cannot be set aside as \(aside)")
        }
        for suffix in ["-wal", "-shm"] { rename(path + suffix, aside + suffix) }
        let connection = try openSound(path)
        var rescued: [String] = []
        for table in [
            "revisions", "changes", "settings", "domains", "accounts", "aliases", "state", "secrets",
            "domain_locks",
        ] {
            rescued.append("\(copy(table, from: aside, to: connection)) \(table)")
        }
        return (
            connection,
            "the settings store was damaged (\(cause)); it was set aside as \(aside), and these rows were recovered: "
                + rescued.joined(separator: ", ")
        )
    }

    private static func copy(_ table: String, from path: String, to target: Connection) -> Int {
        var count = 0
        guard let source = try? Connection(path: path, mode: .readOnly),
            let columns = try? target.rows("PRAGMA table_info(\(table))", read: { $0.text(1) })
        else { return 0 }
        let list = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ",")
        do {
            let reading = try source.prepare("SELECT \(list) FROM \(table)")
            try target.execute("BEGIN IMMEDIATE")
            while try reading.step() {
                let values = (0..<Int32(columns.count)).map { column in
                    reading.isNull(column) ? DatabaseValue.null : .text(reading.text(column))
                }
                // Column affinity turns digits into numbers again.
                try target.run("INSERT OR IGNORE INTO \(table)(\(list)) VALUES(\(marks))", values)
                count += 1
            }
        } catch {
            // As far as it could be read.
        }
        if target.isInTransaction { try? target.execute("COMMIT") }
        return count
    }
}
