extension PolicyInterface {
    /// What the decisions of the last days would be under a draft. With `more`: progress first, the changes last;
    /// closing the connection ends the work.
    package enum Replay: ControlMethod {
        package static let name = "org.epost.Policy.Replay"
        package static let isStream = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// 1–365.
            package var days: Int
            /// Text of the effect.dat of the draft; `nil` = the one in force.
            package var effect: String?
            /// Changed settings of the draft.
            package var settings: [SettingChange]
            /// Changes to list, 1–1,000; the numbers count all.
            package var limit: Int
            package init(days: Int = 7, effect: String? = nil, settings: [SettingChange] = [], limit: Int = 200) {
                self.days = days
                self.effect = effect
                self.settings = settings
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Decisions looked at so far.
            package var examined: Int
            /// Of these would change: mail that would leave for the outside, that would be refused, be accepted, or be
            /// refused with another reply.
            package var newlyRelayed: Int
            package var newlyRefused: Int
            package var newlyAccepted: Int
            package var otherReply: Int
            package var isDone: Bool
            /// There were more decisions than are looked at.
            package var isCut: Bool
            /// Worst first; with the last reply only.
            package var changes: [ReplayChange]
            package init(
                examined: Int = 0, newlyRelayed: Int = 0, newlyRefused: Int = 0, newlyAccepted: Int = 0,
                otherReply: Int = 0, isDone: Bool = false, isCut: Bool = false, changes: [ReplayChange] = []
            ) {
                self.examined = examined
                self.newlyRelayed = newlyRelayed
                self.newlyRefused = newlyRefused
                self.newlyAccepted = newlyAccepted
                self.otherReply = otherReply
                self.isDone = isDone
                self.isCut = isCut
                self.changes = changes
            }
            package var changed: Int { newlyRelayed + newlyRefused + newlyAccepted + otherReply }
        }
    }
}

/// Decisions about the same client, sender and recipient that the draft would turn round.
package struct ReplayChange: Codable, Hashable, Sendable {
    /// `newly-relayed`, `newly-refused`, `newly-accepted`, `other-reply`
    package var kind: String
    /// How often, and when last, milliseconds since 1970.
    package var count: Int
    package var time: Int
    package var client: String
    package var authenticatedID: String?
    package var sender: String
    package var recipient: String
    /// Replies with the configuration in force and with the draft.
    package var before: String
    package var after: String
    /// What decides under the draft: `effect.dat:2`, a setting key.
    package var source: String
    package init(
        kind: String, count: Int, time: Int, client: String, authenticatedID: String?, sender: String,
        recipient: String, before: String, after: String, source: String
    ) {
        self.kind = kind
        self.count = count
        self.time = time
        self.client = client
        self.authenticatedID = authenticatedID
        self.sender = sender
        self.recipient = recipient
        self.before = before
        self.after = after
        self.source = source
    }
}
