import Glibc
import MailModel
import NIOCore
import NIOPosix
import Synchronization

/// An SMTP server on a free loopback port that behaves as badly as it is told to.
final class SinkServer: Sendable {
    enum Stage: String, CaseIterable, Sendable {
        case greeting, ehlo, startTLS
        /// Behind the 220 to STARTTLS.
        case handshake
        /// EHLO inside TLS.
        case securedEHLO
        case auth, mail, rcpt, data, end, rset, quit
    }
    enum Answer: Sendable {
        /// The line, CR LF is added; `\n` inside becomes CR LF.
        case reply(String)
        case silence
        /// Closes without a word.
        case close
        /// Says it, then closes.
        case lastWords(String)
        /// Ends the connection with a reset.
        case reset
        /// One octet after the other, each in a write of its own; empty: the usual answer.
        case octets(String)
        /// One octet every 50 milliseconds; it never becomes a line.
        case drip
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
    /// What is done at one of this machine's addresses; `nil`: what `behaviour` says. And whether TLS and AUTH are
    /// offered there.
    struct Place: Sendable {
        var answer: @Sendable (Stage) -> Answer?
        var offersTLS: Bool
        var offersLogin: Bool
    }
    typealias Places = @Sendable (_ address: String) -> Place?

    private struct State {
        var messages: [Message] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
        var commands: [String] = []
        /// By the address that was connected to.
        var heard: [String: [String]] = [:]
    }

    private let state = Mutex(State())
    private let channel: any Channel
    let behaviour: Behaviour
    let tls: TLSMaker?
    let places: Places

    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private init(
        channel: any Channel, behaviour: @escaping Behaviour, tls: TLSMaker?, places: @escaping Places, _ box: Box
    ) {
        self.channel = channel
        self.behaviour = behaviour
        self.tls = tls
        self.places = places
        box.server.withLock { $0 = self }
    }

    final class Box: Sendable { let server = Mutex<SinkServer?>(nil) }

    /// - Parameter behaviour: `nil` for the usual answer.
    static func start(
        on host: String = "127.0.0.1", tls: TLSMaker? = nil, places: @escaping Places = { _ in nil },
        behaviour: @escaping Behaviour = { _, _, _ in nil }
    ) async throws -> SinkServer {
        let box = Box()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 512)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = box.server.withLock({ $0 }) else { return }
                    try channel.pipeline.syncOperations.addHandler(SinkHandler(server))
                }
            }
            .bind(host: host, port: 0).get()
        return SinkServer(channel: channel, behaviour: behaviour, tls: tls, places: places, box)
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var messages: [Message] { state.withLock { $0.messages } }
    var connections: Int { state.withLock { $0.connections } }
    var mostOpen: Int { state.withLock { $0.mostOpen } }
    var commands: [String] { state.withLock { $0.commands } }
    func heard(at address: String) -> [String] { state.withLock { $0.heard[address] ?? [] } }

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
    fileprivate func note(_ command: String, at address: String) {
        state.withLock {
            $0.commands.append(command)
            $0.heard[address, default: []].append(command)
        }
    }
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
    /// MAIL was taken.
    private var hasSender = false
    /// Waits for the ClientHello.
    private var insteadOfHandshake: SinkServer.Answer?
    private var address = ""
    private var place: SinkServer.Place?

    init(_ server: SinkServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        number = server.opened()
        address = context.channel.localAddress?.ipAddress ?? ""
        place = server.places(address)
        answer(.greeting, "", usual: "220 sink.example ESMTP", context)
    }
    func channelInactive(context: ChannelHandlerContext) { server.closed() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        buffer += input.readBytes(length: input.readableBytes) ?? []
        if let answered = insteadOfHandshake {
            insteadOfHandshake = nil
            act(answered, context)
            isDead = true
        }
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
                server.note(line, at: address)
                command(line, context)
            }
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        let usual = "250 2.0.0 taken"
        let answered = behave(.end, "", usual: usual)
        if answered.text == usual { server.keep(message) }
        act(answered, context)
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
            let offersTLS = server.tls != nil && !isSecured && place?.offersTLS != false
            let offers =
                (offersTLS ? "250-STARTTLS\n" : "") + (place?.offersLogin == true ? "250-AUTH PLAIN XOAUTH2\n" : "")
            if verb == "HELO" {
                return act(server.behaviour(.ehlo, line, number) ?? .reply("250 sink.example"), context)
            }
            answer(
                isSecured ? .securedEHLO : .ehlo, line,
                usual: "250-sink.example\n250-PIPELINING\n\(offers)250-SIZE 100000000\n250 8BITMIME",
                context)
        case "MAIL":
            message = .init(sender: Self.path(line), recipients: [], content: "")
            accepted = 0
            let answered = behave(.mail, line, usual: "250 2.1.0 ok")
            hasSender = answered.text?.hasPrefix("250") == true
            act(answered, context)
        case "RCPT":
            let answered = behave(.rcpt, line, usual: hasSender ? "250 2.1.5 ok" : "503 MAIL first")
            if answered.text?.hasPrefix("25") == true {
                accepted += 1
                message.recipients.append(Self.path(line))
            }
            act(answered, context)
        case "DATA":
            let answered = behave(.data, line, usual: accepted > 0 ? "354 go" : "554 nobody")
            if answered.text?.hasPrefix("354") == true { isData = true }
            act(answered, context)
        case "RSET": answer(.rset, line, usual: "250 ok", context)
        case "AUTH": answer(.auth, line, usual: "235 2.7.0 welcome", context)
        case "STAR":
            let answered = behave(.startTLS, line, usual: "220 go")
            act(answered, context)
            guard let tls = server.tls, !isDead, answered.text?.hasPrefix("220") == true else { return }
            insteadOfHandshake = place?.answer(.handshake)
            guard insteadOfHandshake == nil else { return }
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
        act(behave(stage, line, usual: usual), context)
    }

    private func behave(_ stage: SinkServer.Stage, _ line: String, usual: String) -> SinkServer.Answer {
        let answered = place?.answer(stage) ?? server.behaviour(stage, line, number) ?? .reply(usual)
        if case .octets("") = answered { return .octets(usual) }
        return answered
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
        case .reset:
            isDead = true
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            let isSet = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            isSet?.whenComplete { _ in bound.value.close(promise: nil) }
        case .octets(let text):
            for octet in (text.replacing("\n", with: "\r\n") + "\r\n").utf8 {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [octet])), promise: nil)
            }
        case .drip:
            isDead = true
            drip(context)
        }
    }

    private func drip(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "2")), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(50)) { bound.value.0.drip(bound.value.1) }
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
        let wire = text.replacing("\n", with: "\r\n") + "\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: wire)), promise: nil)
    }
}

extension SinkServer.Answer {
    /// What is said; `nil` when nothing.
    fileprivate var text: String? {
        switch self {
        case .reply(let text), .lastWords(let text), .octets(let text): text
        case .silence, .close, .reset, .drip: nil
        }
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
