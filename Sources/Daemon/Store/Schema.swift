import Database

/// Tables of `store.db`. The version stands in `PRAGMA user_version`; another one is refused and kept.
enum Schema {
    static let version: Int64 = 1

    /// Domains that were removed keep their accounts (R-DOM-18); adding the domain again brings them back.
    static let statements = """
        CREATE TABLE revisions(
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, author TEXT NOT NULL, origin TEXT NOT NULL,
            note TEXT NOT NULL);
        CREATE TABLE changes(
            revision INTEGER NOT NULL, position INTEGER NOT NULL, path TEXT NOT NULL, old TEXT, new TEXT,
            PRIMARY KEY(revision, position)) WITHOUT ROWID;
        CREATE INDEX changes_by_path ON changes(path, revision);
        CREATE TABLE settings(
            key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE domains(
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, max_accounts INTEGER NOT NULL, mode TEXT NOT NULL,
            addresses TEXT NOT NULL, folder TEXT NOT NULL, revision INTEGER NOT NULL);
        CREATE TABLE accounts(
            id INTEGER PRIMARY KEY, domain TEXT NOT NULL, folded TEXT NOT NULL, account TEXT NOT NULL,
            full_name TEXT NOT NULL, folded_name TEXT NOT NULL, home TEXT NOT NULL, mailbox_limit INTEGER NOT NULL,
            smtp_auth INTEGER NOT NULL, enabled INTEGER NOT NULL, password TEXT NOT NULL, revision INTEGER NOT NULL,
            UNIQUE(domain, folded));
        CREATE INDEX accounts_by_account ON accounts(folded);
        CREATE INDEX accounts_by_name ON accounts(domain, folded_name, folded);
        CREATE INDEX accounts_by_limit ON accounts(domain, mailbox_limit, folded);
        CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        PRAGMA user_version=1;
        """

    /// Tables that joined later and that older programs need not know; made whenever the store is opened for writing.
    /// `aliases.folded` is the alias's local part, `*` for all names of the domain; `position` keeps the order of one
    /// alias's real addresses.
    static let additions = """
        CREATE TABLE IF NOT EXISTS secrets(
            account TEXT NOT NULL, kind TEXT NOT NULL, generation TEXT NOT NULL, sealed TEXT NOT NULL,
            PRIMARY KEY(account, kind)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS aliases(
            id INTEGER PRIMARY KEY, domain TEXT NOT NULL, folded TEXT NOT NULL, position INTEGER NOT NULL,
            alias TEXT NOT NULL, target TEXT NOT NULL, folded_target TEXT NOT NULL, rewrite TEXT NOT NULL,
            revision INTEGER NOT NULL, UNIQUE(domain, folded, position));
        CREATE TABLE IF NOT EXISTS domain_locks(
            domain TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS accounts_incomplete ON accounts(id) WHERE password GLOB '$pbkdf2-sha256$*';
        CREATE INDEX IF NOT EXISTS aliases_by_target ON aliases(folded_target);
        """

    static let aliasColumns = "alias, domain, target, rewrite, revision"
    static let accountColumns =
        "account, domain, full_name, home, mailbox_limit, smtp_auth, enabled, password, revision"
}
