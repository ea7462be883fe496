import ArgumentParser
import Control

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Show and change the accounts of a domain.",
        subcommands: [
            List.self, Show.self, Add.self, Change.self, Remove.self, Import.self, Sync.self, Export.self,
            MailControlCommand.self, File.self, Test.self,
        ])

    struct Values: ParsableArguments {
        @Option(help: ArgumentHelp("Name of the user.", valueName: "name"))
        var fullName: String?
        @Option(help: ArgumentHelp("Home folder, used as %HOME%.", valueName: "dir"))
        var home: String?
        @Option(help: ArgumentHelp("Mailbox limit in bytes (K, M, G allowed), 0 = none.", valueName: "bytes"))
        var limit: Octets?
        @Flag(inversion: .prefixedNo, help: "Whether the account may authenticate by SMTP.")
        var smtpAuth: Bool?
        @Flag(help: "Take the password from the first line of standard input.")
        var passwordStdin = false
    }

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts of a domain.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Only accounts whose name or full name contains this.")
        var filter: String?
        @Option(help: "account, fullName, limit or used.")
        var sort: String?
        @Flag(help: "Largest first.")
        var descending = false
        @Argument var domain: String

        func execute(_ session: Session) throws {
            var all = DirectoryInterface.ListAccounts.Output(rows: [], total: 0, offset: 0)
            repeat {
                let window = try session.call(
                    DirectoryInterface.ListAccounts.self,
                    .init(
                        domain: domain, filter: filter, sort: sort, descending: descending ? true : nil,
                        offset: all.rows.count, limit: 1000))
                all.rows += window.rows
                all.total = window.total
                if window.rows.isEmpty { break }
            } while all.rows.count < all.total
            if reading.json { return session.show(json: all) }
            var table = TextTable([
                .init(session.word(.account)), .init(session.word(.fullName)), .init(session.word(.limit), .right),
                .init(session.word(.used), .right), .init(session.word(.smtpAuth)), .init(session.word(.state)),
                .init(session.word(.lastLogin)),
            ])
            let calendar = try session.calendar()
            for row in all.rows {
                table.add(
                    row.account, row.fullName, row.mailboxLimit == 0 ? "-" : Octets.text(row.mailboxLimit),
                    row.usedOctets.map(Octets.text) ?? "", session.word(row.smtpAuth ? .yes : .no),
                    session.word(row.isEnabled ? .enabled : .disabled),
                    row.lastLogin.map { calendar.text($0) } ?? "")
            }
            session.show(table)
        }
    }

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Show an account.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument(help: "account@domain") var address: String

        func execute(_ session: Session) throws {
            let found = try session.call(DirectoryInterface.GetAccount.self, .init(address: address))
            if reading.json { return session.show(json: found) }
            var used = found.usedOctets.map(Octets.text) ?? "-"
            if let messages = found.usedMessages { used += " (\(messages))" }
            session.show(
                TextTable(pairs: [
                    (session.word(.account), "\(found.account)@\(found.domain)"),
                    (session.word(.fullName), found.fullName),
                    (session.word(.home), found.home),
                    (session.word(.limit), found.mailboxLimit == 0 ? "-" : Octets.text(found.mailboxLimit)),
                    (session.word(.used), used),
                    (session.word(.smtpAuth), session.word(found.smtpAuth ? .yes : .no)),
                    (session.word(.state), session.word(found.isEnabled ? .enabled : .disabled)),
                    (session.word(.lastLogin), try AccountCommand.lastLogin(found, session)),
                    (session.word(.mailbox), found.mailboxPath),
                ]))
        }
    }

    /// Time and client; a dash when there was none.
    private static func lastLogin(_ entry: AccountEntry, _ session: Session) throws -> String {
        guard let time = entry.lastLogin else { return "-" }
        return [try session.calendar().text(time), entry.lastClient ?? ""].filter { !$0.isEmpty }.joined(
            separator: "  ")
    }

    struct Add: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account; it may authenticate by SMTP unless --no-smtp-auth is given.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Values
        @OptionGroup var noting: NoteOptions
        @Argument(help: "account@domain") var address: String

        func execute(_ session: Session) throws {
            let password = try session.password(confirmedBy: given.passwordStdin)
            let values = AccountValues(
                password: password, fullName: given.fullName, home: given.home, mailboxLimit: given.limit?.count,
                smtpAuth: given.smtpAuth ?? true)
            session.show(
                try session.call(
                    DirectoryInterface.AddAccount.self, .init(address: address, values: values, note: noting.note)))
        }
    }

    struct Change: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Change an account.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Values
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Let it take mail and authenticate again.")
        var enable = false
        @Flag(help: "Take no mail for it and let nobody authenticate as it.")
        var disable = false
        @Argument(help: "account@domain") var address: String

        func validate() throws {
            if enable, disable { throw ValidationError("Give --enable or --disable, not both.") }
        }

        func execute(_ session: Session) throws {
            var values = AccountValues(
                fullName: given.fullName, home: given.home, mailboxLimit: given.limit?.count, smtpAuth: given.smtpAuth,
                isEnabled: enable ? true : disable ? false : nil)
            if given.passwordStdin { values.password = try session.password(confirmedBy: true) }
            guard values != AccountValues() else { throw CommandFailure.usage(session.word(.nothingToChange)) }
            session.show(
                try session.call(
                    DirectoryInterface.ChangeAccount.self, .init(address: address, values: values, note: noting.note)))
        }
    }

    struct Remove: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an account; its mailbox stays on disk.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Delete the mailbox with everything in it. This cannot be undone.")
        var deleteMailbox = false
        @Argument(help: "account@domain") var address: String

        func execute(_ session: Session) throws {
            session.show(
                try session.call(
                    DirectoryInterface.RemoveAccount.self,
                    .init(address: address, deleteMailbox: deleteMailbox, note: noting.note)))
        }
    }
}
