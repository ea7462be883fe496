import ArgumentParser
import Control
import Tables

extension AccountCommand {
    struct Import: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add and change accounts from tab-separated text; faulty lines are skipped and told.",
            discussion: """
                One account a line, without a header line: account, password, full name, domain, home folder, SMTP-AUTH \
                (0 or 1), APOP (0 or 1), mailbox limit in bytes. Further columns are left out. All good lines are one \
                change; nothing is done when it is broken off.
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var noting: NoteOptions
        @Option(help: "Import into this domain, whatever the lines say.")
        var domain: String?
        @Flag(help: "Change nothing when a line is faulty.")
        var strict = false
        @Flag(help: "Only tell what would be done.")
        var dryRun = false
        @Argument(help: "The file; - is standard input.") var file: String

        func execute(_ session: Session) throws {
            let transfer = AccountTransfer(session, .init(kind: "import", domain: domain))
            let report = try transfer.run(
                TableText(try session.contents(of: file)).lines,
                dryRun: dryRun, strict: strict, note: noting.note)
            if reading.json {
                session.show(json: report)
            } else {
                session.show(report.problems)
                session.say(
                    session.word(
                        .imported, String(report.added), String(report.changed + report.kept), String(report.faults)))
            }
            try transfer.end()
            if report.faults > 0 { throw CommandFailure.said }
        }
    }

    struct Sync: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Make the accounts of a file's domains equal to the file; a fault in any line and nothing is done.",
            discussion: """
                The file is that of import. Accounts that it does not name are disabled; mailboxes are never deleted. \
                Domains without a line in the file are left alone.
                """)
        enum Absent: String, ExpressibleByArgument, CaseIterable { case disable, keep, remove }
        enum Passwords: String, ExpressibleByArgument, CaseIterable { case compare, set, keep }
        struct Listing: Encodable {
            var report: TransferReport
            var accounts: [TransferRow]
        }
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var noting: NoteOptions
        @Option(help: "Synchronise this domain, whatever the lines say.")
        var domain: String?
        @Flag(help: "Only list what would be added, changed, disabled and kept.")
        var dryRun = false
        @Option(help: "Accounts that the file does not name: disable, keep or remove (mailboxes stay).")
        var absent = Absent.disable
        @Option(help: "Clear passwords of accounts that exist: compare (40 ms each), set or keep.")
        var passwords = Passwords.compare
        @Flag(help: "Enable accounts that the file names and that are disabled.")
        var enable = false
        @Option(help: "Refuse when the domains changed after this revision, as a dry run told it.")
        var base: Int?
        @Argument(help: "The file; - is standard input.") var file: String

        func execute(_ session: Session) throws {
            let transfer = AccountTransfer(
                session,
                .init(
                    kind: "synchronize", domain: domain, passwords: passwords.rawValue, absent: absent.rawValue,
                    enable: enable))
            let report = try transfer.run(
                TableText(try session.contents(of: file)).lines,
                clearPerCall: passwords == .compare ? DirectoryInterface.SendAccounts.maximumCompared : .max,
                dryRun: dryRun, strict: true, note: noting.note, base: base)
            if reading.json {
                session.show(json: Listing(report: report, accounts: try transfer.rows(nil)))
            } else {
                session.show(report.problems)
                let actions =
                    dryRun
                    ? ["added", "changed", "disabled", "removed", "kept"] : ["added", "changed", "disabled", "removed"]
                for action in actions {
                    for row in try transfer.rows(action) {
                        let fields = row.fields.isEmpty ? "" : "  " + row.fields.joined(separator: ", ")
                        session.say("\(session.word(Self.words[action] ?? .kept))  \(row.address)\(fields)")
                    }
                }
                session.say(
                    session.word(
                        .synchronised, String(report.added), String(report.changed), String(report.disabled),
                        String(report.removed), String(report.kept)))
                if dryRun { session.say(session.word(.nothingDone, String(report.revision))) }
            }
            try transfer.end()
            if report.faults > 0 { throw CommandFailure.said }
        }

        private static let words: [String: Word] = [
            "added": .transferAdded, "changed": .transferChanged, "disabled": .disabled, "removed": .transferRemoved,
            "kept": .kept,
        ]
    }

    struct Export: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write accounts as tab-separated text that import takes; passwords are hashes.")
        @OptionGroup var global: GlobalOptions
        @Option(help: "Only this domain; else all.")
        var domain: String?
        @Argument(help: "The file, made with mode 0600; - is standard output.") var file: String

        func execute(_ session: Session) throws {
            let domains =
                try domain.map { [$0] } ?? session.call(DirectoryInterface.ListDomains.self).domains.map(\.name)
            var text = ""
            var count = 0
            for domain in domains {
                var offset = 0
                while true {
                    let window = try session.call(
                        DirectoryInterface.ExportAccounts.self, .init(domain: domain, offset: offset))
                    text += window.text
                    offset += window.count
                    if window.count == 0 || offset >= window.total { break }
                }
                count += offset
            }
            if file == "-" { return session.console.write(text) }
            if let trouble = session.console.writePrivateFile(file, text) {
                throw CommandFailure.failed(session.word(.cannotWrite, file, trouble.reason))
            }
            session.say(session.word(.exported, String(count)))
        }
    }
}

/// Sends a file in pieces and has it carried out. A run that is broken off leaves nothing behind: the daemon does nothing
/// before the end, and forgets what it has.
final class AccountTransfer {
    private let session: Session
    private let begin: DirectoryInterface.BeginTransfer.Input
    private var name = ""

    init(_ session: Session, _ begin: DirectoryInterface.BeginTransfer.Input) {
        self.session = session
        self.begin = begin
    }

    func run(
        _ lines: [String], clearPerCall: Int = .max, dryRun: Bool, strict: Bool, note: String, base: Int? = nil
    ) throws -> TransferReport {
        name = try session.call(DirectoryInterface.BeginTransfer.self, begin).transfer
        var start = 0
        while start < lines.count {
            var end = start
            var (octets, clear) = (0, 0)
            while end < lines.count, end - start < DirectoryInterface.SendAccounts.maximumLines,
                octets < Self.octetsPerCall, clear < clearPerCall
            {
                octets += lines[end].utf8.count
                clear += DirectoryInterface.SendAccounts.isHashed(lines[end]) ? 0 : 1
                end += 1
            }
            _ = try session.call(
                DirectoryInterface.SendAccounts.self,
                .init(transfer: name, text: TableText(lines: Array(lines[start..<end])).text, firstLine: start + 1))
            start = end
            session.progress(session.word(.linesSent, String(start), String(lines.count)))
        }
        session.progress("")
        return try session.call(
            DirectoryInterface.FinishTransfer.self,
            .init(transfer: name, dryRun: dryRun, strict: strict, baseRevision: base, note: note))
    }

    /// A frame is 1 MiB, and JSON may write an octet as six.
    private static let octetsPerCall = 150_000

    func rows(_ action: String?) throws -> [TransferRow] {
        var rows: [TransferRow] = []
        while true {
            let window = try session.call(
                DirectoryInterface.ListTransfer.self, .init(transfer: name, action: action, offset: rows.count))
            rows += window.rows
            if window.rows.isEmpty || rows.count >= window.total { return rows }
        }
    }

    func end() throws { _ = try session.call(DirectoryInterface.EndTransfer.self, .init(transfer: name)) }
}
