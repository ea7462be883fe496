import CLinux
import Glibc
import Threads

/// Runs the command that prints an access token for a gateway (XOAUTH2). No shell: a fixed list of arguments, nothing on
/// standard input, and of what it prints the first line counts.
enum TokenCommand {
    enum Failure: Error, Equatable {
        case cannotStart(String)
        case timeout
        case exit(Int32)
        case noToken

        /// For logs and queue rows; holds nothing that the command printed.
        var text: String {
            switch self {
            case .cannotStart(let reason): "the token command cannot be started: \(reason)"
            case .timeout: "the token command did not end in time"
            case .exit(let code): "the token command ended with exit code \(code)"
            case .noToken: "the token command printed no token"
            }
        }
    }

    /// A token is far shorter.
    private static let outputLimit = 64 << 10

    /// Blocks; not for an event loop.
    /// - Parameters:
    ///   - arguments: the program's absolute path first.
    ///   - milliseconds: after which it is killed.
    static func run(_ arguments: [String], milliseconds: Int) throws(Failure) -> String {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .cannotStart(String(cString: strerror(errno))) }
        defer { if ends[0] >= 0 { close(ends[0]) } }
        let child = spawn(arguments, output: ends[1])
        close(ends[1])
        let pid: pid_t
        switch child {
        case .success(let started): pid = started
        case .failure(let error): throw error
        }
        let printed = read(from: ends[0], milliseconds: milliseconds)
        if printed == nil { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard let printed else { throw .timeout }
        guard status & 0x7F == 0, status >> 8 & 0xFF == 0 else { throw .exit(status >> 8 & 0xFF) }
        let line = printed.prefix { $0 != 10 && $0 != 13 }.filter { $0 > 0x20 && $0 < 0x7F }
        guard !line.isEmpty else { throw .noToken }
        return String(decoding: line, as: UTF8.self)
    }

    private static func spawn(_ arguments: [String], output: Int32) -> Result<pid_t, Failure> {
        guard let program = arguments.first, program.hasPrefix("/") else {
            return .failure(.cannotStart("an absolute path is needed"))
        }
        let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]
        return ProgramStart.start(
            program, arguments: arguments, environment: environment,
            descriptors: [.nothing, .descriptor(output), .nothing]
        ).mapError { .cannotStart(String(cString: strerror($0.code))) }
    }

    /// - Returns: `nil` when it did not end in time.
    private static func read(from descriptor: Int32, milliseconds: Int) -> [UInt8]? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        var out: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while out.count < outputLimit {
            let left = Int32(clamping: Int((end - ContinuousClock.now) / Duration.milliseconds(1)))
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = left > 0 ? poll(&entry, 1, left) : 0
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return out }
            out += piece[..<count]
        }
        return out
    }
}
