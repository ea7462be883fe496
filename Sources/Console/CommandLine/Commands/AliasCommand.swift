import ArgumentParser
import Control
import Tables

struct AliasCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Show and change addresses that stand for other addresses.",
        subcommands: [List.self, Add.self, Set.self, Remove.self, Import.self, Export.self, Test.self])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List the aliases and where they lead.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Only rows whose alias or real address contains this.")
        var filter: String?
        @Option(help: "Only aliases of this domain.")
        var domain: String?
        @Option(help: "alias or target.")
        var sort: String?
        @Flag(help: "Last first.")
        var descending = false

        func execute(_ session: Session) throws {
            var all = AliasInterface.List.Output(rows: [], total: 0, offset: 0)
            repeat {
                let window = try session.call(
                    AliasInterface.List.self,
                    .init(
                        filter: filter, domain: domain, sort: sort, descending: descending ? true : nil,
                        offset: all.rows.count,
                        limit: 1000))
                all.rows += window.rows
                all.total = window.total
                all.protected = window.protected
                if window.rows.isEmpty { break }
            } while all.rows.count < all.total
            if reading.json { return session.show(json: all) }
            var table = TextTable([
                .init(session.word(.alias)), .init(session.word(.realAddress)), .init(session.word(.rewrite)),
                .init(session.word(.state)),
            ])
            for row in all.rows {
                let state = session.text(code: "alias.state.\(row.state)", message: row.state, arguments: [])
                let rewrite = session.text(code: "alias.rewriting.\(row.rewrite)", message: row.rewrite, arguments: [])
                table.add(row.alias, row.target, rewrite, state)
            }
            session.show(table)
            if let shut = all.protected {
                session.complain(session.word(.aliasesLeftOut, shut.joined(separator: ", ")))
            }
        }
    }

    struct Add: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an address stand for another one; an alias may have several.",
            discussion: """
                *@domain stands for every name of the domain that is not taken otherwise; a target *@domain keeps the \
                name. ",0" behind the target keeps the alias as envelope recipient, ",1" replaces it; without, it stays \
                inside one domain and is replaced across domains.
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Argument(help: "name@domain or *@domain") var alias: String
        @Argument(help: "name@domain, *@domain; with ,0 or ,1") var target: String

        func execute(_ session: Session) throws {
            session.show(
                try session.call(AliasInterface.Add.self, .init(alias: alias, target: target, note: noting.note)))
        }
    }

    struct Set: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an alias exactly these real addresses, in this order; none removes it.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Argument(help: "name@domain or *@domain") var alias: String
        @Argument(help: "name@domain, *@domain; with ,0 or ,1") var targets: [String] = []

        func execute(_ session: Session) throws {
            session.show(
                try session.call(
                    AliasInterface.Set.self, .init(alias: alias, targets: targets, note: noting.note)))
        }
    }

    struct Remove: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an alias, or one of its real addresses.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Argument var alias: String
        @Argument(help: "Only this real address; else all of them.") var target: String?

        func execute(_ session: Session) throws {
            session.show(
                try session.call(AliasInterface.Remove.self, .init(alias: alias, target: target, note: noting.note)))
        }
    }

    struct Import: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add aliases from lines 'alias TAB real[,n]'; a fault in any line and nothing is changed.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Remove the aliases that the file does not hold.")
        var replace = false
        @Flag(help: "Only tell what would be done.")
        var dryRun = false
        @Argument(help: "The file; - is standard input.") var file: String

        /// A frame is 1 MiB, and JSON may write an octet as six.
        private static let octetsPerCall = 150_000

        func execute(_ session: Session) throws {
            let lines = TableText(try session.contents(of: file)).lines
            var transfer: String?
            var text = ""
            for line in lines {
                text += line + "\n"
                guard text.utf8.count > Self.octetsPerCall else { continue }
                transfer = try session.call(AliasInterface.Send.self, .init(transfer: transfer, text: text)).transfer
                text = ""
            }
            let report = try session.call(
                AliasInterface.Import.self,
                .init(transfer: transfer, text: text, replaces: replace, dryRun: dryRun, note: noting.note))
            if reading.json { return session.show(json: report) }
            session.show(report.problems)
            session.say(
                session.word(
                    .aliasesImported, String(report.added), String(report.kept), String(report.removed)))
        }
    }

    struct Export: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Write all aliases as lines that import takes.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The file; - is standard output.") var file: String

        func execute(_ session: Session) throws {
            var text = ""
            var count = 0
            while true {
                let window = try session.call(AliasInterface.Export.self, .init(offset: count))
                text += window.text
                count += window.count
                if window.count == 0 || count >= window.total { break }
            }
            if file == "-" { return session.console.write(text) }
            if let trouble = session.console.writePrivateFile(file, text) {
                throw CommandFailure.failed(session.word(.cannotWrite, file, trouble.reason))
            }
            session.say(session.word(.aliasesExported, String(count)))
        }
    }

    struct Test: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show step by step where a mail for an address would go.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(
            help: ArgumentHelp(
                "As if an alias led to these real addresses alone ('ALIAS REAL,1 REAL'), or without any were gone.",
                valueName: "alias"))
        var with: [String] = []
        @Argument var address: String

        func validate() throws {
            if with.contains(where: { $0.split(separator: " ").isEmpty }) {
                throw ValidationError("--with: an alias and its real addresses, separated by blanks.")
            }
        }

        func execute(_ session: Session) throws {
            let edits = with.map { $0.split(separator: " ").map(String.init) }.map {
                AliasInterface.Test.Edit(alias: $0[0], targets: Array($0.dropFirst()))
            }
            let found = try session.call(
                AliasInterface.Test.self, .init(address: address, edits: edits.isEmpty ? nil : edits))
            if reading.json { return session.show(json: found) }
            for (index, step) in found.steps.enumerated() {
                session.say("\(index + 1). \(session.sentence(step.finding))")
            }
            for place in found.places {
                session.say(
                    session.word(
                        place.isLocal ? .aliasLocal : .aliasOutside, place.address, place.envelope))
            }
            for dead in found.dead {
                let why = session.text(code: "alias.fault.\(dead.fault)", message: dead.fault, arguments: [])
                session.say(session.word(.aliasDead, dead.address, why))
            }
            if !edits.isEmpty {
                session.say(session.word(.aliasEdited, String(found.edited.count), String(edits.count)))
            }
        }
    }
}
