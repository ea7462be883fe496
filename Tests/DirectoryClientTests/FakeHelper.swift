import CLinux
import DirectoryWire
import Glibc
import Threads

/// Stands for `epost-directory` on a socket of the test's own: threads, so that no cooperative thread waits.
final class FakeHelper: Sendable {
    /// What becomes of a question.
    enum Reply: Sendable {
        case frames([DirectoryFrame])
        case octets([UInt8])
        case silence
        case close
    }
    struct Asked: Sendable, Equatable {
        let kind: DirectoryFrame.Kind
        let texts: [String]
        /// Of the profile that was in force.
        let backend: String
    }
    private struct State {
        var asked: [Asked] = []
        var connections = 0
        var clients: [Int32] = []
        var isOver = false
    }
    let path: String
    private let listener: Int32
    private let state = Monitor(State())
    private let reply: @Sendable (DirectoryFrame, Int) -> Reply

    /// - Parameter reply: to each question, with its number from 1.
    init?(_ path: String, reply: @escaping @Sendable (DirectoryFrame, Int) -> Reply) {
        self.path = path
        self.reply = reply
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        unlink(path)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard listener >= 0, code == 0, listen(listener, 8) == 0 else { return nil }
        Thread(name: "accept") { [self] in accepting() }?.detach()
    }

    var asked: [Asked] { state.withLock { $0.asked } }
    var connections: Int { state.withLock { $0.connections } }

    /// Waits until `count` questions have come.
    func wait(for count: Int) -> Bool {
        state.wait(milliseconds: 20_000) { $0.asked.count >= count ? true : nil } ?? false
    }

    func end() {
        let clients = state.withLock { state in
            state.isOver = true
            return state.clients
        }
        for client in clients { shutdown(client, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func accepting() {
        while true {
            let client = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
            let isOver = state.withLock { state in
                guard client >= 0, !state.isOver else { return true }
                state.connections += 1
                state.clients.append(client)
                return false
            }
            if isOver {
                if client >= 0 { close(client) }
                close(listener)
                return
            }
            Thread(name: "client") { [self] in
                serve(client)
                state.withLock { $0.clients.removeAll { $0 == client } }
                close(client)
            }?.detach()
        }
    }

    private func serve(_ client: Int32) {
        var decoder = DirectoryFrameDecoder()
        var octets = [UInt8](repeating: 0, count: 4096)
        var backend = ""
        while true {
            let count = recv(client, &octets, octets.count, 0)
            guard count > 0, let frames = try? decoder.feed(octets.prefix(count)) else { return }
            for frame in frames {
                if frame.kind == .configure {
                    backend = frame.texts.first ?? ""
                    continue
                }
                let number = state.withLock { state in
                    state.asked.append(Asked(kind: frame.kind, texts: frame.texts, backend: backend))
                    return state.asked.count
                }
                state.signalAll()
                let out: [UInt8]
                switch reply(frame, number) {
                case .frames(let frames): out = frames.flatMap { $0.encoded() }
                case .octets(let octets): out = octets
                case .silence: out = []
                case .close: return
                }
                _ = out.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }
    }
}

/// Answers as they come, and waiting for them.
final class Answers<Value: Sendable>: Sendable {
    private let values = Monitor<[Value]>([])

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        values.signalAll()
    }

    /// - Returns: the first `count`, or what has come after 20 seconds.
    func wait(_ count: Int = 1) -> [Value] {
        values.wait(milliseconds: 20_000) { $0.count >= count ? $0 : nil } ?? values.withLock { $0 }
    }

    var count: Int { values.withLock { $0.count } }
}

/// Runs blocking work on a thread of its own.
func apart<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let thread = Thread(name: "test") { continuation.resume(returning: body()) }
        thread?.detach()
    }
}

/// A folder of the test's own for sockets.
func temporaryFolder() -> String {
    var template = Array("/tmp/epost-directory-XXXXXX".utf8CString)
    return mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
}
