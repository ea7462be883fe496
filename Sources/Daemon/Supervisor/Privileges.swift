import CLinux
import Glibc
import Settings

/// Who the daemon runs as (architecture, section 2).
enum Privileges {
    static let user = "epost"
    private static let bindService: Int32 = 10  // CAP_NET_BIND_SERVICE
    private static let keepCapabilities: Int32 = 8  // PR_SET_KEEPCAPS

    /// Folders of an installation with their modes.
    static func folders(_ layout: Layout) -> [(path: String, mode: mode_t)] {
        let store = layout.store.lastIndex(of: "/").map { String(layout.store[..<$0]) } ?? layout.conf
        return [(layout.conf, 0o750), (store, 0o750), (layout.log, 0o750), (layout.run, 0o755)]
    }

    /// Makes the folders that the daemon needs before it knows its settings.
    /// - Returns: what is wrong.
    static func prepare(_ layout: Layout) -> String? {
        for (path, mode) in folders(layout) {
            if let failure = SmallFile.makeFolders(path, mode: mode) {
                return "\(path) cannot be made: \(SmallFile.errorText(failure))"
            }
        }
        return nil
    }

    /// Root in the file system hierarchy becomes the user `epost`, and keeps the right to open low ports, so that
    /// listeners can be changed later. With a root folder it stays who it is.
    /// - Returns: what is wrong.
    static func drop(_ layout: Layout) -> String? {
        guard geteuid() == 0, layout.root == nil else { return nil }
        guard let account = getpwnam(user) else {
            return "the user \(user) does not exist; make it (useradd --system \(user)), or try with --root DIR"
        }
        let (uid, gid) = (account.pointee.pw_uid, account.pointee.pw_gid)
        let open = folders(layout).map { ($0.path, mode_t(0o750)) }
        for (path, mode) in open + [(layout.spool, mode_t(0o700)), (layout.mail, mode_t(0o700))] {
            if mkdir(path, mode) != 0, errno != EEXIST { continue }
            chown(path, uid, gid)
        }
        for path in [layout.store, layout.store + "-wal", layout.store + "-shm", layout.lockFile, layout.pidFile] {
            lchown(path, uid, gid)
        }
        guard clinux_prctl(keepCapabilities, 1) == 0, initgroups(user, gid) == 0, setgid(gid) == 0, setuid(uid) == 0,
            clinux_keep_capability(bindService) == 0
        else { return "the user cannot be changed to \(user): \(SmallFile.errorText(errno))" }
        // Core dumps are off after setuid, and so is /proc/self: the services are started through it.
        _ = clinux_prctl(4, 1)  // PR_SET_DUMPABLE
        return nil
    }

    /// The name of the user that this process, and so every service, runs as.
    static var ownName: String { getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? String(geteuid()) }

    static var warning: String? {
        geteuid() == 0 ? "runs as root; that is meant for trying it out" : nil
    }
}
