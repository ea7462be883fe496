import MailModel

/// How a session with one host is to be held.
package struct ClientSettings: Sendable, Equatable {
    package enum TLS: String, Sendable, Equatable {
        /// Never.
        case off
        /// When offered; a host that refuses it gets the mail in clear.
        case opportunistic
        /// Nothing is sent without it.
        case required
        /// The connection begins with the handshake (RFC 8314 §3.3); the edge makes it before it opens the session.
        case implicit
    }
    package enum Mechanism: String, Sendable, Hashable, CaseIterable {
        case plain = "PLAIN"
        case login = "LOGIN"
        case cramMD5 = "CRAM-MD5"
        /// The password is an access token.
        case xoauth2 = "XOAUTH2"
    }
    package struct Credentials: Sendable, Equatable {
        package var mechanism: Mechanism
        package var user: String
        package var password: String
        /// The password may travel without TLS (loopback, or the administrator said so).
        package var allowedInClear: Bool

        package init(mechanism: Mechanism, user: String, password: String, allowedInClear: Bool) {
            self.mechanism = mechanism
            self.user = user
            self.password = password
            self.allowedInClear = allowedInClear
        }
    }

    /// Our name behind EHLO.
    package var hello: String
    package var tls: TLS
    /// For gateways only (R-DLV-23).
    package var credentials: Credentials?

    package init(hello: String, tls: TLS = .opportunistic, credentials: Credentials? = nil) {
        self.hello = hello
        self.tls = tls
        self.credentials = credentials
    }
}

extension ClientSettings.Credentials: CustomStringConvertible {
    /// The password shows itself nowhere.
    package var description: String { "\(mechanism.rawValue) \(user) <redacted>" }
}

/// The client's side of one SMTP connection: octets in, octets and events out. It never waits, writes or looks at a
/// clock; the edge sends `output`, obeys the events, and calls `timedOut` when the time of `phase` is over.
///
/// Every odd behaviour of a server ends in an outcome for every recipient or in a `ClientEnd`; nothing stays open.
package struct ClientSession {
    enum State {
        case greeting
        case ehlo(secured: Bool)
        case helo(secured: Bool)
        case startTLS(ClientFeatures)
        case handshake
        case authentication(ClientAuthentication, ClientFeatures)
        case idle(ClientFeatures)
        case transaction(ClientExchange, ClientFeatures)
        case quitting
        case ended
    }

    package let settings: ClientSettings
    /// Octets to send. The edge takes and empties it after every call.
    package var output: [UInt8] = []
    /// The connection is encrypted.
    package private(set) var isSecured: Bool
    /// Transactions that the server completed with a reply to the end of their content: above 0 the connection is a
    /// used one, and its loss at the next MAIL says nothing about the host.
    package private(set) var transactionsCompleted = 0
    /// Whole replies that came. A time-out counts from the last of them: octets that never become one are no answer.
    package private(set) var replies = 0

    var state = State.greeting
    private var parser = ClientReplyParser()
    /// The server must forget an unfinished transaction before the next.
    private var needsReset = false

    package init(settings: ClientSettings) {
        self.settings = settings
        isSecured = settings.tls == .implicit
    }

    /// Which time-out runs now; `nil` when the session has ended.
    package var phase: ClientPhase? {
        switch state {
        case .greeting: .greeting
        case .ehlo, .helo: .hello
        case .startTLS, .handshake: .startTLS
        case .authentication: .authentication
        case .idle: .idle
        case .transaction(let exchange, _): exchange.phase
        case .quitting: .quit
        case .ended: nil
        }
    }

    package var isIdle: Bool {
        if case .idle = state { true } else { false }
    }

    /// What the server offers, once the session is ready.
    package var features: ClientFeatures? {
        switch state {
        case .idle(let features), .transaction(_, let features): features
        default: nil
        }
    }

    /// Takes what arrived. Events come in the order in which they must be obeyed.
    package mutating func receive(_ octets: UnsafeRawBufferPointer, events: inout [ClientEvent]) {
        var position = 0
        while position < octets.count {
            switch state {
            case .handshake, .ended:
                // Before a handshake: injected, dropped (USENIX Security 2021, "NO STARTTLS"). After the end: noise.
                return
            default: break
            }
            do {
                guard let reply = try parser.next(in: octets, from: &position) else { return }
                handle(reply, &events)
            } catch {
                breakOff(.malformedReply, error == .tooLong ? "reply too long" : "not a reply", &events)
            }
        }
    }

    /// Begins a transaction; allowed when `isIdle` (else nothing happens). What is impossible with this server is
    /// answered at once with `transactionEnded`.
    package mutating func begin(_ transaction: ClientTransaction, events: inout [ClientEvent]) {
        guard case .idle(let features) = state else { return }
        var exchange = ClientExchange(transaction, features: features, resetFirst: needsReset)
        if let refusal = exchange.refusalBeforeSending {
            let outcomes = transaction.recipients.map { _ in refusal }
            events.append(
                .transactionEnded(.init(outcomes: outcomes, passedNotification: false, contentWasSent: false)))
            return
        }
        exchange.start(&output)
        needsReset = true
        state = .transaction(exchange, features)
    }

    /// The content has gone out with its end.
    package mutating func contentSent() {
        guard case .transaction(var exchange, let features) = state else { return }
        exchange.contentSent()
        state = .transaction(exchange, features)
    }

    /// The edge cannot read the content any more. The server must not take the part for the whole, so there is only
    /// one way out: the end of the connection without the end of the content.
    package mutating func contentFailed(_ reply: Reply, events: inout [ClientEvent]) {
        end(.broken(.deferred(reply, .line)), &events)
    }

    package mutating func tlsEstablished() {
        guard case .handshake = state else { return }
        isSecured = true
        parser.reset()
        sendHello(secured: true)  // all that was said before is forgotten (RFC 3207 §4.2)
    }

    package mutating func tlsFailed(_ detail: String, events: inout [ClientEvent]) {
        end(.tlsFailed(DeliveryTrouble.tlsFailed.reply(detail)), &events)
    }

    /// The time of `phase` is over.
    package mutating func timedOut(events: inout [ClientEvent]) {
        guard let phase else { return }
        switch phase {
        case .idle: quit(events: &events)
        case .quit: end(.quit, &events)
        default:
            breakOff(.sessionTimeout, "while waiting for \(phase.text)", &events)
        }
    }

    /// The connection is gone.
    package mutating func connectionLost(_ detail: String = "", events: inout [ClientEvent]) {
        guard let phase else { return }
        switch phase {
        case .idle, .quit: end(.quit, &events)
        default:
            let place = "while waiting for \(phase.text)" + (detail.isEmpty ? "" : " (\(detail))")
            breakOff(.connectionLost, place, &events)
        }
    }

    /// Says good-bye to an idle server; in any other state the connection simply ends.
    package mutating func quit(events: inout [ClientEvent]) {
        guard case .idle = state else {
            connectionLost("given up here", events: &events)
            return
        }
        output.append(contentsOf: "QUIT\r\n".utf8)
        state = .quitting
    }
}

