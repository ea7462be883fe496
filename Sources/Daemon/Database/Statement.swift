import CSQLite

/// A prepared statement. Parameters count from 1, columns from 0, as in SQLite. Same thread as its connection.
package final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let sql: String

    init(_ handle: OpaquePointer, of connection: Connection, _ sql: String) {
        self.handle = handle
        self.connection = connection.handle
        self.sql = sql
    }

    // Closing with sqlite3_close_v2 waits for the last statement, so the order of the two deinits does not matter.
    deinit { sqlite3_finalize(handle) }

    // MARK: Parameters

    package var parameterCount: Int { Int(sqlite3_bind_parameter_count(handle)) }

    package func bind(_ value: Int64, at parameter: Int32) throws(DatabaseError) {
        try check(sqlite3_bind_int64(handle, parameter, value))
    }

    package func bind(_ value: Int64?, at parameter: Int32) throws(DatabaseError) {
        if let value { try bind(value, at: parameter) } else { try bindNull(at: parameter) }
    }

    package func bind(_ value: Int, at parameter: Int32) throws(DatabaseError) {
        try bind(Int64(value), at: parameter)
    }

    package func bind(_ value: Bool, at parameter: Int32) throws(DatabaseError) {
        try bind(value ? 1 as Int64 : 0, at: parameter)
    }

    /// Copies the text. `nil` is NULL.
    package func bind(_ value: String?, at parameter: Int32) throws(DatabaseError) {
        guard var value else { return try bindNull(at: parameter) }
        let code = value.withUTF8 { octets in
            let start = UnsafeRawPointer(octets.baseAddress) ?? Self.empty
            return sqlite3_bind_text64(
                handle, parameter, start?.assumingMemoryBound(to: CChar.self), UInt64(octets.count),
                csqlite_transient(), UInt8(SQLITE_UTF8))
        }
        try check(code)
    }

    /// Copies the octets; for large ones see `withBlob`.
    package func bind(_ value: [UInt8], at parameter: Int32) throws(DatabaseError) {
        try check(
            value.withUnsafeBytes {
                sqlite3_bind_blob64(
                    handle, parameter, $0.baseAddress ?? Self.empty, UInt64($0.count), csqlite_transient())
            })
    }

    package func bindNull(at parameter: Int32) throws(DatabaseError) {
        try check(sqlite3_bind_null(handle, parameter))
    }

    /// Binds `value` without copying it while `body` runs, which steps the statement; unbinds it afterwards.
    package func withBlob<Value>(_ value: [UInt8], at parameter: Int32, _ body: () throws -> Value) throws -> Value {
        try value.withUnsafeBytes { try withBlob($0, at: parameter, body) }
    }

    package func withBlob<Value>(
        _ value: UnsafeRawBufferPointer, at parameter: Int32, _ body: () throws -> Value
    ) throws -> Value {
        let code = sqlite3_bind_blob64(
            handle, parameter, value.baseAddress ?? Self.empty, UInt64(value.count), csqlite_static())
        try check(code)
        defer {
            sqlite3_reset(handle)
            sqlite3_bind_null(handle, parameter)
        }
        return try body()
    }

    /// SQLite reads a null pointer as NULL; an empty blob needs an address.
    private static var empty: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: 1) }

    // MARK: Running

    /// - Returns: whether there is a row to read.
    package func step() throws(DatabaseError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = DatabaseError(code: code, database: connection, context: String(sql.prefix(120)))
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Runs to the end and makes it ready for the next run; the parameters keep their values.
    package func run() throws(DatabaseError) {
        while try step() {}
        sqlite3_reset(handle)
    }

    /// Makes it ready for the next run. Needed when not all rows were read.
    package func reset() { sqlite3_reset(handle) }

    // MARK: Columns of the current row

    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    /// 0 for NULL.
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    package func int(_ column: Int32) -> Int { Int(clamping: sqlite3_column_int64(handle, column)) }
    package func bool(_ column: Int32) -> Bool { sqlite3_column_int64(handle, column) != 0 }
    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// Empty for NULL; broken UTF-8 is repaired.
    package func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let octets = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
        return String(decoding: octets, as: UTF8.self)
    }

    package func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// A copy of the blob; empty for NULL.
    package func blob(_ column: Int32) -> [UInt8] { withBlob(column) { [UInt8]($0) } }

    /// The column as it is stored; a floating point number comes as text.
    package func value(_ column: Int32) -> DatabaseValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_BLOB: .blob(blob(column))
        default: .text(text(column))
        }
    }

    /// The blob where it lies in SQLite's memory; gone after `body`.
    package func withBlob<Value>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        let start = sqlite3_column_blob(handle, column)
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    private func check(_ code: Int32) throws(DatabaseError) {
        if code != SQLITE_OK { throw DatabaseError(code: code, database: connection, context: String(sql.prefix(120))) }
    }
}
