import Glibc

/// What one-line commands need of a client; tests put a server in memory behind it.
package protocol ControlCaller {
    /// - Throws: the server's error, or `noConnection`, `protocolBroken`, `failed` (time-out) of the client.
    func call<M: ControlMethod>(_ method: M.Type, _ input: M.Input) throws(ControlError) -> M.Output
    /// Calls with `more` and hands each reply to `part`, which says whether to go on. Returns after the last reply.
    func stream<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, _ part: (M.Output) -> Bool
    ) throws(ControlError)
}

/// A blocking client for one-line commands.
package final class ControlClient: ControlCaller {
    private let socket: ControlSocket
    private let path: String
    private let timeout: Duration
    private var decoder = FrameDecoder()
    private var frames: [[UInt8]] = []
    private var buffer = [UInt8](repeating: 0, count: 65536)

    /// - Parameters:
    ///   - path: of the socket, see `ControlLocation`.
    ///   - timeout: longest silence within a call. Orderly stops take up to 60 s, so it must be longer than that.
    /// - Throws: `noConnection`, `notPermitted`.
    package init(path: String, timeout: Duration = .seconds(90)) throws(ControlError) {
        self.path = path
        self.timeout = timeout
        socket = try ControlSocket(path: path)
    }

    package func call<M: ControlMethod>(_ method: M.Type, _ input: M.Input) throws(ControlError) -> M.Output {
        try write(Varlink.call(method, input))
        let frame = try nextFrame(until: ContinuousClock.now.advanced(by: timeout), of: M.name)
        return try Varlink.result(method, in: frame).0
    }

    package func stream<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, _ part: (M.Output) -> Bool
    ) throws(ControlError) {
        try write(Varlink.call(method, input, more: true))
        while true {
            // A stream may be silent for as long as nothing happens.
            let (output, continues) = try Varlink.result(method, in: nextFrame(until: nil, of: M.name))
            if !part(output) || !continues { return }
        }
    }

    private func write(_ octets: [UInt8]) throws(ControlError) {
        var left = octets
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while !left.isEmpty {
            switch socket.write(left) {
            case .octets(let count): left.removeFirst(count)
            case .wouldBlock: try wait(for: Int16(POLLOUT), until: deadline, of: "request")
            case .closed: throw .connectionLost(path: path)
            }
        }
    }

    private func nextFrame(until deadline: ContinuousClock.Instant?, of method: String) throws(ControlError) -> [UInt8]
    {
        while frames.isEmpty {
            switch socket.read(into: &buffer) {
            case .octets(let count):
                do {
                    frames = try decoder.feed(buffer[..<count])
                } catch {
                    throw .protocolBroken("a reply to \(method) is longer than \(Varlink.frameLimit) octets")
                }
            case .wouldBlock: try wait(for: Int16(POLLIN), until: deadline, of: method)
            case .closed: throw .connectionLost(path: path)
            }
        }
        return frames.removeFirst()
    }

    private func wait(
        for events: Int16, until deadline: ContinuousClock.Instant?, of method: String
    ) throws(ControlError) {
        var milliseconds: Int32 = -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else {
                throw ControlError(
                    .failed, code: "control.timeout", "The daemon at \(path) did not answer \(method) in time.",
                    arguments: [path, method])
            }
            let (seconds, attoseconds) = left.components
            milliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        }
        var entry = pollfd(fd: socket.descriptor, events: events, revents: 0)
        _ = poll(&entry, 1, milliseconds)
    }
}
