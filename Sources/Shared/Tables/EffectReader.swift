import MailModel

extension EffectTable {
    /// Reads effect.dat. Faulty lines give no rule (R-RELAY-01); they stay in `lines`.
    package static func read(_ text: TableText) -> TableReading<EffectTable> {
        var rules: [Rule] = []
        var problems: [TableProblem] = []
        var only: Rule?
        var cover = EffectCover()
        for (index, line) in text.lines.enumerated() {
            let number = index + 1
            // R-RELAY-08: `#` does not begin a comment.
            if line.hasPrefix("'") || line.utf8.allSatisfy({ $0 == 0x20 }) { continue }
            switch parse(line, number) {
            case .failure(let fault): problems.append(fault.problem(number, line))
            case .success(let rule):
                if let only {
                    problems.append(Doubt.behindOnly(only.line).problem(number, line))
                    continue
                }
                problems += doubts(about: rule, covered: cover.line(covering: rule.pattern)).map {
                    $0.problem(number, line)
                }
                rules.append(rule)
                cover.add(rule)
                if rule.action == .only { only = rule }
            }
        }
        return TableReading(value: EffectTable(rules: rules, lines: text), problems: problems)
    }

    package static func read(_ text: String) -> TableReading<EffectTable> { read(TableText(text)) }

    private static func parse(_ line: String, _ number: Int) -> Result<Rule, Fault> {
        if line.utf8.contains(0x09) { return .failure(.tab) }
        if line.unicodeScalars.contains("\u{3000}") { return .failure(.wideBlank) }
        let words = line.split(separator: " ")
        guard let first = words.first else { return .failure(.pattern("")) }
        if words.count > 2 { return .failure(.tooManyWords) }
        guard let pattern = pattern(String(first)) else { return .failure(.pattern(String(first))) }
        guard words.count == 2 else {
            return .success(Rule(line: number, pattern: pattern, action: .accept, text: String(first)))
        }
        guard let action = Action(rawValue: words[1].lowercased()) else {
            return .failure(.action(String(words[1])))
        }
        return .success(Rule(line: number, pattern: pattern, action: action, text: "\(first) \(words[1])"))
    }

    private static func pattern(_ word: String) -> Pattern? {
        let lower = word.lowercased()
        if lower.hasPrefix("#") { return Token(rawValue: lower).map { .token($0) } }
        if let client = IPPattern(lower) { return .client(client) }
        // What looks like an address but is none must not become a domain: `300.1.1.1`, `10.*`, `fe80::/200`.
        if lower.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2A || $0 == 0x2F }) {
            return nil
        }
        if lower.contains(":") || lower.contains("/") { return nil }
        if lower.contains("@") {
            guard !lower.contains("*"), lower.firstIndex(of: "@") == lower.lastIndex(of: "@"),
                let address = MailAddress(typed: lower)
            else { return nil }
            return .address(address.folded)
        }
        if lower.hasPrefix("*.") {
            let suffix = String(lower.dropFirst())
            return MailAddress.isPlainDomain(String(suffix.dropFirst())) ? .subdomains(suffix) : nil
        }
        return MailAddress.isPlainDomain(lower) ? .domain(lower) : nil
    }

    /// What makes a line faulty.
    private enum Fault: Error {
        case tab, wideBlank, tooManyWords
        case pattern(String)
        case action(String)

        func problem(_ line: Int, _ text: String) -> TableProblem {
            let (code, arguments, message): (String, [String], String) =
                switch self {
                case .tab:
                    ("table.effect.tab", [], "A TAB separates the words; write one half-width blank.")
                case .wideBlank:
                    ("table.effect.wide-blank", [], "A full-width blank stands in the line; write a half-width one.")
                case .tooManyWords:
                    ("table.effect.words", [], "A rule is a pattern and at most one action.")
                case .pattern(let word):
                    (
                        "table.effect.pattern", [TableText.shown(word)],
                        "'\(TableText.shown(word))' is no IP pattern, domain, mail address or # token."
                    )
                case .action(let word):
                    (
                        "table.effect.action", [TableText.shown(word)],
                        "'\(TableText.shown(word))' is no action: true, default, false, norelay, norelay,0, norelay,2 or only."
                    )
                }
            return TableProblem(
                line: line, text: TableText.shown(text), code: code, arguments: arguments, message: message)
        }
    }

    /// What deserves a warning in a line that works.
    private enum Doubt {
        case senderRelay, openRelay, wideRelay, reserved
        case behindOnly(Int)
        case covered(Int)

        func problem(_ line: Int, _ text: String) -> TableProblem {
            let (code, arguments, message): (String, [String], String) =
                switch self {
                case .senderRelay:
                    (
                        "table.effect.sender-relay", [],
                        "Anybody who writes this sender may relay through this server; "
                            + "do not use it on a server that is reachable from outside."
                    )
                case .openRelay:
                    ("table.effect.open-relay", [], "Everybody may relay through this server: it is an open relay.")
                case .wideRelay:
                    (
                        "table.effect.wide-relay", [],
                        "Millions of addresses may relay through this server; write the networks that are meant."
                    )
                case .reserved:
                    ("table.effect.reserved", [], "Option 1 of norelay is not assigned; it behaves as norelay.")
                case .behindOnly(let other):
                    (
                        "table.effect.behind-only", [String(other)],
                        "The line is ignored: nothing counts behind the only in line \(other)."
                    )
                case .covered(let other):
                    (
                        "table.effect.covered", [String(other)],
                        "The line never decides: line \(other) matches everything that it matches."
                    )
                }
            return TableProblem(
                line: line, text: TableText.shown(text), code: code, arguments: arguments, message: message,
                isWarning: true)
        }
    }

    /// More than a class A network, and no network that stands for itself: unique local and link-local addresses.
    private static func isWide(_ pattern: IPPattern) -> Bool {
        switch pattern {
        case .ipv4(_, let mask): return mask >> 24 != 0xFF
        case .ipv6(let network, let length):
            let first = network.octets.first ?? 0
            return length < 16 && first & 0xFE != 0xFC && first != 0xFE
        }
    }

    private static func doubts(about rule: Rule, covered cover: Int?) -> [Doubt] {
        var found: [Doubt] = []
        switch (rule.pattern, rule.action) {
        case (.client(let pattern), .accept), (.client(let pattern), .only):
            if pattern.isEverybody { found.append(.openRelay) } else if isWide(pattern) { found.append(.wideRelay) }
        // R-RELAY-55. The null and blank senders cost no more to write than a domain.
        case (.domain, .accept), (.subdomains, .accept), (.address, .accept), (.token, .accept),
            (.domain, .only), (.subdomains, .only), (.address, .only), (.token, .only):
            found.append(.senderRelay)
        case (_, .norelayReserved): found.append(.reserved)
        default: break
        }
        if let cover { found.append(.covered(cover)) }
        return found
    }
}

