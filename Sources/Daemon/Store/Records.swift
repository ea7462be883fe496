import MailModel

/// How mailboxes of different domains relate (R-DOM-26, R-DOM-27).
package enum MailboxMode: String, Sendable, CaseIterable {
    /// Accounts of the same name in different domains share one mailbox.
    case common
    /// Each domain has its own folder.
    case separate
}

/// An operated domain.
package struct DomainRecord: Hashable, Sendable {
    /// Lower case.
    package var name: String
    /// 0 = unlimited (R-DOM-20).
    package var maxAccounts: Int
    package var mailboxMode: MailboxMode
    /// Local addresses whose sessions belong to this domain (R-DOM-28).
    package var smtpAddresses: [IPAddress]
    /// Put in front of `%USERNAME%` in separate mode; may be empty (R-DOM-19).
    package var folder: String
    /// Hash of the operation password (R-ACC-11); empty: not protected.
    package var operationHash: String
    /// Revision that last changed it.
    package var revision: Int64

    package init(
        name: String, maxAccounts: Int = 0, mailboxMode: MailboxMode = .common, smtpAddresses: [IPAddress] = [],
        folder: String = "", operationHash: String = "", revision: Int64 = 0
    ) {
        self.name = name
        self.maxAccounts = maxAccounts
        self.mailboxMode = mailboxMode
        self.smtpAddresses = smtpAddresses
        self.folder = folder
        self.operationHash = operationHash
        self.revision = revision
    }
}

/// An account of an operated domain. Its password hash is no part of `description`.
package struct AccountRecord: Hashable, Sendable {
    /// As it was entered; compared ignoring letter case (R-ACC-19).
    package var account: String
    /// Lower case.
    package var domain: String
    package var fullName: String
    /// `%HOME%` (R-ACC-18); may be empty.
    package var home: String
    /// Octets, 0 = none of its own: `receiver.mailbox_quota` counts (R-ACC-32, R-RCV-25).
    package var mailboxLimit: Int
    /// May authenticate, and must in security level `auth_file` (R-ACC-21, R-SVC-14).
    package var usesAuthentication: Bool
    /// A disabled account gets no mail and cannot authenticate.
    package var isEnabled: Bool
    package var passwordHash: String
    package var revision: Int64

    package init(
        account: String, domain: String, fullName: String = "", home: String = "", mailboxLimit: Int = 0,
        usesAuthentication: Bool = true, isEnabled: Bool = true, passwordHash: String = "", revision: Int64 = 0
    ) {
        self.account = account
        self.domain = domain
        self.fullName = fullName
        self.home = home
        self.mailboxLimit = mailboxLimit
        self.usesAuthentication = usesAuthentication
        self.isEnabled = isEnabled
        self.passwordHash = passwordHash
        self.revision = revision
    }

    package var address: MailAddress { MailAddress(localPart: account, domain: domain) }
}

extension DomainRecord: CustomStringConvertible {
    package var description: String { "domain \(name)" }
}

extension AccountRecord: CustomStringConvertible {
    package var description: String { "account \(account)@\(domain)" }
}

/// Why a question to the directory has no answer: always our own, temporary trouble (451 4.3.0).
package struct DirectoryError: Error, Hashable, Sendable {
    /// For the log.
    package let detail: String
    package init(_ detail: String) { self.detail = detail }
}
