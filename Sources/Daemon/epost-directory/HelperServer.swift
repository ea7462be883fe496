import CLinux
import DirectoryWire
import Glibc
import Threads

/// Takes connections of the services and reads their questions: a thread for each, for they are few.
struct HelperServer {
    let listener: Int32
    let work: HelperWork
    private static let clientLimit = 32

    init(listener: Int32, work: HelperWork) {
        self.listener = listener
        self.work = work
    }

    func run() {
        let clients = Monitor(0)
        while true {
            let descriptor = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
            if descriptor < 0 {
                if [EINTR, ECONNABORTED].contains(errno) { continue }
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
                    usleep(100_000)
                    continue
                }
                return
            }
            let isWelcome = clients.withLock { count in
                guard count < Self.clientLimit, Self.isOurs(descriptor) else { return false }
                count += 1
                return true
            }
            guard isWelcome else {
                close(descriptor)
                continue
            }
            let client = HelperClient(descriptor)
            let thread = Thread(name: "client") { [work] in
                serve(client, work)
                client.end()
                clients.withLock { $0 -= 1 }
            }
            if thread == nil {
                client.end()
                clients.withLock { $0 -= 1 }
            } else {
                thread?.detach()
            }
        }
    }

    /// Whoever may ask: root, the user that this runs as, and the mail server's user.
    private static func isOurs(_ descriptor: Int32) -> Bool {
        var peer = clinux_ucred()
        guard clinux_peer_credentials(descriptor, &peer) == 0 else { return false }
        if peer.uid == 0 || peer.uid == geteuid() { return true }
        return SystemAccounts.user(named: "epost").uid == peer.uid
    }
}

private func serve(_ client: HelperClient, _ work: HelperWork) {
    var decoder = DirectoryFrameDecoder()
    var octets = [UInt8](repeating: 0, count: 16 << 10)
    var profile: DirectoryProfile?
    while true {
        let count = recv(client.descriptor, &octets, octets.count, 0)
        if count < 0, errno == EINTR { continue }
        guard count > 0, let frames = try? decoder.feed(octets.prefix(count)) else { return }
        for frame in frames {
            if frame.kind == .configure {
                profile = DirectoryProfile(fields: frame.fields)
            } else {
                work.take(frame, profile, from: client)
            }
        }
    }
}

/// One connection. Answers come from any thread.
final class HelperClient: Sendable {
    let descriptor: Int32
    private let isOpen = Monitor(true)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    func answer(_ frame: DirectoryFrame) {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            var rest = frame.encoded()[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    shutdown(descriptor, Int32(SHUT_RDWR))
                    return
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    func end() {
        isOpen.withLock { isOpen in
            if isOpen { close(descriptor) }
            isOpen = false
        }
    }
}
