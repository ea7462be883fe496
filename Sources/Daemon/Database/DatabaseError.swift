import CSQLite
import Glibc

/// What went wrong in SQLite or in the file system below it.
package struct DatabaseError: Error, Equatable {
    package enum Kind: Hashable, Sendable {
        /// No room on the device, over a disk quota, or over the process's file size limit.
        case diskFull
        /// Another connection held the lock for longer than the busy time-out.
        case busy
        /// The file is not a database, or its structure is broken.
        case damaged
        /// Reading, writing or syncing failed.
        case io
        /// A UNIQUE, NOT NULL, CHECK or foreign key constraint refused a row.
        case constraint
        /// The file or the connection does not allow writing.
        case readOnly
        /// The file is missing, or may not be opened.
        case cannotOpen
        /// Anything else: wrong SQL, too large a value, interrupted.
        case other
    }
    /// Callers switch on this.
    package let kind: Kind
    /// For logs only: SQLite's text, its extended code, the errno below it, the statement.
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

extension DatabaseError {
    /// The error that `code` stands for on `database`, which may be `nil` when it could not be opened.
    init(code: Int32, database: OpaquePointer?, context: String) {
        let systemError = database.map { sqlite3_system_errno($0) } ?? 0
        let text = String(cString: database.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
        var detail = "\(context): \(text) (SQLite \(code)"
        if systemError != 0 { detail += ", errno \(systemError) \(String(cString: strerror(systemError)))" }
        self.init(Self.kind(of: code, systemError: systemError), detail + ")")
    }

    static func kind(of code: Int32, systemError: Int32) -> Kind {
        switch code & 0xFF {
        case SQLITE_FULL: .diskFull
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
        case SQLITE_CONSTRAINT: .constraint
        case SQLITE_READONLY: .readOnly
        // SQLite keeps "no space" for write(2) alone; a refused open or sync tells it by errno.
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            switch systemError {
            case ENOSPC, EDQUOT, EFBIG: .diskFull
            default: code & 0xFF == SQLITE_IOERR ? .io : .cannotOpen
            }
        default: .other
        }
    }
}
