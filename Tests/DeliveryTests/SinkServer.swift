import MailModel
import NIOCore
import NIOPosix
import Synchronization

/// An SMTP server on a free loopback port that behaves as badly as it is told to.
final class SinkServer: Sendable {
    enum Stage: String, CaseIterable, Sendable { case greeting, ehlo, mail, rcpt, data, end, rset, quit, startTLS }
    enum Answer: Sendable {
        /// The line, CR LF is added; `\n` inside becomes CR LF.
        case reply(String)
        case silence
        /// Closes without a word.
        case close
        /// Says it, then closes.
        case lastWords(String)
    }
    struct Message: Sendable, Equatable {
        var sender: String
        var recipients: [String]
        var content: String
    }
    /// - Parameters: stage, the line received, number of the connection from 1.
    /// Makes the server's TLS handler; STARTTLS is offered when there is one.
    typealias TLSMaker = @Sendable () throws -> any ChannelHandler
    typealias Behaviour = @Sendable (Stage, String, Int) -> Answer?

    private struct State {
        var messages: [Message] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
        var commands: [String] = []
    }

    private let state = Mutex(State())
    private let channel: any Channel
    let behaviour: Behaviour
    let tls: TLSMaker?

    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private init(channel: any Channel, behaviour: @escaping Behaviour, tls: TLSMaker?, _ box: Box) {
        self.channel = channel
        self.behaviour = behaviour
        self.tls = tls
        box.server.withLock { $0 = self }
    }

    final class Box: Sendable { let server = Mutex<SinkServer?>(nil) }

    /// - Parameter behaviour: `nil` for the usual answer.
    static func start(
        on host: String = "127.0.0.1", tls: TLSMaker? = nil, behaviour: @escaping Behaviour = { _, _, _ in nil }
    ) async throws -> SinkServer {
        let box = Box()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = box.server.withLock({ $0 }) else { return }
                    try channel.pipeline.syncOperations.addHandler(SinkHandler(server))
                }
            }
            .bind(host: host, port: 0).get()
        return SinkServer(channel: channel, behaviour: behaviour, tls: tls, box)
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var messages: [Message] { state.withLock { $0.messages } }
    var connections: Int { state.withLock { $0.connections } }
    var mostOpen: Int { state.withLock { $0.mostOpen } }
    var commands: [String] { state.withLock { $0.commands } }

    func stop() async { try? await channel.close().get() }

    fileprivate func opened() -> Int {
        state.withLock { state in
            state.connections += 1
            state.open += 1
            state.mostOpen = max(state.mostOpen, state.open)
            return state.connections
        }
    }
    fileprivate func closed() { state.withLock { $0.open -= 1 } }
    fileprivate func keep(_ message: Message) { state.withLock { $0.messages.append(message) } }
    fileprivate func note(_ command: String) { state.withLock { $0.commands.append(command) } }
}

private final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let server: SinkServer
    private var number = 0
    private var buffer: [UInt8] = []
    private var isData = false
    private var message = SinkServer.Message(sender: "", recipients: [], content: "")
    private var accepted = 0
    private var isDead = false
    private var isSecured = false

    init(_ server: SinkServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        number = server.opened()
        answer(.greeting, "", usual: "220 sink.example ESMTP", context)
    }
    func channelInactive(context: ChannelHandlerContext) { server.closed() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        buffer += input.readBytes(length: input.readableBytes) ?? []
        while !isDead {
            if isData {
                guard let end = endOfData() else { return }
                message.content = String(decoding: buffer[..<end.content], as: UTF8.self)
                buffer.removeFirst(end.whole)
                isData = false
                if accepted > 0 { finish(context) } else { answer(.end, "", usual: "250 nobody", context) }
            } else {
                guard let end = buffer.firstIndex(of: 10) else { return }
                let line = String(decoding: buffer[..<end], as: UTF8.self).trimmingSuffix("\r")
                buffer.removeFirst(end + 1)
                server.note(line)
                command(line, context)
            }
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        let answered = server.behaviour(.end, "", number)
        if answered == nil { server.keep(message) }
        if case .lastWords(let text)? = answered, text.hasPrefix("250") { server.keep(message) }
        act(answered ?? .reply("250 2.0.0 taken"), context)
    }

    private func endOfData() -> (content: Int, whole: Int)? {
        if buffer.starts(with: [46, 13, 10]) { return (0, 3) }
        let end: [UInt8] = [13, 10, 46, 13, 10]
        guard buffer.count >= end.count else { return nil }
        for start in 0...(buffer.count - end.count) where buffer[start..<(start + 5)].elementsEqual(end) {
            return (start + 2, start + 5)
        }
        return nil
    }

    private func command(_ line: String, _ context: ChannelHandlerContext) {
        let verb = line.prefix(4).uppercased()
        switch verb {
        case "EHLO", "HELO":
            let offers = server.tls != nil && !isSecured ? "250-STARTTLS\n" : ""
            answer(
                .ehlo, line, usual: "250-sink.example\n250-PIPELINING\n\(offers)250-SIZE 100000000\n250 8BITMIME",
                context)
        case "MAIL":
            message = .init(sender: Self.path(line), recipients: [], content: "")
            accepted = 0
            answer(.mail, line, usual: "250 2.1.0 ok", context)
        case "RCPT":
            let answered = server.behaviour(.rcpt, line, number) ?? .reply("250 2.1.5 ok")
            if case .reply(let text) = answered, text.hasPrefix("25") {
                accepted += 1
                message.recipients.append(Self.path(line))
            }
            act(answered, context)
        case "DATA":
            let answered = server.behaviour(.data, line, number) ?? .reply(accepted > 0 ? "354 go" : "554 nobody")
            if case .reply(let text) = answered, text.hasPrefix("354") { isData = true }
            act(answered, context)
        case "RSET": answer(.rset, line, usual: "250 ok", context)
        case "STAR":
            answer(.startTLS, line, usual: "220 go", context)
            guard let tls = server.tls, !isDead else { return }
            isSecured = true
            do {
                try context.pipeline.syncOperations.addHandler(tls(), position: .first)
            } catch {
                context.close(promise: nil)
            }
        case "QUIT":
            answer(.quit, line, usual: "221 bye", context)
            context.close(promise: nil)
        default: answer(.quit, line, usual: "500 what", context)
        }
    }

    private static func path(_ line: String) -> String {
        guard let start = line.firstIndex(of: "<"), let end = line.lastIndex(of: ">") else { return "" }
        return String(line[line.index(after: start)..<end])
    }

    private func answer(_ stage: SinkServer.Stage, _ line: String, usual: String, _ context: ChannelHandlerContext) {
        act(server.behaviour(stage, line, number) ?? .reply(usual), context)
    }

    private func act(_ answer: SinkServer.Answer, _ context: ChannelHandlerContext) {
        switch answer {
        case .reply(let text): say(text, context)
        case .silence: isDead = true
        case .close:
            isDead = true
            context.close(promise: nil)
        case .lastWords(let text):
            isDead = true
            say(text, context)
            context.close(promise: nil)
        }
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
        let wire = text.replacing("\n", with: "\r\n") + "\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: wire)), promise: nil)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : self
    }
}

/// Counts from 1.
final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
    func reset() { value.withLock { $0 = 0 } }
}
