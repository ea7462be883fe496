/// org.epost.Queue: what waits, and what may be done with it.
package enum QueueInterface {
    /// A window of the queue.
    package enum List: ControlMethod {
        package static let name = "org.epost.Queue.List"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Part of sender, recipient or queue id, letter case ignored; `from:`, `to:` and `state:` narrow it.
            package var filter: String?
            /// `queued`, `deferred`, `held`; `nil` = all.
            package var state: String?
            /// `id`, `age`, `size`, `from`, `to`, `tries`, `next`.
            package var sort: String?
            package var descending: Bool?
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            package init(
                filter: String? = nil, state: String? = nil, sort: String? = nil, descending: Bool? = nil,
                offset: Int = 0, limit: Int = 200
            ) {
                self.filter = filter
                self.state = state
                self.sort = sort
                self.descending = descending
                self.offset = offset
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var rows: [QueueRow]
            package var total: Int
            package var offset: Int
            package init(rows: [QueueRow], total: Int, offset: Int) {
                self.rows = rows
                self.total = total
                self.offset = offset
            }
        }
    }

    package enum Show: ControlMethod {
        package static let name = "org.epost.Queue.Show"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var id: String
            /// Octets of the raw source to send along, control characters made visible; 0 = header only.
            package var source: Int
            package init(id: String, source: Int = 0) {
                self.id = id
                self.source = source
            }
        }
        package typealias Output = QueueEntry
    }

    package enum Act: ControlMethod {
        package static let name = "org.epost.Queue.Act"
        package static let mayWait = true
        package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
            /// Try all waiting recipients now.
            case retry
            case hold
            case release
            /// Forget the message; nobody is told.
            case remove
            /// Report all waiting recipients as failed to the sender.
            case bounce
        }
        package struct Input: Codable, Hashable, Sendable {
            package var ids: [String]
            package var action: Action
            package init(ids: [String], action: Action) {
                self.ids = ids
                self.action = action
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package struct Result: Codable, Hashable, Sendable {
                package var id: String
                package var done: Bool
                /// English, when not done.
                package var message: String
                package init(id: String, done: Bool, message: String = "") {
                    self.id = id
                    self.done = done
                    self.message = message
                }
            }
            package var results: [Result]
            package init(results: [Result]) { self.results = results }
        }
    }

    /// Where mail goes, how it fares there, and why it does not. Empty while EPSTDS does not run.
    package enum Destinations: ControlMethod {
        package static let name = "org.epost.Queue.Destinations"
        package static let isReadOnly = true
        package enum Sort: String, Codable, Hashable, Sendable, CaseIterable {
            case waiting, delivered, deferred, failed, recent, name
        }
        package struct Input: Codable, Hashable, Sendable {
            /// Part of the name, letter case ignored.
            package var filter: String?
            /// Largest first; `nil` = waiting.
            package var sort: Sort?
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            package init(filter: String? = nil, sort: Sort? = nil, offset: Int = 0, limit: Int = 200) {
                self.filter = filter
                self.sort = sort
                self.offset = offset
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var destinations: [DestinationStatus]
            package var total: Int
            /// Over all destinations, most frequent within the last hour first.
            package var causes: [RefusalCount]
            package init(destinations: [DestinationStatus] = [], total: Int = 0, causes: [RefusalCount] = []) {
                self.destinations = destinations
                self.total = total
                self.causes = causes
            }
        }
    }
}

/// How often something was the cause that mail was not taken.
package struct RefusalCount: Codable, Hashable, Sendable {
    /// `unknown-user`, `reputation`, `no-connection`, …; its words are `cause.<this>` in the message catalogues.
    package var cause: String
    /// Recipients within the last hour, and since EPSTDS started.
    package var hour: Int
    package var total: Int
    /// The latest reply of this cause, the remote's exact words.
    package var reply: String
    /// Milliseconds since 1970.
    package var time: Int
    package init(cause: String, hour: Int, total: Int, reply: String, time: Int) {
        self.cause = cause
        self.hour = hour
        self.total = total
        self.reply = reply
        self.time = time
    }
}

