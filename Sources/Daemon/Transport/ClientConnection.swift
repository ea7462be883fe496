import MailModel
import NIOCore
import SMTP

/// How long a client waits (RFC 5321 §4.5.3.2); the floors of the RFC are the defaults.
package struct ClientTimeouts: Sendable, Hashable {
    package var connect: Duration
    /// Greeting and replies to commands.
    package var command: Duration
    /// Reply to DATA.
    package var dataStart: Duration
    /// The remote takes the next piece of content.
    package var dataBlock: Duration
    /// Reply to the end of the content: long, because giving up too early doubles the message (RFC 1047).
    package var dataEnd: Duration
    /// An unused connection is kept this long.
    package var idle: Duration

    package init(
        connect: Duration = .seconds(30), command: Duration = .seconds(300), dataStart: Duration = .seconds(120),
        dataBlock: Duration = .seconds(180), dataEnd: Duration = .seconds(600), idle: Duration = .seconds(5)
    ) {
        self.connect = connect
        self.command = command
        self.dataStart = dataStart
        self.dataBlock = dataBlock
        self.dataEnd = dataEnd
        self.idle = idle
    }

    /// A good-bye may take this long.
    private static let quit = Duration.seconds(5)

    func time(of phase: ClientPhase) -> TimeAmount {
        switch phase {
        case .greeting, .hello, .startTLS, .authentication, .mail, .recipient, .reset: TimeAmount(command)
        case .dataStart: TimeAmount(dataStart)
        case .dataBlock: TimeAmount(dataBlock)
        case .dataEnd: TimeAmount(dataEnd)
        case .quit: TimeAmount(Self.quit)
        case .idle: TimeAmount(idle)
        }
    }
}

/// Where the octets of a message come from while it is sent.
package enum ClientContent: Sendable {
    case octets([UInt8])
    /// Read piece by piece; an error's text is for the log and the queue row.
    case pieces(size: Int, read: @Sendable (_ offset: Int, _ count: Int) throws -> [UInt8])
}

/// What a connection tells its owner, on its event loop.
package enum ClientConnectionEvent: Sendable {
    /// It takes a transaction now.
    case ready
    case transactionEnded(ClientTransactionResult)
    /// Comes once, as the last one; the channel is closed by then or about to be.
    case ended(ClientEnd)
}

