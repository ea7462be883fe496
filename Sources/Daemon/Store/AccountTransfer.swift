import Control
import Database
import MailModel
import Settings

/// One line of an import (R-ACC-47).
package struct AccountImport: Sendable {
    /// From 1.
    package var line: Int
    package var address: MailAddress
    /// The password in clear, or `{SCRYPT}` and its hash.
    package var values: AccountValues

    package init(line: Int, address: MailAddress, values: AccountValues) {
        self.line = line
        self.address = address
        self.values = values
    }
}

/// What an import did.
package struct AccountImportReport: Sendable {
    package var applied: Applied
    package var added: Int
    package var updated: Int
    /// One for each line that gave no account; paths are `line/12`.
    package var problems: [Problem]
    package var skipped: Int { problems.count }
}

extension StoreWriter {
    /// org.epost.Directory.ImportAccounts: existing accounts are changed, new ones added up to the domain's limit, faulty
    /// lines skipped; the rest is one revision (R-ACC-49).
    package func importAccounts(
        _ rows: [AccountImport], note: String, by author: Author
    ) throws(ControlError) -> AccountImportReport {
        var problems: [Problem] = []
        var hashed: [(row: AccountImport, hash: String?)] = []
        for row in rows {
            // Hashing takes a while: outside the lock.
            do throws(ControlError) {
                hashed.append((row, try Self.hash(row.values.password, row.address.text)))
            } catch {
                problems.append(Self.problem(error, line: row.line))
            }
        }
        let ready = hashed
        var report = try locked { connection, reader in
            var plan = ImportPlan(domains: try reader.domains())
            for (row, hash) in ready {
                do {
                    try plan.add(row, hash, connection, reader)
                } catch let error as ControlError {
                    plan.problems.append(Self.problem(error, line: row.line))
                }
            }
            let (revision, records) = try change(author, note: note, connection) { editor in
                for step in plan.steps { try editor.put(step.old, step.new) }
            }
            return AccountImportReport(
                applied: Self.applied(revision, records, []), added: plan.added, updated: plan.updated,
                problems: plan.problems)
        }
        report.problems += problems
        return report
    }

    private static func problem(_ error: ControlError, line: Int) -> Problem {
        var first =
            error.detail.problems?.first
            ?? Problem(
                path: "", code: error.detail.code, message: error.detail.message,
                arguments: error.detail.arguments ?? [])
        first.path = "line/\(line)"
        return first
    }

    /// org.epost.Directory.ExportAccounts: accounts of a domain by name, hashes included.
    package func exportAccounts(
        of domain: String, offset: Int, limit: Int
    ) throws(ControlError) -> (accounts: [AccountRecord], total: Int) {
        try locked { connection, reader in
            let name = domain.lowercased()
            guard try reader.domains().contains(where: { $0.name == name }) else {
                throw Self.notFound("domain/\(name)", "domain.unknown", "\(domain) is not operated here", domain)
            }
            let total = try connection.first("SELECT count(*) FROM accounts WHERE domain=?", .text(name)) { $0.int(0) }
            let accounts = try connection.rows(
                "SELECT \(Schema.accountColumns) FROM accounts WHERE domain=? ORDER BY folded LIMIT ? OFFSET ?",
                .text(name), DatabaseValue(min(max(limit, 1), 1000)), DatabaseValue(max(offset, 0)),
                read: StoreReader.account)
            return (accounts, total ?? 0)
        }
    }
}

/// The changes of an import, found before the first is made.
private struct ImportPlan {
    struct Step {
        var old: AccountRecord?
        var new: AccountRecord
    }
    let domains: [DomainRecord]
    var steps: [Step] = []
    var problems: [Problem] = []
    var added = 0
    var updated = 0
    private var counts: [String: Int] = [:]
    /// Which step holds an address already: a later line of the same account changes it.
    private var places: [MailAddress: Int] = [:]

    init(domains: [DomainRecord]) { self.domains = domains }

    mutating func add(
        _ row: AccountImport, _ hash: String?, _ connection: Connection, _ reader: StoreReader
    ) throws {
        let address = try StoreWriter.checkedAddress(row.address.text)
        guard let domain = domains.first(where: { $0.name == address.domain }) else {
            throw StoreWriter.refused(
                "", "account.foreign-domain", "\(address.domain) is not operated here", address.domain)
        }
        if let place = places[address.folded] {
            steps[place].new = try StoreWriter.merged(steps[place].new, row.values, hash)
            return
        }
        if let old = try reader.account(address.folded) {
            let new = try StoreWriter.merged(old, row.values, hash)
            updated += 1
            if new != old { append(Step(old: old, new: new), address) }
            return
        }
        guard let hash else { throw StoreWriter.refused("", "account.no-password", "a password is needed") }
        let count = try counts[domain.name] ?? Self.count(domain.name, connection)
        if domain.maxAccounts > 0, count >= domain.maxAccounts {
            throw StoreWriter.refused(
                "", "account.limit-reached",
                "\(domain.name) may have \(domain.maxAccounts) accounts, and has them (R-DOM-25)", domain.name,
                String(domain.maxAccounts))
        }
        let fresh = AccountRecord(account: address.localPart, domain: domain.name)
        append(Step(old: nil, new: try StoreWriter.merged(fresh, row.values, hash)), address)
        counts[domain.name] = count + 1
        added += 1
    }

    private mutating func append(_ step: Step, _ address: MailAddress) {
        places[address.folded] = steps.count
        steps.append(step)
    }

    private static func count(_ domain: String, _ connection: Connection) throws -> Int {
        try connection.first("SELECT count(*) FROM accounts WHERE domain=?", .text(domain)) { $0.int(0) } ?? 0
    }
}
