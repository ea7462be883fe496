import ArgumentParser
import CLinux
import Glibc
import Service
import Settings
import Supervisor

/// Reads the arguments and picks the role. Services are started through here too, by the supervisor.
struct Epostd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epostd", abstract: "The mail server's daemon.",
        discussion: """
            Without --root the files lie in /etc/epost, /var/lib/epost, /var/spool/epost, /var/log/epost and /run/epost.
            A new daemon starts unconfigured: run epost-console, or epost-console setup.
            SIGTERM and SIGINT end it in order, SIGHUP reads certificate, tables and settings anew.
            """,
        version: productVersion)

    @Option(name: .long, help: ArgumentHelp("Everything lies below this folder.", valueName: "dir"))
    var root: String?

    @Flag(name: .long, help: "Look at everything, say everything that is wrong, and exit (78: there are faults).")
    var check = false

    @Option(name: .long, help: .private)
    var service: String?

    func run() throws {
        let layout: Layout
        if let root {
            guard let path = Self.absolute(root) else { throw ValidationError("the folder \(root) cannot be made") }
            layout = Layout(root: path)
        } else {
            layout = .hierarchy
        }
        let code: Int32
        if let service {
            code = Programs.run(service, layout)
        } else {
            code = check ? CheckMode.run(layout) : Daemon.run(layout)
        }
        // Threads of a service may still be at work; everything that counts has been written.
        fflush(nil)
        _exit(code)
    }

    /// The root folder is made when it is missing, so that links in its path can be resolved.
    private static func absolute(_ path: String) -> String? {
        mkdir(path, 0o750)
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

clinux_return_large_memory()
Epostd.main()
