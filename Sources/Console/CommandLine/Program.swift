import ArgumentParser
import Control
import Locale

/// The whole program as its command line sees it.
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epost-console",
        abstract: "Run an epost mail server from the keyboard.",
        discussion: "Without a command the full-screen console opens. Exit status: 0 done, 1 refused or failed, "
            + "2 wrong usage, 3 no daemon.",
        version: Program.version,
        subcommands: [
            SetupCommand.self, StatusCommand.self, SettingCommand.self, CertificateCommand.self, DomainCommand.self,
            AccountCommand.self, AliasCommand.self, ServiceCommand.self, QueueCommand.self, LockCommand.self,
            TableCommand.self, ExplainCommand.self, TraceCommand.self, ReplayCommand.self, LogCommand.self,
            HistoryCommand.self,
        ])

    @OptionGroup var global: GlobalOptions
    @OptionGroup var console: ConsoleOptions

    static let version = "epost-console 0.1.0"
}

/// What a command line asked for.
package enum Invocation {
    /// No command: open the full-screen console.
    case console(GlobalOptions, ConsoleOptions)
    /// A command ran, or help was printed; the program ends with this code.
    case finished(Int32)
}

package enum CommandLineProgram {
    /// Reads the arguments and runs the command they name.
    /// - Parameter arguments: without the program's name.
    package static func run(
        _ arguments: [String], environment: @escaping (String) -> String?, console: Console = .standard
    ) -> Invocation {
        run(arguments, environment: environment, console: console) { path throws(ControlError) in
            try ControlClient(path: path)
        }
    }

    /// As above with another way to reach a server, for tests.
    static func run(
        _ arguments: [String], environment: @escaping (String) -> String?, console: Console,
        connect: @escaping (String) throws(ControlError) -> any ControlCaller
    ) -> Invocation {
        let parsed: any ParsableCommand
        do {
            parsed = try Program.parseAsRoot(GlobalOptions.hoisted(arguments))
        } catch {
            let isHelp = Program.exitCode(for: error).isSuccess
            let text = Program.fullMessage(for: error)
            if isHelp { console.write(text + "\n") } else { console.complain(text + "\n") }
            return .finished(isHelp ? 0 : 2)
        }
        if let program = parsed as? Program { return .console(program.global, program.console) }
        guard let command = parsed as? any ControlCommand else { return .finished(help(parsed, console)) }
        let language = command.global.language?.language ?? Language(environment: environment)
        let session = Session(
            console: console, global: command.global, texts: CatalogueFiles.load(language),
            origin: environment("SSH_CONNECTION")?.split(separator: " ").first.map(String.init), connect: connect)
        return .finished(session.run(command))
    }

    /// The library's `help` command, or a group such as `epost-console queue` without a further word: wrong usage.
    private static func help(_ parsed: any ParsableCommand, _ console: Console) -> Int32 {
        let isGroup = !type(of: parsed).configuration.subcommands.isEmpty
        var parsed = parsed
        do {
            try parsed.run()
            return 0
        } catch {
            let isHelp = Program.exitCode(for: error).isSuccess && !isGroup
            let text = Program.fullMessage(for: error)
            if isHelp { console.write(text + "\n") } else { console.complain(text + "\n") }
            return isHelp ? 0 : 2
        }
    }
}
