import Control
import Crypto
import Database
import MailModel
import Settings
import Threads

/// One line as it was read, its password still in clear or as `{SCRYPT}` and a hash.
package struct AccountLine: Sendable {
    /// From 1.
    package var line: Int
    package var address: MailAddress
    package var password: String
    package var values: AccountValues

    package init(line: Int, address: MailAddress, password: String, values: AccountValues) {
        self.line = line
        self.address = address
        self.password = password
        self.values = values
    }
}

extension StoreWriter {
    /// Hashes the passwords of some lines, on all cores.
    /// - Parameter complete: so many clear passwords get the whole hash at once, 40 ms each; counted down. The others
    ///   get its first step, which `completeHashes` makes whole: 100,000 of them cannot wait an hour.
    package func hashed(
        _ lines: [AccountLine], _ options: TransferOptions, complete: inout Int
    ) throws(ControlError) -> (rows: [AccountImport], problems: [Problem]) {
        let known: [AccountRecord?] =
            options.synchronizes
            ? try locked { _, reader in try lines.map { try reader.account($0.address.folded) } }
            : [AccountRecord?](repeating: nil, count: lines.count)
        var jobs: [(line: AccountLine, known: AccountRecord?, isWhole: Bool)] = []
        for (line, known) in zip(lines, known) {
            let isClear = !line.password.isEmpty && !line.password.hasPrefix("{SCRYPT}")
            jobs.append((line, known, complete > 0))
            if isClear, complete > 0 { complete -= 1 }
        }
        let results = Parallel.map(jobs) { job -> Result<AccountImport, ControlError> in
            Result { () throws(ControlError) in
                AccountImport(
                    line: job.line.line, address: job.line.address, values: job.line.values,
                    hash: try Self.newHash(job.line, job.known, options, isWhole: job.isWhole))
            }
        }
        var rows: [AccountImport] = []
        var problems: [Problem] = []
        for (line, result) in zip(lines, results) {
            switch result {
            case .success(let row): rows.append(row)
            case .failure(let error): problems.append(TransferPlan.problem(error, line: line.line))
            }
        }
        return (rows, problems)
    }

    /// - Returns: `nil` when the account keeps its own.
    private static func newHash(
        _ line: AccountLine, _ known: AccountRecord?, _ options: TransferOptions, isWhole: Bool
    ) throws(ControlError) -> String? {
        let (password, path) = (line.password, "/password")
        // `*****` is what the original writes for a password that it does not know.
        if options.synchronizes, known != nil, password.isEmpty || password == "*****" { return nil }
        if password.hasPrefix("{SCRYPT}") { return try hash(password, path: path) }
        if password.first == "{", let end = password.firstIndex(of: "}"),
            end != password.index(after: password.startIndex),
            password[..<end].dropFirst().allSatisfy({
                $0.isASCII && ($0.isUppercase || $0.isNumber || "-.".contains($0))
            })
        {
            throw refused(
                path, "account.unknown-scheme", "\(password[...end]) is not a password scheme that is known here",
                String(password[...end]))
        }
        if password.isEmpty { throw refused(path, "account.no-password", "a password is needed") }
        try checkClear(password, path)
        let prepared = SASLprep.prepare(password) ?? password
        if let known {
            switch options.passwords {
            case .keep: return nil
            case .set: break
            case .compare:
                if PasswordHash(text: known.passwordHash)?.matches(Array(prepared.utf8)) == true { return nil }
            }
        }
        let made = isWhole ? PasswordHash(password: prepared) : PasswordHash(firstStepOf: prepared)
        guard let made else {
            throw ControlError(.failed, code: "store.no-hash", "the password cannot be hashed: no entropy or memory")
        }
        return made.text
    }

    /// Carries a transfer out, all of it or nothing, as one revision; or only plans it.
    /// - Parameters:
    ///   - problems: what is wrong with lines that gave no row.
    ///   - isStrict: one faulty line stops everything.
    ///   - base: refused when a domain of the file, or an account in it, changed after this revision.
    ///   - mayTouch: called with the domains that are concerned, before anything is told or done.
    package func transfer(
        _ rows: [AccountImport], problems: [Problem], _ options: TransferOptions, isStrict: Bool, base: Int?,
        dryRun: Bool, note: String, by author: Author,
        mayTouch: (Set<String>) throws(ControlError) -> Void = { _ throws(ControlError) in }
    ) throws(ControlError) -> (plan: TransferPlan, revision: Int, applied: Applied?) {
        try locked { connection, reader in
            var plan = TransferPlan(options)
            try plan.build(rows, connection, reader)
            try mayTouch(plan.touched)
            if let base { try Self.checkUnchanged(plan.touched, since: Int64(base), connection) }
            let faults = (problems + plan.problems).filter { !$0.isWarning }
            if isStrict || options.synchronizes, !faults.isEmpty, !dryRun {
                throw ControlError(
                    .refused, code: "account.faulty-lines",
                    "\(faults.count) lines are faulty; nothing was changed", arguments: [String(faults.count)],
                    problems: Array(faults.prefix(1000)))
            }
            if dryRun { return (plan, Int(try reader.revision()), nil) }
            let (revision, records) = try change(author, note: note, connection) { editor in
                for entry in plan.entries where entry.action != .kept {
                    try editor.put(entry.old, entry.new)
                    if let old = entry.old, entry.new?.passwordHash != old.passwordHash {
                        try editor.put([], of: old.address)
                    }
                }
            }
            return (plan, Int(revision), Self.applied(revision, records, []))
        }
    }

    private static func checkUnchanged(
        _ domains: Set<String>, since base: Int64, _ connection: Connection
    ) throws {
        let paths = try connection.rows(
            "SELECT DISTINCT path, revision FROM changes WHERE revision > ? AND (path GLOB 'account/*' OR path GLOB 'domain/*')",
            .integer(base)
        ) { ($0.text(0), $0.integer(1)) }
        let found = paths.first { path, _ in
            domains.contains { path == "domain/\($0)" || path.hasSuffix("@\($0)") }
        }
        if let found { throw conflict([conflictProblem(found.0, found.1)]) }
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
