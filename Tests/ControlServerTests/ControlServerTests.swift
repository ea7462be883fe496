import CLinux
import Control
import ControlServer
import Dispatch
import Glibc
import Testing

/// A raw client of the control socket: it can be as rude as it likes.
private final class RawClient {
    let descriptor: Int32
    private var decoder = FrameDecoder()
    private var frames: [[UInt8]] = []

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    deinit { close(descriptor) }

    func send(_ octets: [UInt8]) {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), octets.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }
    func send(_ text: String) { send(Array(text.utf8) + [0]) }

    /// `nil`: the server closed the connection.
    func frame() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while frames.isEmpty {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            frames += try decoder.feed(buffer[..<count])
        }
        return frames.removeFirst()
    }
    func text() throws -> String { String(decoding: try frame() ?? Array("closed".utf8), as: UTF8.self) }
}

/// Runs blocking client work away from the cooperative threads, which the server's handlers need.
private func blocking(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        DispatchQueue(label: "client").async { continuation.resume(with: Result { try body() }) }
    }
}

@Suite struct ControlServerTests {
    private let folder: String
    private let server: ControlServer
    private var path: String { "\(folder)/control.sock" }

    init() throws {
        var template = Array("/tmp/epost-control-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        folder = String(cString: made)
        server = ControlServer(
            path: "\(folder)/control.sock",
            identity: .init(
                vendor: "v", product: "p", version: "1", url: "u",
                descriptions: ["org.epost.Queue": "interface org.epost.Queue\n"]))
        server.on(QueueInterface.Act.self) { input, _ throws(ControlError) in
            if input.ids.isEmpty { throw ControlError(.refused, code: "queue.none", "no id was given") }
            return .init(results: input.ids.map { .init(id: $0, done: true) })
        }
        server.stream(LogInterface.Tail.self) { input, _, replies throws(ControlError) in
            for _ in 0..<input.backlog { replies.send(.init(lines: [])) }
            while replies.isOpen, replies.wantsMore, !Task.isCancelled { await Task.yield() }
        }
        try server.start()
    }

    private func finish() {
        server.stop()
        unlink(path)
        rmdir(folder)
    }

    @Test func aCallIsAnswered() async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            client.send(Varlink.call(QueueInterface.Act.self, .init(ids: ["A"], action: .retry)))
            let frame = try #require(try client.frame())
            #expect(try Varlink.result(QueueInterface.Act.self, in: frame).0.results == [.init(id: "A", done: true)])
        }
    }

    @Test func callsOfOneConnectionAreAnsweredInOrder() async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            let calls = (0..<500).map { Varlink.call(QueueInterface.Act.self, .init(ids: [String($0)], action: .hold)) }
            client.send(calls.flatMap { $0 })
            for number in 0..<500 {
                let frame = try #require(try client.frame())
                #expect(try Varlink.result(QueueInterface.Act.self, in: frame).0.results.first?.id == String(number))
            }
        }
    }

    @Test func anErrorOfAHandlerReachesTheCaller() async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            client.send(Varlink.call(QueueInterface.Act.self, .init(ids: [], action: .retry)))
            let frame = try #require(try client.frame())
            let error = #expect(throws: ControlError.self) { try Varlink.result(QueueInterface.Act.self, in: frame) }
            #expect(error?.kind == .refused)
            #expect(error?.detail.code == "queue.none")
        }
    }

    @Test(
        "every request is answered",
        arguments: [
            ("{\"method\":\"org.epost.Queue.Nothing\"}", "org.varlink.service.MethodNotFound"),
            ("{\"method\":\"org.other.X\"}", "org.varlink.service.InterfaceNotFound"),
            ("{\"method\":\"\"}", "org.varlink.service.InterfaceNotFound"),
            ("{\"method\":\"org.epost.Queue.Act\",\"parameters\":{\"ids\":7}}", "org.varlink.service.InvalidParameter"),
            ("{\"method\":\"org.epost.Queue.Act\"}", "org.varlink.service.InvalidParameter"),
            ("{\"method\":\"org.epost.Queue.Act\",\"upgrade\":true}", "org.varlink.service.InvalidParameter"),
            ("{\"method\":\"org.varlink.service.GetInterfaceDescription\"}", "org.varlink.service.InvalidParameter"),
        ])
    func everyRequestIsAnswered(_ request: String, _ error: String) async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            client.send(request)
            #expect(try client.text().contains(error))
            client.send(Varlink.call(QueueInterface.Act.self, .init(ids: ["still"], action: .retry)))
            #expect(try client.text().contains("still"))
        }
    }

    @Test(arguments: ["", "garbage", "{}", "[1]", "{\"method\":", "\u{1b}[2J"])
    func badOctetsEndThatClientAndNothingElse(_ octets: String) async throws {
        try await blocking {
            defer { finish() }
            let good = try RawClient(path)
            let bad = try RawClient(path)
            bad.send(octets)
            #expect(try bad.frame() == nil)
            good.send(Varlink.call(QueueInterface.Act.self, .init(ids: ["B"], action: .retry)))
            #expect(try good.text().contains("\"B\""))
        }
    }

    @Test func aFrameWithoutEndEndsThatClient() async throws {
        try await blocking {
            defer { finish() }
            let bad = try RawClient(path)
            bad.send([UInt8](repeating: 65, count: Varlink.frameLimit + 70_000))
            #expect(try bad.frame() == nil)
        }
    }

    @Test func aSlowReaderIsDroppedAndNobodyWaits() async throws {
        try await blocking {
            defer { finish() }
            let slow = try RawClient(path)
            slow.send(Varlink.call(LogInterface.Tail.self, .init(backlog: 2_000_000), more: true))
            let good = try RawClient(path)
            good.send(Varlink.call(QueueInterface.Act.self, .init(ids: ["C"], action: .retry)))
            #expect(try good.text().contains("\"C\""))
            while server.connections > 1 { sched_yield() }
        }
    }

    @Test func aStreamSaysThatMoreFollowsAndEndsWithItsCaller() async throws {
        try await blocking {
            defer { finish() }
            do {
                let client = try RawClient(path)
                client.send(Varlink.call(LogInterface.Tail.self, .init(backlog: 2), more: true))
                #expect(try client.text().contains("\"continues\":true"))
                #expect(try client.text().contains("\"continues\":true"))
            }
            while server.connections > 0 { sched_yield() }
        }
    }

    @Test func theServerDescribesItself() async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            client.send("{\"method\":\"org.varlink.service.GetInfo\"}")
            #expect(try client.text().contains("\"interfaces\":[\"org.varlink.service\",\"org.epost.Queue\"]"))
            client.send(
                "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"org.epost.Queue\"}}"
            )
            #expect(try client.text().contains("interface org.epost.Queue"))
        }
    }

    @Test func onewayIsNotAnswered() async throws {
        try await blocking {
            defer { finish() }
            let client = try RawClient(path)
            client.send(
                "{\"method\":\"org.epost.Queue.Act\",\"oneway\":true,\"parameters\":{\"ids\":[\"D\"],\"action\":\"retry\"}}"
            )
            client.send(Varlink.call(QueueInterface.Act.self, .init(ids: ["E"], action: .retry)))
            #expect(try client.text().contains("\"E\""))
        }
    }
}
