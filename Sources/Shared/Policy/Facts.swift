import MailModel
import Tables

// Facts are what a decision is made from. The receiver, the delivery agent, `explain` and the relay matrix fill them
// in; nothing here asks anybody. The same facts always give the same verdict.

/// Who has shown who they are in a session.
package enum Authentication: Hashable, Sendable, Codable {
    case none
    /// Complete form `account@domain`.
    case account(MailAddress)
    /// Login by a mailing list's posting password: counts for the security level and for posting to that list, and for
    /// nothing else (R-RCV-17).
    case list(MailAddress)

    package var isAuthenticated: Bool { self != .none }
    /// The account whose authentication gives relay rights.
    package var account: MailAddress? { if case .account(let address) = self { address } else { nil } }
    package var text: String? {
        switch self {
        case .none: nil
        case .account(let address), .list(let address): address.text
        }
    }
}

/// What stays the same during a session.
package struct SessionFacts: Hashable, Sendable, Codable {
    package var client: IPAddress
    package var isTLS: Bool
    package var authentication: Authentication

    package init(client: IPAddress, isTLS: Bool = false, authentication: Authentication = .none) {
        self.client = client
        self.isTLS = isTLS
        self.authentication = authentication
    }
}

/// The classes of R-RELAY-31.
package enum AddressClass: String, Hashable, Sendable, Codable, CaseIterable {
    case internalKnown = "Int+"
    case internalUnknown = "Int-"
    case external = "Ext"
}

/// What the directory says about one address, as sender or recipient.
package struct DirectoryFacts: Hashable, Sendable, Codable {
    /// What the address is in an operated domain. Aliases and lists are "with account" (R-RCV-22).
    package enum Entry: Hashable, Sendable, Codable {
        case account(AccountFacts)
        case alias
        case list(ListFacts)
    }
    package var isOperatedDomain: Bool
    package var entry: Entry?

    package init(isOperatedDomain: Bool, entry: Entry? = nil) {
        self.isOperatedDomain = isOperatedDomain
        self.entry = entry
    }

    package static let external = DirectoryFacts(isOperatedDomain: false)
    package static let unknown = DirectoryFacts(isOperatedDomain: true)
    package static func account(_ facts: AccountFacts = .init()) -> DirectoryFacts {
        DirectoryFacts(isOperatedDomain: true, entry: .account(facts))
    }

    package var addressClass: AddressClass {
        guard isOperatedDomain else { return .external }
        return entry == nil ? .internalUnknown : .internalKnown
    }
    package var account: AccountFacts? { if case .account(let facts) = entry { facts } else { nil } }
}

package struct AccountFacts: Hashable, Sendable, Codable {
    /// Switched off: neither sends nor receives.
    package var isEnabled: Bool
    /// SMTP-AUTH & APOP is switched on: subject to authentication in level `auth_file` (R-SVC-14).
    package var usesAuthentication: Bool
    /// Octets in the mailbox; `nil`: not known (not looked at, or unlimited).
    package var mailboxUsed: Int64?
    /// The account's own limit in octets, 0 = none (R-ACC-32).
    package var mailboxLimit: Int64

    package init(
        isEnabled: Bool = true, usesAuthentication: Bool = false, mailboxUsed: Int64? = nil, mailboxLimit: Int64 = 0
    ) {
        self.isEnabled = isEnabled
        self.usesAuthentication = usesAuthentication
        self.mailboxUsed = mailboxUsed
        self.mailboxLimit = mailboxLimit
    }
}

package struct ListFacts: Hashable, Sendable, Codable {
    /// Posting asks for the list's password (R-ML-31).
    package var needsPassword: Bool
    /// The list's address is no sender (R-ML-36): counts as unknown there.
    package var isRecipientOnly: Bool

    package init(needsPassword: Bool = false, isRecipientOnly: Bool = false) {
        self.needsPassword = needsPassword
        self.isRecipientOnly = isRecipientOnly
    }
}

/// R-SVC-12 to 14.
package enum SecurityLevel: String, Hashable, Sendable, Codable, CaseIterable {
    case open
    case authOnly = "auth_only"
    case authFile = "auth_file"
}

/// R-SVC-21.
package enum SenderTrust: String, Hashable, Sendable, Codable, CaseIterable {
    case authID = "auth_id"
    case authIDEnvelope = "auth_id_envelope"
    case authIDEnvelopeFrom = "auth_id_envelope_from"
}

/// The settings that take part in accepting mail; each names its key in the trail.
package struct AcceptanceSettings: Hashable, Sendable, Codable {
    /// Whether any method of `receiver.auth_methods` is on; without, the security level has no effect (R-RCV-14).
    package var offersAuthentication: Bool
    package var securityLevel: SecurityLevel
    package var senderTrust: SenderTrust
    /// Octets, 0 = unlimited.
    package var maxMessageSize: Int64
    /// Accepted recipients of one message, 0 = unlimited.
    package var maxRecipients: Int
    /// Octets of a mailbox whose account has no limit of its own, 0 = unlimited.
    package var mailboxQuota: Int64
    /// Most `Received:` fields that a message may come with (R-DLV-27).
    package var maxReceivedFields: Int
    /// DNS block lists (R-RTAB-05), and the clients about whom they are not asked (R-RTAB-06).
    package var dnsblZones: [String]
    package var dnsblExempt: [IPPattern]

    package init(
        offersAuthentication: Bool = true, securityLevel: SecurityLevel = .open,
        senderTrust: SenderTrust = .authIDEnvelope, maxMessageSize: Int64 = 0, maxRecipients: Int = 0,
        mailboxQuota: Int64 = 0, maxReceivedFields: Int = 50, dnsblZones: [String] = [],
        dnsblExempt: [IPPattern] = []
    ) {
        self.offersAuthentication = offersAuthentication
        self.securityLevel = securityLevel
        self.senderTrust = senderTrust
        self.maxMessageSize = maxMessageSize
        self.maxRecipients = maxRecipients
        self.mailboxQuota = mailboxQuota
        self.maxReceivedFields = maxReceivedFields
        self.dnsblZones = dnsblZones
        self.dnsblExempt = dnsblExempt
    }
}