/// One destination of outgoing mail. Numbers of recipients count since EPSTDS started.
package struct DestinationStatus: Codable, Hashable, Sendable {
    /// `mx example.net`, `gateway relay.example.jp:25`.
    package var name: String
    /// Messages that wait for a connection, transactions under way, connections that it may have at a time.
    package var waiting: Int
    package var active: Int
    package var limit: Int
    package var delivered: Int
    package var deferred: Int
    package var failed: Int
    package var connections: Int
    /// Milliseconds since 1970; 0 = never.
    package var lastSuccess: Int
    package var lastFailure: Int
    /// The latest reply that was no success, the remote's exact words.
    package var reply: String
    /// TLS version and cipher of the latest connection that carried a message; empty = in clear.
    package var tls: String
    package var causes: [RefusalCount]
    package init(
        name: String, waiting: Int, active: Int, limit: Int, delivered: Int, deferred: Int, failed: Int,
        connections: Int, lastSuccess: Int, lastFailure: Int, reply: String, tls: String, causes: [RefusalCount]
    ) {
        self.name = name
        self.waiting = waiting
        self.active = active
        self.limit = limit
        self.delivered = delivered
        self.deferred = deferred
        self.failed = failed
        self.connections = connections
        self.lastSuccess = lastSuccess
        self.lastFailure = lastFailure
        self.reply = reply
        self.tls = tls
        self.causes = causes
    }
}

package struct QueueRow: Codable, Hashable, Sendable {
    package var id: String
    /// Milliseconds since 1970.
    package var received: Int
    package var size: Int
    /// Empty = null sender.
    package var sender: String
    /// The first recipient that waits.
    package var recipient: String
    /// Recipients that wait.
    package var recipients: Int
    /// `queued`, `active`, `deferred`, `held`.
    package var state: String
    package var tries: Int
    /// Milliseconds since 1970 of the next attempt; 0 = now.
    package var next: Int
    package var reply: String
    package init(
        id: String, received: Int, size: Int, sender: String, recipient: String, recipients: Int, state: String,
        tries: Int, next: Int, reply: String
    ) {
        self.id = id
        self.received = received
        self.size = size
        self.sender = sender
        self.recipient = recipient
        self.recipients = recipients
        self.state = state
        self.tries = tries
        self.next = next
        self.reply = reply
    }
}

package struct QueueEntry: Codable, Hashable, Sendable {
    package struct Recipient: Codable, Hashable, Sendable {
        package var address: String
        package var state: String
        package var tries: Int
        package var next: Int
        /// The remote's exact words, or our reason.
        package var reply: String
        /// `local example.jp`, `mx mx1.example.net`, `gateway …`: where the last attempt went.
        package var route: String
        package init(address: String, state: String, tries: Int, next: Int, reply: String, route: String) {
            self.address = address
            self.state = state
            self.tries = tries
            self.next = next
            self.reply = reply
            self.route = route
        }
    }
    package var row: QueueRow
    package var client: String
    package var hello: String
    package var authenticatedID: String
    /// Decoded subject, made safe.
    package var subject: String
    package var messageID: String
    package var parent: String?
    package var recipients: [Recipient]
    /// Header lines, made safe.
    package var header: [String]
    /// Raw source as asked for, made safe.
    package var source: [String]
    package init(
        row: QueueRow, client: String, hello: String, authenticatedID: String, subject: String, messageID: String,
        parent: String?, recipients: [Recipient], header: [String], source: [String]
    ) {
        self.row = row
        self.client = client
        self.hello = hello
        self.authenticatedID = authenticatedID
        self.subject = subject
        self.messageID = messageID
        self.parent = parent
        self.recipients = recipients
        self.header = header
        self.source = source
    }
}
