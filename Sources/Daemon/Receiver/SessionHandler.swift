import Journal
import MailModel
import NIOCore
import Policy
import SMTP
import Store
import Tables
import Transport

/// One SMTP connection: feeds octets to the session machine, obeys its actions, asks policy, directory and spool.
/// Lives on one event loop; what takes time happens elsewhere and comes back through the loop's inbox.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let core: ReceiverCore
    let home: ReceiverLoop
    let configuration: ReceiverConfiguration
    /// Its relay rules decide the transaction: those in force at MAIL (R-RELAY-63).
    var ruling: ReceiverConfiguration
    /// `*.*.*.*:25`
    let listener: String
    let client: IPAddress
    /// The same as it stands in log lines and records.
    let clientText: String
    let local: IPAddress
    var session: ServerSession
    var context: ChannelHandlerContext?
    /// Past it the peer has been silent for too long.
    private(set) var deadline = NIODeadline.distantFuture

    var authentication = Authentication.none
    /// SCRAM: proved, and waiting for the client to believe us.
    var proved: AccountRecord?
    /// By DNS, when the answer has come; for trace fields.
    var clientName: String?
    /// Version and cipher, for trace fields.
    var tlsText = ""
    /// When the connection came, milliseconds since 1970, and when it was encrypted: for the line of its first MAIL.
    var beganAt: Int64?
    var securedAt: Int64?
    /// Joins the log lines of this connection.
    let sessionName = String(UInt64.random(in: 0 ... .max) >> 14, radix: 36)
    /// Of the transaction under way.
    var sender: SenderDecision?
    var senderPath: ReversePath?
    var senderFacts: SenderFacts?
    var announcedSize: Int?
    var acceptedRecipients = 0
    /// A recipient of the transaction is in no operated domain.
    var relaysOutside = false
    /// The transaction's accepted recipients, where its facts are kept; and how many messages it stands for.
    var kept: (weight: Int, recipients: [RecipientFacts])?
    /// Sessions that were open when this one began, in all and of its client.
    private(set) var openBefore: (all: Int, ofClient: Int) = (0, 0)
    /// Of the acting user (R-ACC-44).
    var restriction = RecipientRestriction.none
    /// Number of this session in the usage log; 0 before authentication.
    var usageSession: Int64 = 0
    var message: IncomingMessage?
    var content: [UInt8] = []
    /// Octets of content since the last look at its speed, and when that was.
    private var paceOctets = 0
    private var paceSince = NIODeadline.now()

    /// Octets that the session has not consumed.
    private var input: ByteBuffer?
    private var output: ByteBuffer?
    /// A question is with another thread.
    private var isWaiting = false
    private var isDriving = false
    private var isReadingPaused = false
    var isUploadFull = false
    private var isStopping = false
    /// The last reply is on its way; nothing is read any more.
    private var isEnding = false
    private var isCounted = false
    /// Octets dropped behind the last reply; `nil`: none are waited for.
    private var lingered: Int?

    /// Octets that may wait in `input` before reading stops.
    private static let inputOctets = 64 << 10
    /// How long the last reply may take to leave.
    private static let endingTime = TimeAmount.seconds(30)
    /// How long a peer may still talk behind it, also when the receiver stops, and how much.
    private static let lingerTime = TimeAmount.seconds(5)
    private static let stoppingLinger = TimeAmount.seconds(1)
    private static let lingerOctets = 1 << 20

    init(
        home: ReceiverLoop, configuration: ReceiverConfiguration, listener: String, isTLS: Bool, client: IPAddress,
        local: IPAddress
    ) {
        core = home.core
        self.home = home
        self.configuration = configuration
        ruling = configuration
        self.listener = listener
        self.client = client
        clientText = client.description
        self.local = local
        session = ServerSession(profile: configuration.profile(at: local), isTLS: isTLS)
    }

    var facts: SessionFacts {
        SessionFacts(client: client, isTLS: session.isTLS, authentication: authentication)
    }

    var connectionFacts: ConnectionFacts {
        ConnectionFacts(
            client: client, local: local, openSessions: openBefore.all, openSessionsOfClient: openBefore.ofClient)
    }

    // MARK: Connection

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        home.add(self)
        beganAt = ReceiverCore.now
        let before = core.gate.enter(client)
        isCounted = true
        deadline = .now() + configuration.commandTimeout
        // Sessions of this machine itself are not limited by their one address.
        openBefore = (before.open, client.isThisMachine ? 0 : before.ofClient)
        var facts = connectionFacts
        facts.isShuttingDown = home.isStopping
        facts.lock = core.locks.connected(client, local: local)
        switch ConnectionPolicy.decide(facts, configuration.connection) {
        case .accept:
            send(session.greeting)
            configuration.names(client, callback { $0.clientName = $1 })
        case .closeSilently: context.close(promise: nil)
        case .refuse(let verdict):
            let limits = configuration.connection
            let evidence = Evidence.Moment.connection(
                facts, maxSessions: limits.maxSessions, maxSessionsPerClient: limits.maxSessionsPerClient)
            end(with: refusal(verdict, moment: "CONNECT", evidence: evidence))
        }
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isEnding = true
        deadline = .distantFuture
        discardMessage()
        leaveGate()
        if lingered != nil { home.lingering -= 1 }
        lingered = nil
        home.remove(self)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError, error.kind != .truncated {
            log(.session, level: .info, text: error.detail)
        }
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let established = event as? TLSEstablished else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        tlsText = "\(established.version) \(established.cipher)"
        securedAt = ReceiverCore.now
        session.startedTLS(bindings: established.bindings)
        deadline = .now() + configuration.commandTimeout
        isWaiting = false
        drive()
    }

    // MARK: Driving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard !isEnding else { return dropped(buffer.readableBytes, context) }
        paceOctets += buffer.readableBytes
        if input == nil { input = buffer } else { input?.writeBuffer(&buffer) }
        drive()
    }

    /// Lets the session work until it needs octets or an answer, then sends what it said.
    func drive() {
        guard !isDriving else { return }
        isDriving = true
        while !isWaiting, !isEnding, !mustStop {
            let step = step()
            if step.consumed > 0 { input?.moveReaderIndex(forwardBy: step.consumed) }
            if case .needInput = step.action { break }
            let patience = session.isReceivingContent ? configuration.dataTimeout : configuration.commandTimeout
            deadline = .now() + patience
            perform(step.action)
        }
        isDriving = false
        if let buffer = input { input = isEnding || buffer.readableBytes == 0 ? nil : buffer }
        if mustStop, !isEnding, !isWaiting {
            end(with: refusal(ProtocolRefusals.verdict(.shuttingDown, at: "STOP"), moment: "STOP"))
        }
        flush()
        regulateReading()
    }

    /// The receiver stops, and no message is under way in this session.
    private var mustStop: Bool { isStopping && !session.isReceivingContent }

    private func step() -> ServerStep {
        guard let buffer = input else {
            return session.step(UnsafeRawBufferPointer(start: nil, count: 0), content: &content)
        }
        return buffer.withUnsafeReadableBytes { session.step($0, content: &content) }
    }

    private func perform(_ action: ServerAction) {
        switch action {
        case .needInput, .proceed: break
        case .reply(let reply): send(reply)
        case .refuse(let refusal): send(self.reply(to: refusal))
        case .replyAndClose(let reply): end(with: reply, isExpected: true)
        case .refuseAndClose(let refusal): end(with: self.reply(to: refusal))
        case .decideSender(let arguments): decide(arguments)
        case .decideRecipient(let arguments): decide(arguments)
        case .makeChallenge(let mechanism, let name): makeChallenge(mechanism, name: name)
        case .authenticate(let credentials): authenticate(credentials)
        case .enquire(let verb, let text): enquire(verb, text)
        case .beginContent(let envelope, let expected): beginContent(envelope, expected: expected)
        case .content: contentArrived()
        case .finish(let size): finishContent(size: size)
        case .discardContent: discardMessage()
        case .startTLS(let reply): startTLS(reply)
        }
    }

    /// Gives the session its answer, at once or when another thread has found it.
    func resolve(_ resolution: Resolution) {
        isWaiting = false
        perform(session.resolve(resolution))
        drive()
    }

    /// Takes a question elsewhere; `resolve` ends the wait. Nobody is timed out while we are the slow ones.
    func wait() {
        isWaiting = true
        deadline = .distantFuture
    }

    /// Calls back on the event loop. - Returns: what another thread may call, once.
    func callback<Value: Sendable>(
        _ body: @escaping (SessionHandler, Value) -> Void
    ) -> @Sendable (Value) -> Void {
        let bound = NIOLoopBound((self, body), eventLoop: home.loop)
        let inbox = home.inbox
        return { value in
            inbox.post {
                let (handler, body) = bound.value
                body(handler, value)
            }
        }
    }

    // MARK: Output

    private func send(_ reply: Reply) {
        home.scratch.removeAll(keepingCapacity: true)
        reply.wire(into: &home.scratch)
        if output == nil { output = context?.channel.allocator.buffer(capacity: max(128, home.scratch.count)) }
        output?.writeBytes(home.scratch)
    }

    private func flush() {
        guard !isEnding, let buffer = output, let context else { return }
        output = nil
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// Sends the last reply and closes behind it.
    /// - Parameter isExpected: the client asked for the end, and has nothing more to say.
    private func end(with reply: Reply, isExpected: Bool = false) {
        send(reply)
        let hasMore = !isExpected || (input?.readableBytes ?? 0) > 0
        isEnding = true
        input = nil
        deadline = .now() + Self.endingTime
        discardMessage()
        guard let context, let buffer = output else { return }
        output = nil
        let bound = NIOLoopBound((self, context), eventLoop: home.loop)
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { result in
            let (handler, context) = bound.value
            if hasMore, case .success = result { return handler.linger(context) }
            context.close(promise: nil)
        }
    }

    /// Octets that nobody has read turn a close into a reset, and a reset can take the last reply from the peer. So our
    /// side ends first, and what still comes is dropped, for a short time, of few sessions at once.
    private func linger(_ context: ChannelHandlerContext) {
        guard home.lingering < ReceiverLoop.lingeringLimit else { return context.close(promise: nil) }
        home.lingering += 1
        lingered = 0
        leaveGate()
        deadline = .now() + (isStopping ? Self.stoppingLinger : Self.lingerTime)
        if isReadingPaused { try? context.channel.syncOptions?.setOption(.autoRead, value: true) }
        context.close(mode: .output, promise: nil)
    }

    private func dropped(_ octets: Int, _ context: ChannelHandlerContext) {
        guard let before = lingered else { return }
        lingered = before + octets
        if before + octets > Self.lingerOctets { context.close(promise: nil) }
    }

    private func leaveGate() {
        if isCounted { core.gate.leave(client) }
        isCounted = false
    }

    private func startTLS(_ reply: Reply) {
        guard let tls = core.tls.current, let context else { return resolve(.refused(.tlsNotAvailable)) }
        do {
            let handler = try TLSHandler(tls, scope: listener)
            send(reply)
            flush()
            input = nil
            isWaiting = true
            deadline = .distantFuture  // the handler has its own
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            core.log(.error, "STARTTLS: \(error)")
            isWaiting = false
            perform(session.resolve(.closed(.tlsNotAvailable)))
        }
    }

    // MARK: Reading

    func regulateReading() {
        let mustPause = isUploadFull || (isWaiting && (input?.readableBytes ?? 0) >= Self.inputOctets)
        guard mustPause != isReadingPaused, !isEnding, let context else { return }
        isReadingPaused = mustPause
        try? context.channel.syncOptions?.setOption(.autoRead, value: !mustPause)
    }

    // MARK: End

    /// Content that trickles in: ends the session when less came than the floor asks for. Each `dataTimeout` is judged
    /// by itself, and only where we were the ones who waited.
    /// - Returns: whether it ended the session.
    func judgePace(_ now: NIODeadline) -> Bool {
        guard session.isReceivingContent, !isWaiting, !isReadingPaused, configuration.dataFloor > 0 else {
            beginPace(now)
            return false
        }
        guard now - paceSince >= configuration.dataTimeout else { return false }
        let isTooSlow = paceOctets < configuration.dataFloor && !isEnding
        if isTooSlow { endAsTooSlow() }
        beginPace(now)
        return isTooSlow
    }

    private func endAsTooSlow() {
        let step = TrailStep(
            check: "content.pace",
            finding: "\(paceOctets) octets in \(configuration.dataTimeout.nanoseconds / 1_000_000_000) s, "
                + "\(configuration.dataFloor) are asked for",
            source: .setting("receiver.min_rate"), decided: true)
        end(
            with: refusal(
                Verdict(.contentTooSlow, trail: [step], remedy: "lower receiver.min_rate"), moment: Verb.data.rawValue))
    }

    private func beginPace(_ now: NIODeadline) {
        paceOctets = 0
        paceSince = now
    }

    func timeOut() {
        deadline = .distantFuture
        if isEnding {
            abort()
        } else {
            end(with: refusal(ProtocolRefusals.verdict(.idleTimeout, at: "TIMEOUT"), moment: "TIMEOUT"))
        }
    }

    /// The receiver stops: now when nothing is under way, else behind the message that is.
    func stop() {
        isStopping = true
        if lingered != nil { deadline = min(deadline, .now() + Self.stoppingLinger) }
        if !isDriving { drive() }
    }

    func abort() {
        isEnding = true
        context?.close(promise: nil)
    }
}
