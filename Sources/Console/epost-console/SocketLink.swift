import ConsoleCore
import Control
import Glibc

/// The control socket for the loop: look-ups on one connection; each stream, each call that may wait, and whatever comes
/// while that one is held up, on a connection of its own (a Varlink connection answers in order). Never blocks; connects
/// again with a growing pause.
final class SocketLink {
    private struct Connection: ~Copyable {
        let socket: ControlSocket
        var output: [UInt8] = []
        var decoder = FrameDecoder()
        /// Requests without their answer yet, in order.
        var waiting: [RequestID] = []
        init(path: String) throws(ControlError) { socket = try ControlSocket(path: path) }
    }
    private final class Box {
        var connection: Connection
        let isStream: Bool
        init(_ connection: consuming Connection, isStream: Bool = false) {
            self.connection = connection
            self.isStream = isStream
        }
    }

    /// Milliseconds between two tries to connect.
    static let firstPause = 200
    static let longestPause = 5_000
    /// Octets that one turn reads at most, so that a busy socket cannot keep the keyboard waiting.
    static let octetsPerTurn = 65_536

    /// Milliseconds for which others wait behind a request on the shared connection.
    static let patience = 100
    /// The answer to a repeated greeting, which nobody asked for.
    private static let unasked = RequestID(-1)
    private static let hello = Array("org.epost.Server.Hello".utf8)
    private static let announce = Array("org.epost.Server.Announce".utf8)

    private let path: String
    private var main: Box?
    /// Connections for one request each.
    private var apart: [RequestID: Box] = [:]
    /// The greeting of this session: who acts on a further connection is known by it too.
    private var greeting: [UInt8] = []
    /// When the oldest request on the shared connection was sent, or the last answer there came.
    private var sharedSince: Moment = 0
    private var pause = SocketLink.firstPause
    private(set) var nextTry: Moment = 0
    private var messages: [LinkMessage] = []
    private var buffer = [UInt8](repeating: 0, count: 16_384)

    init(path: String) { self.path = path }

    var isConnected: Bool { main != nil }

    /// Connects when it is time to. The first failure is told too, so that the screen can say why it is empty.
    func connectIfDue(at now: Moment) {
        guard main == nil, now >= nextTry else { return }
        do throws(ControlError) {
            main = Box(try Connection(path: path))
            pause = SocketLink.firstPause
            messages.append(.connected)
        } catch {
            if pause == SocketLink.firstPause { messages.append(.lost(error)) }
            nextTry = now + pause
            pause = min(SocketLink.longestPause, pause * 2)
        }
    }

    func send(_ id: RequestID, frame: [UInt8], lane: Lane) {
        guard let main else {
            messages.append(.failed(id, .connectionLost(path: path)))
            return
        }
        let now = Clock.now()
        let method = frame.prefix(1_000)
        // Greeting and presence belong to the connection that stays.
        let isGreeting = method.contains(Self.hello)
        let stays = isGreeting || method.contains(Self.announce)
        let isHeldUp = !main.connection.waiting.isEmpty && now - sharedSince > Self.patience
        guard !stays, lane != .shared || isHeldUp else {
            if isGreeting { greeting = frame }
            if main.connection.waiting.isEmpty { sharedSince = now }
            main.connection.waiting.append(id)
            main.connection.output += frame
            return
        }
        do throws(ControlError) {
            let box = Box(try Connection(path: path), isStream: lane == .stream)
            box.connection.waiting = greeting.isEmpty ? [id] : [Self.unasked, id]
            box.connection.output = greeting + frame
            apart[id] = box
        } catch {
            messages.append(.failed(id, error))
            if lane == .stream { lose(at: now) }
        }
    }

    /// A connection of its own is closed; the answer on the shared one is passed over when it comes.
    func cancel(_ id: RequestID) { apart[id] = nil }

    /// What `poll` should watch.
    var descriptors: [pollfd] {
        ([main].compactMap { $0 } + apart.values).map { box in
            let wants = Int16(POLLIN) | (box.connection.output.isEmpty ? 0 : Int16(POLLOUT))
            return pollfd(fd: box.connection.socket.descriptor, events: wants, revents: 0)
        }
    }

    var isBusy: Bool { !messages.isEmpty }

    /// Writes and reads what is possible now.
    func advance(at now: Moment) -> [LinkMessage] {
        connectIfDue(at: now)
        if let box = main, !serve(box) { lose(at: now) }
        for (id, box) in apart where !serve(box) {
            // A stream that ends by itself has said so in its last reply; one cut off has not.
            apart[id] = nil
            guard !box.connection.waiting.isEmpty else { continue }
            messages.append(.failed(id, .connectionLost(path: path)))
            // What it showed stands still from here on, and its owner asks again with the next connection only.
            if box.isStream {
                lose(at: now)
                break
            }
        }
        defer { messages = [] }
        return messages
    }

    private func lose(at now: Moment) {
        main = nil
        apart = [:]
        greeting = []
        nextTry = now + SocketLink.firstPause
        pause = SocketLink.firstPause * 2
        messages.append(.lost(.connectionLost(path: path)))
    }

    /// - Returns: `false` when the connection is over.
    private func serve(_ box: Box) -> Bool {
        while !box.connection.output.isEmpty {
            switch box.connection.socket.write(box.connection.output) {
            case .octets(let count): box.connection.output.removeFirst(count)
            case .wouldBlock: return read(box)
            case .closed: return false
            }
        }
        return read(box)
    }

    private func read(_ box: Box) -> Bool {
        var total = 0
        while total < SocketLink.octetsPerTurn {
            switch box.connection.socket.read(into: &buffer) {
            case .octets(let count):
                total += count
                guard take(buffer[..<count], box) else { return false }
            case .wouldBlock: return true
            case .closed: return false
            }
        }
        return true
    }

    private func take(_ octets: ArraySlice<UInt8>, _ box: Box) -> Bool {
        guard let frames = try? box.connection.decoder.feed(octets) else { return false }
        for frame in frames {
            guard let id = box.connection.waiting.first else { return false }
            if id == Self.unasked {
                box.connection.waiting.removeFirst()
                continue
            }
            messages.append(.reply(LinkReply(id: id, frame: frame)))
            let isApart = apart[id] === box
            let goesOn = isApart && ((try? Varlink.head(ofReply: frame).continues) ?? nil) == true
            guard !goesOn else { continue }
            box.connection.waiting.removeFirst()
            if isApart { apart[id] = nil } else { sharedSince = Clock.now() }
        }
        return true
    }
}
