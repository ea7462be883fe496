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
            SenderCommand.self, DirectoryCommand.self, CheckPasswordCommand.self,
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
            let text = told(Program.fullMessage(for: error), arguments, environment)
            if isHelp { console.write(text + "\n") } else { console.complain(text + "\n") }
            return .finished(isHelp ? 0 : 2)
        }
        if let program = parsed as? Program { return .console(program.global, program.console) }
        guard let command = parsed as? any ControlCommand else {
            return .finished(help(parsed, console) { told($0, arguments, environment) })
        }
        let language = command.global.language?.language ?? Language(environment: environment)
        let session = Session(
            console: console, global: command.global, texts: CatalogueFiles.load(language),
            origin: environment("SSH_CONNECTION")?.split(separator: " ").first.map(String.init),
            domainPassword: environment("EPOST_DOMAIN_PASSWORD"), connect: connect)
        return .finished(session.run(command))
    }

    /// Help in the reader's language: that of `--language`, else of the locale.
    private static func told(
        _ text: String, _ arguments: [String], _ environment: @escaping (String) -> String?
    ) -> String {
        var language = Language(environment: environment)
        for (index, argument) in arguments.enumerated() where argument.hasPrefix("--language") {
            let value = argument.hasPrefix("--language=") ? String(argument.dropFirst("--language=".count)) : nil
            let next = arguments.indices.contains(index + 1) ? arguments[index + 1] : nil
            if let chosen = (value ?? next).flatMap(LanguageChoice.init(argument:)) { language = chosen.language }
        }
        guard language == .japanese, let texts = CatalogueFiles.load(.japanese) else { return text }
        return HelpText.translated(text) { texts.find($0) }
    }

    /// The library's `help` command, or a group such as `epost-console queue` without a further word: wrong usage.
    private static func help(
        _ parsed: any ParsableCommand, _ console: Console, _ told: (String) -> String
    ) -> Int32 {
        let isGroup = !type(of: parsed).configuration.subcommands.isEmpty
        var parsed = parsed
        do {
            try parsed.run()
            return 0
        } catch {
            let isHelp = Program.exitCode(for: error).isSuccess && !isGroup
            let text = told(Program.fullMessage(for: error))
            if isHelp { console.write(text + "\n") } else { console.complain(text + "\n") }
            return isHelp ? 0 : 2
        }
    }
}
