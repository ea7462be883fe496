import MailModel
import Policy
import Settings
import Store

/// From the store to the facts that policy judges by: one translation for the receiver, for `explain` and for screens.
extension AcceptanceSettings {
    package init(_ settings: SettingsSnapshot) {
        self.init(
            offersAuthentication: !settings[ReceiverSettings.authMethods].isEmpty,
            securityLevel: Policy.SecurityLevel(rawValue: settings[ReceiverSettings.securityLevel].rawValue) ?? .open,
            senderTrust: Policy.SenderTrust(rawValue: settings[ReceiverSettings.senderTrust].rawValue)
                ?? .authIDEnvelope,
            maxMessageSize: Int64(settings[ReceiverSettings.maxMessageSize]),
            maxRecipients: settings[ReceiverSettings.maxRecipients],
            mailboxQuota: Int64(settings[ReceiverSettings.mailboxQuota]),
            maxReceivedFields: settings[DeliverySettings.maxHops], dnsblZones: settings[ReceiverSettings.dnsblZones],
            dnsblExempt: settings[ReceiverSettings.dnsblExempt])
    }
}

extension Directory {
    /// What the directory says of an address.
    /// - Parameter usage: octets now in a mailbox; asked only for accounts with a limit, `nil` = not known, which
    ///   counts as room.
    package func facts(
        about address: MailAddress, usage: (AccountRecord, _ limit: Int) -> Int64? = { _, _ in nil }
    ) throws(DirectoryError) -> DirectoryFacts {
        guard try domain(named: address.domain) != nil else { return .external }
        let account = try account(address)
        if try isAlias(address, exists: account != nil) {
            return DirectoryFacts(isOperatedDomain: true, entry: .alias)
        }
        guard let account else { return .unknown }
        return .account(try facts(of: account, usage: usage))
    }

    private func facts(
        of account: AccountRecord, usage: (AccountRecord, _ limit: Int) -> Int64?
    ) throws(DirectoryError) -> Policy.AccountFacts {
        let limit = try mailboxLimit(of: account)
        return Policy.AccountFacts(
            isEnabled: account.isEnabled, usesAuthentication: account.usesAuthentication,
            mailboxUsed: limit > 0 ? usage(account, limit) : nil, mailboxLimit: Int64(account.mailboxLimit))
    }

    /// The same for a sender; `<>` and the blank path are external (R-RELAY-32). An alias is a sender like an account
    /// (R-ALIAS-15), but `*@domain` makes no sender of names that nobody has: it would let them relay.
    package func facts(about sender: ReversePath) throws(DirectoryError) -> DirectoryFacts {
        guard let address = sender.address else { return .external }
        guard try domain(named: address.domain) != nil else { return .external }
        if let account = try account(address) { return .account(try facts(of: account) { _, _ in nil }) }
        return try isAlias(address, exists: true) ? DirectoryFacts(isOperatedDomain: true, entry: .alias) : .unknown
    }
}
