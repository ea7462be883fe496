/// What mailboxes hold, asked for apart from the list so that the list never waits for a disk.
extension DirectoryInterface {
    /// For some accounts of one domain: by their `maildirsize`, or counted. Answers within two seconds; what is not known
    /// by then is `nil` and can be asked for again.
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
    package init(account: String, octets: Int?, messages: Int?, limit: Int) {
        self.account = account
        self.octets = octets
        self.messages = messages
        self.limit = limit
    }
}
