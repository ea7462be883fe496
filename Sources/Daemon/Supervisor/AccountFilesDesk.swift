import Control
import ControlServer
import Facts
import MailModel
import Mailbox
import MessageFormat
import Policy
import Settings
import Store
import Tables

/// Control files of accounts: read, checked and written in the mailbox; and "Test: who gets a mail?".
struct AccountFilesDesk: Sendable {
    let desk: Desk
    let directory: any Directory

    /// The words of the interface, and the files behind them.
    private static let files = [
        "control": ControlFileNames.control, "permitfrom": ControlFileNames.permitted,
        "reply": ControlFileNames.replyText, "noreply": ControlFileNames.unanswered,
        "replied": ControlFileNames.replied, "filter": ControlFileNames.filter, "hours": ControlFileNames.hours,
        "recipients": ControlFileNames.restriction,
    ]
    private static let maximumOctets = 256 << 10

    func register(on server: ControlServer) {
        let (desk, directory) = (desk, directory)
        server.on(DirectoryInterface.GetAccountFile.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in try Self.read(input, directory) }
        }
        server.on(DirectoryInterface.SetAccountFile.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            try desk.gate.need(address: input.address, caller)
            let applied = try await desk.offload.run { () throws(ControlError) in
                try Self.write(input, directory, desk.store, Desk.author(caller))
            }
            return desk.published(applied, by: caller)
        }
        server.on(DirectoryInterface.TestAccount.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in try Self.test(input, directory) }
        }
    }

    // MARK: Files

    private static func read(
        _ input: DirectoryInterface.GetAccountFile.Input, _ directory: any Directory
    ) throws(ControlError) -> DirectoryInterface.GetAccountFile.Output {
        let (account, location) = try place(input.address, directory)
        let name = try file(input.file)
        return try disk { () throws(MailboxError) in
            guard let files = try MailboxFiles(location), let found = try files.find([name])[name] else {
                return .init(text: "", name: name, exists: false, problems: [])
            }
            let text = TableText(octets: try files.read(found, limit: maximumOctets)).text
            return .init(
                text: text, name: found, exists: true, problems: problems(input.file, text, of: account.address))
        }
    }

    private static func write(
        _ input: DirectoryInterface.SetAccountFile.Input, _ directory: any Directory, _ store: StoreWriter,
        _ author: Author
    ) throws(ControlError) -> Applied {
        let (account, location) = try place(input.address, directory)
        let name = try file(input.file)
        let found = problems(input.file, input.text, of: account.address)
        if let first = found.first(where: { !$0.isWarning }) {
            throw ControlError(
                .refused, code: first.code, first.message, arguments: first.arguments, problems: found)
        }
        let text = TableText(input.text)
        let old: [String]? = try disk { () throws(MailboxError) in
            let files = try MailboxFiles.make(location)
            let there = try files.find([name])[name]
            let old = try there.map { there throws(MailboxError) in
                TableText(octets: try files.read(there, limit: maximumOctets)).lines
            }
            if text.lines.isEmpty {
                if let there { try files.remove(there) }
            } else {
                try files.write(there ?? name, Array(text.text.utf8))
            }
            return old
        }
        // The revision that this makes tells the services to look at the files again.
        return try store.recordAccountFile(
            account.address, name, from: old, to: text.lines.isEmpty ? nil : text.lines, note: input.note,
            by: author)
    }

    static func problems(_ file: String, _ text: String, of account: MailAddress) -> [Problem] {
        func table(_ found: [TableProblem]) -> [Problem] {
            found.map {
                Problem(
                    path: "line/\($0.line)", code: $0.code, message: $0.message, arguments: $0.arguments,
                    isWarning: $0.isWarning)
            }
        }
        switch file {
        case "control":
            return ControlSettings(ControlFile(octets: Array(text.utf8))).faults(of: account).map {
                Problem(path: "control/\($0.field)", code: $0.code, message: $0.message)
            }
        case "hours": return table(UseTime.read(TableText(text)).problems)
        case "recipients": return table(RecipientRestriction.read(TableText(text)).problems)
        default: return []
        }
    }

    // MARK: Test

    private static func test(
        _ input: DirectoryInterface.TestAccount.Input, _ directory: any Directory
    ) throws(ControlError) -> DirectoryInterface.TestAccount.Output {
        let (account, location) = try place(input.address, directory)
        let control: AccountControl? = try disk { () throws(MailboxError) in
            guard let files = try MailboxFiles(location) else { return nil }
            let names = try files.find(ControlFileNames.all)
            guard let name = names[ControlFileNames.control] else { return nil }
            return try AccountControl(reading: files, names, control: name)
        }
        guard account.isEnabled else {
            return .init(
                isStored: false, forwardedTo: [], answered: nil,
                steps: [
                    .init(
                        check: "account.state", finding: "the account is switched off: refused", source: "",
                        decided: true)
                ])
        }
        let settings = try asking { () throws(DirectoryError) in try directory.settings() }
        let plan = AccountPlan(
            account: account.address, control: control ?? AccountControl(settings: ControlSettings()),
            mail: ControlledMail(sender: MailAddress(typed: input.sender).map { .address($0) } ?? .null),
            around: ControlSurroundings(
                administrator: MailAddress(typed: settings[AdminSettings.account]),
                rewritesSenders: settings[DeliverySettings.rewritesSenders],
                isOperated: { (try? directory.domain(named: $0)) != nil }))
        return .init(
            isStored: plan.stores, forwardedTo: plan.forwards.flatMap(\.recipients).map(\.text),
            answered: plan.answer?.to.text,
            steps: plan.steps.map {
                .init(
                    check: $0.check, finding: DisplayText.clean($0.finding, limit: 1000),
                    source: $0.source?.text ?? "", decided: $0.decided)
            })
    }

    // MARK: Finding

    private static func place(
        _ address: String, _ directory: any Directory
    ) throws(ControlError) -> (AccountRecord, MailboxLocation) {
        let found = try asking { () throws(DirectoryError) -> (AccountRecord, MailboxPlace)? in
            _ = try directory.revision()
            guard let parsed = MailAddress(typed: address), let account = try directory.account(parsed) else {
                return nil
            }
            return (account, try directory.mailbox(of: account))
        }
        guard let (account, place) = found, let location = MailboxLocation(base: place.base, folders: place.folders)
        else {
            throw ControlError(
                .notFound, code: "account.unknown", "There is no account \(address).",
                arguments: [DisplayText.clean(address, limit: 80)])
        }
        return (account, location)
    }

    private static func file(_ word: String) throws(ControlError) -> String {
        if let name = files[word] { return name }
        throw ControlError(
            .refused, code: "account.bad-file",
            "\(DisplayText.clean(word, limit: 40)) is none of: \(files.keys.sorted().joined(separator: ", ")).",
            arguments: [DisplayText.clean(word, limit: 40), files.keys.sorted().joined(separator: ", ")])
    }

    private static func asking<Value>(_ body: () throws(DirectoryError) -> Value) throws(ControlError) -> Value {
        do throws(DirectoryError) {
            return try body()
        } catch {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
    }

    private static func disk<Value>(_ body: () throws(MailboxError) -> Value) throws(ControlError) -> Value {
        do throws(MailboxError) {
            return try body()
        } catch {
            throw ControlError(
                .failed, code: "account.file-failed", "The mailbox cannot be read or written: \(error.detail)",
                arguments: [error.detail])
        }
    }
}
