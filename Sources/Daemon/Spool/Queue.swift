import MailModel

/// Life of a recipient. Its creator: → queued. Delivery: queued or deferred → (active, in memory only) → gone or
/// deferred. Administrator: any → held → deferred and due at once; any → gone.
package enum RecipientState: Int, Hashable, Sendable, CaseIterable {
    /// Never tried; due since its arrival.
    case queued = 0
    /// Tried or put off; due at its time.
    case deferred = 1
    /// Waits for an administrator.
    case held = 2
}

package enum QueueAction: String, Hashable, Sendable, CaseIterable {
    /// Every deferred recipient is due now; held ones stay held.
    case retry
    case hold
    /// Held recipients are due now.
    case release
    /// The message goes; nobody is told.
    case remove
    /// Every recipient, held ones too, is due now and marked to be reported as failed.
    case bounce
}

package struct QueueQuery: Hashable, Sendable {
    package enum Sort: String, Hashable, Sendable, CaseIterable {
        /// Order of arrival.
        case age
        case id, size, from, to, tries
        /// Time of the next attempt.
        case next
    }
    /// Part of the queue id, the sender or a recipient; ASCII letter case is ignored.
    package var text: String?
    /// Part of the sender.
    package var sender: String?
    /// Part of a recipient.
    package var recipient: String?
    /// Messages with at least one recipient in this state.
    package var state: RecipientState?
    /// Received before this time, milliseconds since 1970.
    package var receivedBefore: Int64?
    package var sort: Sort
    package var descending: Bool
    package var offset: Int
    /// Rows at most; 1,000 is the most that is given.
    package var limit: Int

    package init(
        text: String? = nil, sender: String? = nil, recipient: String? = nil, state: RecipientState? = nil,
        receivedBefore: Int64? = nil, sort: Sort = .age, descending: Bool = false, offset: Int = 0, limit: Int = 200
    ) {
        self.text = text
        self.sender = sender
        self.recipient = recipient
        self.state = state
        self.receivedBefore = receivedBefore
        self.sort = sort
        self.descending = descending
        self.offset = offset
        self.limit = limit
    }
}

/// One message as a row of the queue screen.
package struct QueuedRow: Hashable, Sendable {
    package var id: QueueID
    package var receivedAt: Int64
    /// Octets.
    package var size: Int
    package var sender: ReversePath
    /// The first that waits.
    package var recipient: MailAddress
    /// How many wait.
    package var recipientCount: Int
    /// Of the recipient that comes first in the order queued, deferred, held.
    package var state: RecipientState
    /// Whether delivery works on one of its recipients now; known to the process that claims only.
    package var isActive: Bool
    /// The most tried recipient's.
    package var tries: Int
    /// Of the recipient that is due first; milliseconds since 1970, 0 = now, `nil` = held.
    package var nextAttempt: Int64?
    /// The latest reply for the first recipient that has one.
    package var reply: String?

    package init(
        id: QueueID, receivedAt: Int64, size: Int, sender: ReversePath, recipient: MailAddress, recipientCount: Int,
        state: RecipientState, isActive: Bool, tries: Int, nextAttempt: Int64?, reply: String?
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.size = size
        self.sender = sender
        self.recipient = recipient
        self.recipientCount = recipientCount
        self.state = state
        self.isActive = isActive
        self.tries = tries
        self.nextAttempt = nextAttempt
        self.reply = reply
    }
}

package struct QueueWindow: Hashable, Sendable {
    package var rows: [QueuedRow]
    /// Messages that match, in all windows.
    package var matching: Int
    package init(rows: [QueuedRow], matching: Int) {
        self.rows = rows
        self.matching = matching
    }
}

/// One message with everything that is known beside its content.
package struct QueuedMessage: Hashable, Sendable {
    package struct Recipient: Hashable, Sendable {
        package var index: Int
        package var recipient: MailModel.Recipient
        package var state: RecipientState
        package var isActive: Bool
        /// Milliseconds since 1970; 0 = now, `nil` = held.
        package var nextAttempt: Int64?
        package var history: AttemptHistory
        package var mustBounce: Bool

        package init(
            index: Int, recipient: MailModel.Recipient, state: RecipientState, isActive: Bool, nextAttempt: Int64?,
            history: AttemptHistory, mustBounce: Bool
        ) {
            self.index = index
            self.recipient = recipient
            self.state = state
            self.isActive = isActive
            self.nextAttempt = nextAttempt
            self.history = history
            self.mustBounce = mustBounce
        }
    }
    package var row: QueuedRow
    package var notification: SenderNotification
    package var needsSMTPUTF8: Bool
    package var is8BitMIME: Bool
    package var clientAddress: IPAddress?
    package var hello: String?
    package var authenticatedID: String?
    package var protocolName: String
    package var parent: QueueID?
    package var recipients: [Recipient]

    package init(
        row: QueuedRow, notification: SenderNotification, needsSMTPUTF8: Bool, is8BitMIME: Bool,
        clientAddress: IPAddress?, hello: String?, authenticatedID: String?, protocolName: String, parent: QueueID?,
        recipients: [Recipient]
    ) {
        self.row = row
        self.notification = notification
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.is8BitMIME = is8BitMIME
        self.clientAddress = clientAddress
        self.hello = hello
        self.authenticatedID = authenticatedID
        self.protocolName = protocolName
        self.parent = parent
        self.recipients = recipients
    }
}

package struct QueueCounts: Hashable, Sendable {
    package var messages: Int
    /// Recipients by state.
    package var queued: Int
    package var deferred: Int
    package var held: Int
    /// Recipients that delivery works on now; counted in the states above too.
    package var active: Int
    /// When the message that waits longest was received, milliseconds since 1970.
    package var oldest: Int64?

    package init(
        messages: Int = 0, queued: Int = 0, deferred: Int = 0, held: Int = 0, active: Int = 0, oldest: Int64? = nil
    ) {
        self.messages = messages
        self.queued = queued
        self.deferred = deferred
        self.held = held
        self.active = active
        self.oldest = oldest
    }
}
