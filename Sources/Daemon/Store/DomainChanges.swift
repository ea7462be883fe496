import Control
import Database
import MailModel
import Settings

extension StoreWriter {
    /// org.epost.Directory.ListDomains
    package func listDomains() throws(ControlError) -> [DomainEntry] {
        try locked { connection, reader in
            let counts = Dictionary(
                try connection.rows("SELECT domain, count(*) FROM accounts GROUP BY domain") {
                    ($0.text(0), $0.int(1))
                },
                uniquingKeysWith: { first, _ in first })
            return try reader.domains().map { $0.entry(accounts: counts[$0.name] ?? 0) }
        }
    }

    /// org.epost.Directory.AddDomain. Without values the domain gets mailboxes of its own below its name, so that
    /// accounts of the same name in two domains never share one by accident.
    package func addDomain(
        _ name: String, _ values: DomainValues, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        let hash = try Self.operationHash(values.operationPassword, name)
        return try locked { connection, reader in
            let name = try Self.checkedDomainName(name)
            if try reader.domains().contains(where: { $0.name == name }) {
                throw Self.refused("domain/\(name)", "domain.exists", "\(name) is operated here already", name)
            }
            let fresh = DomainRecord(
                name: name, mailboxMode: values.folder == "" ? .common : .separate, folder: name)
            var (new, warnings) = try Self.merged(fresh, values)
            new.operationHash = hash ?? ""
            warnings += try Self.folderWarnings(new, connection, reader)
            let (revision, records) = try change(author, note: note, connection) { try $0.put(nil, new) }
            return Self.applied(revision, records, warnings)
        }
    }

    /// org.epost.Directory.ChangeDomain
    package func changeDomain(
        _ name: String, _ values: DomainValues, base: Int?, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        let hash = try Self.operationHash(values.operationPassword, name)
        return try locked { connection, reader in
            let folded = name.lowercased()
            guard let old = try reader.domains().first(where: { $0.name == folded }) else {
                throw Self.notFound(folded, "domain.unknown", "\(name) is not operated here", name)
            }
            if let base, Int64(base) != old.revision {
                throw Self.conflict([Self.conflictProblem("domain/\(folded)", old.revision)])
            }
            var (new, warnings) = try Self.merged(old, values)
            if let hash { new.operationHash = hash }
            if new.folder != old.folder || new.mailboxMode != old.mailboxMode {
                warnings += try Self.folderWarnings(new, connection, reader)
            }
            if new.maxAccounts > 0 {
                let count =
                    try connection.first("SELECT count(*) FROM accounts WHERE domain=?", .text(folded)) { $0.int(0) }
                    ?? 0
                if count > new.maxAccounts {
                    warnings.append(
                        Problem(
                            path: "domain/\(folded)/maxAccounts", code: "domain.below-count",
                            message: "\(folded) has \(count) accounts already; none can be added",
                            arguments: [folded, String(count)], isWarning: true))
                }
            }
            guard new != old else { return Self.applied(try reader.revision(), [], warnings) }
            let (revision, records) = try change(author, note: note, connection) { try $0.put(old, new) }
            return Self.applied(revision, records, warnings)
        }
    }

