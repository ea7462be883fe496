/// The protocol side of a client connection, without socket and clock: calls go out in order, replies come back in the
/// same order, each is turned into an `Event` of its caller's choice.
///
/// Varlink answers a connection's calls one after the other, so a stream (`Watch`, `Tail`) keeps every later call of its
/// connection waiting: give each stream a connection of its own.
///
/// ```swift
/// var connection = ControlConnection<Event>()
/// connection.call(ServerInterface.GetStatus.self, Nothing()) { result, _ in .status(result) }
/// // write `connection.output`, then `connection.wrote(count)`; on input `connection.receive(octets)`
/// ```
package struct ControlConnection<Event> {
    private struct Waiting {
        /// An event and whether more replies to the same call follow.
        var take: (_ frame: [UInt8]) -> (event: Event?, continues: Bool)
        var fail: (ControlError) -> Event?
    }
    private var waiting: [Waiting] = []
    private var first = 0
    private var decoder = FrameDecoder()
    /// Why no more calls are taken; set once.
    package private(set) var failure: ControlError?
    /// Octets to be written.
    package private(set) var output: [UInt8] = []

    package init() {}

    /// Calls that still wait for a reply.
    package var pendingCalls: Int { waiting.count - first }

    /// Adds a call.
    /// - Parameters:
    ///   - more: asks for a stream; several replies may follow.
    ///   - event: makes an event of each reply; its second argument says that it was the last one. `nil`: no event.
    /// - Returns: the event of a call that failed at once because the connection is broken, else `nil`.
    @discardableResult
    package mutating func call<M: ControlMethod>(
        _: M.Type, _ input: M.Input, more: Bool = false,
        _ event: @escaping (Result<M.Output, ControlError>, _ isLast: Bool) -> Event?
    ) -> Event? {
        if let failure { return event(.failure(failure), true) }
        output.append(contentsOf: Varlink.call(M.self, input, more: more))
        waiting.append(
            Waiting(
                take: { frame in
                    do throws(ControlError) {
                        let (result, continues) = try Varlink.result(M.self, in: frame)
                        return (event(.success(result), !continues), continues)
                    } catch {
                        return (event(.failure(error), true), false)
                    }
                }, fail: { event(.failure($0), true) }))
        return nil
    }

    package mutating func wrote(_ count: Int) { output.removeFirst(min(count, output.count)) }

    /// Takes octets from the server.
    /// - Returns: the events of the replies that are complete now. A server that breaks the protocol ends the
    ///   connection: `failure` is set and every waiting call gets its event.
    package mutating func receive(_ octets: some Collection<UInt8>) -> [Event] {
        guard failure == nil else { return [] }
        let frames: [[UInt8]]
        do {
            frames = try decoder.feed(octets)
        } catch {
            return end(.protocolBroken("a reply is longer than \(Varlink.frameLimit) octets"))
        }
        var events: [Event] = []
        for frame in frames {
            guard first < waiting.count else {
                return events + end(.protocolBroken("a reply came that nobody asked for"))
            }
            let (event, continues) = waiting[first].take(frame)
            if let event { events.append(event) }
            if !continues { first += 1 }
        }
        if first > 64 || first == waiting.count {
            waiting.removeFirst(first)
            first = 0
        }
        return events
    }

    /// The connection is gone, or never was.
    /// - Returns: one event for each call that waits.
    package mutating func end(_ error: ControlError) -> [Event] {
        guard failure == nil else { return [] }
        failure = error
        output = []
        let left = waiting[first...]
        waiting = []
        first = 0
        return left.compactMap { $0.fail(error) }
    }
}

extension ControlError {
    static func protocolBroken(_ message: String) -> ControlError {
        ControlError(.protocolBroken, code: "control.protocol", message)
    }
}
