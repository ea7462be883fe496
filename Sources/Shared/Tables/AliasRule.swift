import MailModel

/// Whether the next server, or the mailbox, sees the real address or the alias (R-ALIAS-05 to R-ALIAS-08).
package enum AliasRewrite: String, Hashable, Sendable, CaseIterable {
    /// The alias stays inside one domain and is replaced across domains.
    case auto
    /// `,1`
    case always
    /// `,0`
    case never
}

/// One alias and one real address that it leads to. Several rules of one alias deliver to all their addresses.
package struct AliasRule: Hashable, Sendable {
    /// Domain in lower case. The local part `*` stands for every name of the domain.
    package let alias: MailAddress
    /// The local part `*` carries over the name that the mail was for.
    package let target: MailAddress
    package let rewrite: AliasRewrite

    package init(alias: MailAddress, target: MailAddress, rewrite: AliasRewrite = .auto) {
        self.alias = alias
        self.target = target
        self.rewrite = rewrite
    }

    package static let wildcard = "*"
    package var isWildcard: Bool { alias.localPart == Self.wildcard }

    /// The real address for a mail to `address`.
    package func target(for address: MailAddress) -> MailAddress {
        guard target.localPart == Self.wildcard else { return target }
        return MailAddress(localPart: address.localPart, domain: target.domain)
    }

    /// Whether the envelope recipient becomes the real address.
    package func replaces(_ address: MailAddress) -> Bool {
        switch rewrite {
        case .always: true
        case .never: false
        case .auto: address.domain.lowercased() != target.domain.lowercased()
        }
    }
}

/// The text forms: `real[,n]` in a field, `alias<TAB>real[,n]` in a file (R-ALIAS-18).
extension AliasRule {
    /// Why a text is no alias rule.
    package enum Fault: String, Hashable, Sendable {
        /// Not `name@domain` (R-ALIAS-12).
        case alias = "bad-alias"
        case target = "bad-target"
        /// `*` inside a name or in the domain (R-ALIAS-13).
        case wildcard = "bad-wildcard"
        /// Something else than 0 or 1 behind the comma.
        case option = "bad-option"
    }

    /// `real`, `real,0` or `real,1`.
    package var targetText: String {
        switch rewrite {
        case .auto: target.text
        case .always: target.text + ",1"
        case .never: target.text + ",0"
        }
    }

    /// - Parameter rewrite: counts when the target has no option of its own.
    package static func read(
        alias: String, target: String, rewrite: AliasRewrite? = nil
    ) -> Result<AliasRule, Failure> {
        guard let parsed = MailAddress(typed: alias.trimmingBlanks()) else { return .failure(Failure(.alias)) }
        var real = target.trimmingBlanks()
        var option: AliasRewrite?
        if let comma = real.lastIndex(of: ","), real[comma...].firstIndex(of: "@") == nil {
            switch real[real.index(after: comma)...].trimmingBlanks() {
            case "0": option = .never
            case "1": option = .always
            default: return .failure(Failure(.option))
            }
            real = real[..<comma].trimmingBlanks()
        }
        guard let destination = MailAddress(typed: real) else { return .failure(Failure(.target)) }
        guard isWhole(parsed), isWhole(destination) else { return .failure(Failure(.wildcard)) }
        return .success(
            AliasRule(
                alias: MailAddress(localPart: parsed.localPart, domain: parsed.domain.lowercased()),
                target: MailAddress(localPart: destination.localPart, domain: destination.domain.lowercased()),
                rewrite: option ?? rewrite ?? .auto))
    }

    package struct Failure: Error, Hashable, Sendable {
        package let fault: Fault
        init(_ fault: Fault) { self.fault = fault }

        /// English, a whole sentence.
        package var message: String {
            switch fault {
            case .alias: "The alias needs the form name@domain."
            case .target: "The real address needs the form name@domain."
            case .wildcard: "* stands for the whole account part only, not inside it and not in the domain."
            case .option: "Behind the comma stands 0 (keep the alias) or 1 (replace it)."
            }
        }
    }

    /// R-ALIAS-13
    private static func isWhole(_ address: MailAddress) -> Bool {
        address.localPart == wildcard || !address.localPart.contains("*")
    }
}

/// Aliases as tab-separated text, one rule a line.
package enum AliasTSV {
    package struct Row: Hashable, Sendable {
        /// From 1.
        package let line: Int
        package let rule: AliasRule
    }

    /// Faulty lines give no row. Empty lines are left out; a rule that stands there twice counts once.
    package static func read(_ text: TableText) -> TableReading<[Row]> {
        var rows: [Row] = []
        var problems: [TableProblem] = []
        var seen: [String: Int] = [:]
        func note(
            _ line: Int, _ column: Int, _ code: String, _ message: String, _ arguments: [String] = [],
            isWarning: Bool = false
        ) {
            problems.append(
                TableProblem(
                    line: line, column: column, text: TableText.shown(text.lines[line - 1]), code: "alias.\(code)",
                    arguments: arguments, message: message, isWarning: isWarning))
        }
        for (index, line) in text.lines.enumerated() where !line.trimmingBlanks().isEmpty {
            let fields = line.utf8.split(separator: 0x09).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 2 else {
                note(index + 1, 1, "columns", "A line holds alias and real address, separated by a TAB.")
                continue
            }
            switch AliasRule.read(alias: fields[0], target: fields[1]) {
            case .failure(let failure):
                let isFirst = failure.fault == .alias
                note(
                    index + 1, isFirst ? 1 : 2, failure.fault.rawValue, failure.message,
                    [TableText.shown(fields[isFirst ? 0 : 1])])
            case .success(let rule):
                let key = "\(rule.alias.folded.text)\t\(rule.target.folded.text)"
                if let earlier = seen[key] {
                    note(
                        index + 1, 1, "twice", "The alias stands in line \(earlier) already; this line is left out.",
                        [String(earlier)], isWarning: true)
                    continue
                }
                seen[key] = index + 1
                rows.append(Row(line: index + 1, rule: rule))
            }
        }
        return TableReading(value: rows, problems: problems)
    }

    package static func write(_ rules: some Sequence<AliasRule>) -> String {
        rules.reduce(into: "") { $0 += "\($1.alias.text)\t\($1.targetText)\n" }
    }
}
