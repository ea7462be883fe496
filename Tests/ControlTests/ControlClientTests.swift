import Glibc
import Testing

@testable import Control

/// A server on a Unix socket that answers each call frame by a script, in a thread of its own.
final class ScriptedServer: @unchecked Sendable {
    let path: String
    private let listener: Int32
    private let answer: @Sendable (Int, VarlinkCallHead) -> [UInt8]?

    /// - Parameter answer: octets to send for the call with that number; `nil` closes the connection.
    init(depth: Int = 0, answer: @escaping @Sendable (Int, VarlinkCallHead) -> [UInt8]?) throws {
        var template = Array("/tmp/control-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        _ = mkdtemp(&template)
        var folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for _ in 0..<depth {
            folder += "/" + String(repeating: "d", count: 40)
            mkdir(folder, 0o700)
        }
        path = folder + "/control.sock"
        self.answer = answer
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = UnixAddress(path).withSocketAddress { [listener] in bind(listener, $0, $1) }
        #expect(bound == 0)
        #expect(listen(listener, 8) == 0)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ScriptedServer>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    /// The thread ends when the last client has gone.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                close(listener)
                return
            }
            defer { close(connection) }
            var decoder = FrameDecoder()
            var buffer = [UInt8](repeating: 0, count: 4096)
            var number = 0
            conversation: while true {
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0, let frames = try? decoder.feed(buffer[..<count]) else { break }
                for frame in frames {
                    guard let head = try? Varlink.head(ofCall: frame), let octets = answer(number, head) else {
                        break conversation
                    }
                    number += 1
                    _ = send(connection, octets, octets.count, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }
}

private let status = ServiceStatus(name: "epstds", state: .stopped, since: 5, restarts: 1)
private let act = ServicesInterface.Act.Input(service: "epstds", action: .stop)

@Test func aCallBringsItsResult() throws {
    let server = try ScriptedServer { _, head in
        head.method == "org.epost.Services.Act" ? Varlink.reply(status) : nil
    }
    defer { server.stop() }
    let client = try ControlClient(path: server.path)
    #expect(try client.call(ServicesInterface.Act.self, act) == status)
    #expect(try client.call(ServicesInterface.Act.self, act) == status)
}

@Test func anErrorReplyIsThrownWithItsProblems() throws {
    let problem = Problem(
        path: "delivery.threads", code: "setting.range", message: "Threads 0 is too small; use 1 to 999.")
    let server = try ScriptedServer { _, _ in
        Varlink.error(ControlError(.refused, code: "refused", "not applied", problems: [problem]))
    }
    defer { server.stop() }
    let client = try ControlClient(path: server.path)
    let error = #expect(throws: ControlError.self) { try client.call(ServicesInterface.Act.self, act) }
    #expect(error?.kind == .refused)
    #expect(error?.detail.problems == [problem])
}

@Test func aStreamEndsWithItsLastReply() throws {
    let server = try ScriptedServer { _, head in
        guard head.more == true else { return nil }
        return (0..<3).flatMap { index in
            Varlink.reply(
                ServerInterface.Setup.Output(steps: [SetupStep(step: "step\(index)", state: .done)]),
                continues: index < 2)
        }
    }
    defer { server.stop() }
    let client = try ControlClient(path: server.path)
    var steps: [String] = []
    let input = ServerInterface.Setup.Input(dnsServers: ["192.0.2.1"], domains: [], administrator: "a@b.example")
    try client.stream(ServerInterface.Setup.self, input) {
        steps += $0.steps.map(\.step)
        return true
    }
    #expect(steps == ["step0", "step1", "step2"])
}

@Test func aServerThatHangsUpIsAnError() throws {
    let server = try ScriptedServer { _, _ in nil }
    defer { server.stop() }
    let client = try ControlClient(path: server.path)
    let error = #expect(throws: ControlError.self) { try client.call(ServicesInterface.Act.self, act) }
    #expect(error?.kind == .noConnection)
}

@Test func silenceEndsWithTheTimeOut() throws {
    let server = try ScriptedServer { _, _ in [] }
    defer { server.stop() }
    let client = try ControlClient(path: server.path, timeout: .milliseconds(1))
    let error = #expect(throws: ControlError.self) { try client.call(ServicesInterface.Act.self, act) }
    #expect(error?.detail.code == "control.timeout")
}

@Test func noDaemonIsNamedAsSuch() {
    let error = #expect(throws: ControlError.self) { try ControlClient(path: "/nonexistent/run/control.sock") }
    #expect(error?.kind == .noConnection)
    #expect(error?.detail.code == "control.no-daemon")
}

@Test func aRootDeeperThanASocketAddressWorks() throws {
    let server = try ScriptedServer(depth: 4) { _, _ in Varlink.reply(status) }
    defer { server.stop() }
    #expect(server.path.utf8.count > UnixAddress.pathLimit)
    let client = try ControlClient(path: server.path)
    #expect(try client.call(ServicesInterface.Act.self, act) == status)
}

@Test func aLinkDeliversEventsToAPollLoop() throws {
    let server = try ScriptedServer { number, _ in
        Varlink.reply(ServiceStatus(name: "epstrs", state: .running, since: 0, restarts: number))
    }
    let link = try ControlLink<Int>(path: server.path)
    for _ in 0..<3 {
        link.call(ServicesInterface.Act.self, act) { result, _ in
            if case .success(let status) = result { status.restarts } else { -1 }
        }
    }
    var events: [Int] = []
    while events.count < 3, link.failure == nil {
        var entry = pollfd(fd: link.descriptor, events: link.interest, revents: 0)
        #expect(poll(&entry, 1, 10_000) == 1)
        events += link.advance()
    }
    #expect(events == [0, 1, 2])
    server.stop()
}

@Test(
    arguments: [
        (nil, nil, "/run/epost/control.sock"), ("/", nil, "/run/epost/control.sock"),
        ("/srv/mail", nil, "/srv/mail/run/control.sock"), ("var/", nil, "var/run/control.sock"),
        ("/srv/mail", "/tmp/x.sock", "/tmp/x.sock"),
    ] as [(String?, String?, String)])
func theSocketIsWhereTheOptionsSay(_ root: String?, _ socket: String?, _ path: String) {
    #expect(ControlLocation.path(root: root, socket: socket) == path)
}