    /// org.epost.Directory.RemoveDomain: accounts and mailboxes stay (R-DOM-18).
    package func removeDomain(_ name: String, note: String, by author: Author) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let folded = name.lowercased()
            guard let old = try reader.domains().first(where: { $0.name == folded }) else {
                throw Self.notFound(folded, "domain.unknown", "\(name) is not operated here", name)
            }
            let (revision, records) = try change(author, note: note, connection) { try $0.put(old, nil) }
            return Self.applied(revision, records, [])
        }
    }

    // MARK: Checks

    /// Two domains in folders that only letter case or Unicode form tells apart would share mailboxes on file systems
    /// that see no difference; an account whose mailbox is another domain's folder would hold its mailboxes.
    private static func folderWarnings(
        _ record: DomainRecord, _ connection: Connection, _ reader: StoreReader
    ) throws -> [Problem] {
        guard record.mailboxMode == .separate, !record.folder.isEmpty else { return [] }
        let path = "domain/\(record.name)/folder"
        let folded = Folding.text(record.folder)
        let others = try reader.domains().filter { $0.name != record.name }
        var warnings: [Problem] = []
        for other in others where other.mailboxMode == .separate && Folding.text(other.folder) == folded {
            guard other.folder.utf8.elementsEqual(record.folder.utf8) else {
                throw refused(
                    path, "domain.folder-alike",
                    "the folder \(other.folder) of \(other.name) differs only in letter case or Unicode form",
                    other.folder,
                    other.name)
            }
            warnings.append(
                Problem(
                    path: path, code: "domain.folder-shared",
                    message: "\(other.name) has the same folder: accounts of the same name share a mailbox",
                    arguments: [other.name], isWarning: true))
        }
        let common = Set(others.filter { $0.mailboxMode == .common || $0.folder.isEmpty }.map(\.name))
        let clash = try connection.rows("SELECT domain FROM accounts WHERE folded=?", .text(folded)) { $0.text(0) }
            .first(where: common.contains)
        if let clash {
            throw refused(
                path, "domain.folder-is-mailbox", "\(record.folder) is the mailbox of \(folded)@\(clash)",
                record.folder,
                "\(folded)@\(clash)")
        }
        return warnings
    }

    /// The other side of `folderWarnings`: an account without a folder of its domain before it.
    static func checkName(
        _ account: MailAddress, of domain: DomainRecord, among domains: some Sequence<DomainRecord>
    ) throws(ControlError) {
        guard domain.mailboxMode == .common || domain.folder.isEmpty else { return }
        let folded = account.folded.localPart
        let owner = domains.first { $0.mailboxMode == .separate && Folding.text($0.folder) == folded }
        guard let owner else { return }
        throw refused(
            "account/\(account.text)", "account.name-is-folder",
            "the mailbox of \(account.text) would be the folder of \(owner.name)", account.text, owner.name)
    }

    /// - Returns: `nil`: as it is; empty: none any more. Takes some 40 ms.
    private static func operationHash(_ password: String?, _ domain: String) throws(ControlError) -> String? {
        guard let password, password != hiddenSecret else { return nil }
        return password.isEmpty ? "" : try hash(password, path: "domain/\(domain)/operationPassword")
    }

    /// Lower case, A-labels only (R-DOM-31).
    static func checkedDomainName(_ name: String) throws(ControlError) -> String {
        let folded = name.lowercased()
        guard MailAddress.isPlainDomain(folded), IPAddress(folded) == nil else {
            throw refused("domain/\(name)", "domain.bad-name", "\"\(name)\" is not a domain name", name)
        }
        guard folded.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw refused(
                "domain/\(name)", "domain.not-ascii",
                "write \"\(name)\" in its ASCII form, with labels that begin with xn-- (R-DOM-31)", name)
        }
        return folded
    }

    static func merged(
        _ record: DomainRecord, _ values: DomainValues
    ) throws(ControlError) -> (DomainRecord, [Problem]) {
        var new = record
        var problems: [Problem] = []
        func fault(_ field: String, _ code: String, _ message: String, _ arguments: String...) {
            problems.append(
                Problem(path: "domain/\(record.name)/\(field)", code: code, message: message, arguments: arguments))
        }
        if let limit = values.maxAccounts {
            if (0...10_000_000).contains(limit) {
                new.maxAccounts = limit
            } else {
                fault("maxAccounts", "domain.bad-limit", "the number of accounts must be 0 to 10,000,000")
            }
        }
        if let mode = values.mailboxMode {
            if let known = MailboxMode(rawValue: mode) {
                new.mailboxMode = known
            } else {
                fault("mailboxMode", "domain.bad-mode", "\"\(mode)\" is not common or separate", mode)
            }
        }
        if let texts = values.smtpAddresses {
            let addresses = texts.map { IPAddress($0) }
            if let bad = zip(texts, addresses).first(where: { $0.1 == nil })?.0 {
                fault("smtpAddresses", "domain.bad-address", "\"\(bad)\" is not an IP address", bad)
            }
            new.smtpAddresses = addresses.compactMap { $0 }
        }
        if let folder = values.folder {
            if folder.isEmpty || isFolderName(folder) {
                new.folder = folder
            } else {
                fault(
                    "folder", "domain.bad-folder",
                    "\"\(folder)\" is not a folder name: no /, no .., no control characters (R-DOM-31)", folder)
            }
        }
        if !problems.isEmpty { throw refused(problems) }
        var warnings: [Problem] = []
        if new.mailboxMode == .separate, new.folder.isEmpty {
            warnings.append(
                Problem(
                    path: "domain/\(record.name)/folder", code: "domain.no-folder",
                    message: "without a folder name the mailboxes of \(record.name) are those of the common folder",
                    arguments: [record.name], isWarning: true))
        }
        return (new, warnings)
    }

    private static func isFolderName(_ name: String) -> Bool {
        MailboxPlace.isPlainName(name) && !name.contains("..")
            && !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}

extension DomainRecord {
    package func entry(accounts: Int) -> DomainEntry {
        DomainEntry(
            name: name, maxAccounts: maxAccounts, mailboxMode: mailboxMode.rawValue,
            smtpAddresses: smtpAddresses.map(\.description), folder: folder, accounts: accounts,
            revision: Int(revision),
            isProtected: !operationHash.isEmpty)
    }
}
