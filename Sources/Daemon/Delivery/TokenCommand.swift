import CLinux
import Glibc

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
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that its children go with it; the signals that this process blocks or ignores are not
        // its business.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        let words = cStrings(arguments)
        let environment = cStrings(["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"])
        defer { for word in words + environment { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, words, environment)
        return code == 0 ? .success(pid) : .failure(.cannotStart(String(cString: strerror(code))))
    }

    /// Ended by `nil`; to be freed one by one.
    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { strdup($0) } + [nil]
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
