import ConsoleCore
import Glibc

/// Lines in, lines out: the console for screen readers and simple terminals. A line is taken when the answers to the one
/// before have come, so that a script may write them all at once.
final class PlainLoop {
    /// Lists are read in parts of so many rows.
    static let size = Size(columns: 80, rows: 30)
    /// Milliseconds after which an answer that does not come is not waited for any longer.
    private static let patience = 10_000

    private var console: PlainConsole
    private let link: SocketLink
    private var input: [UInt8] = []
    private var isInputOver = false
    private var exitCode: Int32?
    private var askedAt: Moment = 0
    private var lastTick: Moment = 0

    init(app: App, path: String) {
        console = PlainConsole(app)
        link = SocketLink(path: path)
    }

    /// - Returns: the exit status.
    func run() -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let now = Clock.now()
        perform(console.app.start(now: now, clock: Clock.wall()))
        // The first page is read when the server has answered, or cannot be reached.
        for message in link.advance(at: now) { dispatch(.link(message)) }
        askedAt = now
        while exitCode == nil {
            wait()
            turn()
        }
        write("\n")
        return exitCode ?? 0
    }

    private func wait() {
        var descriptors = [pollfd(fd: STDIN_FILENO, events: isInputOver ? 0 : Int16(POLLIN), revents: 0)]
        // A closed input would wake the poll for ever.
        if isInputOver { descriptors[0].fd = -1 }
        descriptors += link.descriptors
        guard !link.isBusy else { return }
        let hasWork = console.isSettled && (input.contains(0x0A) || isInputOver)
        poll(&descriptors, nfds_t(descriptors.count), hasWork ? 0 : 250)
        if descriptors[0].revents & Int16(POLLIN | POLLHUP) != 0 { readInput() }
    }

    private func readInput() {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let count = read(STDIN_FILENO, &chunk, chunk.count)
        if count > 0 { input += chunk[..<count] } else if count == 0 || errno != EINTR { isInputOver = true }
    }

    private func turn() {
        let now = Clock.now()
        for message in link.advance(at: now) { dispatch(.link(message)) }
        if now - lastTick >= 1_000 {
            lastTick = now
            dispatch(.tick)
        }
        guard console.isSettled || now - askedAt > Self.patience, exitCode == nil else { return }
        let text = console.takeOutput()
        if !text.isEmpty {
            write(text)
            setEcho(!console.wantsSecret)
        }
        takeLine(now)
    }

    private func takeLine(_ now: Moment) {
        guard let end = input.firstIndex(of: 0x0A) else {
            if isInputOver { exitCode = exitCode ?? 0 }
            return
        }
        var line = input[..<end]
        input.removeSubrange(...end)
        if line.last == 0x0D { line.removeLast() }
        askedAt = now
        perform(console.line(String(decoding: line, as: UTF8.self), now: now, clock: Clock.wall()))
    }

    private func dispatch(_ event: Event) {
        perform(console.handle(event, now: Clock.now(), clock: Clock.wall()))
    }

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .send(let id, let frame, let lane): link.send(id, frame: frame, lane: lane)
            case .file(let id, let request): dispatch(.link(.file(id, FileWork.perform(request))))
            case .cancel(let id): link.cancel(id)
            case .exit(let code): exitCode = code
            case .suspend, .redraw, .copy, .saveDraft: break
            }
        }
    }

    private func write(_ text: String) {
        let octets = Array(text.utf8)
        var done = 0
        while done < octets.count {
            let count = octets[done...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                exitCode = 1
                return
            }
            done += count
        }
    }

    /// A password is not shown while it is typed.
    private func setEcho(_ isOn: Bool) {
        var state = termios()
        guard tcgetattr(STDIN_FILENO, &state) == 0 else { return }
        if isOn { state.c_lflag |= tcflag_t(ECHO) } else { state.c_lflag &= ~tcflag_t(ECHO) }
        tcsetattr(STDIN_FILENO, TCSANOW, &state)
    }
}
