import MailModel
import Tables

/// What is known when a client connects.
package struct ConnectionFacts: Hashable, Sendable, Codable {
    package var client: IPAddress
    package var local: IPAddress
    /// Sessions open now, this one not counted.
    package var openSessions: Int
    package var openSessionsOfClient: Int
    /// The receiver is about to stop.
    package var isShuttingDown: Bool
    /// The client is locked out.
    package var lock: LockFacts?

    package init(
        client: IPAddress, local: IPAddress, openSessions: Int, openSessionsOfClient: Int, isShuttingDown: Bool = false,
        lock: LockFacts? = nil
    ) {
        self.lock = lock
        self.client = client
        self.local = local
        self.openSessions = openSessions
        self.openSessionsOfClient = openSessionsOfClient
        self.isShuttingDown = isShuttingDown
    }
}

package struct ConnectionSettings: Hashable, Sendable {
    /// 0 = unlimited (R-SVC-19).
    package var maxSessions: Int
    /// From one address; 0 = unlimited.
    package var maxSessionsPerClient: Int
    /// hiddensmtpip.dat (R-RCV-05).
    package var hidden: IPPatternList

    package init(maxSessions: Int = 0, maxSessionsPerClient: Int = 0, hidden: IPPatternList = .empty) {
        self.maxSessions = maxSessions
        self.maxSessionsPerClient = maxSessionsPerClient
        self.hidden = hidden
    }
}

package enum ConnectionDecision: Hashable, Sendable {
    case accept
    /// Close without a greeting and without an entry in the connected machine log (R-RCV-05).
    case closeSilently(RuleSource)
    /// 421 and close.
    case refuse(Verdict)
}

package enum ConnectionPolicy {
    package static func decide(_ facts: ConnectionFacts, _ settings: ConnectionSettings) -> ConnectionDecision {
        if let source = hidden(facts, settings) { return .closeSilently(source) }
        let verdict = Verdict.deciding(explain: false) { limits(facts, settings, &$0) }
        return verdict.isAccepted ? .accept : .refuse(verdict)
    }

    /// This machine itself is never shut out.
    private static func hidden(_ facts: ConnectionFacts, _ settings: ConnectionSettings) -> RuleSource? {
        guard !facts.local.isThisMachine, let line = settings.hidden.firstLine(containing: facts.local) else {
            return nil
        }
        return .table(file: "hiddensmtpip.dat", line: line)
    }

    /// The same decision with its steps.
    /// - Returns: `isSilent`: the connection would be closed without a word, and the verdict's reply never be sent.
    package static func explain(
        _ facts: ConnectionFacts, _ settings: ConnectionSettings
    ) -> (verdict: Verdict, isSilent: Bool) {
        guard let source = hidden(facts, settings) else {
            return (Verdict.deciding(explain: true) { limits(facts, settings, &$0) }, false)
        }
        let verdict = Verdict.deciding(explain: true) { trail in
            trail.refuse(
                .addressRefused, "connect.hidden",
                "\(facts.local) is hidden: connections to it are closed without a word", source,
                remedy: "remove that line of hiddensmtpip.dat, or connect to another address")
        }
        return (verdict, true)
    }

    private static func limits(
        _ facts: ConnectionFacts, _ settings: ConnectionSettings, _ trail: inout Trail
    ) -> Ruling {
        if facts.isShuttingDown {
            return trail.refuse(.shuttingDown, "connect.state", "the receiver is shutting down")
        }
        if let lock = facts.lock { return locked(lock, facts.client, &trail) }
        if settings.maxSessions > 0, facts.openSessions >= settings.maxSessions {
            return trail.refuse(
                .tooManySessions, "connect.sessions",
                "\(facts.openSessions) sessions are open, \(settings.maxSessions) are allowed",
                .setting("receiver.max_sessions"), remedy: "raise receiver.max_sessions, or set it to 0")
        }
        trail.note("connect.lock", "\(facts.client) is not locked")
        trail.note(
            "connect.sessions",
            settings.maxSessions > 0
                ? "\(facts.openSessions) sessions are open, \(settings.maxSessions) are allowed"
                : "\(facts.openSessions) sessions are open, without limit", .setting("receiver.max_sessions"))
        if settings.maxSessionsPerClient > 0, facts.openSessionsOfClient >= settings.maxSessionsPerClient {
            return trail.refuse(
                .tooManySessionsFromClient, "connect.client-sessions",
                "\(facts.openSessionsOfClient) sessions of \(facts.client) are open, "
                    + "\(settings.maxSessionsPerClient) are allowed",
                .setting("receiver.max_sessions_per_client"), remedy: "raise receiver.max_sessions_per_client")
        }
        trail.note(
            "connect.client-sessions", "\(facts.openSessionsOfClient) sessions of \(facts.client) are open",
            .setting("receiver.max_sessions_per_client"))
        return .accept(.accepted)
    }

    /// Also asked when a client is locked in the middle of its session.
    package static func refusal(of client: IPAddress, for lock: LockFacts) -> Verdict {
        Verdict.deciding(explain: false) { locked(lock, client, &$0) }
    }

    private static func locked(_ lock: LockFacts, _ client: IPAddress, _ trail: inout Trail) -> Ruling {
        let cause: String =
            switch lock.cause {
            case .failures: "after failed authentications"
            case .connections: "after too many connections"
            case .manual: "by an administrator"
            }
        return trail.refuse(
            lock.until == nil ? .addressRefused : .addressLocked, "connect.lock",
            "\(client) is locked \(cause)" + (lock.until.map { " until \($0) (seconds since 1970)" } ?? ""),
            lock.source
                ?? .setting(lock.cause == .connections ? "receiver.lock_connections" : "receiver.lock_address_failures"),
            remedy: "epost-console lock release \(client)")
    }
}
