import Control
import Database
import MailModel
import Tables

/// Changes of one transaction, each recorded for the history as texts: settings by their values, domains and accounts
/// as `field=value`, tables by their lines. The same texts undo a change.
struct Editor {
    let connection: Connection
    let revision: Int64
    /// The first `keptRecords` of the changes; the store has them all.
    private(set) var records: [ChangeRecord] = []
    private var count = 0
    private static let keptRecords = 1_000

    init(connection: Connection, revision: Int64) {
        self.connection = connection
        self.revision = revision
    }

    private mutating func record(_ path: String, _ old: [String]?, _ new: [String]?) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO changes(revision, position, path, old, new) VALUES(?,?,?,?,?)", .integer(revision),
            DatabaseValue(count), .text(path), DatabaseValue(old.map(Texts.encode)),
            DatabaseValue(new.map(Texts.encode)))
        count += 1
        if count <= Self.keptRecords { records.append(ChangeRecord(path: path, old: old, new: new)) }
    }

    /// - Parameters:
    ///   - old: what was in force, for the history; the default when nothing was set.
    ///   - texts: normalised; `nil` goes back to the default.
    mutating func setSetting(_ key: String, from old: [String]?, to texts: [String]?) throws(DatabaseError) {
        if let texts {
            try connection.run(
                "INSERT INTO settings(key, value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
                .text(key), .text(Texts.encode(texts)))
        } else {
            try connection.run("DELETE FROM settings WHERE key=?", .text(key))
        }
        try record(key, old, texts)
    }

    /// Adds, changes (`old` given) or removes (`new` is `nil`) a domain.
    mutating func put(_ old: DomainRecord?, _ new: DomainRecord?) throws(DatabaseError) {
        guard let name = new?.name ?? old?.name else { return }
        if let new {
            try connection.run(
                """
                INSERT INTO domains(name, max_accounts, mode, addresses, folder, revision) VALUES(?,?,?,?,?,?)
                ON CONFLICT(name) DO UPDATE SET max_accounts=excluded.max_accounts, mode=excluded.mode,
                addresses=excluded.addresses, folder=excluded.folder, revision=excluded.revision
                """,
                .text(name), DatabaseValue(new.maxAccounts), .text(new.mailboxMode.rawValue),
                .text(Texts.encode(new.smtpAddresses.map(\.description))), .text(new.folder), .integer(revision))
        } else {
            try connection.run("DELETE FROM domains WHERE name=?", .text(name))
        }
        if let hash = new?.operationHash, !hash.isEmpty {
            try connection.run(
                "INSERT INTO domain_locks(domain, hash) VALUES(?,?) ON CONFLICT(domain) DO UPDATE SET hash=excluded.hash",
                .text(name), .text(hash))
        } else {
            try connection.run("DELETE FROM domain_locks WHERE domain=?", .text(name))
        }
        try record("domain/\(name)", old?.texts, new?.texts)
    }

    /// Adds, changes (`old` given) or removes (`new` is `nil`) an account.
    mutating func put(_ old: AccountRecord?, _ new: AccountRecord?) throws(DatabaseError) {
        guard let address = (new ?? old)?.address.folded else { return }
        if let new {
            try connection.run(
                """
                INSERT INTO accounts(domain, folded, account, full_name, folded_name, home, mailbox_limit, smtp_auth,
                enabled, password, revision) VALUES(?,?,?,?,?,?,?,?,?,?,?)
                ON CONFLICT(domain, folded) DO UPDATE SET account=excluded.account, full_name=excluded.full_name,
                folded_name=excluded.folded_name, home=excluded.home, mailbox_limit=excluded.mailbox_limit,
                smtp_auth=excluded.smtp_auth, enabled=excluded.enabled, password=excluded.password,
                revision=excluded.revision
                """,
                .text(address.domain), .text(address.localPart), .text(new.account), .text(new.fullName),
                .text(new.fullName.lowercased()), .text(new.home), DatabaseValue(new.mailboxLimit),
                DatabaseValue(new.usesAuthentication), DatabaseValue(new.isEnabled), .text(new.passwordHash),
                .integer(revision))
        } else {
            try connection.run(
                "DELETE FROM accounts WHERE domain=? AND folded=?", .text(address.domain), .text(address.localPart))
        }
        try record("account/\(address.text)", old?.texts, new?.texts)
    }

    /// Replaces all real addresses of an alias; an empty list removes it.
    /// - Parameter alias: as people wrote it, domain in lower case.
    mutating func put(
        _ alias: MailAddress, from old: [AliasRule], to new: [AliasRule]
    ) throws(DatabaseError) {
        let folded = alias.folded
        try connection.run(
            "DELETE FROM aliases WHERE domain=? AND folded=?", .text(folded.domain), .text(folded.localPart))
        for (position, rule) in new.enumerated() {
            try connection.run(
                """
                INSERT INTO aliases(domain, folded, position, alias, target, folded_target, rewrite, revision)
                VALUES(?,?,?,?,?,?,?,?)
                """,
                .text(folded.domain), .text(folded.localPart), DatabaseValue(position), .text(rule.alias.localPart),
                .text(rule.target.stored), .text(rule.target.folded.stored), .text(rule.rewrite.rawValue),
                .integer(revision))
        }
        try record(
            "alias/\(folded.text)", old.isEmpty ? nil : old.map(\.targetText),
            new.isEmpty ? nil : new.map(\.targetText))
    }

    /// A text table was written; the file itself is the caller's.
    mutating func table(_ name: String, from old: [String]?, to new: [String]?) throws(DatabaseError) {
        try record("table/\(name)", old, new)
    }

    /// A control file in a mailbox was written.
    mutating func file(
        _ name: String, of account: MailAddress, from old: [String]?, to new: [String]?
    ) throws(DatabaseError) {
        try file(path: "file/\(account.folded.text)/\(name)", from: old, to: new)
    }

    /// - Parameter path: as the history has it.
    mutating func file(path: String, from old: [String]?, to new: [String]?) throws(DatabaseError) {
        try record(path, old, new)
    }

    /// A mailbox folder goes for good: this revision cannot be undone.
    mutating func deleteMailbox(of address: MailAddress, path: String) throws(DatabaseError) {
        try record("mailbox/\(address.folded.text)", [path], nil)
    }
}
