import CLinux
import Glibc
import MailModel
import Settings
import Store
import Threads

/// Runs `epost-directory` while accounts are the system's or a directory's, and starts it again when it ends. A thread
/// of its own, so that nothing is held up, and nothing is there while accounts are our own.
final class DirectoryHelper: Sendable {
    private struct State {
        var isInUse = false
        /// Checks under way of settings that are not in force.
        var guests = 0
        var isEnding = false
        var hasThread = false
        var pid: pid_t = 0
        var isWanted: Bool { (isInUse || guests > 0) && !isEnding }
    }
    private let state = Monitor(State())
    private let layout: Layout
    private let log: @Sendable (LogEvent.Level, String) -> Void

    init(layout: Layout, log: @escaping @Sendable (LogEvent.Level, String) -> Void) {
        self.layout = layout
        self.log = log
    }

    func apply(_ settings: SettingsSnapshot) {
        let backend = settings[AccountSettings.backend]
        // One that systemd runs has the privileges that ours lacks.
        let isElsewhere = backend == .system && layout.directorySockets.dropLast().contains { access($0, F_OK) == 0 }
        change { $0.isInUse = backend != .soft && !isElsewhere }
    }

    /// Has it run for as long as `body` takes.
    func during<Value>(_ body: () throws(DirectoryError) -> Value) throws(DirectoryError) -> Value {
        change { $0.guests += 1 }
        defer { change { $0.guests -= 1 } }
        return try body()
    }

    func end() { change { $0.isEnding = true } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            if !state.isWanted, state.pid > 0 { kill(state.pid, SIGTERM) }
            guard state.isWanted, !state.hasThread else { return }
            let thread = Thread(name: "helper", stack: 128 << 10) { [self] in watch() }
            state.hasThread = thread != nil
            thread?.detach()
        }
        state.signalAll()
    }

    private func watch() {
        var rule = RestartRule()
        while true {
            let isOver = state.withLock { state in
                if state.isWanted { return false }
                state.hasThread = false
                return true
            }
            if isOver { return }
            let began = Clock.monotonic()
            let end = runOnce()
            guard state.withLock({ $0.isWanted }) else { continue }
            // One that lived for some seconds had no fault at its start.
            let run: RestartRule.Run = Clock.monotonic() - began > 5_000 ? .served : .idle
            let pause = rule.pause(after: run, end)
            log(.error, "epost-directory failed (\(end)); it is started again")
            if pause > 0 { _ = state.wait(milliseconds: pause) { $0.isWanted ? nil : true } }
        }
    }

    /// From its start to its end.
    private func runOnce() -> RestartRule.End {
        guard let program = Self.program, let socket = layout.directorySockets.last else { return .exit(code: 127) }
        var arguments = ["epost-directory", "--socket", socket, "--with-parent"]
        if layout.root != nil, access(layout.pam, F_OK) == 0 { arguments += ["--pam-confdir", layout.pam] }
        let started = state.withLock { state -> pid_t? in
            guard state.isWanted,
                case .success(let pid) = ProgramStart.start(
                    program, arguments: arguments, environment: ChildProcess.environment(),
                    descriptors: [.nothing, .inherited, .inherited])
            else { return nil }
            state.pid = pid
            return pid
        }
        guard let pid = started else { return .exit(code: 127) }
        log(.info, "epost-directory starts as process \(pid)")
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        state.withLock { $0.pid = 0 }
        unlink(socket)
        let signal = status & 0x7F
        return signal == 0 ? .exit(code: (status >> 8) & 0xFF) : .signal(signal)
    }

    /// Beside our own program.
    private static var program: String? {
        guard let own = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(own) }
        let path = String(cString: own)
        return path.lastIndex(of: "/").map { String(path[..<$0]) + "/epost-directory" }
    }
}
