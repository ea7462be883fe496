import MailModel
import Settings
import Tables

/// What receiver and delivery ask about settings, domains and accounts. Any thread; synchronous, without waiting for
/// writers; well below a millisecond at 100,000 accounts. `StoreDirectory` reads the store, `MemoryDirectory` serves
/// tests.
package protocol Directory: Sendable {
    /// Settings in force. Cheap when nothing changed.
    func settings() throws(DirectoryError) -> SettingsSnapshot
    /// The same, but may lag some milliseconds behind a change: for what is asked with every message.
    func settingsAtHand() throws(DirectoryError) -> SettingsSnapshot
    /// Revision of what the other questions are answered from; grows with every change.
    func revision() throws(DirectoryError) -> Int64
    /// All operated domains in the order in which they were added.
    func domains() throws(DirectoryError) -> [DomainRecord]
    /// - Parameter name: letter case is ignored.
    func domain(named name: String) throws(DirectoryError) -> DomainRecord?
    /// - Parameter address: letter case is ignored. Disabled accounts are found too.
    /// - Returns: `nil` when the domain is not operated here or has no such account.
    func account(_ address: MailAddress) throws(DirectoryError) -> AccountRecord?
    /// Sealed secrets of an account for mechanisms that need more than its hash; also such that no longer fit.
    func secrets(of address: MailAddress) throws(DirectoryError) -> [AccountSecret]
    /// The accounts of one name in all operated domains, in the order of `domains()`.
    func accounts(named localPart: String) throws(DirectoryError) -> [AccountRecord]
    /// The rules of one alias in their order, those of `*@domain` when the local part is `*`. Letter case is ignored.
    /// Costs nothing measurable where nobody has an alias.
    func aliases(of address: MailAddress) throws(DirectoryError) -> [AliasRule]
}

extension Directory {
    package func settingsAtHand() throws(DirectoryError) -> SettingsSnapshot { try settings() }

    /// The complete form of a login id: with the domain in which it would be looked for, whether or not it is there.
    package func completeLogin(_ id: String, at localAddress: IPAddress?) throws(DirectoryError) -> String {
        if id.contains("@") { return id.lowercased() }
        if let found = try login(id, at: localAddress) { return found.address.folded.text }
        var home: DomainRecord?
        if let localAddress { home = try domain(at: localAddress) }
        if home == nil { home = try domains().first }
        return MailAddress(localPart: id, domain: home?.name ?? "").folded.text
    }

    package func domain(named name: String) throws(DirectoryError) -> DomainRecord? {
        let folded = name.lowercased()
        return try domains().first { $0.name == folded }
    }

    /// The domain that a session accepted on this local address belongs to (R-DOM-28).
    package func domain(at localAddress: IPAddress) throws(DirectoryError) -> DomainRecord? {
        try domains().first { $0.smtpAddresses.contains(localAddress) }
    }

    /// The account behind a login id, `account` or `account@domain` (R-RCV-16). Whether it may authenticate is the
    /// caller's question (`usesAuthentication`, `isEnabled`).
    /// - Parameter localAddress: where the session was accepted; its domain is asked first for an id without domain.
    package func login(_ id: String, at localAddress: IPAddress?) throws(DirectoryError) -> AccountRecord? {
        if let at = id.lastIndex(of: "@") {
            let address = MailAddress(localPart: String(id[..<at]), domain: String(id[id.index(after: at)...]))
            return try account(address)
        }
        if let localAddress, let domain = try domain(at: localAddress),
            let found = try account(MailAddress(localPart: id, domain: domain.name))
        {
            return found
        }
        return try accounts(named: id).first
    }

    /// Octets that an account's mailbox may hold; 0 = no limit (R-RCV-25).
    package func mailboxLimit(of account: AccountRecord) throws(DirectoryError) -> Int {
        account.mailboxLimit > 0 ? account.mailboxLimit : try settingsAtHand()[ReceiverSettings.mailboxQuota]
    }

    /// Where an account's mailbox lies.
    /// - Throws: also when the pattern asks for a home folder and the account has none (R-SRV-16).
    package func mailbox(of account: AccountRecord) throws(DirectoryError) -> MailboxPlace {
        let pattern = try settingsAtHand()[ServerSettings.mailboxFolder]
        return try MailboxPlace(pattern: pattern, account: account, domain: try domain(named: account.domain))
    }
}
