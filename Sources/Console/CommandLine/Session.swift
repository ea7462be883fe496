import ConsoleCore
import Control
import Locale

/// One run of a command: where it prints, in which language, and the daemon behind it.
final class Session {
    let console: Console
    let global: GlobalOptions
    private let texts: Texts?
    private let origin: String?
    private let domainPassword: String?
    /// Protected domains that were tried to be opened.
    private var triedDomains: Set<String> = []
    private let connect: (String) throws(ControlError) -> any ControlCaller
    private var connected: (caller: any ControlCaller, hello: ServerInterface.Hello.Output)?

    init(
        console: Console, global: GlobalOptions, texts: Texts?, origin: String?, domainPassword: String? = nil,
        connect: @escaping (String) throws(ControlError) -> any ControlCaller
    ) {
        self.console = console
        self.global = global
        self.texts = texts
        self.origin = origin
        self.domainPassword = domainPassword
        self.connect = connect
    }

    func run(_ command: some ControlCommand) -> Int32 {
        do {
            try command.execute(self)
            return 0
        } catch let failure as CommandFailure {
            switch failure {
            case .failed(let text), .usage(let text): complain(text)
            case .said: break
            }
            return failure.exitCode
        } catch let error as ControlError {
            report(error)
            return error.exitCode
        } catch {
            complain("\(error)")
            return 1
        }
    }

    // The daemon

    /// The first call connects and says hello.
    func caller() throws(ControlError) -> any ControlCaller { try connection().caller }
    func hello() throws(ControlError) -> ServerInterface.Hello.Output { try connection().hello }

    /// A protected domain is opened on the way, when its password is at hand (R-ACC-11).
    func call<M: ControlMethod>(_ method: M.Type, _ input: M.Input) throws(ControlError) -> M.Output {
        while true {
            do throws(ControlError) {
                return try caller().call(method, input)
            } catch {
                guard try open(for: error) else { throw error }
            }
        }
    }

