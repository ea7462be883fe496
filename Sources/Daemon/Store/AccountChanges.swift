import Control
import Crypto
import Database
import MailModel
import Settings

extension StoreWriter {
    package func account(_ address: String) throws(ControlError) -> AccountRecord {
        try locked { _, reader in try Self.known(address, reader) }
    }

    /// org.epost.Directory.AddAccount
    package func addAccount(
        _ address: String, _ values: AccountValues, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        // Hashing takes a while: outside the lock.
        let hash = try Self.hash(values.password, address)
        let secrets = try secrets(for: values.password, address, hash: hash)
        return try locked { connection, reader in
            let fresh = try Self.checkedAddress(address)
            let domains = try reader.domains()
            guard let domain = domains.first(where: { $0.name == fresh.domain }) else {
                throw Self.refused(
                    "account/\(address)", "account.foreign-domain", "\(fresh.domain) is not operated here", fresh.domain
                )
            }
            if try reader.account(fresh.folded) != nil {
                throw Self.refused("account/\(address)", "account.exists", "\(address) exists already", address)
            }
            try Self.checkName(fresh, of: domain, among: domains)
            let count = try connection.first(
                "SELECT count(*) FROM accounts WHERE domain=?", .text(domain.name)
            ) { $0.int(0) }
            if domain.maxAccounts > 0, (count ?? 0) >= domain.maxAccounts {
                throw Self.refused(
                    "account/\(address)", "account.limit-reached",
                    "\(domain.name) may have \(domain.maxAccounts) accounts, and has them (R-DOM-25)", domain.name,
                    String(domain.maxAccounts))
            }
            guard let hash else {
                throw Self.refused("account/\(address)/password", "account.no-password", "a password is needed")
            }
            var new = AccountRecord(account: fresh.localPart, domain: domain.name)
            new = try Self.merged(new, values, hash)
            let warnings = Self.warnings(new, try reader.snapshot(), isNew: true)
            let (revision, records) = try change(author, note: note, connection) {
                try $0.put(nil, new)
                try $0.put(secrets, of: new.address)
            }
            return Self.applied(revision, records, warnings)
        }
    }

    /// org.epost.Directory.ChangeAccount
    package func changeAccount(
        _ address: String, _ values: AccountValues, base: Int?, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        let hash = try Self.hash(values.password, address)
        let secrets = try secrets(for: values.password, address, hash: hash)
        return try locked { connection, reader in
            let old = try Self.known(address, reader)
            if let base, Int64(base) != old.revision {
                throw Self.conflict([Self.conflictProblem("account/\(old.address.folded.text)", old.revision)])
            }
            let new = try Self.merged(old, values, hash)
            let warnings = Self.warnings(new, try reader.snapshot(), isNew: false)
            guard new != old else { return Self.applied(try reader.revision(), [], warnings) }
            let (revision, records) = try change(author, note: note, connection) {
                try $0.put(old, new)
                if new.passwordHash != old.passwordHash { try $0.put(secrets, of: new.address) }
            }
            return Self.applied(revision, records, warnings)
        }
    }

    /// org.epost.Directory.RemoveAccount. Deleting the folder is the caller's, after this.
    /// - Returns: where its mailbox lies, when `deletesMailbox` is asked for.
    package func removeAccount(
        _ address: String, deletesMailbox: Bool, note: String, by author: Author
    ) throws(ControlError) -> (Applied, MailboxPlace?) {
        try locked { connection, reader in
            let old = try Self.known(address, reader)
            let domain = try reader.domains().first { $0.name == old.domain }
            let pattern = try reader.snapshot()[ServerSettings.mailboxFolder]
            let place = deletesMailbox ? try? MailboxPlace(pattern: pattern, account: old, domain: domain) : nil
            let (revision, records) = try change(author, note: note, connection) { editor in
                try editor.put(old, nil)
                try editor.put([], of: old.address)
                if let place { try editor.deleteMailbox(of: old.address, path: place.path) }
            }
            return (Self.applied(revision, records, []), place)
        }
    }

    // MARK: Checks

    private static func known(_ address: String, _ reader: StoreReader) throws -> AccountRecord {
        guard let parsed = MailAddress(typed: address), let found = try reader.account(parsed.folded) else {
            throw notFound(address, "account.unknown", "there is no account \(address)", address)
        }
        return found
    }

