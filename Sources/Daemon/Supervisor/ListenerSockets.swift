import CLinux
import Control
import Glibc
import MailModel
import Settings

/// A listening socket that the supervisor holds.
struct BoundListener: Sendable, Equatable {
    let address: ListenerAddress
    let descriptor: Int32
}

/// Why an address cannot be listened on.
struct ListenerFailure: Error, Equatable, Sendable {
    let address: ListenerAddress
    let code: Int32
    /// English, whole sentence, with the program that holds the port (R-SYS-06).
    let message: String
    /// The program that holds the port, or the system's reason.
    var cause = ""

    var note: StatusNote {
        let key =
            switch code {
            case EADDRINUSE: "held"
            case EACCES, EPERM: "low"
            case EADDRNOTAVAIL: "foreign"
            case EAFNOSUPPORT: "no-ipv6"
            default: "other"
            }
        return StatusNote("listener.\(key)", message, [address.text, cause])
    }
}

/// Makes listening sockets.
enum ListenerSockets {
    /// Connections that wait in the kernel while the receiver restarts; the kernel cuts it to `somaxconn`.
    static let backlog: Int32 = 4096

    /// Binds and listens; close-on-exec, non-blocking.
    static func open(_ address: ListenerAddress) throws(ListenerFailure) -> BoundListener {
        let descriptor = try bound(address)
        guard listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw failure(address, code)
        }
        return BoundListener(address: address, descriptor: descriptor)
    }

    /// Whether the address could be bound now.
    static func probe(_ address: ListenerAddress) -> ListenerFailure? {
        do throws(ListenerFailure) {
            let descriptor = try bound(address)
            defer { close(descriptor) }
            // Two sockets may bind with SO_REUSEADDR; only listening shows a third one that listens.
            return listen(descriptor, 1) == 0 ? nil : failure(address, errno)
        } catch {
            return error
        }
    }

    private static func bound(_ address: ListenerAddress) throws(ListenerFailure) -> Int32 {
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw failure(address, errno) }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if address.isIPv6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, size) }
        guard bind(descriptor, address) == 0 else {
            let code = errno
            close(descriptor)
            throw failure(address, code)
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, _ address: ListenerAddress) -> Int32 {
        switch address.host {
        case .address(let ip) where !ip.isIPv4:
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            place.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: ip.octets) }
            return withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        case .anyIPv4, .address:
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = address.port.bigEndian
            if case .address(let ip) = address.host {
                withUnsafeMutableBytes(of: &place.sin_addr) { $0.copyBytes(from: ip.octets) }
            }
            return withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    private static func failure(_ address: ListenerAddress, _ code: Int32) -> ListenerFailure {
        let message: String
        var cause = ""
        switch code {
        case EADDRINUSE:
            let holder = PortHolder.find(port: address.port)?.text ?? "another program"
            cause = holder
            message = "\(address.text) cannot be opened: the port is held by \(holder)"
        case EACCES, EPERM:
            message =
                "\(address.text) cannot be opened: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL:
            message = "\(address.text) cannot be opened: this machine does not have that address"
        case EAFNOSUPPORT:
            message = "\(address.text) cannot be opened: this machine has no IPv6"
        default:
            cause = String(cString: strerror(code))
            message = "\(address.text) cannot be opened: \(cause)"
        }
        return ListenerFailure(address: address, code: code, message: message, cause: cause)
    }

    static var hasIPv6: Bool {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
