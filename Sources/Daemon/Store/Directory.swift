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

    // Accounts of the system or of an LDAP directory (R-SYS-16): answers may take time, and not all callers have it.

    /// Whether accounts are not our own. Cheap.
    var asksElsewhere: Bool { get }
    /// Makes sure that the next questions about these accounts are answered without waiting; also those that have no
    /// answer, because the directory is away. Never waits.
    /// - Parameter ready: called once, on any thread, unless everything is at hand.
    /// - Returns: whether everything is at hand.
    func prepare(_ addresses: [MailAddress], _ ready: @escaping @Sendable () -> Void) -> Bool
    /// Checks a password where the account is.
    /// - Parameters:
    ///   - client: address of whoever logs in.
    ///   - completion: called once, on any thread.
    func check(
        _ password: [UInt8], of address: MailAddress, client: String,
        completion: @escaping @Sendable (ForeignFinding) -> Void)
}

extension Directory {
    package func settingsAtHand() throws(DirectoryError) -> SettingsSnapshot { try settings() }

    package var asksElsewhere: Bool { false }
    package func prepare(_ addresses: [MailAddress], _ ready: @escaping @Sendable () -> Void) -> Bool { true }
    package func check(
        _ password: [UInt8], of address: MailAddress, client: String,
        completion: @escaping @Sendable (ForeignFinding) -> Void
    ) { completion(.unavailable("accounts are our own")) }

    /// Returns when the next questions about these accounts take no time.
    package func prepared(_ addresses: [MailAddress]) async {
        guard asksElsewhere else { return }
        await withCheckedContinuation { continuation in
            if prepare(addresses, { continuation.resume() }) { continuation.resume() }
        }
    }

    /// The addresses at which a login id is looked for, in this order.
    package func addresses(ofLogin id: String, at localAddress: IPAddress?) throws(DirectoryError) -> [MailAddress] {
        if let at = id.lastIndex(of: "@") {
            return [MailAddress(localPart: String(id[..<at]), domain: String(id[id.index(after: at)...]))]
        }
        var names: [String] = []
        if let localAddress, let domain = try domain(at: localAddress) { names.append(domain.name) }
        if let first = try domains().first, !names.contains(first.name) { names.append(first.name) }
        return names.map { MailAddress(localPart: id, domain: $0) }
    }

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
