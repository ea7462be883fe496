import ArgumentParser
import Control

struct DomainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Show and change the operated domains.",
        subcommands: [List.self, Add.self, Change.self, Remove.self])

    struct Values: ParsableArguments {
        @Option(
            parsing: .upToNextOption,
            help: ArgumentHelp("Addresses of this server to which the domain's clients connect.", valueName: "ip"))
        var address: [String] = []
        @Option(help: ArgumentHelp("Folder of the domain's mailboxes (separate mode).", valueName: "name"))
        var folder: String?
        @Option(help: ArgumentHelp("Permitted number of accounts, 0 = unlimited.", valueName: "n"))
        var limit: Int?
        @Option(help: "Mailboxes: common or separate.")
        var mode: String?
        @Flag(help: "Take the operation password, which others must give, from the first line of standard input.")
        var operationPasswordStdin = false

        func validate() throws {
            if let limit, limit < 0 { throw ValidationError("--limit \(limit) is too small; use 0 or more.") }
            if let mode, mode != "common", mode != "separate" {
                throw ValidationError("--mode is common or separate, not \(mode).")
            }
        }
        func values(_ session: Session) throws -> DomainValues {
            // A folder makes sense in separate mode only, so it asks for it.
            DomainValues(
                maxAccounts: limit, mailboxMode: mode ?? (folder == nil ? nil : "separate"),
                smtpAddresses: address.isEmpty ? nil : address, folder: folder,
                operationPassword: operationPasswordStdin ? try session.password(confirmedBy: true) : nil)
        }
    }

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List the operated domains.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions

        func execute(_ session: Session) throws {
            let found = try session.call(DirectoryInterface.ListDomains.self)
            if reading.json { return session.show(json: found) }
            var table = TextTable([
                .init(session.word(.domain)), .init(session.word(.accounts), .right),
                .init(session.word(.limit), .right),
                .init(session.word(.mode)), .init(session.word(.folder)), .init(session.word(.addresses)),
                .init(session.word(.protected)),
            ])
            for domain in found.domains {
                table.add(
                    domain.name, String(domain.accounts),
                    domain.maxAccounts == 0 ? "-" : String(domain.maxAccounts), domain.mailboxMode, domain.folder,
                    domain.smtpAddresses.joined(separator: " "), session.word(domain.isProtected ? .yes : .no))
            }
            session.show(table)
        }
    }

    struct Add: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Add a domain.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Values
        @OptionGroup var noting: NoteOptions
        @Argument var domain: String

        func execute(_ session: Session) throws {
            session.show(
                try session.call(
                    DirectoryInterface.AddDomain.self,
                    .init(name: domain, values: try given.values(session), note: noting.note)))
        }
    }

    struct Change: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Change a domain.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Values
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Take the operation password away.")
        var noOperationPassword = false
        @Argument var domain: String

        func validate() throws {
            if noOperationPassword, given.operationPasswordStdin {
                throw ValidationError("Give --operation-password-stdin or --no-operation-password, not both.")
            }
        }

        func execute(_ session: Session) throws {
            var values = try given.values(session)
            if noOperationPassword { values.operationPassword = "" }
            guard values != DomainValues() else { throw CommandFailure.usage(session.word(.nothingToChange)) }
            session.show(
                try session.call(
                    DirectoryInterface.ChangeDomain.self, .init(name: domain, values: values, note: noting.note)))
        }
    }

    struct Remove: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop operating a domain. Its accounts and mailboxes stay on disk.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Argument var domain: String

        func execute(_ session: Session) throws {
            session.show(
                try session.call(DirectoryInterface.RemoveDomain.self, .init(name: domain, note: noting.note)))
        }
    }
}
