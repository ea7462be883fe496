import CLinux
import Glibc

/// The control files beside `new`, `cur` and `tmp` of a mailbox: found in any letter case, never through a link, written
/// at once or not at all with mode 0600. Waits for the disk.
package struct MailboxFiles {
    private let root: FolderHandle

    /// - Returns: `nil` when the mailbox does not exist yet.
    package init?(_ location: MailboxLocation) throws(MailboxError) {
        guard var folder = try FolderHandle.existingBase(location.base) else { return nil }
        for name in location.folders {
            guard let below = try folder.existing(name) else { return nil }
            folder = below
        }
        root = folder
    }

    /// Makes the mailbox's folder when it is missing.
    package static func make(_ location: MailboxLocation) throws(MailboxError) -> MailboxFiles {
        var folder = try FolderHandle.base(location.base)
        for name in location.folders { folder = try folder.folder(name) }
        return MailboxFiles(root: folder)
    }

    private init(root: FolderHandle) { self.root = root }

    /// Names that match in any letter case, by the name asked for. Where there are several, the one written as asked
    /// for counts, then the first in the order of octets.
    /// - Parameter names: plain names.
    package func find(_ names: [String]) throws(MailboxError) -> [String: String] {
        let wanted = Dictionary(names.map { ($0.lowercased(), $0) }) { first, _ in first }
        var found: [String: String] = [:]
        try root.forEachName { name throws(MailboxError) in
            guard name.utf8.count <= 64, let asked = wanted[name.lowercased()] else { return true }
            if let other = found[asked], other == asked || name != asked && other < name { return true }
            found[asked] = name
            return true
        }
        return found
    }

    /// What tells that a file is another one or was written: changes with every way to change it that matters.
    package struct Stamp: Hashable, Sendable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    /// - Parameter name: as `find` gave it. `nil`: not there.
    package func stamp(_ name: String) -> Stamp? { root.status(name).map(Self.stamp) }

    /// Of the folder: changes when a name comes or goes.
    package var stamp: Stamp? { root.status(".").map(Self.stamp) }

    /// The same without opening it, for comparison only.
    package static func stamp(of location: MailboxLocation) -> Stamp? {
        var info = stat()
        return stat(location.path, &info) == 0 ? stamp(info) : nil
    }

    private static func stamp(_ info: stat) -> Stamp {
        Stamp(
            inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: Int(info.st_mtim.tv_sec),
            nanoseconds: Int(info.st_mtim.tv_nsec))
    }

    /// A whole file; its beginning when it is longer than `limit` octets.
    /// - Throws: for a link, a file with several names, or none at all.
    package func read(_ name: String, limit: Int) throws(MailboxError) -> [UInt8] {
        guard MailboxLocation.isPlainName(name) else { throw MailboxError(.notWritable, "\(name) is no plain name") }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let descriptor = clinux_openat(root.descriptor, name, flags, 0)
        guard descriptor >= 0 else { throw MailboxError(system: errno, "open \(root.path)/\(name)") }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else {
            throw MailboxError(.notWritable, "\(root.path)/\(name) is not a plain file with one name")
        }
        return try Self.read(descriptor, limit: limit, "\(root.path)/\(name)")
    }

    /// A file that IMS.CTL names by its path (`FILE:`): a plain file that the service may read; its content is taken for
    /// addresses and nothing else. It may have several names, as backups make them.
    /// - Throws: for a path with `..`, or with a link that root did not make.
    package static func readList(_ path: String, limit: Int) throws(MailboxError) -> [UInt8] {
        let descriptor = try ListFile.open(path)
        defer { close(descriptor) }
        return try read(descriptor, limit: limit, path)
    }

    private static func read(_ descriptor: Int32, limit: Int, _ path: String) throws(MailboxError) -> [UInt8] {
        var out: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while out.count < limit {
            let count = Glibc.read(descriptor, &piece, min(piece.count, limit - out.count))
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw MailboxError(system: errno, "read \(path)") }
            if count == 0 { break }
            out += piece[..<count]
        }
        return out
    }

    /// Replaces a file at once: a reader sees the old one or the new one. Synced.
    package func write(_ name: String, _ octets: [UInt8]) throws(MailboxError) {
        guard MailboxLocation.isPlainName(name), name.utf8.count < 200 else {
            throw MailboxError(.notWritable, "\(name) is no plain name")
        }
        let draft = ".\(name).\(getpid()).new"
        unlinkat(root.descriptor, draft, 0)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = clinux_openat(root.descriptor, draft, flags, 0o600)
        guard descriptor >= 0 else { throw MailboxError(system: errno, "create \(root.path)/\(draft)") }
        do throws(MailboxError) {
            defer { close(descriptor) }
            fchmod(descriptor, 0o600)
            try OctetCopy.write([], octets, to: descriptor)
            if fsync(descriptor) != 0 { throw MailboxError(system: errno, "sync \(root.path)/\(draft)") }
            if renameat(root.descriptor, draft, root.descriptor, name) != 0 {
                throw MailboxError(system: errno, "rename to \(root.path)/\(name)")
            }
        } catch {
            unlinkat(root.descriptor, draft, 0)
            throw error
        }
        try root.sync()
    }

    /// - Returns: whether there was one.
    @discardableResult
    package func remove(_ name: String) throws(MailboxError) -> Bool {
        guard MailboxLocation.isPlainName(name) else { return false }
        if unlinkat(root.descriptor, name, 0) == 0 { return true }
        if errno == ENOENT { return false }
        throw MailboxError(system: errno, "remove \(root.path)/\(name)")
    }
}
