import CLinux
import Control
import Glibc

enum ControlSocket {
    /// Connections that wait to be accepted.
    static let backlog: Int32 = 512

    /// A listening, non-blocking, close-on-exec Unix stream socket at `path`, made with mode 0600.
    static func listen(at path: String) throws(ControlServer.Failure) -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw .cannotListen("\(path): socket: \(errno)") }
        unlink(path)
        let old = umask(0o177)
        defer { umask(old) }
        let bound = UnixAddress(path).withSocketAddress { bind(descriptor, $0, $1) }
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