/// Finds the earlier line that leaves nothing to a later one. Ranges are grouped by what they compare and suffixes are
/// looked up label by label, so that files of many thousand lines are read in linear time.
private struct EffectCover {
    private var exact: [EffectTable.Pattern: Int] = [:]
    /// By mask, by value.
    private var ipv4: [UInt32: [UInt32: Int]] = [:]
    /// By prefix length, by network.
    private var ipv6: [Int: [IPAddress: Int]] = [:]
    /// `.example`, `.in.example`
    private var suffixes: [String: Int] = [:]

    mutating func add(_ rule: EffectTable.Rule) {
        exact[rule.pattern] = exact[rule.pattern] ?? rule.line
        switch rule.pattern {
        case .client(.ipv4(let value, let mask)) where mask != .max:
            ipv4[mask, default: [:]][value] = ipv4[mask]?[value] ?? rule.line
        case .client(.ipv6(let network, let length)) where length < 128:
            ipv6[length, default: [:]][network] = ipv6[length]?[network] ?? rule.line
        case .subdomains(let suffix): suffixes[suffix] = suffixes[suffix] ?? rule.line
        case .client, .domain, .address, .token: break
        }
    }

    func line(covering pattern: EffectTable.Pattern) -> Int? {
        if let line = exact[pattern] { return line }
        switch pattern {
        case .client(.ipv4(let value, let mask)):
            return ipv4.filter { $0.key & mask == $0.key }.compactMap { $0.value[value & $0.key] }.min()
        case .client(.ipv6(let network, let length)):
            return ipv6.filter { $0.key <= length }.compactMap { $0.value[network.masked(to: $0.key)] }.min()
        case .address(let address): return exact[.domain(address.domain)] ?? line(above: address.domain)
        case .domain(let domain): return line(above: domain)
        case .subdomains(let suffix): return line(above: String(suffix.dropFirst()))
        case .token: return nil
        }
    }

    /// The first `*.…` line that a domain is below.
    private func line(above domain: String) -> Int? {
        guard !suffixes.isEmpty else { return nil }
        return domain.utf8.indices.filter { domain.utf8[$0] == UInt8(ascii: ".") }
            .compactMap { suffixes[String(domain[$0...])] }.min()
    }
}
