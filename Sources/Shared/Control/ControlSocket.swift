import CLinux
import Glibc

/// A connected Unix stream socket that never blocks; the edge below `ControlClient`, `ControlLink` and the console's loop.
package struct ControlSocket: ~Copyable {
    package let descriptor: Int32

    /// - Throws: `noConnection` or `notPermitted`.
    package init(path: String) throws(ControlError) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Self.flags, 0)
        guard descriptor >= 0 else { throw .noConnection(path: path, errno) }
        let address = UnixAddress(path)
        var result = address.withSocketAddress { connect(descriptor, $0, $1) }
        // A full backlog answers EAGAIN at once on a socket that does not block; the wait is for a moment only.
        var tries = 0
        while result < 0, errno == EAGAIN || errno == EINTR, tries < 100 {
            poll(nil, 0, 10)
            tries += 1
            result = address.withSocketAddress { connect(descriptor, $0, $1) }
        }
        guard result == 0 else {
            let failure = errno
            close(descriptor)
            throw .noConnection(path: path, failure)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    package enum Moved: Equatable {
        case octets(Int)
        case wouldBlock
        /// The other side closed it.
        case closed
    }

    package borrowing func read(into buffer: inout [UInt8]) -> Moved {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return .octets(count) }
            if count == 0 { return .closed }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .closed
        }
    }

    package borrowing func write(_ octets: [UInt8]) -> Moved {
        while true {
            let count = send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .octets(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .closed
        }
    }
}

extension ControlError {
    package static func noConnection(path: String, _ failure: Int32) -> ControlError {
        if failure == EACCES {
            return ControlError(
                .notPermitted, code: "control.socket-refused",
                "You may not open \(path). Ask for the group epost-admin (change) or epost-view (look).",
                arguments: [path])
        }
        return ControlError(
            .noConnection, code: "control.no-daemon",
            "No daemon answers at \(path) (\(String(cString: strerror(failure)))).",
            arguments: [path, String(cString: strerror(failure))])
    }

    package static func connectionLost(path: String) -> ControlError {
        ControlError(
            .noConnection, code: "control.lost", "The daemon at \(path) closed the connection.", arguments: [path])
    }
}
