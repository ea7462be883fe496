import Database
import MailModel

/// The tables of `queue.db`. Private to this module.
///
/// A recipient's key is its message's row, 20 bits up, plus its index: one integer key is the fastest table SQLite has,
/// and the recipients of a message lie side by side. There is no index that an accepted and delivered message would
/// pay for: they hold deferred and held recipients, and tombstones. `siblings` is 1 when the message came with several
/// recipients: most have one, and need no look at others. Rows are given out in the order of commits and never twice: the
/// newest message stays as a tombstone when it is done, until there is a newer one (see `SpoolWriter`).
enum Schema {
    /// Raised with every change that an older program could not read or would spoil.
    static let version = 2
    /// From this version on databases are brought up to date.
    static let oldest = 1
    static let indexBits: Int64 = 20

    static func key(row: Int64, index: Int) -> Int64 { row << indexBits | Int64(index) }
    static func row(of key: Int64) -> Int64 { key >> indexBits }
    static func index(of key: Int64) -> Int { Int(key & (1 << indexBits - 1)) }
    /// The first and the last key that recipients of a message may have.
    static func keys(of row: Int64) -> (first: Int64, last: Int64) {
        (row << indexBits, row << indexBits | (1 << indexBits - 1))
    }

    /// `message.flags`
    enum Flag {
        static let needsSMTPUTF8: Int64 = 1
        static let is8BitMIME: Int64 = 2
        /// Content is in `large/<id>`.
        static let isLarge: Int64 = 4
        /// Done; kept so that its row is not given out again.
        static let isTombstone: Int64 = 8
    }

    /// Conditions on `message m`.
    static let isTombstone = "m.flags & \(Flag.isTombstone)"
    static let isPresent = "m.flags & \(Flag.isTombstone) = 0"

    static let options = Connection.Options(durability: .full, pageSize: 16384, cacheSize: 8 << 20)

    private static let statements = """
        CREATE TABLE spool (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE message (
            row INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            received INTEGER NOT NULL,
            sender TEXT,
            size INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            client TEXT, hello TEXT, authenticated TEXT, protocol TEXT NOT NULL,
            parent TEXT, ret TEXT, envid TEXT
        );
        CREATE TABLE recipient (
            key INTEGER PRIMARY KEY,
            address TEXT NOT NULL,
            notify INTEGER NOT NULL,
            orcpt TEXT,
            state INTEGER NOT NULL DEFAULT 0,
            due INTEGER NOT NULL DEFAULT 0,
            tries INTEGER NOT NULL DEFAULT 0,
            failure INTEGER,
            first_failure INTEGER,
            reply TEXT,
            route TEXT,
            bounce INTEGER NOT NULL DEFAULT 0,
            siblings INTEGER NOT NULL DEFAULT 0,
            refusals INTEGER NOT NULL DEFAULT 0,
            warned INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX recipient_due ON recipient(due) WHERE state = 1;
        CREATE INDEX recipient_held ON recipient(key) WHERE state = 2;
        CREATE INDEX message_tombstone ON message(row) WHERE flags & \(Flag.isTombstone);
        CREATE TABLE content (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
        INSERT INTO spool VALUES ('version', \(version)), ('mark', 0);
        """

    /// Makes the tables in an empty database.
    static func create(in connection: Connection) throws {
        try connection.transaction {
            let tables = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) }
            if tables == 0 { try connection.execute(statements) }
        }
    }

    /// Brings an older database up to date, all of it or nothing. Call with the write lock.
    static func upgrade(_ connection: Connection) throws {
        try connection.transaction {
            guard case .older = try find(in: connection) else { return }
            // Both are cheap: SQLite notes the column and touches no row.
            try connection.execute(
                """
                ALTER TABLE recipient ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE recipient ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
                UPDATE spool SET value = \(version) WHERE key = 'version';
                """)
        }
    }

    enum Finding: Equatable {
        case current
        /// Of an earlier program; `upgrade` helps.
        case older
        case empty
        case other(Int)
    }

    /// What a database holds. Any table that is not ours counts as version 0.
    static func find(in connection: Connection) throws(DatabaseError) -> Finding {
        let tables = try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'table'") { $0.text(0) }
        guard tables.contains("spool") else { return tables.isEmpty ? .empty : .other(0) }
        let found = try connection.first("SELECT value FROM spool WHERE key = 'version'") { $0.int(0) } ?? 0
        if found == version { return .current }
        return (oldest..<version).contains(found) ? .older : .other(found)
    }
}

/// A reverse path as one text: NULL is blank, empty is null, else `local@domain` without quoting. A domain holds no
/// `@`, so the last one divides.
enum StoredAddress {
    static func text(_ address: MailAddress) -> String { "\(address.localPart)@\(address.domain)" }

    static func text(_ path: ReversePath) -> String? {
        switch path {
        case .blank: nil
        case .null: ""
        case .address(let address): text(address)
        }
    }

    /// A recipient's address and, behind a line end, where an alias led it: no address holds a line end.
    static func text(_ recipient: Recipient) -> String {
        guard let resolved = recipient.resolved else { return text(recipient.address) }
        return "\(text(recipient.address))\n\(text(resolved))"
    }

    static func recipient(_ text: String) -> (address: MailAddress, resolved: MailAddress?) {
        guard let end = text.utf8.firstIndex(of: 0x0A) else { return (address(text), nil) }
        return (address(String(text[..<end])), address(String(text[text.utf8.index(after: end)...])))
    }

    static func address(_ text: String) -> MailAddress {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            return MailAddress(localPart: text, domain: "")
        }
        return MailAddress(localPart: String(text[..<at]), domain: String(text[text.utf8.index(after: at)...]))
    }

    static func path(_ text: String?) -> ReversePath {
        guard let text else { return .blank }
        return text.isEmpty ? .null : .address(address(text))
    }
}

extension SpoolError {
    /// What a database error means for the spool.
    init(_ error: any Error) {
        switch error {
        case let error as SpoolError: self = error
        case let error as DatabaseError:
            let kind: Kind =
                switch error.kind {
                case .diskFull: .diskFull
                case .damaged: .damaged
                case .busy, .io, .constraint, .readOnly, .cannotOpen, .other: .io
                }
            self.init(kind, error.detail)
        default: self.init(.io, "\(error)")
        }
    }
}
