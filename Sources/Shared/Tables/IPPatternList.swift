import MailModel

/// A list of address patterns, one a line (exemptions, hidden addresses); empty lines and lines beginning with `'` are
/// left out.
package struct IPPatternList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let line: Int
        package let pattern: IPPattern
    }
    package let entries: [Entry]

    package static let empty = IPPatternList(entries: [])

    private init(entries: [Entry]) { self.entries = entries }

    package static func read(_ text: TableText) -> TableReading<IPPatternList> {
        var entries: [Entry] = []
        var problems: [TableProblem] = []
        for (index, line) in text.lines.enumerated() {
            let content = line.trimmingBlanks()
            if content.isEmpty || content.hasPrefix("'") { continue }
            if let pattern = IPPattern(content) {
                entries.append(Entry(line: index + 1, pattern: pattern))
            } else {
                problems.append(
                    TableProblem(
                        line: index + 1, text: TableText.shown(line), code: "table.ip.pattern",
                        arguments: [TableText.shown(content)],
                        message: "'\(TableText.shown(content))' is not an IP address, range or wildcard."))
            }
        }
        return TableReading(value: IPPatternList(entries: entries), problems: problems)
    }

    /// The line of the first pattern that holds the address.
    package func firstLine(containing address: IPAddress) -> Int? {
        entries.first { $0.pattern.contains(address) }?.line
    }
    package func contains(_ address: IPAddress) -> Bool { firstLine(containing: address) != nil }
}
