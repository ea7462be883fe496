import MailModel

/// sender.dat: recipients that a user may write to (R-ACC-42 to 45), one pattern a line. With `pattern,-1` (forbid) and
/// `pattern,0` (permit) the first match from the top decides.
package struct RecipientRestriction: Hashable, Sendable {
    package static let fileName = "sender.dat"

    package struct Rule: Hashable, Sendable {
        package let line: Int
        package let pattern: Wildcard
        package let isPermitted: Bool
        package var source: RuleSource { .table(file: RecipientRestriction.fileName, line: line) }
    }
    package let rules: [Rule]
    package let lines: TableText

    package static let none = RecipientRestriction(rules: [], lines: TableText(lines: []))

    package var text: String { lines.text }

    /// Some recipient is forbidden by it: a permitting line forbids all others, a forbidding line what it names.
    package var isInForce: Bool { !rules.isEmpty }

    package enum Answer: Hashable, Sendable {
        /// The table has no rule.
        case unrestricted
        case permitted(Rule)
        /// `nil`: no line matches.
        case forbidden(Rule?)
    }

    /// The recipient as the client gave it, before aliases (R-ACC-44).
    package func answer(for recipient: MailAddress) -> Answer {
        if rules.isEmpty { return .unrestricted }
        let text = Wildcard.fold(recipient.text)
        if let rule = rules.first(where: { $0.pattern.matches(text) }) {
            return rule.isPermitted ? .permitted(rule) : .forbidden(rule)
        }
        // R-ACC-43: a table that permits nothing restricts by its forbidding lines alone.
        return rules.contains { $0.isPermitted } ? .forbidden(nil) : .unrestricted
    }

    package static func read(_ text: TableText) -> TableReading<RecipientRestriction> {
        var rules: [Rule] = []
        var problems: [TableProblem] = []
        for (index, line) in text.lines.enumerated() where !line.trimmingBlanks().isEmpty {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
            let pattern = fields[0]
            let option = fields.count == 2 ? fields[1] : "0"
            guard fields.count <= 2, option == "0" || option == "-1" else {
                problems.append(
                    fault(
                        index + 1, line, "option", "Behind the pattern stands nothing, ',0' (permit) or ',-1' (forbid)."
                    ))
                continue
            }
            guard !pattern.isEmpty, pattern.utf8.count <= 320, !pattern.utf8.contains(0x20),
                pattern.contains("@") || pattern.contains("*")
            else {
                problems.append(fault(index + 1, line, "pattern", "A pattern is a mail address, with * where needed."))
                continue
            }
            rules.append(Rule(line: index + 1, pattern: Wildcard(pattern), isPermitted: option == "0"))
        }
        return TableReading(value: RecipientRestriction(rules: rules, lines: text), problems: problems)
    }

    private static func fault(_ line: Int, _ text: String, _ code: String, _ message: String) -> TableProblem {
        TableProblem(line: line, text: TableText.shown(text), code: "table.sender.\(code)", message: message)
    }
}

/// As its text: a record keeps the lines that decided.
extension RecipientRestriction: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        self = Self.read(TableText(text)).value
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
