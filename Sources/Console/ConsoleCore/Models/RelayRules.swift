import Control

/// effect.dat as the Relay page shows it: one row per line that is a rule, or would be one.
struct RelayRules: Hashable, Sendable {
    struct Row: Hashable, Sendable {
        /// From 0, in the text.
        var line: Int
        var pattern: String
        /// As written; empty = the action `true`.
        var action: String
    }
    static let actions = ["true", "default", "false", "norelay", "norelay,0", "norelay,2", "only"]

    var lines: [String]
    var rows: [Row] {
        lines.enumerated().compactMap { number, text in
            let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = words.first, !text.hasPrefix("'") else { return nil }
            return Row(
                line: number, pattern: String(first), action: words.dropFirst().joined(separator: " "))
        }
    }

    static func text(_ pattern: String, _ action: String) -> String {
        action.isEmpty || action == "true" ? pattern.trimmedBlanks : pattern.trimmedBlanks + " " + action
    }

    /// The new rule stands behind `row`, or at the end.
    mutating func insert(_ text: String, behind row: Int?) -> Int {
        let place = row.map { min($0 + 1, lines.count) } ?? lines.count
        lines.insert(text, at: place)
        return place
    }

    /// Exchanges the rule with the next one before or behind it; comments between them stay where they are.
    /// - Returns: its new line.
    mutating func move(_ line: Int, by offset: Int) -> Int? {
        let rows = rows
        guard let index = rows.firstIndex(where: { $0.line == line }), rows.indices.contains(index + offset) else {
            return nil
        }
        let other = rows[index + offset].line
        lines.swapAt(line, other)
        return other
    }

    /// The line that a problem's place names: `effect.dat:3` is line 2 from 0.
    static func line(of problem: Problem) -> Int? {
        problem.path.split(separator: ":").last.flatMap { Int($0) }.map { $0 - 1 }
    }
}
