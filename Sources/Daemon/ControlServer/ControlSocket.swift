import CLinux
import Glibc

enum ControlSocket {
    /// Connections that wait to be accepted.
    static let backlog: Int32 = 64

    /// A listening, non-blocking, close-on-exec Unix stream socket at `path`, made with mode 0600.
    static func listen(at path: String) throws(ControlServer.Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: address.sun_path), !octets.contains(0) else {
            throw .cannotListen("\(path): a socket path has 107 octets at most")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw .cannotListen("\(path): socket: \(errno)") }
        unlink(path)
        let old = umask(0o177)
        defer { umask(old) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let cause = String(cString: strerror(errno))
            close(descriptor)
            throw .cannotListen("\(path): \(cause)")
        }
        return descriptor
    }

    static func accept(_ listener: Int32) -> Int32? {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = accept4(listener, nil, nil, flags)
        return descriptor >= 0 ? descriptor : nil
    }
}
