/// org.epost.Directory: operated domains and their accounts (spec 02-2, 03).
package enum DirectoryInterface {
    package enum ListDomains: ControlMethod {
        package static let name = "org.epost.Directory.ListDomains"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package struct Output: Codable, Hashable, Sendable {
            package var domains: [DomainEntry]
            package init(domains: [DomainEntry]) { self.domains = domains }
        }
    }
    package enum AddDomain: ControlMethod {
        package static let name = "org.epost.Directory.AddDomain"
        package struct Input: Codable, Hashable, Sendable {
            package var name: String
            package var values: DomainValues
            package var note: String
            package init(name: String, values: DomainValues, note: String = "") {
                self.name = name
                self.values = values
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    package enum ChangeDomain: ControlMethod {
        package static let name = "org.epost.Directory.ChangeDomain"
        package struct Input: Codable, Hashable, Sendable {
            package var name: String
            package var values: DomainValues
            package var baseRevision: Int?
            package var note: String
            package init(name: String, values: DomainValues, baseRevision: Int? = nil, note: String = "") {
                self.name = name
                self.values = values
                self.baseRevision = baseRevision
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    /// Accounts and mailboxes stay on disk (R-DOM-18); adding the domain again brings them back.
    package enum RemoveDomain: ControlMethod {
        package static let name = "org.epost.Directory.RemoveDomain"
        package struct Input: Codable, Hashable, Sendable {
            package var name: String
            package var note: String
            package init(name: String, note: String = "") {
                self.name = name
                self.note = note
            }
        }
        package typealias Output = Applied
    }

    /// Opens a protected domain for this connection (R-ACC-11). The system management password opens every domain. Wrong
    /// tries make the same user wait longer each time.
    package enum OpenDomain: ControlMethod {
        package static let name = "org.epost.Directory.OpenDomain"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Empty: the system management password is given.
            package var domain: String
            package var password: String
            package init(domain: String, password: String) {
                self.domain = domain
                self.password = password
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Opens the same for this user on other connections, with `Hello`; for twelve hours, or until the password
            /// changes.
            package var key: String
            package init(key: String) { self.key = key }
        }
    }

    /// A window of a domain's accounts.
    package enum ListAccounts: ControlMethod {
        package static let name = "org.epost.Directory.ListAccounts"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var domain: String
            /// Part of account or full name, letter case ignored.
            package var filter: String?
            /// `account`, `fullName`, `limit`, `used`.
            package var sort: String?
            package var descending: Bool?
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            /// When given, the answer's `position` is the index of this account in the order asked for.
            package var locate: String?
            /// `false`: without a look at the mailboxes, so that no disk is waited for; `AccountUsage` tells it then.
            package var usage: Bool?
            package init(
                domain: String, filter: String? = nil, sort: String? = nil, descending: Bool? = nil, offset: Int = 0,
                limit: Int = 200, locate: String? = nil, usage: Bool? = nil
            ) {
                self.domain = domain
                self.filter = filter
                self.sort = sort
                self.descending = descending
                self.offset = offset
                self.limit = limit
                self.locate = locate
                self.usage = usage
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var rows: [AccountEntry]
            package var total: Int
            package var offset: Int
            package var position: Int?
            package init(rows: [AccountEntry], total: Int, offset: Int, position: Int? = nil) {
                self.rows = rows
                self.total = total
                self.offset = offset
                self.position = position
            }
        }
    }
    package enum GetAccount: ControlMethod {
        package static let name = "org.epost.Directory.GetAccount"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            /// `false`: without a look at the mailbox, so that no disk is waited for.
            package var usage: Bool?
            package init(address: String, usage: Bool? = nil) {
                self.address = address
                self.usage = usage
            }
        }
        package typealias Output = AccountEntry
    }
    package enum AddAccount: ControlMethod {
        package static let name = "org.epost.Directory.AddAccount"
        package struct Input: Codable, Hashable, Sendable {
            /// `account@domain`
            package var address: String
            package var values: AccountValues
            package var note: String
            package init(address: String, values: AccountValues, note: String = "") {
                self.address = address
                self.values = values
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    package enum ChangeAccount: ControlMethod {
        package static let name = "org.epost.Directory.ChangeAccount"
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            package var values: AccountValues
            package var baseRevision: Int?
            package var note: String
            package init(address: String, values: AccountValues, baseRevision: Int? = nil, note: String = "") {
                self.address = address
                self.values = values
                self.baseRevision = baseRevision
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    package enum RemoveAccount: ControlMethod {
        package static let name = "org.epost.Directory.RemoveAccount"
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            /// Delete the mailbox folder too; cannot be undone.
            package var deleteMailbox: Bool
            package var note: String
            package init(address: String, deleteMailbox: Bool, note: String = "") {
                self.address = address
                self.deleteMailbox = deleteMailbox
                self.note = note
            }
        }
        package typealias Output = Applied
    }
}

/// What can be set on a domain; `nil` = leave as it is (or the default when it is added).
package struct DomainValues: Codable, Hashable, Sendable {
    /// 0 = unlimited (R-DOM-20).
    package var maxAccounts: Int?
    /// `common` or `separate` (R-DOM-21, R-DOM-22).
    package var mailboxMode: String?
    /// R-DOM-23
    package var smtpAddresses: [String]?
    /// Folder before `%USERNAME%` (R-DOM-19).
    package var folder: String?
    /// Asked for before others may see or change what belongs to the domain (R-ACC-11); empty: none any more. Never
    /// sent back.
    package var operationPassword: String?
    package init(
        maxAccounts: Int? = nil, mailboxMode: String? = nil, smtpAddresses: [String]? = nil, folder: String? = nil,
        operationPassword: String? = nil
    ) {
        self.maxAccounts = maxAccounts
        self.mailboxMode = mailboxMode
        self.smtpAddresses = smtpAddresses
        self.folder = folder
        self.operationPassword = operationPassword
    }
}

package struct DomainEntry: Codable, Hashable, Sendable {
    package var name: String
    package var maxAccounts: Int
    package var mailboxMode: String
    package var smtpAddresses: [String]
    package var folder: String
    package var accounts: Int
    /// Base revision of a change.
    package var revision: Int
    /// Whether it has an operation password (R-ACC-11).
    package var isProtected: Bool
    package init(
        name: String, maxAccounts: Int, mailboxMode: String, smtpAddresses: [String], folder: String, accounts: Int,
        revision: Int, isProtected: Bool = false
    ) {
        self.name = name
        self.maxAccounts = maxAccounts
        self.mailboxMode = mailboxMode
        self.smtpAddresses = smtpAddresses
        self.folder = folder
        self.accounts = accounts
        self.revision = revision
        self.isProtected = isProtected
    }
}

/// What can be set on an account; `nil` = leave as it is (or the default when it is added).
package struct AccountValues: Codable, Hashable, Sendable {
    /// Needed when an account is added; never sent back.
    package var password: String?
    package var fullName: String?
    package var home: String?
    /// Octets, 0 = none (R-ACC-32).
    package var mailboxLimit: Int?
    package var smtpAuth: Bool?
    /// Beyond the original: mail is refused and nobody can authenticate.
    package var isEnabled: Bool?
    package init(
        password: String? = nil, fullName: String? = nil, home: String? = nil, mailboxLimit: Int? = nil,
        smtpAuth: Bool? = nil, isEnabled: Bool? = nil
    ) {
        self.password = password
        self.fullName = fullName
        self.home = home
        self.mailboxLimit = mailboxLimit
        self.smtpAuth = smtpAuth
        self.isEnabled = isEnabled
    }
}

package struct AccountEntry: Codable, Hashable, Sendable {
    package var account: String
    package var domain: String
    package var fullName: String
    package var home: String
    package var mailboxLimit: Int
    package var smtpAuth: Bool
    package var isEnabled: Bool
    /// Octets and messages in the mailbox; `nil` = not looked up.
    package var usedOctets: Int?
    package var usedMessages: Int?
    package var mailboxPath: String
    package var revision: Int
    /// When it last logged in by SMTP, milliseconds since 1970, and from which address; `nil` = never, as far as known.
    package var lastLogin: Int?
    package var lastClient: String?
    package init(
        account: String, domain: String, fullName: String, home: String, mailboxLimit: Int, smtpAuth: Bool,
        isEnabled: Bool, usedOctets: Int?, usedMessages: Int?, mailboxPath: String, revision: Int,
        lastLogin: Int? = nil, lastClient: String? = nil
    ) {
        self.account = account
        self.domain = domain
        self.fullName = fullName
        self.home = home
        self.mailboxLimit = mailboxLimit
        self.smtpAuth = smtpAuth
        self.isEnabled = isEnabled
        self.usedOctets = usedOctets
        self.usedMessages = usedMessages
        self.mailboxPath = mailboxPath
        self.revision = revision
        self.lastLogin = lastLogin
        self.lastClient = lastClient
    }
}
