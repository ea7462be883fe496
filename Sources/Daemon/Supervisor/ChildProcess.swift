import CLinux
import Control
import Glibc
import Service
import Threads

/// A running service as the supervisor sees it. Used on the supervisor's loop only.
final class ChildProcess {
    let pid: pid_t
    /// Our end of the socket pair, non-blocking.
    let channel: Int32
    /// Monotonic milliseconds.
    let startedAt: Int
    var isReady = false
    var hasServed = false
    private var decoder = FrameDecoder()
    private var outgoing: [(octets: [UInt8], sent: Int, descriptors: [Int32])] = []
    private(set) var outgoingOctets = 0

    private init(pid: pid_t, channel: Int32, startedAt: Int) {
        self.pid = pid
        self.channel = channel
        self.startedAt = startedAt
    }

    deinit {
        for frame in outgoing { frame.descriptors.forEach { close($0) } }
        close(channel)
    }

    /// Octets that may wait for a service that does not read.
    static let outgoingLimit = 8 << 20

    /// Starts this program again as a service.
    /// - Parameter wake: the service's end of the wake line.
    /// - Returns: `nil` with errno set when the system refuses.
    static func start(_ service: String, root: String?, wake: Int32, now: Int) -> ChildProcess? {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        // Out of the way of the numbers that they get in the child.
        let theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
        close(ends[1])
        guard theirs >= 0, clinux_set_nonblocking(ends[0]) == 0 else {
            close(ends[0])
            return nil
        }
        defer { close(theirs) }
        let pid = spawn(
            arguments: ["epostd", "--service", service] + (root.map { ["--root", $0] } ?? []), theirs, wake)
        guard let pid else {
            let code = errno
            close(ends[0])
            errno = code
            return nil
        }
        return ChildProcess(pid: pid, channel: ends[0], startedAt: now)
    }

    private static func spawn(arguments: [String], _ channel: Int32, _ wake: Int32) -> pid_t? {
        // In the places that `InheritedDescriptor` names.
        let started = ProgramStart.start(
            "/proc/self/exe", arguments: arguments, environment: environment(),
            descriptors: [.nothing, .inherited, .inherited, .descriptor(channel), .descriptor(wake)])
        switch started {
        case .success(let pid): return pid
        case .failure(let failure):
            errno = failure.code
            return nil
        }
    }

    /// Ours, but a crash shall not spend seconds on a backtrace before the restart.
    static func environment() -> [String] {
        var out: [String] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("SWIFT_BACKTRACE=") && !text.hasPrefix("NOTIFY_SOCKET=") { out.append(text) }
            next += 1
        }
        return out + ["SWIFT_BACKTRACE=enable=no"]
    }

    // MARK: Frames

    /// Queues an order.
    /// - Parameter descriptors: sent along and closed afterwards.
    func send(_ order: ServiceOrder, descriptors: [Int32] = []) {
        let frame = ServiceFrame.encode(order)
        outgoing.append((frame, 0, descriptors))
        outgoingOctets += frame.count
        flush()
    }

    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Writes as much as the socket takes.
    func flush() {
        while let frame = outgoing.first {
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            let count = frame.octets[frame.sent...].withUnsafeBytes {
                clinux_send_descriptors(
                    channel, $0.baseAddress, $0.count, frame.descriptors, frame.descriptors.count, flags)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            // The descriptors went with the first octet.
            frame.descriptors.forEach { close($0) }
            outgoing[0].descriptors = []
            outgoing[0].sent += count
            outgoingOctets -= count
            if outgoing[0].sent == frame.octets.count { outgoing.removeFirst() }
        }
    }

    /// Reads what is there.
    /// - Returns: reports, and whether the channel is still open.
    func receive() -> (reports: [ServiceReport], isOpen: Bool) {
        var reports: [ServiceReport] = []
        var octets = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let count = recv(channel, &octets, octets.count, Int32(MSG_DONTWAIT))
            if count < 0 { return (reports, errno == EAGAIN || errno == EINTR) }
            if count == 0 { return (reports, false) }
            guard let frames = try? decoder.feed(octets.prefix(count)) else { return (reports, false) }
            reports += frames.compactMap { ServiceFrame.decode(ServiceReport.self, $0) }
        }
    }
}
