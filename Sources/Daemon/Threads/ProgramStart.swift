import CLinux
import Glibc

/// Starts a program by posix_spawn(3): never by a shell, in a process group of its own (so that its children go with
/// it, and Ctrl-C on the terminal stays with us), with no blocked or ignored signals, and with no descriptors but those
/// that it is given.
package enum ProgramStart {
    package enum Source {
        /// /dev/null
        case nothing
        /// One of ours; it stays open here.
        case descriptor(Int32)
        /// What we have under the number.
        case inherited
    }

    /// - Parameters:
    ///   - path: not searched for.
    ///   - arguments: the name first.
    ///   - environment: `NAME=value`, and nothing else.
    ///   - descriptors: what the program finds under 0, 1, 2 and so on.
    /// - Returns: the process, or the errno.
    package static func start(
        _ path: String, arguments: [String], environment: [String], descriptors: [Source]
    ) -> Result<pid_t, SystemFailure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, source) in zip(Int32(0)..., descriptors) {
            switch source {
            case .nothing:
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
            case .descriptor(let own): posix_spawn_file_actions_adddup2(&actions, own, number)
            case .inherited: break
            }
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, Int32(descriptors.count))
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var pid: pid_t = 0
        let code = withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
        return code == 0 ? .success(pid) : .failure(SystemFailure(code: code))
    }

    package struct SystemFailure: Error, Equatable {
        /// errno
        package let code: Int32
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let pointers = texts.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
