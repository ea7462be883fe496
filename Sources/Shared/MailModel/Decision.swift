/// Where a rule or value stands that took part in a decision.
package enum RuleSource: Hashable, Sendable, Codable {
    /// `effect.dat:12`; lines count from 1.
    case table(file: String, line: Int)
    /// `receiver.max_recipients`
    case setting(String)
    /// Built in: an RFC section or requirement id.
    case builtIn(String)

    package var text: String {
        switch self {
        case .table(let file, let line): "\(file):\(line)"
        case .setting(let key): key
        case .builtIn(let source): source
        }
    }
}

/// One step on the way to a verdict, in the order in which it was taken.
package struct TrailStep: Hashable, Sendable, Codable {
    /// What was looked at, a stable identifier such as `relay.rule`, `recipient.account`, `limit.recipients`.
    package var check: String
    /// What was found, for people, in English: `rule norelay matches 192.0.2.7`.
    package var finding: String
    package var source: RuleSource?
    /// Whether this step decided.
    package var decided: Bool

    package init(check: String, finding: String, source: RuleSource? = nil, decided: Bool = false) {
        self.check = check
        self.finding = finding
        self.source = source
        self.decided = decided
    }
}

/// The result of a policy decision (architecture, section 6).
package struct Verdict: Hashable, Sendable, Codable {
    package var reason: Reason
    package var trail: [TrailStep]
    /// The smallest change that would have let it in, where there is one; English.
    package var remedy: String?
    /// What the reply names behind its text, ASCII: the zone of a block list.
    package var detail: String?

    package init(_ reason: Reason, trail: [TrailStep] = [], remedy: String? = nil, detail: String? = nil) {
        self.reason = reason
        self.trail = trail
        self.remedy = remedy
        self.detail = detail
    }
    package var isAccepted: Bool { !reason.isRefusal }
}

/// A refusal kept for `explain REF`: everything that is needed to understand it without the log.
package struct DecisionRecord: Hashable, Sendable, Codable {
    package var reference: DecisionReference
    /// Milliseconds since 1970.
    package var time: Int64
    package var client: String
    package var listener: String
    package var hello: String?
    package var isTLS: Bool
    package var authenticatedID: String?
    package var sender: String?
    package var recipient: String?
    /// The command or moment: `CONNECT`, `MAIL`, `RCPT`, `DATA`, `AUTH`, …
    package var moment: String
    package var verdict: Verdict
    /// The reply as sent, with the reference.
    package var reply: Reply
    package var settingsRevision: Int64

    package init(
        reference: DecisionReference, time: Int64, client: String, listener: String, hello: String?, isTLS: Bool,
        authenticatedID: String?, sender: String?, recipient: String?, moment: String, verdict: Verdict, reply: Reply,
        settingsRevision: Int64
    ) {
        self.reference = reference
        self.time = time
        self.client = client
        self.listener = listener
        self.hello = hello
        self.isTLS = isTLS
        self.authenticatedID = authenticatedID
        self.sender = sender
        self.recipient = recipient
        self.moment = moment
        self.verdict = verdict
        self.reply = reply
        self.settingsRevision = settingsRevision
    }
}
