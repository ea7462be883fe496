import Control
import Database
import MailModel
import Settings
import Synchronization

/// Windows of account lists, for people: any filter, sort and position among 100,000 accounts. Reads with a connection
/// of its own, so that lists never wait for changes. The order of the last list asked for is kept until something is
/// changed, so that scrolling costs a look-up by row each.
package final class AccountBrowser: @unchecked Sendable {
    // Sendable by hand: connection and kept order are used inside `lock` only.
    package typealias Usage = @Sendable (MailboxPlace) -> (octets: Int, messages: Int)?

    private struct Order: Equatable {
        var domain: String
        var filter: String
        var sort: String
        var descending: Bool
    }
    private let lock = Mutex<Void>(())
    private let connection: Connection
    let reader: StoreReader
    let usage: Usage
    /// `data_version` at the last look, and the revision that `domains`, `settings` and `order` belong to.
    private var version: Int64 = -1
    private var revision: Int64 = -1
    private var domains: [String: DomainRecord] = [:]
    private var operationLocks: [String: String] = [:]
    private var settings: SettingsSnapshot
    private var order: Order?
    private var rows: [Int64] = []

    /// - Parameter usage: what a mailbox holds; `nil` when that is not known.
    package init(layout: Layout, usage: @escaping Usage) throws(DatabaseError) {
        connection = try Connection(path: layout.store, mode: .readOnly)
        reader = StoreReader(connection: connection, layout: layout)
        settings = SettingsSnapshot(layout: layout)
        self.usage = usage
    }

    /// org.epost.Directory.ListAccounts
    package func list(_ input: DirectoryInterface.ListAccounts.Input) throws(ControlError)
        -> DirectoryInterface
        .ListAccounts.Output
    {
        try locked {
            let domain = try knownDomain(input.domain)
            let wanted = Order(
                domain: domain.name, filter: (input.filter ?? "").lowercased(), sort: input.sort ?? "account",
                descending: input.descending ?? false)
            try prepare(wanted, domain)
            let offset = min(max(input.offset, 0), rows.count)
            let ids = rows[offset..<min(rows.count, offset + min(max(input.limit, 1), 1000))]
            let pattern = settings[ServerSettings.mailboxFolder]
            let usage: Usage = input.usage == false ? { @Sendable _ in nil } : self.usage
            var entries: [AccountEntry] = []
            for id in ids {
                let found = try connection.first(
                    "SELECT \(Schema.accountColumns) FROM accounts WHERE id=?", .integer(id), read: StoreReader.account)
                if let found { entries.append(entry(found, domain, pattern, usage)) }
            }
            return .init(
                rows: entries, total: rows.count, offset: offset, position: try position(of: input.locate, domain))
        }
    }

    /// org.epost.Directory.GetAccount
    /// - Parameter usage: whether to look at the mailbox.
    package func get(_ address: String, usage: Bool = true) throws(ControlError) -> AccountEntry {
        try locked {
            guard let parsed = MailAddress(typed: address), let found = try reader.account(parsed.folded) else {
                throw StoreWriter.notFound(address, "account.unknown", "there is no account \(address)", address)
            }
            return entry(
                found, domains[found.domain], settings[ServerSettings.mailboxFolder], usage ? self.usage : { _ in nil })
        }
    }

    /// Where mailboxes lie and how much they may hold; unknown accounts are left out.
    package func mailboxes(
        of accounts: [String], in domain: String
    ) throws(ControlError) -> [(account: String, place: MailboxPlace, limit: Int)] {
        try locked {
            let known = try knownDomain(domain)
            return try accounts.compactMap { name in
                guard let parsed = MailAddress(typed: "\(name)@\(known.name)"),
                    let found = try reader.account(parsed.folded),
                    let place = try? MailboxPlace(
                        pattern: settings[ServerSettings.mailboxFolder], account: found, domain: known)
                else { return nil }
                let own = found.mailboxLimit
                return (found.account, place, own > 0 ? own : settings[ReceiverSettings.mailboxQuota])
            }
        }
    }

    /// Hashes of operation passwords by domain, protected ones only, and that of the system management password.
    package func operationHashes() throws(ControlError) -> (domains: [String: String], system: String) {
        try locked { (operationLocks, settings[AdminSettings.passwordHash]) }
    }

    func locked<Value: Sendable>(_ body: () throws -> Value) throws(ControlError) -> Value {
        let answer: Result<Value, ControlError> = lock.withLock { _ in
            do {
                try refresh()
                return .success(try body())
            } catch let error as ControlError {
                return .failure(error)
            } catch let error as DatabaseError {
                return .failure(StoreWriter.failed(error))
            } catch {
                return .failure(ControlError(.failed, code: "store.failed", "\(error)"))
            }
        }
        return try answer.get()
    }

    /// What changes without a revision (hashes made whole, log-ins) changes no order.
    private func refresh() throws(DatabaseError) {
        let current = try connection.first("PRAGMA data_version") { $0.integer(0) } ?? 0
        guard current != version else { return }
        let newest = try reader.revision()
        if newest != revision {
            domains = Dictionary(try reader.domains().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            settings = try reader.snapshot()
            operationLocks = domains.mapValues(\.operationHash).filter { !$0.value.isEmpty }
            order = nil
        }
        (version, revision) = (current, newest)
    }

    func knownDomain(_ name: String) throws -> DomainRecord {
        let folded = name.lowercased()
        guard let domain = domains[folded] else {
            throw StoreWriter.notFound(folded, "domain.unknown", "\(name) is not operated here", name)
        }
        return domain
    }

    /// Fills `rows` with the row ids in the order asked for, unless they are there.
    private func prepare(_ wanted: Order, _ domain: DomainRecord) throws {
        // What is in use changes without the store: that order is made anew for each list.
        if order == wanted, wanted.sort != "used" { return }
        let direction = wanted.descending ? "DESC" : "ASC"
        let sort: String
        switch wanted.sort {
        case "account", "used": sort = "folded \(direction)"
        case "fullName": sort = "folded_name \(direction), folded \(direction)"
        case "limit": sort = "mailbox_limit \(direction), folded \(direction)"
        default:
            throw StoreWriter.refused(
                "sort", "account.bad-sort", "\"\(wanted.sort)\" is not account, fullName, limit or used", wanted.sort)
        }
        if wanted.filter.isEmpty {
            rows = try connection.rows(
                "SELECT id FROM accounts WHERE domain=? ORDER BY \(sort)", .text(wanted.domain)
            ) { $0.integer(0) }
        } else {
            rows = try connection.rows(
                """
                SELECT id FROM accounts WHERE domain=?1 AND (instr(folded, ?2) > 0 OR instr(folded_name, ?2) > 0)
                ORDER BY \(sort)
                """, .text(wanted.domain), .text(wanted.filter)
            ) { $0.integer(0) }
        }
        if wanted.sort == "used" { try sortByUsage(domain, wanted.descending) }
        order = wanted
    }

    private func sortByUsage(_ domain: DomainRecord, _ descending: Bool) throws {
        let pattern = settings[ServerSettings.mailboxFolder]
        var used: [(row: Int64, octets: Int)] = []
        for row in rows {
            let found = try connection.first(
                "SELECT \(Schema.accountColumns) FROM accounts WHERE id=?", .integer(row), read: StoreReader.account)
            guard let found else { continue }
            let place = try? MailboxPlace(pattern: pattern, account: found, domain: domain)
            used.append((row, place.flatMap(usage)?.octets ?? 0))
        }
        // A stable order for equal sizes: by account, as they came.
        rows = used.enumerated().sorted { one, other in
            let (a, b) = (one.element.octets, other.element.octets)
            return a == b ? one.offset < other.offset : descending ? a > b : a < b
        }.map(\.element.row)
    }

    private func position(of account: String?, _ domain: DomainRecord) throws -> Int? {
        guard let account else { return nil }
        let local = account.lastIndex(of: "@").map { String(account[..<$0]) } ?? account
        let id = try connection.first(
            "SELECT id FROM accounts WHERE domain=? AND folded=?", .text(domain.name), .text(local.lowercased())
        ) { $0.integer(0) }
        return id.flatMap { rows.firstIndex(of: $0) }
    }

    func entry(
        _ record: AccountRecord, _ domain: DomainRecord?, _ pattern: String, _ usage: Usage
    ) -> AccountEntry {
        let place = try? MailboxPlace(pattern: pattern, account: record, domain: domain)
        let used = place.flatMap(usage)
        return AccountEntry(
            account: record.account, domain: record.domain, fullName: record.fullName, home: record.home,
            mailboxLimit: record.mailboxLimit, smtpAuth: record.usesAuthentication, isEnabled: record.isEnabled,
            usedOctets: used?.octets, usedMessages: used?.messages, mailboxPath: place?.path ?? "",
            revision: Int(record.revision))
    }
}
