import Glibc

/// A client connection for a poll loop: owns the socket, never blocks, hands out events.
///
/// ```swift
/// let link = try ControlLink<Event>(path: path)
/// link.call(QueueInterface.List.self, .init()) { result, _ in .queue(result) }
/// // poll on link.descriptor for link.interest, then:
/// for event in link.advance() { … }         // reads and writes what is possible now
/// ```
package final class ControlLink<Event> {
    package let path: String
    private let socket: ControlSocket
    private var connection = ControlConnection<Event>()
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var early: [Event] = []

    /// - Throws: `noConnection` or `notPermitted`; it does not wait for a daemon that is not there.
    package init(path: String) throws(ControlError) {
        self.path = path
        socket = try ControlSocket(path: path)
    }

    package var descriptor: Int32 { socket.descriptor }
    package var pendingCalls: Int { connection.pendingCalls }
    /// Why the link is dead; `nil` while it lives. A dead link is thrown away and a new one made.
    package var failure: ControlError? { connection.failure }

    /// For `poll`: `POLLIN`, and `POLLOUT` while something waits to be written.
    package var interest: Int16 { Int16(POLLIN) | (connection.output.isEmpty ? 0 : Int16(POLLOUT)) }

    /// See `ControlConnection.call`. Events of a dead link come with the next `advance()`.
    package func call<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, more: Bool = false,
        _ event: @escaping (Result<M.Output, ControlError>, _ isLast: Bool) -> Event?
    ) {
        if let now = connection.call(method, input, more: more, event) { early.append(now) }
        early.append(contentsOf: flush())
    }

    /// Writes and reads what is possible without waiting.
    package func advance() -> [Event] {
        var events = early + flush()
        early = []
        // One round of at most a megabyte, so that a busy stream cannot keep the keyboard waiting.
        var rounds = 0
        while connection.failure == nil, rounds < 16 {
            rounds += 1
            switch socket.read(into: &buffer) {
            case .octets(let count): events += connection.receive(buffer[..<count])
            case .wouldBlock: return events
            case .closed: events += connection.end(.connectionLost(path: path))
            }
        }
        return events
    }

    private func flush() -> [Event] {
        while connection.failure == nil, !connection.output.isEmpty {
            switch socket.write(connection.output) {
            case .octets(let count): connection.wrote(count)
            case .wouldBlock: return []
            case .closed: return connection.end(.connectionLost(path: path))
            }
        }
        return []
    }
}
