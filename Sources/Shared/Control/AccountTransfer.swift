/// Import, synchronisation and export of accounts as tab-separated text (R-ACC-46 to 50). What is sent waits in the
/// daemon until it is finished: all of it is one revision, and a transfer that is broken off leaves nothing behind.
extension DirectoryInterface {
    /// Opens a transfer. It is for the user who opened it, on any connection, and is forgotten after ten idle minutes.
    package enum BeginTransfer: ControlMethod {
        package static let name = "org.epost.Directory.BeginTransfer"
        package struct Input: Codable, Hashable, Sendable {
            /// `import` adds and changes; `synchronize` makes the accounts of the file's domains equal to the file.
            package var kind: String
            /// Into which domain, whatever the lines say; `nil` = the domain of each line.
            package var domain: String?
            /// What a password in clear does to an account that exists (synchronisation): `compare` (default) sets it
            /// where it is another one, `set` sets it, `keep` leaves the account's own.
            package var passwords: String?
            /// What becomes of accounts that the file does not name (synchronisation): `disable` (default), `keep`,
            /// `remove`. Mailboxes stay in any case.
            package var absent: String?
            /// Whether disabled accounts that the file names are enabled (synchronisation); not by itself.
            package var enable: Bool?
            package init(
                kind: String, domain: String? = nil, passwords: String? = nil, absent: String? = nil,
                enable: Bool? = nil
            ) {
                self.kind = kind
                self.domain = domain
                self.passwords = passwords
                self.absent = absent
                self.enable = enable
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var transfer: String
            package init(transfer: String) { self.transfer = transfer }
        }
    }

    /// The next lines of the file. Passwords in clear are hashed here; none is kept.
    package enum SendAccounts: ControlMethod {
        package static let name = "org.epost.Directory.SendAccounts"
        package static let mayWait = true
        /// Lines in one call: it must end in time, and progress must be seen.
        package static let maximumLines = 2_000
        /// Clear passwords in one call when they are compared, which costs some 40 ms each.
        package static let maximumCompared = 100

        /// Whether comparing the password of a line costs nothing: it is a hash.
        package static func isHashed(_ line: String) -> Bool {
            let fields = line.utf8.split(separator: 0x09, maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count > 1 && fields[1].starts(with: "{SCRYPT}".utf8)
        }
        package struct Input: Codable, Hashable, Sendable {
            package var transfer: String
            /// Lines of eight or ten columns.
            package var text: String
            /// Number of the first line in the file, for the problems.
            package var firstLine: Int
            package init(transfer: String, text: String, firstLine: Int = 1) {
                self.transfer = transfer
                self.text = text
                self.firstLine = firstLine
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Good and faulty lines so far.
            package var accounts: Int
            package var faults: Int
            package init(accounts: Int, faults: Int) {
                self.accounts = accounts
                self.faults = faults
            }
        }
    }

    /// Carries out what was sent, as one revision, or tells what that would do.
    package enum FinishTransfer: ControlMethod {
        package static let name = "org.epost.Directory.FinishTransfer"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var transfer: String
            package var dryRun: Bool
            /// Whether one faulty line stops everything; a synchronisation is always so.
            package var strict: Bool
            /// Refused when one of the domains or their accounts changed after this revision.
            package var baseRevision: Int?
            package var note: String
            package init(
                transfer: String, dryRun: Bool, strict: Bool = false, baseRevision: Int? = nil, note: String = ""
            ) {
                self.transfer = transfer
                self.dryRun = dryRun
                self.strict = strict
                self.baseRevision = baseRevision
                self.note = note
            }
        }
        package typealias Output = TransferReport
    }

    /// A window of what the last `FinishTransfer` did or would do, in the order of the file.
    package enum ListTransfer: ControlMethod {
        package static let name = "org.epost.Directory.ListTransfer"
        package struct Input: Codable, Hashable, Sendable {
            package var transfer: String
            /// `added`, `changed`, `disabled`, `removed`, `kept`; `nil` = all.
            package var action: String?
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            package init(transfer: String, action: String? = nil, offset: Int = 0, limit: Int = 1000) {
                self.transfer = transfer
                self.action = action
                self.offset = offset
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var rows: [TransferRow]
            package var total: Int
            package init(rows: [TransferRow], total: Int) {
                self.rows = rows
                self.total = total
            }
        }
    }

    /// Forgets a transfer. Nothing is done when there is none.
    package enum EndTransfer: ControlMethod {
        package static let name = "org.epost.Directory.EndTransfer"
        package struct Input: Codable, Hashable, Sendable {
            package var transfer: String
            package init(transfer: String) { self.transfer = transfer }
        }
        package typealias Output = Nothing
    }

    /// A window of a domain's accounts as lines that a transfer takes. Holds password hashes, so it is for those who
    /// may change accounts.
    package enum ExportAccounts: ControlMethod {
        package static let name = "org.epost.Directory.ExportAccounts"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var domain: String
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            package init(domain: String, offset: Int = 0, limit: Int = 1000) {
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

/// What a transfer did, or would do.
package struct TransferReport: Codable, Hashable, Sendable {
    /// The new revision; the newest one after a dry run or when nothing changed.
    package var revision: Int
    package var added: Int
    package var changed: Int
    package var disabled: Int
    package var removed: Int
    /// Accounts that are as the file says.
    package var kept: Int
    /// Lines that gave no account.
    package var faults: Int
    /// The first 1,000 of them, and warnings; paths are `line/12/column/3`.
    package var problems: [Problem]
    package init(
        revision: Int, added: Int = 0, changed: Int = 0, disabled: Int = 0, removed: Int = 0, kept: Int = 0,
        faults: Int = 0, problems: [Problem] = []
    ) {
        self.revision = revision
        self.added = added
        self.changed = changed
        self.disabled = disabled
        self.removed = removed
        self.kept = kept
        self.faults = faults
        self.problems = problems
    }
}

package struct TransferRow: Codable, Hashable, Sendable {
    package var address: String
    /// `added`, `changed`, `disabled`, `removed`, `kept`.
    package var action: String
    /// Line of the file; 0 = the file does not name it.
    package var line: Int
    /// What differs: `password`, `fullName`, `home`, `mailboxLimit`, `smtpAuth`, `isEnabled`.
    package var fields: [String]
    package init(address: String, action: String, line: Int, fields: [String]) {
        self.address = address
        self.action = action
        self.line = line
        self.fields = fields
    }
}
