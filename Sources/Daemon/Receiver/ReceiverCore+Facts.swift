import Facts
import MailModel
import Mailbox
import Policy
import Store

/// What directory and settings say of the addresses of a mail: for sessions, and for mail that is judged without one.
extension ReceiverCore {
    /// The mailboxes whose rules count: the authenticated account's, and that of the account in the envelope sender
    /// (R-ACC-40, R-ACC-44).
    func users(
        of path: ReversePath, _ facts: DirectoryFacts, login address: MailAddress?
    ) throws(DirectoryError) -> PersonalRules.Users? {
        var sender: AccountRecord?
        if facts.account != nil, let address = path.address { sender = try directory.account(address) }
        var login: AccountRecord?
        if let address { login = try directory.account(address) }
        guard sender != nil || login != nil else { return nil }
        // An account without a folder has no rules.
        func folder(_ account: AccountRecord?) -> MailboxPlace? {
            account.flatMap { try? directory.mailbox(of: $0) }
        }
        return PersonalRules.Users(acting: folder(login ?? sender), sender: folder(sender))
    }

    /// Whether a sender is an address of the authenticated account. Directories know people by several addresses (mail,
    /// proxyAddresses): all of them are theirs to send with. - Returns: `nil` where an account has one address only.
    func owns(_ account: MailAddress?, _ path: ReversePath) throws(DirectoryError) -> Bool? {
        guard directory.asksElsewhere, let account, let address = path.address else { return nil }
        return try directory.account(address)?.address.folded == account.folded
    }

    /// What a recipient's address stands for: full, and what the directory knows of it.
    /// - Parameter local: the address that the client is connected to; `nil`: any.
    func recipientFacts(
        _ given: MailAddress, at local: IPAddress?, _ configuration: ReceiverConfiguration
    ) throws(DirectoryError) -> (MailAddress, DirectoryFacts) {
        let (address, facts) = try directoryFacts(given, at: local, configuration)
        guard facts.isOperatedDomain, facts.entry == nil, let other = Self.standIn(for: address, configuration) else {
            return (address, facts)
        }
        let (substitute, known) = try directoryFacts(other, at: local, configuration)
        return known.entry == nil ? (address, facts) : (substitute, known)
    }

    /// The addresses that `recipientFacts` asks the directory about.
    func addresses(
        behind given: MailAddress, at local: IPAddress?, _ configuration: ReceiverConfiguration
    ) throws(DirectoryError) -> [MailAddress] {
        let address = try complete(given, at: local)
        return [address] + [Self.standIn(for: address, configuration)].compactMap { $0 }
    }

    /// Who gets the mail of an address that nobody has. RFC 5321 §4.5.1: postmaster is served always.
    private static func standIn(for address: MailAddress, _ configuration: ReceiverConfiguration) -> MailAddress? {
        address.localPart.lowercased() == "postmaster" ? configuration.administrator : nil
    }

    func directoryFacts(
        _ given: MailAddress, at local: IPAddress?, _ configuration: ReceiverConfiguration
    ) throws(DirectoryError) -> (address: MailAddress, facts: DirectoryFacts) {
        let address = try complete(given, at: local)
        if address.domain.isEmpty || Self.isLiteral(address.domain, of: local) { return (given, .external) }
        let facts = try directory.facts(about: address)
        return (address, facts.including(configuration.rewriting, address))
    }

    /// Without domain, and at our own address literal: the domain of the session (R-DOM-28).
    func complete(_ given: MailAddress, at local: IPAddress?) throws(DirectoryError) -> MailAddress {
        guard given.domain.isEmpty || Self.isLiteral(given.domain, of: local) else { return given }
        var domain = try local.flatMap { address throws(DirectoryError) in try directory.domain(at: address) }
        if domain == nil { domain = try directory.domains().first }
        return domain.map { MailAddress(localPart: given.localPart, domain: $0.name) } ?? given
    }

    private static func isLiteral(_ domain: String, of local: IPAddress?) -> Bool {
        guard domain.utf8.first == UInt8(ascii: "["), let local else { return false }
        return domain == "[\(local)]" || domain == "[IPv6:\(local)]"
    }

    /// Where a recipient's mail is limited, and to how many octets; `nil`: nowhere.
    func limitedMailbox(
        _ address: MailAddress, _ facts: DirectoryFacts, _ configuration: ReceiverConfiguration
    ) throws(DirectoryError) -> (place: MailboxLocation, limit: Int)? {
        guard let account = facts.account else { return nil }
        let limit = Int(account.mailboxLimit > 0 ? account.mailboxLimit : configuration.acceptance.mailboxQuota)
        guard limit > 0, let record = try directory.account(address) else { return nil }
        let place = try directory.mailbox(of: record)
        return MailboxLocation(base: place.base, folders: place.folders).map { ($0, limit) }
    }
}