extension ClientSession {
    private mutating func handle(_ reply: Reply, _ events: inout [ClientEvent]) {
        replies &+= 1
        if reply.code == 421, !isQuitting {
            // The server is closing, whatever was asked (RFC 5321 §3.8).
            end(closing(reply), &events)
            return
        }
        switch state {
        case .greeting:
            guard reply.code == 220 else { return end(.refused(.init(refusal: reply)), &events) }
            sendHello(secured: isSecured)
        case .ehlo(let secured):
            switch reply.kind {
            case .positive: greeted(ClientFeatures(ehlo: reply), secured: secured, &events)
            case .permanent:
                // RFC 5321 §3.2: fall back for old servers.
                output.append(contentsOf: "HELO \(settings.hello)\r\n".utf8)
                state = .helo(secured: secured)
            case .transient, .intermediate: end(.refused(.init(refusal: reply)), &events)
            }
        case .helo(let secured):
            guard reply.isPositive else { return end(.refused(.init(refusal: reply)), &events) }
            greeted(ClientFeatures(), secured: secured, &events)
        case .startTLS(let features):
            if reply.code == 220 {
                state = .handshake
                parser.reset()
                events.append(.startTLS)
            } else if settings.tls == .required {
                end(.refused(.deferred(DeliveryTrouble.tlsNotOffered.reply(reply.text), .line)), &events)
            } else {
                authenticate(features, &events)
            }
        case .authentication(var exchange, let features):
            switch exchange.answer(reply, &output) {
            case .goOn: state = .authentication(exchange, features)
            case .done: becomeIdle(features, &events)
            case .refused(let outcome): end(.refused(outcome), &events)
            }
        case .transaction(var exchange, let features):
            let step = exchange.receive(reply, &output)
            state = .transaction(exchange, features)
            follow(step, features, &events)
        case .idle:
            // Nothing was asked: the two sides no longer agree on which reply belongs to what.
            end(.broken(.deferred(DeliveryTrouble.malformedReply.reply("unasked: \(reply.text)"), .line)), &events)
        case .quitting: end(.quit, &events)
        case .handshake, .ended: break
        }
    }

