extension DirectoryInterface {
    /// Whether a login name and password are an account's, for other services of the machine that serve our mailboxes
    /// (docs/dovecot.md). All accounts in use may log in there; SMTP-AUTH is another question.
    package enum LogIn: ControlMethod {
        package static let name = "org.epost.Directory.LogIn"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            /// `account` or `account@domain`.
            package var login: String
            /// `nil`: only where the mailbox is.
            package var password: String?
            /// Address of whoever logs in, for PAM.
            package var client: String?
            package init(login: String, password: String?, client: String? = nil) {
                self.login = login
                self.password = password
                self.client = client
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var isRight: Bool
            /// The rest only when it is right.
            package var address: String?
            package var mailboxPath: String?
            /// Octets, 0 = no limit.
            package var mailboxLimit: Int?
            /// Whose files the mailboxes are.
            package var userID: Int?
            package var groupID: Int?
            package init(
                isRight: Bool, address: String? = nil, mailboxPath: String? = nil, mailboxLimit: Int? = nil,
                userID: Int? = nil, groupID: Int? = nil
            ) {
                self.isRight = isRight
                self.address = address
                self.mailboxPath = mailboxPath
                self.mailboxLimit = mailboxLimit
                self.userID = userID
                self.groupID = groupID
            }
        }
    }
}
