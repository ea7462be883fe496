extension LogInterface {
    /// The way of messages through the system, found by one word: address, domain, queue id, Message-ID, client
    /// address, reference; without a word by their time, or by parts of sender and recipient (without the index).
    package enum Trace: ControlMethod {
        package static let name = "org.epost.Log.Trace"
        package static let isReadOnly = true
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            /// The whole word, letter case ignored; `<` and `>` around it do not matter. Empty: any.
            package var word: String
            /// Part of the sender, of the recipient.
            package var sender: String?
            package var recipient: String?
            /// Milliseconds since 1970.
            package var since: Int?
            package var until: Int?
            /// Messages at most, 1–200, the newest.
            package var limit: Int
            package init(
                word: String = "", sender: String? = nil, recipient: String? = nil, since: Int? = nil,
                until: Int? = nil, limit: Int = 50
            ) {
                self.word = word
                self.sender = sender
                self.recipient = recipient
                self.since = since
                self.until = until
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Newest first.
            package var messages: [TracedMail]
            /// Lines that belong to no message (refusals), newest first.
            package var others: [LogLine]
            /// There is more than was asked for.
            package var isCut: Bool
            package init(messages: [TracedMail] = [], others: [LogLine] = [], isCut: Bool = false) {
                self.messages = messages
                self.others = others
                self.isCut = isCut
            }
        }
    }
}

package struct TracedMail: Codable, Hashable, Sendable {
    package var id: String
    /// From the connection to the last reply, oldest first.
    package var lines: [LogLine]
    /// What sprang from it: reports, forwards, copies.
    package var children: [String]
    /// What it sprang from.
    package var parent: String?
    package init(id: String, lines: [LogLine], children: [String], parent: String?) {
        self.id = id
        self.lines = lines
        self.children = children
        self.parent = parent
    }
}
