import CLinux
import DirectoryWire
import Glibc
import Synchronization
import Threads

/// Asks `epost-directory` over its socket. One thread, started with the first question; callers never wait for it.
package final class DirectoryClient: Sendable {
    package enum Answer: Sendable {
        case found(DirectoryAccount)
        case missing
        /// The password is right.
        case right(DirectoryAccount)
        /// - Parameter finding: why not, for the record.
        case wrong(String)
        case list([DirectoryAccount])
        case report([DirectoryStep])
        /// No answer in time, or trouble with the directory.
        case unavailable(String)
    }

    struct Question: Sendable {
        let kind: DirectoryFrame.Kind
        let fields: [[UInt8]]
        let profile: DirectoryProfile
        /// Monotonic milliseconds.
        let deadline: Int64
        let completion: @Sendable (Answer) -> Void
        /// Was under way when the helper went away; asked once more.
        var isRepeated = false
        var accounts: [DirectoryAccount] = []
    }

    private struct State {
        var waiting: [Question] = []
        /// Written to when something waits.
        var wake: Int32 = -1
        var isClosed = false
    }
    private let state = Mutex(State())
    private let sockets: [String]
    private static let waitingLimit = 10_000

    /// - Parameter sockets: the first that can be connected to is asked.
    package init(sockets: [String]) { self.sockets = sockets }

    /// - Parameters:
    ///   - milliseconds: patience.
    ///   - completion: called once, on the client's thread (or before this returns, when nothing can be asked).
    package func ask(
        _ kind: DirectoryFrame.Kind, _ fields: [[UInt8]], _ profile: DirectoryProfile, milliseconds: Int,
        completion: @escaping @Sendable (Answer) -> Void
    ) {
        let question = Question(
            kind: kind, fields: fields, profile: profile, deadline: SystemClock.monotonic() + Int64(milliseconds),
            completion: completion)
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.waiting.count < Self.waitingLimit,
                DirectoryFrame.octets(of: fields) <= DirectoryFrame.maximumOctets
            else { return false }
            if state.wake < 0 {
                state.wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
                let wake = state.wake
                guard wake >= 0 else { return false }
                let thread = Thread(name: "directory", stack: 256 << 10) { [self] in
                    var conversation = DirectoryConversation(sockets: sockets, wake: wake) { self.taken() }
                    conversation.run()
                    Glibc.close(wake)
                }
                guard let thread else {
                    Glibc.close(wake)
                    state.wake = -1
                    return false
                }
                thread.detach()
            }
            state.waiting.append(question)
            var one: UInt64 = 1
            // A full counter has woken the thread already.
            _ = write(state.wake, &one, 8)
            return true
        }
        if !isTaken { completion(.unavailable("too many questions to the directory wait")) }
    }

    /// - Returns: what waits; `nil` at the end.
    private func taken() -> [Question]? {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.isClosed ? nil : state.waiting
        }
    }

    /// Ends the thread; what is under way gets no answer from the directory any more.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            var one: UInt64 = 1
            if state.wake >= 0 { _ = write(state.wake, &one, 8) }
        }
    }
}
