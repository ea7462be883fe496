import ArgumentParser
import Control
import Tables

extension AccountCommand {
    struct Import: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add and change accounts from tab-separated text; faulty lines are skipped and told.",
            discussion: """
                One account a line, without a header line: account, password, full name, domain, home folder, SMTP-AUTH \
                (0 or 1), APOP (0 or 1), mailbox limit in bytes. Further columns are left out.
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Option(help: "Import into this domain, whatever the lines say.")
        var domain: String?
        @Argument(help: "The file; - is standard input.") var file: String

        func execute(_ session: Session) throws {
            let lines = TableText(try session.contents(of: file)).lines
            var (added, updated, skipped) = (0, 0, 0)
            var start = 0
            while start < lines.count {
                let end = min(lines.count, start + DirectoryInterface.ImportAccounts.maximumLines)
                let report = try session.call(
                    DirectoryInterface.ImportAccounts.self,
                    .init(
                        domain: domain, text: TableText(lines: Array(lines[start..<end])).text, firstLine: start + 1,
                        note: noting.note))
                session.show(report.problems)
                added += report.added
                updated += report.updated
                skipped += report.skipped
                start = end
            }
            session.say(session.word(.imported, String(added), String(updated), String(skipped)))
            if skipped > 0 { throw CommandFailure.said }
        }
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
