import CLinux
import Glibc

/// One end of a datagram socket pair between two services. A lost wake-up is harmless by design: the other side also
/// looks by itself.
package struct WakeLine: Sendable {
    /// To be read by `DispatchSource` or poll; -1 for none.
    package let descriptor: Int32

    /// - Parameter descriptor: non-blocking from here on.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        guard descriptor >= 0 else { return }
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
    }

    package static let none = WakeLine(descriptor: -1)

    /// Both ends of a new line, for tests; `nil` when the system gives no descriptors.
    package static func pair() -> (WakeLine, WakeLine)? {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0 else { return nil }
        return (WakeLine(descriptor: ends[0]), WakeLine(descriptor: ends[1]))
    }

    /// Wakes the other side. Never waits: a full line means that it is awake already.
    package func signal() {
        guard descriptor >= 0 else { return }
        var octet: UInt8 = 1
        _ = send(descriptor, &octet, 1, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }

    /// Takes all wake-ups that have come.
    /// - Returns: whether there was one.
    @discardableResult
    package func drain() -> Bool {
        guard descriptor >= 0 else { return false }
        var woken = false
        var octets: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
        while recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT)) > 0 { woken = true }
        return woken
    }
}
