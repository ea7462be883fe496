import CLinux
import Glibc

/// Files that fit into memory: tables, certificates, what /proc tells.
enum SmallFile {
    /// - Returns: `nil` when it cannot be read, or is longer than `limit` octets.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var out: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return out }
            out += part.prefix(count)
            if out.count > limit { return nil }
        }
    }

    /// Writes a new file beside the old one, syncs it and renames it, so that a reader never sees half (R-SYS-22).
    /// - Returns: errno, or `nil` when it is done.
    static func replace(_ path: String, with octets: [UInt8], mode: mode_t) -> Int32? {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { return errno }
        fchmod(descriptor, mode)
        var sent = 0
        while sent < octets.count {
            let count = octets[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return giveUp(descriptor, draft) }
            sent += count
        }
        guard fsync(descriptor) == 0 else { return giveUp(descriptor, draft) }
        close(descriptor)
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            return code
        }
        syncFolder(of: path)
        return nil
    }

    private static func giveUp(_ descriptor: Int32, _ draft: String) -> Int32 {
        let code = errno
        close(descriptor)
        unlink(draft)
        return code
    }

    private static func syncFolder(of path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let folder = clinux_open(String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// Makes a folder and those above it.
    /// - Returns: errno, or `nil` when it is there.
    static func makeFolders(_ path: String, mode: mode_t) -> Int32? {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, mode) != 0, errno != EEXIST { return errno }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { return errno }
        return status.st_mode & S_IFMT == S_IFDIR ? nil : ENOTDIR
    }

    static func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
}