    /// R-ACC-19, and a dot-atom, so that the address needs no quotes.
    static func checkedAddress(_ address: String) throws(ControlError) -> MailAddress {
        guard let parsed = MailAddress(typed: address) else {
            throw refused("account/\(address)", "account.bad-address", "\"\(address)\" is not account@domain", address)
        }
        guard MailAddress.isAccountName(parsed.localPart) else {
            throw refused(
                "account/\(address)", "account.bad-name",
                "an account name is 1 to 64 letters, digits, dots, or _ - +, without a dot at an end (R-ACC-19)",
                address)
        }
        return MailAddress(localPart: parsed.localPart, domain: parsed.domain.lowercased())
    }

    /// - Returns: `nil` when no password is given. `{SCRYPT}` in front of a stored hash takes it over (R-ACC-50).
    static func hash(_ password: String?, _ address: String) throws(ControlError) -> String? {
        guard let password, password != hiddenSecret else { return nil }
        return try hash(password, path: "account/\(address)/password")
    }

    static func hash(_ password: String, path: String) throws(ControlError) -> String {
        if password.hasPrefix("{SCRYPT}") {
            guard let hash = PasswordHash(text: String(password.dropFirst("{SCRYPT}".count))) else {
                throw refused(path, "account.bad-hash", "the password hash cannot be read")
            }
            return hash.text
        }
        try checkClear(password, path)
        guard let hash = PasswordHash(password: SASLprep.prepare(password) ?? password) else {
            throw ControlError(.failed, code: "store.no-hash", "the password cannot be hashed: no entropy or memory")
        }
        return hash.text
    }

    static func checkClear(_ password: String, _ path: String) throws(ControlError) {
        guard !password.isEmpty, password.utf8.count <= 255,
            !password.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw refused(
                path, "account.bad-password", "a password has 1 to 255 octets and no control characters")
        }
    }

    static func merged(
        _ record: AccountRecord, _ values: AccountValues, _ hash: String?
    ) throws(ControlError) -> AccountRecord {
        var new = record
        var problems: [Problem] = []
        let path = "account/\(record.address.text)"
        if let hash { new.passwordHash = hash }
        if let name = values.fullName {
            // TAB and line ends would break the import file, others the screen.
            if name.utf8.count <= 255, !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
                new.fullName = name
            } else {
                problems.append(
                    Problem(
                        path: path + "/fullName", code: "account.bad-full-name",
                        message: "a full name has at most 255 octets and no control characters"))
            }
        }
        if let home = values.home {
            if case .success(let texts) = SettingType.path.normalized([home]) {
                new.home = texts.first ?? ""
            } else {
                problems.append(
                    Problem(
                        path: path + "/home", code: "account.bad-home",
                        message: "the home folder must be an absolute path without \"..\""))
            }
        }
        if let limit = values.mailboxLimit {
            if limit >= 0 {
                new.mailboxLimit = limit
            } else {
                problems.append(
                    Problem(
                        path: path + "/limit", code: "account.bad-limit",
                        message: "the mailbox limit is a number of octets, 0 = none"))
            }
        }
        new.usesAuthentication = values.smtpAuth ?? new.usesAuthentication
        new.isEnabled = values.isEnabled ?? new.isEnabled
        if !problems.isEmpty { throw refused(problems) }
        return new
    }

    private static func warnings(_ record: AccountRecord, _ snapshot: SettingsSnapshot, isNew: Bool) -> [Problem] {
        var out: [Problem] = []
        let path = "account/\(record.address.text)"
        if isNew, record.account.lowercased() == "postmaster" {
            out.append(
                Problem(
                    path: path, code: "account.postmaster",
                    message: "an address that got into a spam-source database stays there while the account exists",
                    isWarning: true))
        }
        if record.home.isEmpty, snapshot[ServerSettings.mailboxFolder].contains("%HOME%") {
            out.append(
                Problem(
                    path: path + "/home", code: "account.needs-home",
                    message:
                        "server.mailbox_dir uses %HOME%: nothing can be delivered without a home folder (R-SRV-16)",
                    isWarning: true))
        }
        return out
    }
}
