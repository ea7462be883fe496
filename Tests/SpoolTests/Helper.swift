import CLinux
import Glibc
import MailModel
import Spool
import Testing

/// A second process for tests that kill it: this test program again, running the one test below in a given mode.
/// It tells what it did line by line through a pipe.
final class Helper {
    enum Mode: String {
        /// Adds messages for ever; a line for each that was acknowledged.
        case receive
        /// Finishes what it claims, with a report for each; a line for each change that was acknowledged.
        case deliver
        /// Adds under a limit on file sizes, then without it.
        case full
    }
    static let modeVariable = "EPOST_SPOOL_HELPER_MODE"
    static let rootVariable = "EPOST_SPOOL_HELPER_ROOT"
    /// Where the helper writes its lines, and its wake-up socket.
    static let output: Int32 = 3
    static let wake: Int32 = 4

    private let process: pid_t
    private let input: UnsafeMutablePointer<FILE>

    init(_ mode: Mode, root: String, wake: Int32 = -1) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe2(&ends, O_CLOEXEC) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        // Above what is to be overwritten.
        let carried = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
        let carriedWake = wake < 0 ? -1 : fcntl(wake, F_DUPFD_CLOEXEC, 10)
        posix_spawn_file_actions_adddup2(&actions, carried, Self.output)
        if carriedWake >= 0 { posix_spawn_file_actions_adddup2(&actions, carriedWake, Self.wake) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addclosefrom_np(&actions, carriedWake >= 0 ? 5 : 4)
        let arguments = ["epost-spool-helper", "--testing-library", "swift-testing", "--filter", "HelperProcess"]
        let variables = [
            "\(Self.modeVariable)=\(mode.rawValue)", "\(Self.rootVariable)=\(root)", "SWIFT_BACKTRACE=enable=no",
            "LD_LIBRARY_PATH=\(getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? "")",
            "PATH=/usr/bin:/bin", "HOME=/tmp",
        ]
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        var made: pid_t = 0
        let code = posix_spawn(&made, "/proc/self/exe", &actions, nil, &argv, &envp)
        for text in argv + envp { free(text) }
        posix_spawn_file_actions_destroy(&actions)
        close(carried)
        if carriedWake >= 0 { close(carriedWake) }
        close(ends[1])
        try #require(code == 0)
        process = made
        input = try #require(fdopen(ends[0], "r"))
    }

    deinit { fclose(input) }

    /// The next line; `nil` once the helper is gone. Waits.
    func line() -> String? {
        var buffer = [CChar](repeating: 0, count: 1000)
        guard fgets(&buffer, Int32(buffer.count), input) != nil else { return nil }
        let octets = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        return String(decoding: octets, as: UTF8.self)
    }

    /// SIGKILL; gives the lines that were on their way.
    func kill() -> [String] {
        _ = Glibc.kill(process, SIGKILL)
        var rest: [String] = []
        while let line = line() { rest.append(line) }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return rest
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// A line to the parent; the helper ends with its parent.
    static func tell(_ line: String) {
        let octets = Array((line + "\n").utf8)
        if octets.withUnsafeBytes({ write(output, $0.baseAddress, $0.count) }) != octets.count { exit(0) }
    }
}

/// Not a test of its own: the other process of the tests above.
@Suite(.enabled(if: Helper.variable(Helper.modeVariable) != nil)) struct HelperProcess {
    @Test func work() async throws {
        _ = clinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL))
        let root = try #require(Helper.variable(Helper.rootVariable))
        switch Helper.variable(Helper.modeVariable).flatMap({ Helper.Mode(rawValue: $0) }) {
        case .receive: try receive(root)
        case .deliver: try await deliver(root)
        case .full: try await full(root)
        case nil: Issue.record("unknown mode")
        }
    }

    private func receive(_ root: String) throws {
        let spool = try DiskSpool(root: root, node: "node", role: .receiver, wakeDescriptor: Helper.wake)
        Helper.tell("ready")
        @Sendable func add() {
            let message = numbered(spool)
            spool.add(message) { result in
                switch result {
                case .success: Helper.tell(message.id.rawValue)
                case .failure(let error): Helper.tell("! \(error.detail)")
                }
                add()
            }
        }
        for _ in 0..<8 { add() }
        while true { pause() }
    }

    private func deliver(_ root: String) async throws {
        let spool = try DiskSpool(root: root, node: "node", role: .delivery)
        Helper.tell("ready")
        while true {
            let claim = try spool.claim(limit: 4, now: noon)
            if claim.messages.isEmpty { break }
            for message in claim.messages where message.sender != .null {
                let report = makeMessage(spool, from: .null, to: ["ada@a.example"], parent: message.id)
                try await spool.finish(message, children: [report])
                Helper.tell(message.id.rawValue)
            }
        }
        Helper.tell("done")
    }

    private func full(_ root: String) async throws {
        signal(SIGXFSZ, SIG_IGN)
        let spool = try DiskSpool(root: root, node: "node", role: .receiver)
        try await spool.add(makeMessage(spool))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let unlimited = limit.rlim_cur
        limit.rlim_cur = 1 << 20
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        var failure: SpoolError?
        for _ in 0..<200 where failure == nil {
            let message = makeMessage(spool, content: [UInt8](repeating: 7, count: 30_000))
            do {
                try await spool.add(message)
                Helper.tell(message.id.rawValue)
            } catch {
                failure = error as? SpoolError
            }
        }
        Helper.tell("failed \(failure.map { "\($0.kind)" } ?? "never")")
        let large = try? spool.beginLarge(spool.makeID())
        do {
            try large?.append([UInt8](repeating: 1, count: 2 << 20))
            Helper.tell("large never")
        } catch {
            Helper.tell("large \(error.kind)")
        }
        large?.discard()
        limit.rlim_cur = unlimited
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let last = makeMessage(spool, content: [UInt8](repeating: 7, count: 30_000))
        try await spool.add(last)
        Helper.tell(last.id.rawValue)
    }

    /// Content that can be told from the id; each fourth is too long for a row.
    private func numbered(_ spool: DiskSpool) -> NewMessage {
        var message = makeMessage(spool, to: ["a@example.jp", "b@example.jp"])
        let isLarge = message.id.rawValue.utf8.last.map { $0 % 4 == 0 } ?? false
        message.content = .inline(contentOf(message.id, isLarge: isLarge))
        return message
    }
}

func contentOf(_ id: QueueID, isLarge: Bool) -> [UInt8] {
    let line = Array("\(id)\n".utf8)
    return isLarge ? Array(repeatElement(line, count: 5_000).joined()) : line
}
