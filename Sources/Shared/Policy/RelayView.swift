import MailModel
import Tables

/// The relay matrix of one source as screens show it: nine cells, each with its reason and the line that decided.
package struct RelayView: Hashable, Sendable {
    /// Whose matrix.
    package enum Subject: Hashable, Sendable {
        /// One client, by its address.
        case client(IPAddress)
        /// The clients that no rule names by an address or a range: only `*.*.*.*` and its like, `::/0` for IPv6, and
        /// the absence of rules count for them.
        case everybodyElse(isIPv6: Bool)
    }

    package struct Cell: Hashable, Sendable {
        package let from: AddressClass
        package let to: AddressClass
        /// For a session without and with SMTP authentication.
        package let allowed: Bool
        package let allowedWithAuthentication: Bool
        /// `recipient.relay`, …
        package let reason: Reason
        package let source: RuleSource
        /// Rules about senders in front of the deciding one that name senders of this row: another matrix counts for
        /// those senders.
        package let exceptions: [EffectTable.Rule]

        /// The deciding line of effect.dat, from 1; `nil`: no rule matched.
        package var line: Int? { if case .table(_, let line) = source { line } else { nil } }
    }

    /// What the matrix opens to a stranger.
    package enum Exposure: Hashable, Sendable {
        case none
        /// Whoever writes a sender that exists here relays (matrix I and its like).
        case forgedSenders
        /// Whoever connects relays: an open relay.
        case everybody
    }

    package let subject: Subject
    package let selection: RelaySelection
    /// Rows Int+, Int−, Ext; in each the columns Int+, Int−, Ext.
    package let cells: [Cell]
    /// Rules about senders that stand in front of the deciding one: for those senders another matrix counts.
    package let senderRules: [EffectTable.Rule]

    package init(client: IPAddress, table: EffectTable, operatedDomains: [String] = []) {
        self.init(.client(client), table: table, operatedDomains: operatedDomains)
    }

    /// For senders that no domain, address or `#` rule names.
    /// - Parameter operatedDomains: names of the domains operated here, any letter case; they tell which sender rules
    ///   are exceptions of the rows Int+ and Int−.
    package init(_ subject: Subject, table: EffectTable, operatedDomains: [String] = []) {
        let selection = Self.selection(subject, table)
        let limit = selection.rule?.line ?? .max
        let senderRules = table.rules.filter { !$0.pattern.isClientPattern && $0.line < limit }
        let operated = Set(operatedDomains.map { DomainName.folded($0) })
        self.subject = subject
        self.selection = selection
        self.senderRules = senderRules
        cells = AddressClass.allCases.flatMap { from in
            let exceptions = senderRules.filter { Self.names($0, from, operated) }
            return AddressClass.allCases.map { to in Self.cell(selection, from, to, exceptions) }
        }
    }

    /// A cell by its classes.
    package func cell(from: AddressClass, to: AddressClass) -> Cell? {
        cells.first { $0.from == from && $0.to == to }
    }

    /// What a stranger without password may do, sender rules left aside.
    package var exposure: Exposure {
        func relays(_ from: AddressClass) -> Bool { cell(from: from, to: .external)?.allowed == true }
        return relays(.external) ? .everybody : relays(.internalKnown) ? .forgedSenders : .none
    }

    private static func selection(_ subject: Subject, _ table: EffectTable) -> RelaySelection {
        switch subject {
        case .client(let client):
            // An address that cannot be written in a rule matches the client patterns alone.
            let nobody = MailAddress(localPart: "", domain: "\u{0}.invalid")
            return RelaySelection.choose(table, client: client, sender: .address(nobody))
        case .everybodyElse(let isIPv6):
            let rule = table.rules.first { rule in
                guard case .client(let pattern) = rule.pattern, pattern.isEverybody else { return false }
                if case .ipv6 = pattern { return isIPv6 } else { return !isIPv6 }
            }
            return RelaySelection(table, rule: rule)
        }
    }

    /// Whether a rule about senders names senders of this row. `<>`, blank, numeric, short and missing domains are
    /// Ext (R-RELAY-32).
    private static func names(_ rule: EffectTable.Rule, _ row: AddressClass, _ operated: Set<String>) -> Bool {
        let isInside: Bool
        switch rule.pattern {
        case .client: return false
        case .token(.host): return row == .external || operated.contains { !$0.contains(".") }
        case .token: isInside = false
        case .domain(let domain): isInside = operated.contains(domain)
        case .address(let address): isInside = operated.contains(address.domain)
        case .subdomains(let suffix):
            let inside = operated.contains { $0.hasSuffix(suffix) }
            return row == .external || inside
        }
        return (row == .external) != isInside
    }

    private static func cell(
        _ selection: RelaySelection, _ from: AddressClass, _ to: AddressClass, _ exceptions: [EffectTable.Rule]
    ) -> Cell {
        let allowed = selection.allows(from: from, to: to, isAuthenticated: false)
        let reason: Reason =
            if allowed {
                .recipientAccepted
            } else if selection.matrix == .three {
                .senderRefusedByRule
            } else if to == .internalUnknown {
                .unknownRecipient
            } else {
                .relayDenied
            }
        return Cell(
            from: from, to: to, allowed: allowed,
            allowedWithAuthentication: selection.allows(from: from, to: to, isAuthenticated: true), reason: reason,
            source: selection.source, exceptions: exceptions)
    }
}
