/// Import and export of accounts as tab-separated text (R-ACC-46 to 50).
extension DirectoryInterface {
    /// Adds and changes the accounts of some lines. Faulty lines are skipped and told; the good ones are one revision.
    /// Long files are sent in pieces.
    package enum ImportAccounts: ControlMethod {
        package static let name = "org.epost.Directory.ImportAccounts"
        package static let mayWait = true
        /// Lines in one call: each password costs its hash, and a call must end in time.
        package static let maximumLines = 100
        package struct Input: Codable, Hashable, Sendable {
            /// Into which domain, whatever the lines say; `nil` = the domain of each line.
            package var domain: String?
            /// Lines of eight or ten columns.
            package var text: String
            /// Number of the first line in the file, for the problems.
            package var firstLine: Int
            package var note: String
            package init(domain: String? = nil, text: String, firstLine: Int = 1, note: String = "") {
                self.domain = domain
                self.text = text
                self.firstLine = firstLine
                self.note = note
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// The new revision; the newest one when nothing changed.
            package var revision: Int
            package var added: Int
            package var updated: Int
            /// Lines that gave no account.
            package var skipped: Int
            /// Their paths are `line/12`.
            package var problems: [Problem]
            package init(revision: Int, added: Int, updated: Int, skipped: Int, problems: [Problem]) {
                self.revision = revision
                self.added = added
                self.updated = updated
                self.skipped = skipped
                self.problems = problems
            }
        }
    }

    /// A window of a domain's accounts as lines that `ImportAccounts` takes. Holds password hashes, so it is for those
    /// who may change accounts.
    package enum ExportAccounts: ControlMethod {
        package static let name = "org.epost.Directory.ExportAccounts"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var domain: String
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            package init(domain: String, offset: Int = 0, limit: Int = 500) {
                self.domain = domain
                self.offset = offset
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var text: String
            /// Lines in `text`, and accounts in all.
            package var count: Int
            package var total: Int
            package init(text: String, count: Int, total: Int) {
                self.text = text
                self.count = count
                self.total = total
            }
        }
    }
}
