import CFuzzer
import Control
import ControlServer
import Glibc

/// The daemon's side of the control socket, with every method that it has. The bodies refuse: what is under test is
/// all that lies before them, frames, order, rights, dispatch, introspection and the reading of parameters.
private enum Daemon {
    static let path = "/tmp/epost-fuzz-\(getpid()).sock"

    static let server: ControlServer? = {
        let server = ControlServer(
            path: path,
            identity: .init(
                vendor: "v", product: "p", version: "1", url: "u",
                descriptions: ["org.epost.Queue": "interface org.epost.Queue\n"]))
        for method in ControlMethods.all { register(method, on: server) }
        guard (try? server.start()) != nil else { return nil }
        atexit { unlink(Daemon.path) }
        return server
    }()

    private static func register<M: ControlMethod>(_ method: M.Type, on server: ControlServer) {
        if M.isStream {
            server.stream(method) { input, _, _ throws(ControlError) in throw refusal(method, input) }
        } else {
            server.on(method) { input, _ throws(ControlError) in throw refusal(method, input) }
        }
    }

    /// What was read can be written, and read again as the same.
    private static func refusal<M: ControlMethod>(_: M.Type, _ input: M.Input) -> ControlError {
        let frame = Varlink.call(M.self, input).dropLast()
        guard let again = try? Varlink.parameters(M.Input.self, in: Array(frame)) else {
            fatalError("\(M.name): what was read once cannot be read again")
        }
        // Optional fields, numbers and texts keep their lengths; the order of keys is anybody's.
        precondition(Varlink.call(M.self, again).count == frame.count + 1, "\(M.name) changes on the way")
        return ControlError(.refused, code: "fuzz.refused", "not today")
    }
}

/// One connection: the octets in two pieces, then the end; every answer is read until the server closes.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    guard Daemon.server != nil, let first = input.first, let socket = try? ControlSocket(path: Daemon.path) else {
        return
    }
    let octets = Array(input.dropFirst())
    let cut = octets.isEmpty ? 0 : Int(first) % octets.count
    write(Array(octets[..<cut]), to: socket)
    write(Array(octets[cut...]), to: socket)
    shutdown(socket.descriptor, Int32(SHUT_WR))
    let calls = octets.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    let replies = answers(of: socket)
    precondition(replies.count <= calls, "\(replies.count) answers to \(calls) calls")
    for reply in replies {
        guard (try? Varlink.head(ofReply: reply)) != nil else { fatalError("an answer that nobody can read") }
    }
}

private func write(_ octets: [UInt8], to socket: borrowing ControlSocket) {
    var left = octets
    while !left.isEmpty {
        switch socket.write(left) {
        case .octets(let count): left.removeFirst(count)
        case .wouldBlock: wait(socket.descriptor, POLLOUT)
        case .closed: return  // the server has had enough of it
        }
    }
}

private func answers(of socket: borrowing ControlSocket) -> [[UInt8]] {
    var decoder = FrameDecoder()
    var found: [[UInt8]] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        switch socket.read(into: &piece) {
        case .octets(let count):
            guard let some = try? decoder.feed(piece[..<count]) else { fatalError("an answer without end") }
            found += some
        case .wouldBlock: wait(socket.descriptor, POLLIN)
        case .closed: return found
        }
    }
}

/// A server that never answers is libFuzzer's to find, by its time-out.
private func wait(_ descriptor: Int32, _ event: Int32) {
    var wanted = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    poll(&wanted, 1, -1)
}

// libFuzzer's own main, linked in but not used, wants this symbol.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ pointer: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzz(UnsafeBufferPointer(start: pointer, count: count))
    return 0
}

@main struct Fuzz {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = LLVMFuzzerRunDriver(&count, &arguments) { fuzzOne($0, $1) }
    }
}
