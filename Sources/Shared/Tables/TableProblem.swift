/// What is wrong, or doubtful, in one line of a text table.
package struct TableProblem: Hashable, Sendable {
    /// From 1; 0 = the table as a whole.
    package var line: Int
    /// Column of tab-separated tables, from 1.
    package var column: Int?
    /// The line as it stands, cleaned for display and at most 200 characters.
    package var text: String
    /// Catalogue key; the console looks the sentence up in its language and fills in `arguments`.
    package var code: String
    package var arguments: [String]
    /// English, whole sentence: what is wrong and what would be right.
    package var message: String
    /// A warning does not stop the table from being used.
    package var isWarning: Bool

    package init(
        line: Int, column: Int? = nil, text: String, code: String, arguments: [String] = [], message: String,
        isWarning: Bool = false
    ) {
        self.line = line
        self.column = column
        self.text = text
        self.code = code
        self.arguments = arguments
        self.message = message
        self.isWarning = isWarning
    }
}

/// A table as read: its value made of the good lines, and all problems in the order of their lines.
package struct TableReading<Value: Sendable>: Sendable {
    package var value: Value
    package var problems: [TableProblem]

    package init(value: Value, problems: [TableProblem]) {
        self.value = value
        self.problems = problems
    }

    /// Whether a line is faulty. A file with faults does not replace the last good reading.
    package var hasFaults: Bool { problems.contains { !$0.isWarning } }
}

extension TableReading: Equatable where Value: Equatable {}
