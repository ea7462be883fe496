extension PolicyInterface {
    /// What effect.dat comes to: the matrix of one client and of everybody else (R-RELAY-31, R-RELAY-55).
    package enum Relay: ControlMethod {
        package static let name = "org.epost.Policy.Relay"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// An address; `nil` = everybody else only.
            package var client: String?
            /// Text of an effect.dat to try instead of the one in force. Faulty lines count as absent.
            package var effect: String?
            package init(client: String? = nil, effect: String? = nil) {
                self.client = client
                self.effect = effect
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var client: RelayGrid?
            /// For IPv4 clients that no rule names by an address or a range.
            package var others: RelayGrid
            /// The same for IPv6.
            package var othersIPv6: RelayGrid
            package var problems: [Problem]
            package init(client: RelayGrid?, others: RelayGrid, othersIPv6: RelayGrid, problems: [Problem]) {
                self.client = client
                self.others = others
                self.othersIPv6 = othersIPv6
                self.problems = problems
            }
        }
    }
}

/// A relay matrix: nine cells, rows Int+, Int-, Ext (senders); in each the columns Int+, Int-, Ext (recipients).
package struct RelayGrid: Codable, Hashable, Sendable {
    package struct Rule: Codable, Hashable, Sendable {
        package var line: Int
        package var text: String
        package init(line: Int, text: String) {
            self.line = line
            self.text = text
        }
    }
    package struct Cell: Codable, Hashable, Sendable {
        /// `Int+`, `Int-`, `Ext`
        package var from: String
        package var to: String
        /// Without and with SMTP authentication.
        package var allowed: Bool
        package var allowedWithAuthentication: Bool
        /// Stable reason id, `recipient.relay`.
        package var reason: String
        /// `effect.dat:3`, or the requirement that holds without a rule.
        package var source: String
        /// Rules about senders of this row that stand in front of the deciding one.
        package var exceptions: [Rule]
        package init(
            from: String, to: String, allowed: Bool, allowedWithAuthentication: Bool, reason: String, source: String,
            exceptions: [Rule]
        ) {
            self.from = from
            self.to = to
            self.allowed = allowed
            self.allowedWithAuthentication = allowedWithAuthentication
            self.reason = reason
            self.source = source
            self.exceptions = exceptions
        }
    }
    /// The client's address; empty = everybody else.
    package var client: String
    /// `I` to `V`, `V-others`
    package var matrix: String
    /// The rule that chose it; `nil` = none matched.
    package var rule: Rule?
    /// What a stranger without password may do: `none`, `forged-senders`, `everybody`.
    package var exposure: String
    package var cells: [Cell]
    package init(client: String, matrix: String, rule: Rule?, exposure: String, cells: [Cell]) {
        self.client = client
        self.matrix = matrix
        self.rule = rule
        self.exposure = exposure
        self.cells = cells
    }
}
