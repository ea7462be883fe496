/// org.epost.Guard: who is locked out, and what accounts send.
package enum GuardInterface {
    /// Locks and exemptions of both tables, those that are over left out.
    package enum ListLocks: ControlMethod {
        package static let name = "org.epost.Guard.ListLocks"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package struct Output: Codable, Hashable, Sendable {
            package var locks: [LockEntry]
            package init(locks: [LockEntry]) { self.locks = locks }
        }
    }

    /// Locks for good, exempts from locks, or releases; in force when it is answered.
    package enum ChangeLock: ControlMethod {
        package static let name = "org.epost.Guard.ChangeLock"
        package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
            case lock, allow, release
        }
        package struct Input: Codable, Hashable, Sendable {
            /// An address, a range (`10.0.0.0/8`, `10.*.*.*`), or an account `taro@example.jp`.
            package var subject: String
            package var action: Action
            package init(subject: String, action: Action) {
                self.subject = subject
                self.action = action
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Whether anything is different now.
            package var isChanged: Bool
            package init(isChanged: Bool) { self.isChanged = isChanged }
        }
    }

    /// Accounts with sessions, with mail of the last day or with held mail, and addresses with held mail; most
    /// recipients of the day first, 1,000 at most.
    package enum ListSenders: ControlMethod {
        package static let name = "org.epost.Guard.ListSenders"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package struct Output: Codable, Hashable, Sendable {
            package var senders: [SenderEntry]
            /// Whose mail was accepted most within the last hour, whoever they are; 20 at most.
            package var busiest: [BusySender]
            package init(senders: [SenderEntry], busiest: [BusySender] = []) {
                self.senders = senders
                self.busiest = busiest
            }
        }
    }

    /// One of them: its last sessions and what is held of it.
    package enum ShowSender: ControlMethod {
        package static let name = "org.epost.Guard.ShowSender"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// `taro@example.jp`, or an address.
            package var sender: String
            package init(sender: String) { self.sender = sender }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var sender: SenderEntry
            /// Newest first, 50 at most.
            package var sessions: [SenderSession]
            /// What still waits, newest first.
            package var held: [HeldMail]
            package init(sender: SenderEntry, sessions: [SenderSession], held: [HeldMail]) {
                self.sender = sender
                self.sessions = sessions
                self.held = held
            }
        }
    }

    /// What an account has sent counts no more; its limits begin anew.
    package enum ForgetSender: ControlMethod {
        package static let name = "org.epost.Guard.ForgetSender"
        package struct Input: Codable, Hashable, Sendable {
            package var sender: String
            package init(sender: String) { self.sender = sender }
        }
        package typealias Output = Nothing
    }
}

package struct LockEntry: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Hashable, Sendable { case address, account }
    package enum State: String, Codable, Hashable, Sendable {
        /// Ends at `until`.
        case locked
        /// Until it is released.
        case permanent
        /// Never locked.
        case allowed
    }
    package enum Cause: String, Codable, Hashable, Sendable {
        /// Failed authentications.
        case failures
        case connections
        /// By an administrator.
        case manual
    }
    package var subject: String
    package var kind: Kind
    package var state: State
    package var cause: Cause
    /// Milliseconds since 1970; 0 = not known.
    package var since: Int
    /// Milliseconds since 1970; 0 = by hand only.
    package var until: Int
    /// `rejectsmtpip.dat:3`
    package var source: String
    package init(
        subject: String, kind: Kind, state: State, cause: Cause, since: Int, until: Int, source: String
    ) {
        self.subject = subject
        self.kind = kind
        self.state = state
        self.cause = cause
        self.since = since
        self.until = until
        self.source = source
    }
}

package struct SenderEntry: Codable, Hashable, Sendable {
    /// `taro@example.jp`, or an address.
    package var sender: String
    package var messagesHour: Int
    package var messagesDay: Int
    package var recipientsHour: Int
    package var recipientsDay: Int
    /// Recipients that it had never written to before.
    package var newRecipientsHour: Int
    package var newRecipientsDay: Int
    /// Messages that wait for an administrator.
    package var held: Int
    /// Milliseconds since 1970 of its last session with authentication; 0 = none is known.
    package var lastSession: Int
    package var lastClient: String
    /// Locked by an administrator.
    package var isLocked: Bool
    package init(
        sender: String, messagesHour: Int, messagesDay: Int, recipientsHour: Int, recipientsDay: Int,
        newRecipientsHour: Int, newRecipientsDay: Int, held: Int, lastSession: Int, lastClient: String, isLocked: Bool
    ) {
        self.sender = sender
        self.messagesHour = messagesHour
        self.messagesDay = messagesDay
        self.recipientsHour = recipientsHour
        self.recipientsDay = recipientsDay
        self.newRecipientsHour = newRecipientsHour
        self.newRecipientsDay = newRecipientsDay
        self.held = held
        self.lastSession = lastSession
        self.lastClient = lastClient
        self.isLocked = isLocked
    }
}

package struct BusySender: Codable, Hashable, Sendable {
    /// Of the envelope; empty: the null sender of reports.
    package var sender: String
    package var messagesHour: Int
    package var recipientsHour: Int
    package init(sender: String, messagesHour: Int, recipientsHour: Int) {
        self.sender = sender
        self.messagesHour = messagesHour
        self.recipientsHour = recipientsHour
    }
}

package struct SenderSession: Codable, Hashable, Sendable {
    /// Milliseconds since 1970.
    package var time: Int
    package var client: String
    package var hello: String
    /// `PLAIN`, `SCRAM-SHA-256`, …
    package var mechanism: String
    package var isTLS: Bool
    package var messages: Int
    package var recipients: Int
    package var held: Int
    package init(
        time: Int, client: String, hello: String, mechanism: String, isTLS: Bool, messages: Int, recipients: Int,
        held: Int
    ) {
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

package struct HeldMail: Codable, Hashable, Sendable {
    /// Queue id.
    package var id: String
    /// Milliseconds since 1970.
    package var time: Int
    package var client: String
    package var recipient: String
    package var recipients: Int
    package var size: Int
    /// English.
    package var reason: String
    package init(
        id: String, time: Int, client: String, recipient: String, recipients: Int, size: Int, reason: String
    ) {
        self.id = id
        self.time = time
        self.client = client
        self.recipient = recipient
        self.recipients = recipients
        self.size = size
        self.reason = reason
    }
}
