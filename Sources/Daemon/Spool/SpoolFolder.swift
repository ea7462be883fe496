import CLinux
import Glibc
import MailModel

/// `spool/<node>`: where everything of one node's spool lies.
///
/// | name | what |
/// | --- | --- |
/// | `queue.db` (`-wal`, `-shm`) | messages, recipients and content up to 64 KiB |
/// | `large/<id>` | longer content |
/// | `queue.lock` | held around each write transaction |
/// | `users.lock` | held shared by who has the database open, exclusively by who repairs it |
/// | `queue.damaged` | the database is broken; holds the name under which it is set aside |
struct SpoolFolder: Sendable {
    let path: String

    /// Makes the folders when missing, mode 0700.
    init(root: String, node: String) throws(SpoolError) {
        path = "\(root)/\(Self.safeName(node))"
        try Self.makeFolder(root)
        try Self.makeFolder(path)
        try Self.makeFolder("\(path)/large")
    }

    /// A host name as a folder name; what is not of a plain alphabet becomes `_`.
    static func safeName(_ node: String) -> String {
        let octets = node.utf8.map { octet -> UInt8 in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                return octet
            default: return UInt8(ascii: "_")
            }
        }
        let name = String(decoding: octets.prefix(200), as: UTF8.self)
        return name.isEmpty || name.hasPrefix(".") ? "_" + name : name
    }

    var database: String { "\(path)/queue.db" }
    var largeFolder: String { "\(path)/large" }
    func large(_ id: String) -> String { "\(path)/large/\(id)" }
    var writeLock: String { "\(path)/queue.lock" }
    var usersLock: String { "\(path)/users.lock" }
    var damageMark: String { "\(path)/queue.damaged" }

    private static func makeFolder(_ path: String) throws(SpoolError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw SpoolError(system: errno, "mkdir \(path)") }
    }

    /// Makes an empty file that only its owner may read; SQLite gives its log the mode of the database.
    func makePrivate(_ path: String) throws(SpoolError) {
        let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw SpoolError(system: errno, "create \(path)") }
        close(descriptor)
    }

    /// Makes the names in a folder durable.
    static func sync(folder path: String) throws(SpoolError) {
        let descriptor = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SpoolError(system: errno, "open \(path)") }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw SpoolError(system: errno, "sync \(path)") }
    }

    /// The names in a folder, without `.` and `..`, unsorted.
    static func names(in path: String) throws(SpoolError) -> [String] {
        guard let folder = opendir(path) else { throw SpoolError(system: errno, "open \(path)") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { octets in
                String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Octets that an unprivileged process may still write to the file system of `path`; `nil` when it does not say.
    static func availableOctets(_ path: String) -> Int? {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return nil }
        let (octets, isTooLarge) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        return isTooLarge ? .max : Int(clamping: octets)
    }
}

extension SpoolError {
    init(system code: Int32, _ context: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .diskFull
            case ENOENT: .notFound
            default: .io
            }
        self.init(kind, "\(context): \(String(cString: strerror(code)))")
    }
}

/// A lock between processes, by flock(2): it goes with its holder, so nobody has to clear it after a kill.
final class FileLock: Sendable {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws(SpoolError) {
        self.path = path
        descriptor = clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw SpoolError(system: errno, "open \(path)") }
    }

    deinit { close(descriptor) }

    /// Waits for the lock. An exclusive one may be turned into a shared one and back; in between others may get it.
    func lock(shared: Bool = false) throws(SpoolError) {
        while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
            if errno != EINTR { throw SpoolError(system: errno, "lock \(path)") }
        }
    }

    /// - Returns: whether the exclusive lock was free.
    func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func unlock() { _ = flock(descriptor, LOCK_UN) }
}