/// The edge around a `ClientSession`: channel handler, clock and content pump. Lives on one event loop; the owner calls
/// it there.
package final class ClientConnection: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Octets of content that are read and written at a time when it does not fit into one piece.
    static let pieceOctets = 64 * 1_024

    /// Makes the TLS handler for this connection; throws when TLS cannot be set up.
    package typealias TLSFactory = () throws -> any ChannelHandler

    private var session: ClientSession
    private let timeouts: ClientTimeouts
    private let makeTLS: TLSFactory?
    private let owner: (ClientConnectionEvent) -> Void
    private var context: ChannelHandlerContext?
    private var events: [ClientEvent] = []
    private var isHandling = false
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerFires = NIODeadline.distantFuture
    /// What the deadline was set for.
    private var awaited: ClientPhase?
    private var repliesBefore = 0
    private var content: ClientContent?
    private var encoder = ClientContentEncoder()
    private var sentOctets = 0
    private var hasEnded = false
    private var lastError = ""

    /// - Parameters:
    ///   - makeTLS: `nil` when TLS cannot be used at all; `settings.tls` says the rest.
    ///   - owner: called on the event loop.
    package init(
        settings: ClientSettings, timeouts: ClientTimeouts, makeTLS: TLSFactory?,
        owner: @escaping (ClientConnectionEvent) -> Void
    ) {
        session = ClientSession(settings: settings)
        self.timeouts = timeouts
        self.makeTLS = makeTLS
        self.owner = owner
    }

    package var isSecured: Bool { session.isSecured }
    /// Version and cipher, once the handshake is done: `TLSv1.3 TLS_AES_256_GCM_SHA384`.
    package private(set) var tls: String?
    package var isIdle: Bool { session.isIdle && !hasEnded }
    package var transactionsCompleted: Int { session.transactionsCompleted }
    package var features: ClientFeatures? { session.features }

    /// Begins a transaction on an idle connection.
    package func begin(_ transaction: ClientTransaction, content: ClientContent) {
        self.content = content
        perform { session, events in session.begin(transaction, events: &events) }
    }

    /// Says QUIT when idle, else cuts the connection. The owner hears `ended`.
    package func quit() {
        perform { session, events in session.quit(events: &events) }
    }

    // MARK: Channel

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { perform { _, _ in } }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        perform { _, _ in }
        context.fireChannelActive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        perform { session, events in
            buffer.withUnsafeReadableBytes { session.receive($0, events: &events) }
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let detail = lastError
        perform { session, events in session.connectionLost(detail, events: &events) }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lastError = ClientConnector.text(of: error)
        if case .startTLS? = session.phase {
            let detail = lastError
            perform { session, events in session.tlsFailed(detail, events: &events) }
        } else {
            let detail = lastError
            perform { session, events in session.connectionLost(detail, events: &events) }
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let established = event as? TLSEstablished {
            tls = "\(established.version) \(established.cipher)"
            perform { session, _ in session.tlsEstablished() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Session

    /// Calls the session, sends what it wrote, obeys its events, sets the clock.
    private func perform(_ call: (inout ClientSession, inout [ClientEvent]) -> Void) {
        guard !hasEnded else { return }
        call(&session, &events)
        flushOutput()
        if isHandling { return }  // an event's handler came back here; the loop below takes its events
        isHandling = true
        var next = 0
        while next < events.count {
            let event = events[next]
            next += 1
            obey(event)
        }
        events.removeAll(keepingCapacity: true)
        isHandling = false
        // Octets alone move no deadline: a server could go on for ever with one now and then.
        if session.phase != awaited || session.replies != repliesBefore { setClock() }
    }

    private func flushOutput() {
        guard !session.output.isEmpty, let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: session.output.count)
        buffer.writeBytes(session.output)
        session.output.removeAll(keepingCapacity: true)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func obey(_ event: ClientEvent) {
        switch event {
        case .startTLS: startTLS()
        case .ready: owner(.ready)
        case .sendContent:
            encoder = ClientContentEncoder()
            sentOctets = 0
            sendContent()
        case .transactionEnded(let result):
            content = nil
            owner(.transactionEnded(result))
        case .ended(let end):
            hasEnded = true
            timer?.cancel()
            content = nil
            context?.close(promise: nil)
            owner(.ended(end))
        }
    }

    private func startTLS() {
        do {
            guard let makeTLS, let context else { throw ClientConnectionError.noTLS }
            try context.pipeline.syncOperations.addHandler(makeTLS(), position: .first)
        } catch {
            let detail = ClientConnector.text(of: error)
            perform { session, events in session.tlsFailed(detail, events: &events) }
        }
    }

    // MARK: Content

    private func sendContent() {
        guard let context, let content else { return }
        switch content {
        case .octets(let octets):
            octets.withUnsafeBytes { write($0, last: true, context: context, promise: nil) }
            perform { session, _ in session.contentSent() }
        case .pieces(let size, let read):
            sendPiece(size: size, read: read, context: context)
        }
    }

    /// One piece is in the channel at a time, so that a slow remote holds back the reading.
    private func sendPiece(
        size: Int, read: @escaping @Sendable (Int, Int) throws -> [UInt8], context: ChannelHandlerContext
    ) {
        guard !hasEnded else { return }
        let count = min(Self.pieceOctets, size - sentOctets)
        do {
            let octets = count > 0 ? try read(sentOctets, count) : []
            guard octets.count == count else { throw ClientConnectionError.contentShort }
            sentOctets += count
            if sentOctets >= size {
                octets.withUnsafeBytes { write($0, last: true, context: context, promise: nil) }
                perform { session, _ in session.contentSent() }
                return
            }
            let promise = context.eventLoop.makePromise(of: Void.self)
            octets.withUnsafeBytes { write($0, last: false, context: context, promise: promise) }
            promise.futureResult.assumeIsolated().whenSuccess {
                self.setClock()
                self.sendPiece(size: size, read: read, context: context)
            }
        } catch {
            let reply = DeliveryTrouble.contentMissing.reply(ClientConnector.text(of: error))
            perform { session, events in session.contentFailed(reply, events: &events) }
        }
    }

    private func write(
        _ octets: UnsafeRawBufferPointer, last: Bool, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        let room = ClientContentEncoder.room(for: octets) + (last ? ClientContentEncoder.roomToFinish : 0)
        var buffer = context.channel.allocator.buffer(capacity: room)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { out in
            var written = encoder.encode(octets, into: out)
            if last { written += encoder.finish(into: UnsafeMutableRawBufferPointer(rebasing: out[written...])) }
            return written
        }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
    }

    // MARK: Clock

    /// The deadline moves with every step of the conversation; the timer is only made anew when it fires too early, so that a busy
    /// connection pays one scheduled task in minutes.
    private func setClock() {
        guard let context, !hasEnded, let phase = session.phase else { return }
        awaited = phase
        repliesBefore = session.replies
        let now = NIODeadline.now()
        let wanted = now + timeouts.time(of: phase)
        deadline = wanted
        if timer == nil || wanted < timerFires { startTimer(context, in: wanted - now) }
    }

    private func startTimer(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer?.cancel()
        timerFires = .now() + time
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        timer = nil
        guard !hasEnded, let context else { return }
        let now = NIODeadline.now()
        if now < deadline {
            startTimer(context, in: deadline - now)
        } else {
            perform { session, events in session.timedOut(events: &events) }
        }
    }
}

enum ClientConnectionError: Error, CustomStringConvertible {
    case noTLS, contentShort

    var description: String {
        switch self {
        case .noTLS: "TLS is not available here"
        case .contentShort: "content is shorter than it should be"
        }
    }
}
