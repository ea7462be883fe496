import CLinux
import Control
import Glibc

/// What the control thread owns: descriptors and buffers. Never leaves that thread.
struct LoopState {
    /// One peer.
    private final class Connection {
        let descriptor: Int32
        let caller: Caller
        var decoder = FrameDecoder()
        /// Frames that wait while a call is being answered.
        var waiting: [[UInt8]] = []
        var port: ReplyPort?
        var outbox: [UInt8] = []
        var sent = 0
        /// The peer has said its last; answers still go out.
        var hasEnded = false

        init(descriptor: Int32, caller: Caller) {
            self.descriptor = descriptor
            self.caller = caller
        }
        var unsent: Int { outbox.count - sent }
    }

    /// Octets that wait for a slow reader before it is dropped.
    static let outboxLimit = 8 << 20
    /// Calls read ahead while one is being answered; then the peer has to wait.
    static let readAheadLimit = 64

    private let listener: Int32
    private let wake: Int32
    private let loop: ControlLoop
    private let dispatch: ControlLoop.Dispatch
    private let rights = CallerRights()
    private var connections: [Int: Connection] = [:]
    private var lastID = 0
    private var scratch = [UInt8](repeating: 0, count: 65_536)

    init(listener: Int32, wake: Int32, loop: ControlLoop, dispatch: @escaping ControlLoop.Dispatch) {
        self.listener = listener
        self.wake = wake
        self.loop = loop
        self.dispatch = dispatch
    }

    /// Waits for something to do and does it. False: the loop has ended.
    mutating func turn() -> Bool {
        let ids = Array(connections.keys)
        var wanted = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        let mayAccept = connections.count < ControlLoop.connectionLimit
        wanted.append(pollfd(fd: listener, events: mayAccept ? Int16(POLLIN) : 0, revents: 0))
        for id in ids {
            guard let connection = connections[id] else { continue }
            let reads = !connection.hasEnded && connection.waiting.count < Self.readAheadLimit
            let events = (reads ? POLLIN : 0) | (connection.unsent > 0 ? POLLOUT : 0)
            wanted.append(pollfd(fd: connection.descriptor, events: Int16(events), revents: 0))
        }
        if poll(&wanted, nfds_t(wanted.count), -1) < 0, errno != EINTR { return finish() }

        if wanted[0].revents != 0 { while read(wake, &scratch, scratch.count) > 0 {} }
        let (messages, isStopping) = loop.take()
        for message in messages { handle(message) }
        if isStopping { return finish() }
        for (id, seen) in zip(ids, wanted.dropFirst(2)) where seen.revents != 0 {
            guard connections[id] != nil else { continue }
            if seen.revents & Int16(POLLOUT) != 0 { flush(id) }
            if seen.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { receive(id) }
        }
        if wanted[1].revents != 0 { accept() }
        loop.note(count: connections.count)
        return true
    }

    private mutating func finish() -> Bool {
        for id in Array(connections.keys) {
            flush(id)
            drop(id)
        }
        close(listener)
        close(wake)
        loop.closed()
        return false
    }

    private mutating func accept() {
        guard let descriptor = ControlSocket.accept(listener) else { return }
        lastID += 1
        guard let caller = rights.caller(of: descriptor, id: lastID) else {
            close(descriptor)
            return
        }
        connections[lastID] = Connection(descriptor: descriptor, caller: caller)
    }

    private mutating func receive(_ id: Int) {
        guard let connection = connections[id] else { return }
        let count = read(connection.descriptor, &scratch, scratch.count)
        if count < 0 {
            if errno != EAGAIN, errno != EINTR { drop(id) }
            return
        }
        if count == 0 {
            // A stream has nobody left to talk to; a plain call may still be answered.
            connection.hasEnded = true
            if connection.port == nil || connection.port?.wantsMore == true { drop(id) }
            return
        }
        guard let frames = try? connection.decoder.feed(scratch[..<count]) else { return drop(id) }
        connection.waiting += frames
        next(id)
    }

    /// Hands the next call to the dispatcher when none is being answered.
    private mutating func next(_ id: Int) {
        guard let connection = connections[id], connection.port == nil else { return }
        guard !connection.waiting.isEmpty else {
            if connection.hasEnded, connection.unsent == 0 { drop(id) }
            return
        }
        let port = ReplyPort(connection: id, loop: loop)
        connection.port = port
        dispatch(connection.waiting.removeFirst(), connection.caller, port)
    }

    private mutating func handle(_ message: ControlLoop.Message) {
        switch message {
        case .send(let id, let octets):
            enqueue(octets, to: id)
        case .finish(let id, let octets):
            if let octets { enqueue(octets, to: id) }
            connections[id]?.port = nil
            next(id)
        case .drop(let id):
            drop(id)
        }
    }

    private mutating func enqueue(_ octets: [UInt8], to id: Int) {
        guard let connection = connections[id] else { return }
        connection.outbox += octets
        flush(id)
        if let left = connections[id]?.unsent, left > Self.outboxLimit { drop(id) }
    }

    private mutating func flush(_ id: Int) {
        guard let connection = connections[id] else { return }
        while connection.unsent > 0 {
            let count = connection.outbox.withUnsafeBytes { octets in
                send(
                    connection.descriptor, octets.baseAddress?.advanced(by: connection.sent), connection.unsent,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { drop(id) }
                return
            }
            connection.sent += count
        }
        connection.outbox.removeAll(keepingCapacity: connection.outbox.capacity <= 65_536)
        connection.sent = 0
        if connection.hasEnded, connection.port == nil, connection.waiting.isEmpty { drop(id) }
    }

    private mutating func drop(_ id: Int) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        connection.port?.close()
        close(connection.descriptor)
    }
}
