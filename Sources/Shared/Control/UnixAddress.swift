import CLinux
import Glibc

/// A Unix socket's address. `sun_path` holds 107 octets; a longer path is reached through a descriptor of its folder
/// (`/proc/self/fd/N/name`), so that a deep `--root` works like any other.
package struct UnixAddress: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Octets in `sun_path` without the closing NUL.
    package static let pathLimit = 107

    /// Calls `body` with the address in the form that `bind` and `connect` take.
    /// - Returns: what `body` returned; -1 with `errno` set when the folder of a long path cannot be opened.
    package func withSocketAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        if path.utf8.count <= Self.pathLimit { return Self.call(body, path) }
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            errno = ENAMETOOLONG
            return -1
        }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        let name = path[path.utf8.index(after: slash)...]
        guard name.utf8.count <= 64 else {
            errno = ENAMETOOLONG
            return -1
        }
        let descriptor = clinux_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return -1 }
        let result = Self.call(body, "/proc/self/fd/\(descriptor)/\(name)")
        let failure = errno
        close(descriptor)
        errno = failure
        return result
    }

    private static func call(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32, _ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
