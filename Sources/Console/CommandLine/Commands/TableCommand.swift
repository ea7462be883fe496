import ArgumentParser
import ConsoleCore
import Control

struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Show, check and set the text tables: effect, gateway, header, hiddensmtpip.",
        subcommands: [Show.self, Check.self, Set.self])

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Print a table as it stands on disk.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument(help: "effect, gateway, header or hiddensmtpip") var table: String

        func execute(_ session: Session) throws {
            let found = try session.call(TablesInterface.Show.self, .init(table: table))
            if reading.json { return session.show(json: found) }
            // Into a file or pipe it goes as it is, so that `set` gives the same table; a terminal is protected.
            if session.console.isTerminal {
                var lines = Visible.lines(found.text)
                if lines.last?.isEmpty == true { lines.removeLast() }
                lines.forEach(session.say)
            } else {
                session.console.write(found.text)
            }
            session.show(found.problems)
        }
    }

    struct Check: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Report every problem of the table in force, or of a file, with its line.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument(help: "effect, gateway, header or hiddensmtpip") var table: String
        @Argument(help: "A file to check; - is standard input.") var file: String?

        func execute(_ session: Session) throws {
            let text = try file.map { try session.contents(of: $0) }
            let found = try session.call(TablesInterface.Check.self, .init(table: table, text: text))
            if reading.json {
                session.show(json: found)
            } else {
                session.show(found.problems)
                if found.problems.isEmpty { session.say(session.word(.noProblems)) }
            }
            if found.problems.contains(where: { !$0.isWarning }) { throw CommandFailure.said }
        }
    }

    struct Set: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a table by a file. A file with faults changes nothing.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Argument(help: "effect, gateway, header or hiddensmtpip") var table: String
        @Argument(help: "The new table; - is standard input.") var file: String

        func execute(_ session: Session) throws {
            let text = try session.contents(of: file)
            let applied = try session.call(
                TablesInterface.Set.self, .init(table: table, text: text, note: noting.note))
            session.show(applied.warnings)
            session.say(
                applied.changes.isEmpty
                    ? session.word(.nothingChanged) : session.word(.applied, String(applied.revision)))
        }
    }
}
