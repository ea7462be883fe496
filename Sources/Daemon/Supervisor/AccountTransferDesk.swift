import Control
import ControlServer
import MailModel
import Settings
import Store
import Tables

/// Import, synchronisation and export of accounts (R-ACC-46 to 50): the text form here, the changes in the store.
struct AccountTransferDesk: Sendable {
    let desk: Desk
    let sessions = TransferSessions()

    init(desk: Desk) { self.desk = desk }

    func register(on server: ControlServer) {
        registerTransfer(on: server)
        let desk = desk
        server.on(DirectoryInterface.ExportAccounts.self) { input, caller throws(ControlError) in
            try desk.gate.need([input.domain], caller)
            let (accounts, total) = try await desk.offload.run { () throws(ControlError) in
                try desk.store.exportAccounts(of: input.domain, offset: input.offset, limit: input.limit)
            }
            return .init(text: AccountTSV.write(accounts.map(Self.row)), count: accounts.count, total: total)
        }
    }

    private func registerTransfer(on server: ControlServer) {
        let (desk, sessions) = (desk, sessions)
        server.on(DirectoryInterface.BeginTransfer.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            if let domain = input.domain { try desk.gate.need([domain], caller) }
            // As with single ones (R-ACC-34): passwords and names that stand here would count for nothing.
            guard try desk.store.snapshot()[AccountSettings.backend] == .soft else {
                throw ControlError(
                    .refused, code: "account.import-elsewhere",
                    "Accounts are kept elsewhere: nothing can be imported here.")
            }
            return .init(
                transfer: try sessions.begin(caller, try Self.options(input), domain: input.domain?.lowercased()))
        }
        server.on(DirectoryInterface.SendAccounts.self) { input, caller throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in
                var state = try sessions.take(input.transfer, caller)
                defer { sessions.put(state, input.transfer) }
                try Self.take(input, &state, desk.store)
                return .init(accounts: state.rows.count, faults: state.faults)
            }
        }
        server.on(DirectoryInterface.FinishTransfer.self) { input, caller throws(ControlError) in
            let (report, applied) = try await desk.offload.run { () throws(ControlError) in
                var state = try sessions.take(input.transfer, caller)
                defer { sessions.put(state, input.transfer) }
                return try Self.finish(input, &state, desk, caller)
            }
            if let applied {
                desk.hashes.wake()
                _ = await desk.inForce(applied, by: caller)
            }
            return report
        }
        server.on(DirectoryInterface.ListTransfer.self) { input, caller throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in
                let state = try sessions.take(input.transfer, caller)
                defer { sessions.put(state, input.transfer) }
                let action = try input.action.map { word throws(ControlError) in
                    try Self.word(word, of: TransferPlan.Action.self)
                }
                let (rows, total) = state.plan?.rows(action, offset: input.offset, limit: input.limit) ?? ([], 0)
                return .init(rows: rows, total: total)
            }
        }
        server.on(DirectoryInterface.EndTransfer.self) { input, caller throws(ControlError) in
            sessions.end(input.transfer, caller)
            return Nothing()
        }
    }

    private static func word<Choice: RawRepresentable & CaseIterable>(
        _ text: String, of: Choice.Type
    ) throws(ControlError) -> Choice where Choice.RawValue == String {
        if let choice = Choice(rawValue: text) { return choice }
        let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ControlError(
            .refused, code: "account.bad-transfer", "\"\(text)\" is none of: \(all)", arguments: [text, all])
    }

    private static func options(
        _ input: DirectoryInterface.BeginTransfer.Input
    ) throws(ControlError) -> TransferOptions {
        enum Kind: String, CaseIterable { case `import`, synchronize }
        return TransferOptions(
            synchronizes: try word(input.kind, of: Kind.self) == .synchronize,
            passwords: try word(input.passwords ?? "compare", of: TransferOptions.Passwords.self),
            absent: try word(input.absent ?? "disable", of: TransferOptions.Absent.self),
            enables: input.enable ?? false)
    }

    // MARK: Lines

    /// Reads and hashes the lines of one call. Nothing of a call is taken when it fails.
    private static func take(
        _ input: DirectoryInterface.SendAccounts.Input, _ state: inout TransferSessions.State, _ store: StoreWriter
    ) throws(ControlError) {
        let text = TableText(input.text)
        let limit = DirectoryInterface.SendAccounts.maximumLines
        guard text.lines.count <= limit else {
            throw ControlError(
                .refused, code: "account.import-too-long", "An import call takes at most \(limit) lines.",
                arguments: [String(limit)])
        }
        guard state.lines + text.lines.count <= TransferSessions.lineLimit else {
            throw ControlError(
                .refused, code: "account.transfer-too-long",
                "A transfer takes at most \(TransferSessions.lineLimit) lines.",
                arguments: [String(TransferSessions.lineLimit)])
        }
        let (lines, faults) = Self.lines(
            of: text, first: input.firstLine, domain: state.domain, options: state.options)
        var complete = state.complete
        let (rows, more) = try store.hashed(lines, state.options, complete: &complete)
        let problems = faults + more
        state.complete = complete
        state.lines += text.lines.count
        state.rows += rows
        state.faults += problems.count { !$0.isWarning }
        state.problems += problems.prefix(max(0, TransferSessions.toldProblems - state.problems.count))
        (state.plan, state.isDone) = (nil, false)
    }

    /// The good lines, and what is wrong with the others.
    static func lines(
        of text: TableText, first: Int, domain: String?, options: TransferOptions
    ) -> (lines: [AccountLine], problems: [Problem]) {
        let before = max(0, min(first, .max - 10_000) - 1)
        let reading = AccountTSV.read(text, needsPassword: !options.synchronizes)
        var problems: [Problem] = []
        var told: Set<Int> = []
        // One problem a line: the first says where to look.
        for problem in reading.problems where problem.isWarning || told.insert(problem.line).inserted {
            problems.append(
                Problem(
                    path: "line/\(before + problem.line)/column/\(problem.column ?? 1)", code: problem.code,
                    message: problem.message, arguments: problem.arguments, isWarning: problem.isWarning))
        }
        var lines: [AccountLine] = []
        for row in reading.value {
            guard let address = MailAddress(typed: "\(row.account)@\(domain ?? row.domain)") else {
                problems.append(
                    Problem(
                        path: "line/\(before + row.line)/column/4", code: "account.import-no-domain",
                        message: "The line names no domain, and none was given for the import."))
                continue
            }
            lines.append(
                AccountLine(
                    line: before + row.line, address: address, password: row.password,
                    values: AccountValues(
                        fullName: row.fullName, home: row.home, mailboxLimit: Int(clamping: row.mailboxLimit),
                        smtpAuth: row.usesSMTPAuth)))
        }
        return (lines, problems)
    }

    // MARK: End

    private static func finish(
        _ input: DirectoryInterface.FinishTransfer.Input, _ state: inout TransferSessions.State, _ desk: Desk,
        _ caller: Caller
    ) throws(ControlError) -> (TransferReport, Applied?) {
        guard !state.isDone else {
            throw ControlError(.refused, code: "account.transfer-done", "this transfer was carried out already")
        }
        if state.options.synchronizes, state.rows.isEmpty {
            throw ControlError(
                .refused, code: "account.nothing-to-synchronize", "the file names no account; nothing was changed",
                problems: state.problems)
        }
        // Faults that were counted but not kept stop a strict transfer too.
        if !input.dryRun, input.strict || state.options.synchronizes, state.faults > 0 {
            throw ControlError(
                .refused, code: "account.faulty-lines",
                "\(state.faults) lines are faulty; nothing was changed", arguments: [String(state.faults)],
                problems: state.problems.filter { !$0.isWarning })
        }
        var (plan, revision, applied) = try desk.store.transfer(
            state.rows, problems: state.problems, state.options, isStrict: input.strict, base: input.baseRevision,
            dryRun: input.dryRun, note: input.note, by: Desk.author(caller)
        ) { domains throws(ControlError) in try desk.gate.need(domains, caller) }
        state.plan = plan
        state.isDone = !input.dryRun
        let problems = (state.problems + plan.problems).sorted { line(of: $0) < line(of: $1) }
        let report = TransferReport(
            revision: revision, added: plan.counts[.added] ?? 0, changed: plan.counts[.changed] ?? 0,
            disabled: plan.counts[.disabled] ?? 0, removed: plan.counts[.removed] ?? 0,
            kept: plan.counts[.kept] ?? 0, faults: state.faults + plan.faults,
            problems: Array(problems.prefix(TransferSessions.toldProblems)))
        // Watchers are told that much has changed, not a hundred thousand lines of it.
        if let changes = applied?.changes, changes.count > toldChanges {
            applied?.changes = [ChangeRecord(path: "account", old: nil, new: nil)]
            applied?.effects = ["now"]
        }
        return (report, applied)
    }

    private static let toldChanges = 200

    private static func row(of account: AccountRecord) -> AccountTSV.Row {
        AccountTSV.Row(
            account: account.account, password: "{SCRYPT}" + account.passwordHash, fullName: account.fullName,
            domain: account.domain, home: account.home, usesSMTPAuth: account.usesAuthentication,
            mailboxLimit: Int64(account.mailboxLimit))
    }

    private static func line(of problem: Problem) -> Int {
        let parts = problem.path.split(separator: "/")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }
}
