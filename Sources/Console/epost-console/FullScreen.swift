import ConsoleCore
import Glibc
import Terminal

/// The full-screen console: what `epost-console` without a command opens.
enum FullScreen {
    struct Options {
        var socketPath: String
        var isJapanese: Bool
        var isMono = false
        var isSlow = false
        var maySuspend = true
        var theme: String?
    }

    /// - Parameter make: the application for a terminal of this size and kind.
    /// - Returns: the exit status.
    static func run(_ options: Options, make: (Size, TextMetrics, Theme) -> App) -> Int32 {
        let isMono = options.isMono || getenv("NO_COLOR").map { String(cString: $0) }?.isEmpty == false
        let terminal = TerminalScreen.Options(
            width: getenv("EPOST_CONSOLE_WIDTH").map { String(cString: $0) }, isMono: isMono,
            isJapanese: options.isJapanese)
        let screen: TerminalScreen
        do throws(TerminalScreen.Failure) {
            screen = try TerminalScreen(terminal)
        } catch {
            complain(error)
            return 2
        }
        let drafts = DraftStore(socketPath: options.socketPath)
        let stderr = drafts.flatMap { StandardError.redirect(to: $0) }
        let theme = options.theme.flatMap { Theme.named($0) } ?? (screen.hasColours ? .colour : .mono)
        var app = make(screen.size, screen.metrics, theme)
        app.terminalFacts = screen.facts
        let loop = ConsoleLoop(
            app: app, screen: screen, link: SocketLink(path: options.socketPath), drafts: drafts,
            maySuspend: options.maySuspend, isSlow: options.isSlow || screen.isSlow)
        let code = loop.run()
        screen.end()
        if let stderr { StandardError.restore(stderr) }
        TerminalGuard.finish()
        return code
    }

    private static func complain(_ failure: TerminalScreen.Failure) {
        let text =
            switch failure {
            case .noTerminal:
                "epost-console: the full screen needs a terminal on standard input and output."
            case .unusable(let term):
                "epost-console: a terminal of type \"\(term)\" cannot show a full screen; set TERM, or use the commands."
            }
        let octets = Array((text + "\nSee epost-console --help for the one-line commands.\n").utf8)
        _ = write(STDERR_FILENO, octets, octets.count)
    }
}

/// While the screen is up nothing else may write on it: standard error goes to a file.
enum StandardError {
    /// - Returns: the old standard error.
    static func redirect(to drafts: DraftStore) -> Int32? {
        drafts.makeFolder()
        let file = open(drafts.logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
        guard old >= 0 else { return nil }
        dup2(file, STDERR_FILENO)
        return old
    }

    static func restore(_ old: Int32) {
        dup2(old, STDERR_FILENO)
        close(old)
    }
}
