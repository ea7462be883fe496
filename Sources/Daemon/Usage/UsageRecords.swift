import MailModel
import Policy

/// A message of an account, or of an address that may relay, that is about to be queued.
package struct Submission: Sendable {
    package var id: QueueID
    /// Milliseconds since 1970.
    package var time: Int64
    /// Folded; `nil` without authentication.
    package var account: String?
    package var client: IPAddress
    /// Folded.
    package var recipients: [String]
    package var accountLimits: SendingLimits
    /// `nil`: this client's address is not counted.
    package var addressLimits: SendingLimits?
    /// Of `SessionRecord`; 0 = none.
    package var session: Int64

    package init(
        id: QueueID, time: Int64, account: String?, client: IPAddress, recipients: [String],
        accountLimits: SendingLimits, addressLimits: SendingLimits?, session: Int64 = 0
    ) {
        self.id = id
        self.time = time
        self.account = account
        self.client = client
        self.recipients = recipients
        self.accountLimits = accountLimits
        self.addressLimits = addressLimits
        self.session = session
    }
}

package struct Judgement: Sendable {
    package var verdict: Verdict
    /// Nothing of this sender was held in the last hour: administrators are to be told.
    package var isFirst: Bool

    package init(verdict: Verdict, isFirst: Bool) {
        self.verdict = verdict
        self.isFirst = isFirst
    }
}

/// A session with authentication.
package struct SessionRecord: Hashable, Sendable {
    /// Unique on this machine.
    package var id: Int64
    /// Folded.
    package var account: String
    /// Milliseconds since 1970.
    package var time: Int64
    package var client: String
    package var hello: String
    package var mechanism: String
    package var isTLS: Bool
    package var messages: Int
    package var recipients: Int
    package var held: Int

    package init(
        id: Int64, account: String, time: Int64, client: String, hello: String, mechanism: String, isTLS: Bool,
        messages: Int = 0, recipients: Int = 0, held: Int = 0
    ) {
        self.id = id
        self.account = account
        self.time = time
        self.client = client
        self.hello = hello
        self.mechanism = mechanism
        self.isTLS = isTLS
        self.messages = messages
        self.recipients = recipients
        self.held = held
    }
}

/// A message that waits for an administrator.
package struct HeldRecord: Hashable, Sendable {
    package var id: String
    package var time: Int64
    package var client: String
    package var reason: String
}

/// What an account has done lately.
package struct SenderSummary: Hashable, Sendable {
    package var account: String
    package var hour: SendingCounts
    package var day: SendingCounts
    /// Of the last session; 0 = none is known.
    package var lastSession: Int64
    package var lastClient: String

    package init(
        account: String, hour: SendingCounts = SendingCounts(), day: SendingCounts = SendingCounts(),
        lastSession: Int64 = 0, lastClient: String = ""
    ) {
        self.account = account
        self.hour = hour
        self.day = day
        self.lastSession = lastSession
        self.lastClient = lastClient
    }
}
