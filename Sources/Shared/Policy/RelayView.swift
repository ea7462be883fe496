import MailModel
import Tables

/// The relay matrix of one client as screens show it: nine cells, each with its reason and source.
package struct RelayView: Hashable, Sendable {
    package struct Cell: Hashable, Sendable {
        package let from: AddressClass
        package let to: AddressClass
        /// For a session without and with SMTP authentication.
        package let allowed: Bool
        package let allowedWithAuthentication: Bool
        /// `recipient.relay`, …
        package let reason: Reason
        package let source: RuleSource
    }
    package let client: IPAddress
    package let selection: RelaySelection
    /// Rows Int+, Int−, Ext; in each the columns Int+, Int−, Ext.
    package let cells: [Cell]
    /// Rules about senders that stand in front of the deciding one: for those senders another matrix counts.
    package let senderRules: [EffectTable.Rule]

    /// For senders that no domain, address or `#` rule names.
    package init(client: IPAddress, table: EffectTable) {
        // An address that cannot be written in a rule matches the client patterns alone.
        let nobody = MailAddress(localPart: "", domain: "\u{0}.invalid")
        let selection = RelaySelection.choose(table, client: client, sender: .address(nobody))
        self.client = client
        self.selection = selection
        cells = AddressClass.allCases.flatMap { from in
            AddressClass.allCases.map { to in Self.cell(selection, from, to) }
        }
        let limit = selection.rule?.line ?? .max
        senderRules = table.rules.filter { !$0.pattern.isClientPattern && $0.line < limit }
    }

    private static func cell(_ selection: RelaySelection, _ from: AddressClass, _ to: AddressClass) -> Cell {
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
            source: selection.source)
    }
}
