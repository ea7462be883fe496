import MailModel

/// effect.dat: who may send and relay (spec file 06). Rules stand in one common order, the first match decides.
///
/// Reading never loses a line: `text` gives the file back as it was, and `inserting` and `removing` keep comments and
/// faulty lines.
package struct EffectTable: Sendable {
    package static let fileName = "effect.dat"

    /// What a new system gets. The original would relay for anybody who writes a local sender (matrix I); this takes
    /// mail for local accounts from everywhere and relays for the machine itself and for authenticated sessions.
    package static let delivered = """
        #<> default
        #blank false
        127.0.0.1 default
        ::1 default
        *.*.*.* norelay
        ::/0 norelay

        """

    package struct Rule: Hashable, Sendable {
        /// From 1.
        package let line: Int
        package let pattern: Pattern
        package let action: Action
        /// As written, without blanks at the ends.
        package let text: String

        package init(line: Int, pattern: Pattern, action: Action, text: String) {
            self.line = line
            self.pattern = pattern
            self.action = action
            self.text = text
        }
        package var source: RuleSource { .table(file: EffectTable.fileName, line: line) }
    }

    /// Table 1 of spec file 06. Domains and addresses are compared with the envelope sender only (R-RELAY-04).
    package enum Pattern: Hashable, Sendable {
        case client(IPPattern)
        /// Lower case, exact: sub-domains are not meant (R-RELAY-23).
        case domain(String)
        /// `*.abc.co.jp`; holds `.abc.co.jp`, lower case.
        case subdomains(String)
        /// Folded (R-RELAY-24).
        case address(MailAddress)
        case token(Token)

        /// Compared with the client's address, not with the sender.
        package var isClientPattern: Bool { if case .client = self { true } else { false } }
    }

    /// R-RELAY-25 to 29.
    package enum Token: String, Hashable, Sendable, CaseIterable {
        case blank = "#blank"
        case null = "#<>"
        case number = "#number"
        case noDomain = "#nodomain"
        case host = "#host"
    }

    /// Table 2 of spec file 06.
    package enum Action: String, Hashable, Sendable, CaseIterable {
        /// No action or `true`: matrix II.
        case accept = "true"
        /// As without a rule: matrix I.
        case standard = "default"
        /// `false`: matrix III.
        case refuse = "false"
        /// Matrix IV; relaying for authenticated sessions.
        case norelay = "norelay"
        /// Matrix IV; no relaying for authenticated sessions either.
        case norelayStrict = "norelay,0"
        /// Not assigned by the vendor; behaves as `norelay`.
        case norelayReserved = "norelay,1"
        /// Matrix IV; reception for local accounts needs no authentication (R-RELAY-14).
        case norelayOpenReception = "norelay,2"
        /// Matrix V.
        case only = "only"
    }

    /// In file order; ends with the first `only`, behind which nothing counts (R-RELAY-05).
    package let rules: [Rule]
    package let lines: TableText
    private let index: EffectIndex

    package init(rules: [Rule], lines: TableText) {
        self.rules = rules
        self.lines = lines
        index = EffectIndex(rules)
    }

    package static let empty = EffectTable(rules: [], lines: TableText(lines: []))

    /// Whether the file names somebody by `only`: then everybody else gets the second part of matrix V (R-RELAY-07).
    package var hasOnly: Bool { rules.last?.action == .only }
    package var onlyRule: Rule? { hasOnly ? rules.last : nil }

    /// The first rule that matches; `nil`: none.
    package func firstMatch(client: IPAddress, sender: ReversePath) -> Rule? {
        index.firstMatch(client: client, sender: sender).map { rules[$0] }
    }

    /// The file's text as it would be written: UTF-8, LF.
    package var text: String { lines.text }
}

extension EffectTable {
    /// Puts `pattern action` in front of the first rule with an IP pattern, behind leading `#…` lines (R-RELAY-62);
    /// the table itself when the line is there already, for loopback and for this machine's own addresses.
    /// - Parameter own: addresses of this machine.
    package func inserting(client: IPAddress, action: Action, own: [IPAddress] = []) -> EffectTable {
        if client.isLoopback || own.contains(client) { return self }
        let wanted = IPPattern(client, prefixLength: client.octets.count * 8)
        if rules.contains(where: { $0.pattern == .client(wanted) && $0.action == action }) { return self }
        let position = rules.first { $0.pattern.isClientPattern }.map { $0.line - 1 }
        // Without any IP pattern it stands in front of an `only`, which would make it dead, else at the end.
        let fallback = onlyRule.map { $0.line - 1 } ?? lines.lines.count
        var changed = lines.lines
        changed.insert("\(client) \(action.rawValue)", at: min(position ?? fallback, changed.count))
        return EffectTable.read(TableText(lines: changed)).value
    }
}
