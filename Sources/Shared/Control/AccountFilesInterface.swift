/// The control files of an account (spec files 03 and 11), as texts, and what they do to a mail.
extension DirectoryInterface {
    /// One control file as it stands in the mailbox.
    package enum GetAccountFile: ControlMethod {
        package static let name = "org.epost.Directory.GetAccountFile"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            /// `control` (IMS.CTL), `permitfrom`, `reply`, `noreply`, `replied`, `filter`, `hours`, `recipients`.
            package var file: String
            package init(address: String, file: String) {
                self.address = address
                self.file = file
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Empty when there is none.
            package var text: String
            /// Its name in the mailbox, letter case as found.
            package var name: String
            package var exists: Bool
            /// Base of a change; `-` when there is no file.
            package var etag: String
            /// Character set as it stands on disk, and as a change of it is written: `UTF-8`, `ISO-2022-JP`, `Shift_JIS`.
            package var encoding: String
            package var problems: [Problem]
            package init(
                text: String, name: String, exists: Bool, etag: String, encoding: String = "UTF-8",
                problems: [Problem]
            ) {
                self.text = text
                self.name = name
                self.exists = exists
                self.etag = etag
                self.encoding = encoding
                self.problems = problems
            }
        }
    }

    /// Writes a control file; an empty text removes it, lines that stay the same stay octet for octet. Refused when it
    /// has faults or was changed since `baseEtag`. In force with the answer.
    package enum SetAccountFile: ControlMethod {
        package static let name = "org.epost.Directory.SetAccountFile"
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            package var file: String
            package var text: String
            /// The file as the edit began with it; `nil` = whatever stands there is replaced.
            package var baseEtag: String?
            package var note: String
            package init(address: String, file: String, text: String, baseEtag: String? = nil, note: String = "") {
                self.address = address
                self.file = file
                self.text = text
                self.baseEtag = baseEtag
                self.note = note
            }
        }
        package typealias Output = Applied
    }

    /// What is wrong with a text that shall become a control file.
    package enum CheckAccountFile: ControlMethod {
        package static let name = "org.epost.Directory.CheckAccountFile"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            package var file: String
            package var text: String
            package init(address: String, file: String, text: String) {
                self.address = address
                self.file = file
                self.text = text
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Their paths are `line/12` or `control/forwardTo`.
            package var problems: [Problem]
            package init(problems: [Problem]) { self.problems = problems }
        }
    }

    /// Who gets a mail to this account: the plan that delivery would carry out, for a made-up mail.
    package enum TestAccount: ControlMethod {
        package static let name = "org.epost.Directory.TestAccount"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            /// Envelope sender; empty or `<>`: none.
            package var sender: String
            /// Put over what IMS.CTL says: a change is tried before it is made.
            package var values: MailControl?
            /// In place of those that stand there.
            package var files: [AccountFileText]?
            package init(
                address: String, sender: String, values: MailControl? = nil, files: [AccountFileText]? = nil
            ) {
                self.address = address
                self.sender = sender
                self.values = values
                self.files = files
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var isStored: Bool
            package var forwardedTo: [String]
            /// Who gets an automatic reply; `nil`: nobody.
            package var answered: String?
            package var steps: [Explanation.Step]
            package init(isStored: Bool, forwardedTo: [String], answered: String?, steps: [Explanation.Step]) {
                self.isStored = isStored
                self.forwardedTo = forwardedTo
                self.answered = answered
                self.steps = steps
            }
        }
    }
}
