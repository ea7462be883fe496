/// What mailboxes hold, asked for apart from the list so that the list never waits for a disk.
extension DirectoryInterface {
    /// For some accounts of one domain: by their `maildirsize`, or counted; and what their control files say. Answers
    /// within two seconds; what is not known by then is `nil` and can be asked for again.
    package enum AccountUsage: ControlMethod {
        package static let name = "org.epost.Directory.AccountUsage"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var domain: String
            /// At most 200; unknown ones are left out of the answer.
            package var accounts: [String]
            package init(domain: String, accounts: [String]) {
                self.domain = domain
                self.accounts = accounts
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var rows: [MailboxUsageRow]
            package init(rows: [MailboxUsageRow]) { self.rows = rows }
        }
    }
}

package struct MailboxUsageRow: Codable, Hashable, Sendable {
    package var account: String
    /// `nil` = not known yet.
    package var octets: Int?
    package var messages: Int?
    /// Octets that it may hold, the account's own limit or the one for all; 0 = no limit.
    package var limit: Int
    /// `nil` = not known yet, or the mailbox cannot be read.
    package var control: AccountControlState?
    package init(
        account: String, octets: Int?, messages: Int?, limit: Int, control: AccountControlState? = nil
    ) {
        self.account = account
        self.octets = octets
        self.messages = messages
        self.limit = limit
        self.control = control
    }
}

/// What the control files of an account do, as far as a list shows it.
package struct AccountControlState: Codable, Hashable, Sendable {
    /// Addresses that mail is forwarded to; 0: none. -1: it is to be forwarded, and where to cannot be read (R-CTL-17).
    package var forwards: Int
    /// Mail is answered automatically.
    package var replies: Bool
    /// usetime.dat limits the hours (R-ACC-39).
    package var hasHours: Bool
    /// sender.dat limits the recipients (R-ACC-43).
    package var hasRecipients: Bool
    package init(
        forwards: Int = 0, replies: Bool = false, hasHours: Bool = false, hasRecipients: Bool = false
    ) {
        self.forwards = forwards
        self.replies = replies
        self.hasHours = hasHours
        self.hasRecipients = hasRecipients
    }
}
