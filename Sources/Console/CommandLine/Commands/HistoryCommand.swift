import ArgumentParser
import Control

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show who changed what, and undo it.",
        subcommands: [List.self, Show.self, Revert.self])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List revisions, newest first.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Only revisions that touched this setting, domain/NAME, account/ADDRESS or table/NAME.")
        var path: String?
        @Option(name: [.customShort("n"), .long], help: "Revisions at most.")
        var limit = 100

        func execute(_ session: Session) throws {
            let found = try session.call(SettingsInterface.History.self, .init(limit: max(1, limit), path: path))
            if reading.json { return session.show(json: found) }
            let calendar = try session.calendar()
            var table = TextTable([
                .init(session.word(.revision), .right), .init(session.word(.time)), .init(session.word(.author)),
                .init(session.word(.changes)), .init(session.word(.note)),
            ])
            for revision in found.revisions {
                let origin = revision.origin.isEmpty ? "" : "@" + revision.origin
                let first = revision.changes.first?.path ?? ""
                let count = revision.count ?? revision.changes.count
                let more = count > 1 ? " +\(count - 1)" : ""
                table.add(
                    String(revision.revision), calendar.text(revision.time), revision.author + origin, first + more,
                    revision.note)
            }
            session.show(table)
        }
    }

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Show a revision with old and new values.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument var revision: Int

        func execute(_ session: Session) throws {
            let (before, overflow) = revision.addingReportingOverflow(1)
            let found = try session.call(
                SettingsInterface.History.self, .init(before: overflow ? nil : before, limit: 1))
            guard let found = found.revisions.first, found.revision == revision else {
                throw CommandFailure.failed(session.word(.noRevision, String(revision)))
            }
            if reading.json { return session.show(json: found) }
            session.show(
                TextTable(pairs: [
                    (session.word(.revision), String(found.revision)),
                    (session.word(.time), try session.calendar().text(found.time)),
                    (session.word(.author), found.author), (session.word(.origin), found.origin),
                    (session.word(.note), found.note),
                ]))
            session.say("")
            for change in found.changes {
                session.say("\(change.path): \(session.side(change.old)) -> \(session.side(change.new))")
            }
        }
    }

    struct Revert: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Undo a revision by a new one.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Only check and show what would change.")
        var dryRun = false
        @Argument var revision: Int

        func execute(_ session: Session) throws {
            let applied = try session.call(
                SettingsInterface.Revert.self, .init(revision: revision, note: noting.note, dryRun: dryRun))
            session.show(applied, isDryRun: dryRun)
        }
    }
}
