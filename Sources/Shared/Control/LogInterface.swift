/// org.epost.Log: the structured log, of which the text logs are views.
package enum LogInterface {
    /// Newest first, bounded.
    package enum Search: ControlMethod {
        package static let name = "org.epost.Log.Search"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var filter: LogFilter
            /// 1–1,000.
            package var limit: Int
            /// Continue behind an earlier answer's `cursor`.
            package var cursor: String?
            package init(filter: LogFilter = .init(), limit: Int = 200, cursor: String? = nil) {
                self.filter = filter
                self.limit = limit
                self.cursor = cursor
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var lines: [LogLine]
            /// `nil`: there is nothing older.
            package var cursor: String?
            /// Octets of log behind the cursor, within the filter's time.
            package var left: Int?
            package init(lines: [LogLine], cursor: String?, left: Int? = nil) {
                self.lines = lines
                self.cursor = cursor
                self.left = left
            }
        }
    }

    /// With `more`: the last `backlog` lines that match, then each new one, in batches.
    package enum Tail: ControlMethod {
        package static let name = "org.epost.Log.Tail"
        package static let isStream = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var filter: LogFilter
            /// 0–1,000.
            package var backlog: Int
            package init(filter: LogFilter = .init(), backlog: Int = 100) {
                self.filter = filter
                self.backlog = backlog
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var lines: [LogLine]
            /// With the first batch when the backlog is not full: where `Search` goes on with what is older, and octets of
            /// log behind that.
            package var cursor: String?
            package var left: Int?
            package init(lines: [LogLine], cursor: String? = nil, left: Int? = nil) {
                self.lines = lines
                self.cursor = cursor
                self.left = left
            }
        }
    }
}

package struct LogFilter: Codable, Hashable, Sendable {
    /// Part of any field, letter case ignored.
    package var text: String?
    /// Raw values of `LogEvent.Kind`.
    package var kinds: [String]?
    /// Raw value of `LogEvent.Level`: this level and worse.
    package var level: String?
    package var queueID: String?
    package var sender: String?
    package var recipient: String?
    /// Milliseconds since 1970.
    package var since: Int?
    package var until: Int?
    package init(
        text: String? = nil, kinds: [String]? = nil, level: String? = nil, queueID: String? = nil,
        sender: String? = nil, recipient: String? = nil, since: Int? = nil, until: Int? = nil
    ) {
        self.text = text
        self.kinds = kinds
        self.level = level
        self.queueID = queueID
        self.sender = sender
        self.recipient = recipient
        self.since = since
        self.until = until
    }
}

/// A log event as it travels: every text is safe to show.
package struct LogLine: Codable, Hashable, Sendable {
    package var time: Int
    package var service: String
    package var kind: String
    package var level: String
    package var queueID: String?
    package var address: String?
    package var host: String?
    package var sender: String?
    package var recipient: String?
    package var reply: String?
    package var text: String?
    package var size: Int?
    package var reference: String?
    package var messageID: String?
    /// TLS version and cipher of the connection.
    package var tls: String?
    /// Account of an authenticated session.
    package var login: String?
    /// Names one connection of a client.
    package var session: String?
    /// The message that this one was made from.
    package var parent: String?
    package init(
        time: Int, service: String, kind: String, level: String, queueID: String? = nil, address: String? = nil,
        host: String? = nil, sender: String? = nil, recipient: String? = nil, reply: String? = nil,
        text: String? = nil, size: Int? = nil, reference: String? = nil, messageID: String? = nil,
        tls: String? = nil, login: String? = nil, session: String? = nil, parent: String? = nil
    ) {
        self.time = time
        self.service = service
        self.kind = kind
        self.level = level
        self.queueID = queueID
        self.address = address
        self.host = host
        self.sender = sender
        self.recipient = recipient
        self.reply = reply
        self.text = text
        self.size = size
        self.reference = reference
        self.messageID = messageID
        self.tls = tls
        self.login = login
        self.session = session
        self.parent = parent
    }
}
