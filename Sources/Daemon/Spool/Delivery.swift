import MailModel

/// Names a stored message for the time of one claim. Not stable over a restart: people and logs use the queue id.
package struct MessageKey: Hashable, Sendable {
    package let row: Int64
    package init(row: Int64) { self.row = row }
}

/// Why an attempt failed; each kind has its own limit of retries (R-DLV-20).
package enum FailureClass: Int, Hashable, Sendable, CaseIterable {
    /// The destination answered with a permanent refusal (5yz).
    case refusal = 1
    /// 4yz reply, connection lost, time-out after connecting.
    case line = 2
    /// Not reached: connect refused or timed out, no route, temporary DNS failure.
    case unreachable = 3
    /// Trouble of our own: mailbox not writable, disk full, certificate missing.
    case local = 4
}

/// What is known of the attempts for one recipient.
package struct AttemptHistory: Hashable, Sendable {
    /// Attempts made so far.
    package var tries: Int
    /// Milliseconds since 1970 of the first failed attempt.
    package var firstFailure: Int64?
    /// The class of the latest failure, which decides what limit counts (R-DLV-21).
    package var failure: FailureClass?
    /// The remote's exact words, or our reason.
    package var reply: String?
    /// Where the latest attempt went, for people: `mx mx1.example.net [192.0.2.1]`.
    package var route: String?
    /// Those of the attempts that were refused for good (5yz): they have a limit of their own (R-DLV-20).
    package var refusals: Int
    /// The sender was told that the message is late.
    package var isWarned: Bool

    package init(
        tries: Int = 0, firstFailure: Int64? = nil, failure: FailureClass? = nil, reply: String? = nil,
        route: String? = nil, refusals: Int = 0, isWarned: Bool = false
    ) {
        self.tries = tries
        self.firstFailure = firstFailure
        self.failure = failure
        self.reply = reply
        self.route = route
        self.refusals = refusals
        self.isWarned = isWarned
    }
}

/// A recipient that delivery works on.
package struct ClaimedRecipient: Hashable, Sendable {
    /// Position in the envelope, from 0; the key of changes, and part of the Maildir name.
    package var index: Int
    package var recipient: Recipient
    package var history: AttemptHistory
    /// An administrator wants it reported as failed now, without a further attempt.
    package var mustBounce: Bool

    package init(
        index: Int, recipient: Recipient, history: AttemptHistory = AttemptHistory(), mustBounce: Bool = false
    ) {
        self.index = index
        self.recipient = recipient
        self.history = history
        self.mustBounce = mustBounce
    }
}

/// The small record that delivery holds of a message under way; the content stays in the spool.
package struct ClaimedMessage: Hashable, Sendable {
    package var key: MessageKey
    package var id: QueueID
    package var sender: ReversePath
    package var notification: SenderNotification
    package var needsSMTPUTF8: Bool
    package var is8BitMIME: Bool
    /// Octets of content as stored.
    package var size: Int
    /// Milliseconds since 1970.
    package var receivedAt: Int64
    package var authenticatedID: String?
    package var parent: QueueID?
    /// Who brought it, for reports: `client.example ([192.0.2.7])`; `nil`: it was made here.
    package var receivedFrom: String?
    /// Those that are due and were not active; at least one. Others of the same message may be claimed at other times.
    package var recipients: [ClaimedRecipient]

    package init(
        key: MessageKey, id: QueueID, sender: ReversePath, notification: SenderNotification = .init(),
        needsSMTPUTF8: Bool = false, is8BitMIME: Bool = false, size: Int, receivedAt: Int64,
        authenticatedID: String? = nil, parent: QueueID? = nil, receivedFrom: String? = nil,
        recipients: [ClaimedRecipient]
    ) {
        self.key = key
        self.id = id
        self.sender = sender
        self.notification = notification
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.is8BitMIME = is8BitMIME
        self.size = size
        self.receivedAt = receivedAt
        self.authenticatedID = authenticatedID
        self.parent = parent
        self.receivedFrom = receivedFrom
        self.recipients = recipients
    }
}

package struct Claim: Sendable {
    package var messages: [ClaimedMessage]
    /// The limit was reached: there may be more at once.
    package var hasMore: Bool
    /// When the next deferred recipient is due, milliseconds since 1970; `nil` when none waits.
    package var nextDue: Int64?

    package init(messages: [ClaimedMessage], hasMore: Bool, nextDue: Int64?) {
        self.messages = messages
        self.hasMore = hasMore
        self.nextDue = nextDue
    }
}

/// What became of recipients of one message.
package struct DeliveryChange: Sendable {
    package enum Outcome: Hashable, Sendable {
        /// Delivered, or reported, or replaced by children: the recipient goes.
        case finished
        /// Tried without success: waits until `until`, milliseconds since 1970. `history` replaces what was known.
        case deferred(AttemptHistory, until: Int64)
        /// Not tried: waits until `until`; the history stays.
        case postponed(until: Int64)
        /// Not tried: due again at the next claim; nothing is written.
        case released
    }
    package struct Item: Hashable, Sendable {
        package var index: Int
        package var outcome: Outcome
        package init(index: Int, outcome: Outcome) {
            self.index = index
            self.outcome = outcome
        }
    }
    package var message: MessageKey
    package var items: [Item]
    /// Reports, forwards, list posts that take over the duty for finished recipients; reports that a message is late.
    package var children: [NewMessage]
    /// Losing the change in a power cut does no harm: the attempt is made again, and finds the message in its mailbox.
    /// It survives the death of the process all the same, and does not hold the queue up with a sync of its own.
    package var isRepeatable: Bool

    package init(message: MessageKey, items: [Item], children: [NewMessage] = [], isRepeatable: Bool = false) {
        self.message = message
        self.items = items
        self.children = children
        self.isRepeatable = isRepeatable
    }
}

extension ClaimedMessage {
    static func receivedFrom(hello: String?, client: String?) -> String? {
        switch (hello, client) {
        case (let hello?, let client?): "\(hello) ([\(client)])"
        case (nil, let client?): "[\(client)]"
        case (let hello?, nil): hello
        case (nil, nil): nil
        }
    }

    package var hasCopies: Bool { recipients.contains { $0.recipient.notify.contains(.copy) } }

    /// The message for its recipients, and as a copy for those who get it for the record: from the null sender, without
    /// any notification (R-LOG-13). Each has at least one recipient.
    package var apart: [ClaimedMessage] {
        var own = self
        own.recipients.removeAll { $0.recipient.notify.contains(.copy) }
        var copies = self
        copies.sender = .null
        copies.notification = .init()
        copies.recipients = recipients.filter { $0.recipient.notify.contains(.copy) }.map {
            var copy = $0
            copy.recipient.notify = .never
            copy.recipient.originalRecipient = nil
            return copy
        }
        return [own, copies].filter { !$0.recipients.isEmpty }
    }
}
