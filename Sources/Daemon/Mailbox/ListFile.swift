import CLinux
import Glibc

/// Opens a file that a control file names by its absolute path (`FILE:`).
///
/// Whoever can write in a folder on the way can put a link there; a link that root did not make is therefore never
/// followed, nor is `..`: so a link planted in a mailbox, or in a folder that somebody else may write, leads nowhere.
/// What root linked (`/srv` to another disk) stands. Each link is looked at by its own descriptor, so that none can be
/// exchanged between the look and the step.
enum ListFile {
    /// Links on the way, as in the kernel.
    private static let maximumLinks = 40
    /// O_PATH: a descriptor that only names (the same on every Linux that Swift runs on).
    private static let onlyName: Int32 = 0o10000000

    /// - Returns: an open plain file; its content may be anything.
    static func open(_ path: String) throws(MailboxError) -> Int32 {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw MailboxError(.notWritable, "no absolute path") }
        var names = parts(of: path)
        guard !names.contains(".."), !names.contains("."), !names.isEmpty else {
            throw MailboxError(.notWritable, "\(path) is no plain path")
        }
        var links = 0
        var here = try step("/", from: AT_FDCWD, onlyName | O_DIRECTORY, path)
        while let name = names.first {
            names.removeFirst()
            let folder = here
            defer { close(folder) }
            let found = try step(name, from: folder, onlyName, path)
            defer { close(found) }
            if let target = try target(of: found, path) {
                links += 1
                guard links <= maximumLinks else { throw MailboxError(.notWritable, "too many links in \(path)") }
                names = parts(of: target) + names
                let start = target.hasPrefix("/") ? "/" : "."
                here = try step(start, from: folder, onlyName | O_DIRECTORY, path)
            } else {
                here = try step(name, from: folder, names.isEmpty ? O_RDONLY : onlyName | O_DIRECTORY, path)
            }
        }
        var info = stat()
        guard fstat(here, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            close(here)
            throw MailboxError(.notWritable, "\(path) is not a plain file")
        }
        return here
    }

    private static func parts(of path: String) -> [String] { path.split(separator: "/").map(String.init) }

    private static func step(
        _ name: String, from folder: Int32, _ flags: Int32, _ path: String
    ) throws(MailboxError) -> Int32 {
        let descriptor = clinux_openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw MailboxError(system: errno, "open \(path)") }
        return descriptor
    }

    /// - Returns: where a link leads; `nil` when `descriptor` is none.
    /// - Throws: for a link that root did not make.
    private static func target(of descriptor: Int32, _ path: String) throws(MailboxError) -> String? {
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFLNK else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = octets.withUnsafeMutableBytes { room -> Int in
            guard let start = room.baseAddress?.assumingMemoryBound(to: CChar.self) else { return -1 }
            return readlinkat(descriptor, "", start, room.count)
        }
        guard info.st_uid == 0, count > 0, count < octets.count else {
            throw MailboxError(.notWritable, "a link in \(path) was not made by root; give the path that it leads to")
        }
        return String(decoding: octets[..<count], as: UTF8.self)
    }
}
