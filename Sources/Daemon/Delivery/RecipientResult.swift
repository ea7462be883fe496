import MailModel
import Spool

/// What one attempt did for one recipient.
package struct RecipientResult: Sendable {
    package enum Outcome: Sendable {
        /// In its mailbox.
        case stored
        /// Messages of its own take its place, in the queue with the same commit. The text is for the log.
        case replaced(String)
        /// In the remote's hands. `reportsFollow`: the remote took over the duty to report (RFC 3461 §5.2.1).
        case relayed(Reply, reportsFollow: Bool)
        case deferred(Reply, FailureClass)
        /// 5yz of a remote server: repeated as often as `delivery.retry_max_refusals` says.
        case refused(Reply)
        /// Repetition is pointless.
        case failed(Reply)
        /// Nothing was tried; it is due again at once.
        case untried
        /// Nothing was tried; others come first until then, milliseconds since 1970.
        case postponed(until: Int64)
    }
    package var outcome: Outcome
    /// Where it went, for people: `local example.jp`, `mx mx1.example.net [192.0.2.1]`.
    package var route: String
    /// The remote's address and name, when one was reached.
    package var address: String?
    package var host: String?
    /// TLS version and cipher of the connection; `nil`: in clear.
    package var tls: String?

    package init(
        _ outcome: Outcome, route: String, address: String? = nil, host: String? = nil, tls: String? = nil
    ) {
        self.outcome = outcome
        self.route = route
        self.address = address
        self.host = host
        self.tls = tls
    }
}

extension RecipientResult {
    /// What the remote said, or we in its place; `nil` where nothing was tried.
    package var reply: Reply? {
        switch outcome {
        case .relayed(let reply, _), .deferred(let reply, _), .refused(let reply), .failed(let reply): reply
        case .stored, .replaced, .untried, .postponed: nil
        }
    }

    var isRelayed: Bool { if case .relayed = outcome { true } else { false } }

    /// Doing it again, should the note of it get lost in a power cut, changes nothing for anybody: a mailbox knows what
    /// it holds.
    var isRepeatable: Bool {
        switch outcome {
        case .stored, .deferred, .refused, .untried, .postponed: true
        case .relayed, .failed, .replaced: false
        }
    }

    /// Of what two hosts of a destination said, the one that leaves more hope: a refusal by one host is no refusal while
    /// another could not be asked.
    static func softer(_ one: RecipientResult?, _ other: RecipientResult) -> RecipientResult {
        guard let one, case .deferred = one.outcome else { return other }
        if case .deferred = other.outcome { return other }
        return one
    }
}
