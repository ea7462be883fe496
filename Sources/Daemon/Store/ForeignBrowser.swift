import Control
import DirectoryWire
import MailModel
import Settings

/// Lists of accounts of the system or of a directory, with what we keep about them ourselves (R-ACC-34).
extension AccountBrowser {
    /// As `list`, of accounts that were read elsewhere.
    package func list(
        _ accounts: [DirectoryAccount], _ input: DirectoryInterface.ListAccounts.Input
    ) throws(ControlError) -> DirectoryInterface.ListAccounts.Output {
        try locked {
            let domain = try knownDomain(input.domain)
            let pattern = try reader.snapshot()[ServerSettings.mailboxFolder]
            let usage: Usage = input.usage == false ? { @Sendable _ in nil } : self.usage
            let filter = (input.filter ?? "").lowercased()
            let found = accounts.filter {
                filter.isEmpty || $0.name.contains(filter) || $0.fullName.lowercased().contains(filter)
            }
            func record(_ account: DirectoryAccount) throws -> AccountRecord {
                let own = try reader.account(MailAddress(localPart: account.name, domain: domain.name))
                return AccountRecord(account, domain: domain.name, own: own)
            }
            var sorted: [DirectoryAccount]
            switch input.sort ?? "account" {
            case "account": sorted = found.sorted { $0.name < $1.name }
            case "fullName":
                sorted = found.sorted { ($0.fullName.lowercased(), $0.name) < ($1.fullName.lowercased(), $1.name) }
            case "limit":
                let limits = try found.map { (account: $0, limit: try record($0).mailboxLimit) }
                sorted = limits.sorted { ($0.limit, $0.account.name) < ($1.limit, $1.account.name) }.map(\.account)
            case "used":
                let used = found.map { account in
                    let place = (try? record(account)).flatMap {
                        try? MailboxPlace(pattern: pattern, account: $0, domain: domain)
                    }
                    return (account: account, octets: place.flatMap(self.usage)?.octets ?? 0)
                }
                sorted = used.sorted { ($0.octets, $0.account.name) < ($1.octets, $1.account.name) }.map(\.account)
            default:
                throw StoreWriter.refused(
                    "sort", "account.bad-sort", "\"\(input.sort ?? "")\" is not account, fullName, limit or used",
                    input.sort ?? "")
            }
            if input.descending == true { sorted.reverse() }
            let offset = min(max(input.offset, 0), sorted.count)
            let window = sorted[offset..<min(sorted.count, offset + min(max(input.limit, 1), 1000))]
            let wanted = input.locate.map { $0.prefix { $0 != "@" }.lowercased() }
            return .init(
                rows: try window.map { entry(try record($0), domain, pattern, usage) }, total: sorted.count,
                offset: offset, position: wanted.flatMap { name in sorted.firstIndex { $0.name == name } })
        }
    }

    /// As `get`, of an account that was read elsewhere.
    package func entry(of record: AccountRecord) throws(ControlError) -> AccountEntry {
        try locked {
            let domain = try reader.domains().first { $0.name == record.domain }
            return entry(record, domain, try reader.snapshot()[ServerSettings.mailboxFolder], usage)
        }
    }
}

extension StoreWriter {
    /// Changes what is ours about an account of the system or of a directory: its limit, and that it is switched off.
    package func changeForeignAccount(
        _ address: MailAddress, _ values: AccountValues, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        let path = "account/\(address.text)"
        guard values.password == nil, values.fullName == nil, values.home == nil, values.smtpAuth == nil else {
            throw Self.elsewhere(path)
        }
        return try locked { connection, reader in
            let fresh = try Self.checkedAddress(address.text)
            let old = try reader.account(fresh.folded)
            let new = try Self.merged(
                old ?? AccountRecord(account: fresh.localPart.lowercased(), domain: fresh.domain), values, nil)
            guard new != old else { return Self.applied(try reader.revision(), [], []) }
            let (revision, records) = try change(author, note: note, connection) { try $0.put(old, new) }
            return Self.applied(revision, records, [])
        }
    }

    /// R-ACC-34
    package static func elsewhere(_ path: String) -> ControlError {
        refused(
            path, "account.elsewhere",
            "accounts are the system's or a directory's: there they are added and removed, and get names and passwords")
    }
}
