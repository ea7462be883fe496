import CLinux
import Glibc

/// An open folder. Everything below it is named relative to it and never through a link, so neither a planted link nor
/// a name with `..` leads out of a mailbox. Closed with the last reference.
final class FolderHandle: Sendable {
    /// Which folder it is, whatever its path.
    struct Identity: Equatable {
        let device: UInt
        let inode: UInt
    }

    let descriptor: Int32
    /// For error texts.
    let path: String
    let identity: Identity

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
        var info = stat()
        _ = fstat(descriptor, &info)
        identity = Identity(device: UInt(info.st_dev), inode: UInt(info.st_ino))
    }

    /// The folder that stands at a path now; `nil` when there is none.
    static func identity(atPath path: String) -> Identity? {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Identity(device: UInt(info.st_dev), inode: UInt(info.st_ino))
    }

    deinit { close(descriptor) }

    /// Opens a folder of the settings: links are followed. The last part is made when missing.
    static func base(_ path: String) throws(MailboxError) -> FolderHandle {
        var descriptor = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if descriptor < 0, errno == ENOENT, mkdir(path, 0o700) == 0 || errno == EEXIST {
            descriptor = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        guard descriptor >= 0 else { throw MailboxError(system: errno, "open \(path)") }
        return FolderHandle(descriptor, path)
    }

    /// The folder of that name in this one; `nil` for none, or a link.
    func identity(of name: String) -> Identity? {
        guard let info = status(name), info.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Identity(device: UInt(info.st_dev), inode: UInt(info.st_ino))
    }

    /// As `base`, without making anything; `nil` when there is none.
    static func existingBase(_ path: String) throws(MailboxError) -> FolderHandle? {
        let descriptor = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if descriptor >= 0 { return FolderHandle(descriptor, path) }
        if errno == ENOENT { return nil }
        throw MailboxError(system: errno, "open \(path)")
    }

    /// A folder in this one; `nil` when there is none of that name.
    func existing(_ name: String) throws(MailboxError) -> FolderHandle? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let below = clinux_openat(descriptor, name, flags, 0)
        if below >= 0 { return FolderHandle(below, "\(path)/\(name)") }
        if errno == ENOENT { return nil }
        throw MailboxError(system: errno, "open \(path)/\(name)")
    }

    /// As `existing`; made with mode 0700 when missing. It is durable with the next sync of anything below it: where a
    /// journal keeps the order of changes that is so by itself, elsewhere this folder is synced now.
    func folder(_ name: String) throws(MailboxError) -> FolderHandle {
        if let there = try existing(name) { return there }
        if mkdirat(descriptor, name, 0o700) == 0 {
            if NameSync.of(self) != .journal { try sync() }
        } else if errno != EEXIST {
            throw MailboxError(system: errno, "mkdir \(path)/\(name)")
        }
        guard let made = try existing(name) else { throw MailboxError(.io, "\(path)/\(name) vanished") }
        return made
    }

    /// Makes the names in it durable.
    func sync() throws(MailboxError) {
        if fsync(descriptor) != 0 { throw MailboxError(system: errno, "sync \(path)") }
    }

    func contains(_ name: String) -> Bool {
        faccessat(descriptor, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Calls `body` with each name but `.` and `..`, until it returns `false`.
    func forEachName(_ body: (String) throws(MailboxError) -> Bool) throws(MailboxError) {
        // A descriptor of its own: reading moves its position, and closedir closes it.
        let own = clinux_openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard own >= 0, let stream = fdopendir(own) else {
            let code = errno
            if own >= 0 { close(own) }
            throw MailboxError(system: code, "read \(path)")
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { octets in
                String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if try !body(name) { return }
        }
    }

    func status(_ name: String) -> stat? {
        var info = stat()
        return fstatat(descriptor, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info : nil
    }

    /// Seconds since 1970 of the last change of its names.
    func changedAt() -> Int {
        var info = stat()
        return fstat(descriptor, &info) == 0 ? Int(info.st_mtim.tv_sec) : 0
    }
}

extension MailboxError {
    init(system code: Int32, _ context: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .diskFull
            case EACCES, EPERM, EROFS, ELOOP, ENOTDIR, ENOENT: .notWritable
            default: .io
            }
        self.init(kind, "\(context): \(String(cString: strerror(code)))")
    }
}