    /// As `call`, for answers in parts; a protected domain is refused before the first of them.
    func stream<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, _ each: (M.Output) -> Bool
    ) throws(ControlError) {
        while true {
            do throws(ControlError) {
                return try caller().stream(method, input, each)
            } catch {
                guard try open(for: error) else { throw error }
            }
        }
    }

    /// - Returns: whether something was opened for which `error` asks.
    private func open(for error: ControlError) throws(ControlError) -> Bool {
        let domain: String
        switch error.detail.code {
        case "domain.locked": domain = error.detail.arguments?.first ?? ""
        case "domain.system-locked": domain = ""
        default: return false
        }
        guard triedDomains.insert(domain).inserted, let password = password(of: domain) else { return false }
        _ = try caller().call(DirectoryInterface.OpenDomain.self, .init(domain: domain, password: password))
        return true
    }

    /// From the file of the option, the environment, or who sits there.
    private func password(of domain: String) -> String? {
        if let file = global.domainPasswordFile {
            guard case .success(let text) = console.read(file) else { return nil }
            return text.split(whereSeparator: \.isNewline).first.map(String.init)
        }
        if let domainPassword, !domainPassword.isEmpty { return domainPassword }
        guard console.canAsk else { return nil }
        return console.readSecretLine(
            domain.isEmpty ? word(.systemPasswordPrompt) : word(.domainPasswordPrompt, domain))
    }

    func call<M: ControlMethod>(_ method: M.Type) throws(ControlError) -> M.Output where M.Input == Nothing {
        try caller().call(method, Nothing())
    }

    private func connection() throws(ControlError) -> (
        caller: any ControlCaller, hello: ServerInterface.Hello.Output
    ) {
        if let connected { return connected }
        let caller = try connect(global.socketPath)
        let hello = try caller.call(ServerInterface.Hello.self, .init(client: "epost-console", origin: origin))
        connected = (caller, hello)
        return (caller, hello)
    }

    /// Moments in the server's time zone.
    func calendar() throws(ControlError) -> Calendar { Calendar(utcOffset: try hello().utcOffset) }

    // Words

    func word(_ word: Word, _ arguments: String...) -> String {
        texts?.find(word.rawValue, arguments) ?? Texts.fill(word.english, with: arguments)
    }

    /// What the daemon found or advises, in the chosen language.
    func sentence(_ english: String) -> String { texts?.sentence(english) ?? english }

    /// The text of a catalogue key that came from the server, else its English message.
    func text(code: String, message: String, arguments: [String]) -> String {
        texts?.find(code, arguments) ?? message
    }

    func text(_ problem: Problem) -> String {
        text(code: problem.code, message: problem.message, arguments: problem.arguments)
    }

    /// Label or help of a setting; `nil` when there are no catalogues.
    func catalogueText(_ key: String) -> String? { texts?.find(key) }

    // Output

    /// One line on standard output; whatever could steer a terminal becomes visible.
    func say(_ line: String) { console.write(Visible.line(line) + "\n") }
    /// Lines on standard error; the first carries the program's name.
    func complain(_ text: String) {
        console.complain("epost-console: " + Visible.lines(text).joined(separator: "\n") + "\n")
    }
    func note(_ line: String) { console.complain(Visible.line(line) + "\n") }
    /// How far it is, over the last such line; only for somebody who looks.
    func progress(_ line: String) {
        guard console.isTerminal else { return }
        console.complain("\r\u{1B}[K" + Visible.line(line))
    }
    func show(_ table: TextTable) { console.write(table.text) }
    func show(json value: some Encodable) { console.write(JSONText.document(value)) }

    private func report(_ error: ControlError) {
        complain(text(code: error.detail.code, message: error.detail.message, arguments: error.detail.arguments ?? []))
        switch error.kind {
        case .noConnection:
            let start =
                global.socket == nil && global.root == nil
                ? "systemctl start epostd" : "epostd --root \(global.root ?? "DIR")"
            note("  " + word(.startDaemon, start))
        case .notConfigured: note("  " + word(.runSetup))
        case .methodNotFound, .interfaceNotFound: note("  " + word(.olderDaemon))
        default: break
        }
        show(error.detail.problems ?? [])
    }

    /// Problems on standard error, each with its place.
    func show(_ problems: [Problem]) {
        for problem in problems {
            let lead = problem.isWarning ? word(.warning) + " " : ""
            note("  \(lead)\(place(of: problem))\(text(problem))")
        }
    }

    /// `line 12, column 3: ` for lines of a file, else the path.
    private func place(of problem: Problem) -> String {
        let parts = problem.path.split(separator: "/")
        if parts.count == 4, parts[0] == "line", parts[2] == "column" {
            return word(.lineColumn, String(parts[1]), String(parts[3])) + ": "
        }
        return problem.path.isEmpty ? "" : problem.path + ": "
    }

    /// What a change did, and what is still to be done for it.
    func show(_ applied: Applied, isDryRun: Bool = false) {
        show(applied.warnings)
        if applied.changes.isEmpty {
            say(word(.nothingChanged))
            return
        }
        for change in applied.changes {
            say("\(change.path): \(side(change.old)) -> \(side(change.new))")
        }
        say(isDryRun ? word(.wouldChange, String(applied.changes.count)) : word(.applied, String(applied.revision)))
        let effects = Set(applied.effects)
        if effects.contains("newSessions") { say(word(.effectNewSessions)) }
        for effect in effects.sorted() where effect.hasPrefix("restart.") {
            let service = String(effect.dropFirst("restart.".count))
            let names = service == "all" ? "epstrs, epstds" : service
            say(word(.effectRestart, names))
        }
    }

    func side(_ values: [String]?) -> String {
        guard let values else { return "-" }
        return values.isEmpty ? "(" + word(.empty) + ")" : values.joined(separator: ", ")
    }

    // Input

    /// The first line of standard input, without its end.
    func password(confirmedBy flag: Bool) throws(CommandFailure) -> String {
        guard flag else { throw .usage(word(.passwordNeeded)) }
        guard let line = console.readSecretLine(word(.passwordPrompt)), !line.isEmpty else {
            throw .failed(word(.passwordEmpty))
        }
        return line
    }

    /// The text of a file; `-` is standard input.
    func contents(of file: String) throws(CommandFailure) -> String {
        switch console.read(file) {
        case .success(let text): return text
        case .failure(let trouble): throw .failed(word(.cannotRead, file, trouble.reason))
        }
    }
}
