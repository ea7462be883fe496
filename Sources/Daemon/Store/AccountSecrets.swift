import Control
import Crypto
import Database
import MailModel
import Settings

/// What is kept of a password for one mechanism that needs more than its hash, sealed. Belongs to one password: when
/// that is set anew, also back to an old one, it no longer fits and is made again.
package struct AccountSecret: Hashable, Sendable {
    /// The mechanism family that it serves. Raw values stand in the store.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case scram = "SCRAM-SHA-256"
        case cram = "CRAM-MD5"
    }
    package let kind: Kind
    /// Which password hash it belongs to.
    package let generation: String
    /// By `SecretBox`, base 64.
    package let sealed: String

    package init(kind: Kind, generation: String, sealed: String) {
        self.kind = kind
        self.generation = generation
        self.sealed = sealed
    }
}

/// Makes and reads account secrets; the store's writer and the receiver do it alike.
package enum AccountSecrets {
    /// Secrets that the methods in force ask for. Nothing is kept for a method that is off.
    package static func kinds(_ settings: SettingsSnapshot) -> Set<AccountSecret.Kind> {
        var kinds: Set<AccountSecret.Kind> = []
        for method in settings[ReceiverSettings.authMethods] {
            switch method {
            case .plain, .login: break
            case .cramMD5: kinds.insert(.cram)
            case .scramSHA256, .scramSHA256Plus: kinds.insert(.scram)
            }
        }
        return kinds
    }

    /// Takes some 10 ms for SCRAM.
    /// - Parameter hash: the stored password hash that the secrets belong to.
    package static func make(
        _ kinds: Set<AccountSecret.Kind>, password: [UInt8], account: MailAddress, hash: String, box: SecretBox
    ) -> [AccountSecret] {
        let generation = generation(of: hash)
        return kinds.compactMap { kind in
            let text: String? =
                switch kind {
                // RFC 5802 §2.2: Normalize(password).
                case .scram: SCRAMKeys(password: SASLprep.prepare(password) ?? password)?.text
                case .cram: CRAMKeys(password: password).text
                }
            guard let text, let sealed = box.seal(text, context: context(kind, account, generation)) else { return nil }
            return AccountSecret(kind: kind, generation: generation, sealed: sealed)
        }
    }

    package static func scram(_ secrets: [AccountSecret], of account: AccountRecord, _ box: SecretBox) -> SCRAMKeys? {
        open(.scram, secrets, account, box).flatMap { SCRAMKeys(text: $0) }
    }

    package static func cram(_ secrets: [AccountSecret], of account: AccountRecord, _ box: SecretBox) -> CRAMKeys? {
        open(.cram, secrets, account, box).flatMap { CRAMKeys(text: $0) }
    }

    private static func open(
        _ kind: AccountSecret.Kind, _ secrets: [AccountSecret], _ account: AccountRecord, _ box: SecretBox
    ) -> String? {
        let generation = generation(of: account.passwordHash)
        guard let secret = secrets.first(where: { $0.kind == kind && $0.generation == generation }) else { return nil }
        return box.open(secret.sealed, context: context(kind, account.address, generation))
    }

    /// Each hash has a salt of its own, so it names one setting of one password; the first step of a hash and the whole
    /// have the same name.
    package static func generation(of hash: String) -> String {
        let name = PasswordHash(text: hash)?.generation ?? hash
        return String(Digest.sha256Hex(Array(name.utf8)).prefix(32))
    }

    private static func context(_ kind: AccountSecret.Kind, _ account: MailAddress, _ generation: String) -> String {
        "\(kind.rawValue) \(account.folded.text) \(generation)"
    }
}

extension Editor {
    /// Takes the place of what was kept for the account. Beside the history: a secret is never shown and never undone.
    func put(_ secrets: [AccountSecret], of account: MailAddress) throws(DatabaseError) {
        try connection.run("DELETE FROM secrets WHERE account=?", .text(account.folded.text))
        for secret in secrets { try Self.insert(secret, account, connection) }
    }

    static func insert(
        _ secret: AccountSecret, _ account: MailAddress, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            """
            INSERT INTO secrets(account, kind, generation, sealed) VALUES(?,?,?,?)
            ON CONFLICT(account, kind) DO UPDATE SET generation=excluded.generation, sealed=excluded.sealed
            """,
            .text(account.folded.text), .text(secret.kind.rawValue), .text(secret.generation), .text(secret.sealed))
    }
}

extension StoreReader {
    func secrets(of account: MailAddress) throws(DatabaseError) -> [AccountSecret] {
        let rows = try connection.rows(
            "SELECT kind, generation, sealed FROM secrets WHERE account=?", .text(account.folded.text)
        ) { row in
            AccountSecret.Kind(rawValue: row.text(0)).map {
                AccountSecret(kind: $0, generation: row.text(1), sealed: row.text(2))
            }
        }
        return rows.compactMap(\.self)
    }
}

extension StoreWriter {
    /// What a new password leaves behind for the methods in force. Takes a while: outside the lock.
    func secrets(
        for password: String?, _ address: String, hash: String?
    ) throws(ControlError) -> [AccountSecret] {
        guard let password, let hash, password != hiddenSecret, !password.hasPrefix("{SCRYPT}"),
            let account = MailAddress(typed: address)
        else { return [] }
        let kinds = AccountSecrets.kinds(try snapshot())
        guard !kinds.isEmpty, let box = SecretBox(file: layout.secretKey) else { return [] }
        return AccountSecrets.make(
            kinds, password: Array(password.utf8), account: account, hash: hash, box: box)
    }

    /// The receiver saw the password of an older account and made its secrets; they count only while the account has
    /// that password and the method is on.
    package func keep(_ secret: AccountSecret, of account: MailAddress) throws(ControlError) {
        try locked { connection, reader in
            guard AccountSecrets.kinds(try reader.snapshot()).contains(secret.kind),
                let record = try reader.account(account.folded),
                AccountSecrets.generation(of: record.passwordHash) == secret.generation
            else { return }
            try Editor.insert(secret, account, connection)
        }
    }

    /// Forgets the secrets of methods that were switched off.
    package func dropUnusedSecrets() throws(ControlError) {
        try locked { connection, reader in
            let kept = AccountSecrets.kinds(try reader.snapshot())
            for kind in AccountSecret.Kind.allCases where !kept.contains(kind) {
                let count = try connection.first("SELECT count(*) FROM secrets WHERE kind=?", .text(kind.rawValue)) {
                    $0.int(0)
                }
                guard let count, count > 0 else { continue }
                try connection.run("DELETE FROM secrets WHERE kind=?", .text(kind.rawValue))
            }
        }
    }
}