    private mutating func follow(
        _ step: ClientExchange.Step, _ features: ClientFeatures, _ events: inout [ClientEvent]
    ) {
        switch step {
        case .wait: break
        case .sendContent: events.append(.sendContent)
        case .finished(let result, let clean):
            needsReset = !clean
            if result.contentWasSent { transactionsCompleted += 1 }
            state = .idle(features)
            events.append(.transactionEnded(result))
        case .broken(let outcome): end(.broken(outcome), &events)
        }
    }

    private var isQuitting: Bool {
        if case .quitting = state { true } else { false }
    }

    private func closing(_ reply: Reply) -> ClientEnd {
        switch state {
        case .idle: .quit
        case .greeting, .ehlo, .helo, .startTLS, .handshake, .authentication: .refused(.deferred(reply, .line))
        case .transaction, .quitting, .ended: .broken(.deferred(reply, .line))
        }
    }

    private mutating func sendHello(secured: Bool) {
        output.append(contentsOf: "EHLO \(settings.hello)\r\n".utf8)
        state = .ehlo(secured: secured)
    }

    private mutating func greeted(_ features: ClientFeatures, secured: Bool, _ events: inout [ClientEvent]) {
        if secured || settings.tls == .off { return authenticate(features, &events) }
        if features.startTLS {
            output.append(contentsOf: "STARTTLS\r\n".utf8)
            state = .startTLS(features)
        } else if settings.tls == .required {
            end(.refused(.deferred(DeliveryTrouble.tlsNotOffered.reply(), .line)), &events)
        } else {
            authenticate(features, &events)
        }
    }

    private mutating func authenticate(_ features: ClientFeatures, _ events: inout [ClientEvent]) {
        guard let credentials = settings.credentials else { return becomeIdle(features, &events) }
        guard features.authentication.contains(credentials.mechanism.rawValue) else {
            // R-DLV-23: counts as a refusal by the remote.
            let reply = DeliveryTrouble.authNotOffered.reply(credentials.mechanism.rawValue)
            return end(.refused(.failed(reply)), &events)
        }
        guard isSecured || credentials.allowedInClear else {
            // A matter of this side, or of somebody between: it may be repaired.
            return end(.refused(.deferred(DeliveryTrouble.authInClear.reply(), .line)), &events)
        }
        state = .authentication(ClientAuthentication(credentials, &output), features)
    }

    private mutating func becomeIdle(_ features: ClientFeatures, _ events: inout [ClientEvent]) {
        state = .idle(features)
        events.append(.ready)
    }

    /// The conversation came to nothing. Between STARTTLS and the first answer behind it TLS is what failed: many a server
    /// refuses what it does not like of TLS 1.3 only after the client's last word of the handshake.
    private mutating func breakOff(_ trouble: DeliveryTrouble, _ detail: String, _ events: inout [ClientEvent]) {
        switch state {
        case .startTLS, .handshake,
            .ehlo(secured: true) where settings.tls != .implicit:
            let what = trouble.reply(detail).lines.joined(separator: " ")
            end(.tlsFailed(DeliveryTrouble.tlsFailed.reply(what)), &events)
        default: end(.broken(.deferred(trouble.reply(detail), .line)), &events)
        }
    }

    /// Ends the session; a transaction under way gets its outcomes first. A server that refused us, and does not close by
    /// itself, hears a good-bye (RFC 5321 §4.1.1.10).
    private mutating func end(_ reason: ClientEnd, _ events: inout [ClientEvent]) {
        if case .refused(let outcome) = reason, outcome.reply.code != 421 {
            output.append(contentsOf: "QUIT\r\n".utf8)
        }
        if case .transaction(var exchange, _) = state {
            let outcome: ClientOutcome =
                switch reason {
                case .refused(let outcome), .broken(let outcome): outcome
                case .tlsFailed(let reply): .deferred(reply, .line)
                case .quit: .deferred(DeliveryTrouble.connectionLost.reply(), .line)
                }
            events.append(.transactionEnded(exchange.end(with: outcome)))
        }
        state = .ended
        events.append(.ended(reason))
    }
}
