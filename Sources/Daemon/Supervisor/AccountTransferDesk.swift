import Control
import ControlServer
import MailModel
import Store
import Tables

/// Import and export of accounts (R-ACC-46 to 50): the text form here, the changes in the store.
struct AccountTransferDesk: Sendable {
    let desk: Desk

    func register(on server: ControlServer) {
        let desk = desk
        server.on(DirectoryInterface.ImportAccounts.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            let (rows, problems) = try Self.rows(of: input)
            let report = try await desk.offload.run { () throws(ControlError) in
                try desk.store.importAccounts(rows, note: input.note, by: Desk.author(caller))
            }
            _ = await desk.inForce(report.applied, by: caller)
            let all = problems + report.problems
            return .init(
                revision: report.applied.revision, added: report.added, updated: report.updated,
                skipped: all.filter { !$0.isWarning }.count,
                problems: all.sorted { Self.line(of: $0) < Self.line(of: $1) })
        }
        server.on(DirectoryInterface.ExportAccounts.self) { input, _ throws(ControlError) in
            let (accounts, total) = try await desk.offload.run { () throws(ControlError) in
                try desk.store.exportAccounts(of: input.domain, offset: input.offset, limit: input.limit)
            }
            return .init(text: AccountTSV.write(accounts.map(Self.row)), count: accounts.count, total: total)
        }
    }

    /// The good lines, and what is wrong with the others.
    static func rows(
        of input: DirectoryInterface.ImportAccounts.Input
    ) throws(ControlError) -> (rows: [AccountImport], problems: [Problem]) {
        let lines = TableText(input.text)
        guard lines.lines.count <= DirectoryInterface.ImportAccounts.maximumLines else {
            throw ControlError(
                .refused, code: "account.import-too-long",
                "An import call takes at most \(DirectoryInterface.ImportAccounts.maximumLines) lines.",
                arguments: [String(DirectoryInterface.ImportAccounts.maximumLines)])
        }
        let before = max(0, min(input.firstLine, .max - 1000) - 1)
        let reading = AccountTSV.read(lines)
        var problems: [Problem] = []
        var told: Set<Int> = []
        // One problem a line: the first says where to look.
        for problem in reading.problems where problem.isWarning || told.insert(problem.line).inserted {
            problems.append(
                Problem(
                    path: "line/\(before + problem.line)", code: problem.code, message: problem.message,
                    arguments: problem.arguments, isWarning: problem.isWarning))
        }
        var rows: [AccountImport] = []
        for row in reading.value {
            let domain = input.domain ?? row.domain
            guard let address = MailAddress(typed: "\(row.account)@\(domain)") else {
                problems.append(
                    Problem(
                        path: "line/\(before + row.line)", code: "account.import-no-domain",
                        message: "The line names no domain, and none was given for the import."))
                continue
            }
            rows.append(
                AccountImport(line: before + row.line, address: address, values: Self.values(of: row)))
        }
        return (rows, problems)
    }

    private static func values(of row: AccountTSV.Row) -> AccountValues {
        AccountValues(
            password: row.password, fullName: row.fullName, home: row.home,
            mailboxLimit: Int(clamping: row.mailboxLimit), smtpAuth: row.usesSMTPAuth)
    }

    private static func row(of account: AccountRecord) -> AccountTSV.Row {
        AccountTSV.Row(
            account: account.account, password: "{SCRYPT}" + account.passwordHash, fullName: account.fullName,
            domain: account.domain, home: account.home, usesSMTPAuth: account.usesAuthentication,
            mailboxLimit: Int64(account.mailboxLimit))
    }

    private static func line(of problem: Problem) -> Int {
        Int(problem.path.split(separator: "/").last ?? "") ?? 0
    }
}
