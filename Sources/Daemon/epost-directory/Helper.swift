import CLinux
import DirectoryWire
import Glibc
import Threads

/// The process, from its arguments to its end.
enum Helper {
    struct Options {
        /// Socket to listen on; `nil`: the one that systemd passes.
        var socket: String?
        /// Only NSS and PAM: no file that a client names is opened, no server that it names is asked.
        var isSystemOnly = false
        /// Ends with the process that started it.
        var hasParent = false
        var pamService = "epost"
        var pamFolder: String?
        /// Seconds that a log-in may take; look-ups half of it.
        var patience = 20
        /// Asks NSS and PAM for another process, on descriptor 3.
        var isWorker = false
    }

    private static let usage = """
        usage: epost-directory --socket PATH | --systemd [--system-only] [--pam-service NAME] [--pam-confdir DIR]
                               [--patience SECONDS]
        Answers epostd about accounts of the system (NSS, PAM) and of LDAP directories.

        """

    static func run(_ arguments: [String]) -> Int32 {
        guard let options = parse(arguments) else {
            clinux_complain(usage)
            return 64  // EX_USAGE
        }
        signal(SIGPIPE, SIG_IGN)
        // The user's own files say nothing about how we ask.
        setenv("LDAPNOINIT", "1", 1)
        umask(0o177)
        if options.hasParent { _ = clinux_prctl(PR_SET_PDEATHSIG, UInt(SIGTERM)) }
        if options.isWorker { return SystemWorkers.work(options) }
        guard let listener = options.socket.map(listen) ?? inherited() else {
            clinux_complain("epost-directory: cannot listen: \(String(cString: strerror(errno)))\n")
            return 69  // EX_UNAVAILABLE
        }
        HelperServer(listener: listener, work: HelperWork(options)).run()
        return 0
    }

    private static func parse(_ arguments: [String]) -> Options? {
        var options = Options()
        var isInherited = false
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--systemd": isInherited = true
            case "--system-only": options.isSystemOnly = true
            case "--with-parent": options.hasParent = true
            case "--socket": options.socket = rest.popFirst()
            case "--pam-service": options.pamService = rest.popFirst() ?? ""
            case "--pam-confdir": options.pamFolder = rest.popFirst()
            case "--worker": options.isWorker = true
            case "--patience":
                guard let seconds = rest.popFirst().flatMap({ Int($0) }), (1...600).contains(seconds) else {
                    return nil
                }
                options.patience = seconds
            default: return nil
            }
        }
        if options.isWorker { return options.pamService.isEmpty ? nil : options }
        guard isInherited != (options.socket != nil), !options.pamService.isEmpty else { return nil }
        return options
    }

    private static func listen(_ path: String) -> Int32? {
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: place.sun_path) else {
            errno = ENAMETOOLONG
            return nil
        }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: octets) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        unlink(path)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard code == 0, Glibc.listen(descriptor, 64) == 0 else { return nil }
        return descriptor
    }

    /// The first socket of sd_listen_fds(3).
    private static func inherited() -> Int32? {
        guard getenv("LISTEN_FDS").map({ String(cString: $0) }) == "1",
            getenv("LISTEN_PID").map({ String(cString: $0) }) == String(getpid())
        else {
            errno = ENOTCONN
            return nil
        }
        return clinux_set_cloexec(3, 1) == 0 ? 3 : nil
    }
}
