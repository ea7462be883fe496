/// A parameter of `Connection.run`, `rows` and `first`.
package enum DatabaseValue: Sendable, Equatable {
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    case null

    /// `nil` is NULL.
    package init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    package init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
    package init(_ number: Int) { self = .integer(Int64(number)) }
    package init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }
}

extension DatabaseValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
    package init(stringLiteral text: String) { self = .text(text) }
    package init(integerLiteral number: Int64) { self = .integer(number) }
    package init(nilLiteral: ()) { self = .null }
}

/// One-line forms for everything that is not hot. Statements are cached by their text, so keep the text constant and
/// put values into parameters.
extension Connection {
    /// - Returns: the number of rows changed.
    @discardableResult
    package func run(_ sql: String, _ values: DatabaseValue...) throws(DatabaseError) -> Int {
        try run(sql, values)
    }

    @discardableResult
    package func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        let statement = try bound(sql, values)
        try statement.run()
        return changes
    }

    /// All rows, each through `read`, which gets the statement standing on a row.
    package func rows<Value>(
        _ sql: String, _ values: DatabaseValue..., read: (Statement) -> Value
    ) throws(DatabaseError) -> [Value] {
        try rows(sql, values, read: read)
    }

    package func rows<Value>(
        _ sql: String, _ values: [DatabaseValue], read: (Statement) -> Value
    ) throws(DatabaseError) -> [Value] {
        let statement = try bound(sql, values)
        defer { statement.reset() }
        var found: [Value] = []
        while try statement.step() { found.append(read(statement)) }
        return found
    }

    /// Calls `body` with the statement standing on each row until it answers `false`.
    package func forEach(
        _ sql: String, _ values: [DatabaseValue] = [], _ body: (Statement) throws -> Bool
    ) throws {
        let statement = try bound(sql, values)
        defer { statement.reset() }
        while try statement.step(), try body(statement) {}
    }

    /// The first row through `read`; `nil` when there is none.
    package func first<Value>(
        _ sql: String, _ values: DatabaseValue..., read: (Statement) -> Value
    ) throws(DatabaseError) -> Value? {
        try first(sql, values, read: read)
    }

    package func first<Value>(
        _ sql: String, _ values: [DatabaseValue], read: (Statement) -> Value
    ) throws(DatabaseError) -> Value? {
        let statement = try bound(sql, values)
        defer { statement.reset() }
        return try statement.step() ? read(statement) : nil
    }

    private func bound(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Statement {
        let statement = try statement(sql)
        statement.reset()
        guard statement.parameterCount == values.count else {
            throw DatabaseError(.other, "\(values.count) values for \(statement.parameterCount) parameters: \(sql)")
        }
        var parameter: Int32 = 1
        for value in values {
            switch value {
            case .integer(let number): try statement.bind(number, at: parameter)
            case .text(let text): try statement.bind(text, at: parameter)
            case .blob(let octets): try statement.bind(octets, at: parameter)
            case .null: try statement.bindNull(at: parameter)
            }
            parameter += 1
        }
        return statement
    }
}
