extension PolicyInterface {
    /// Why mail was refused here lately, by reason, most frequent first.
    package enum Refusals: ControlMethod {
        package static let name = "org.epost.Policy.Refusals"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// 1–1,440.
            package var minutes: Int
            package init(minutes: Int = 60) { self.minutes = minutes }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var reasons: [RefusalReason]
            package init(reasons: [RefusalReason] = []) { self.reasons = reasons }
        }
    }
}

package struct RefusalReason: Codable, Hashable, Sendable {
    /// Stable reason id, `recipient.relay`; its words are `reason.<this>` in the message catalogues.
    package var reason: String
    package var count: Int
    /// The latest refusal for this reason: its reference, and when, milliseconds since 1970.
    package var reference: String
    package var time: Int
    package init(reason: String, count: Int, reference: String, time: Int) {
        self.reason = reason
        self.count = count
        self.reference = reference
        self.time = time
    }
}
