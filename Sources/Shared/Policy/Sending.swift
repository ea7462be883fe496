import MailModel

/// What one account or one address has sent in a time.
package struct SendingCounts: Hashable, Sendable, Codable {
    package var messages: Int
    package var recipients: Int
    /// Recipients that the account had never written to before.
    package var newRecipients: Int

    package init(messages: Int = 0, recipients: Int = 0, newRecipients: Int = 0) {
        self.messages = messages
        self.recipients = recipients
        self.newRecipients = newRecipients
    }
}

/// Limits of one period; 0 = none.
package struct SendingLimits: Hashable, Sendable, Codable {
    package var hour: SendingCounts
    package var day: SendingCounts

    package init(hour: SendingCounts = SendingCounts(), day: SendingCounts = SendingCounts()) {
        self.hour = hour
        self.day = day
    }

    package static let none = SendingLimits()
}

/// One sender with what it has sent, the message at hand not counted.
package struct SendingFacts: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case account
        case address
    }
    package var kind: Kind
    /// `taro@example.jp`, `192.0.2.7`
    package var name: String
    package var hour: SendingCounts
    package var day: SendingCounts
    package var limits: SendingLimits

    package init(
        kind: Kind, name: String, hour: SendingCounts = SendingCounts(), day: SendingCounts = SendingCounts(),
        limits: SendingLimits
    ) {
        self.kind = kind
        self.name = name
        self.hour = hour
        self.day = day
        self.limits = limits
    }
}

/// A stolen password does little harm: past a limit mail waits for an administrator (field notes C1).
package enum SendingPolicy {
    /// - Parameters:
    ///   - message: what the message at hand adds.
    ///   - senders: the account and the address that it comes from, as far as they have limits.
    /// - Returns: `queued`, or `held`.
    package static func decide(
        _ message: SendingCounts, from senders: [SendingFacts], explain: Bool = false
    ) -> Verdict {
        Verdict.deciding(explain: explain || senders.contains { isOver(message, $0) }) { trail in
            for sender in senders {
                if let held = check(message, sender, &trail) { return held }
            }
            return .accept(.queued)
        }
    }

    private typealias Part = (word: String, key: String, path: KeyPath<SendingCounts, Int> & Sendable)
    private static let parts: [Part] = [
        ("messages", "messages", \.messages), ("recipients", "recipients", \.recipients),
        ("recipients never written to before", "new_recipients", \.newRecipients),
    ]

    private static func isOver(_ message: SendingCounts, _ sender: SendingFacts) -> Bool {
        parts.contains { part in
            isOver(message, sender.hour, sender.limits.hour, part)
                || isOver(message, sender.day, sender.limits.day, part)
        }
    }

    /// What the message adds nothing to cannot go over its limit by it.
    private static func isOver(
        _ message: SendingCounts, _ used: SendingCounts, _ limit: SendingCounts, _ part: Part
    ) -> Bool {
        let (new, most) = (message[keyPath: part.path], limit[keyPath: part.path])
        return most > 0 && new > 0 && used[keyPath: part.path] > most - new
    }

    private static func check(_ message: SendingCounts, _ sender: SendingFacts, _ trail: inout Trail) -> Ruling? {
        let periods = [("hour", sender.hour, sender.limits.hour), ("day", sender.day, sender.limits.day)]
        for (period, used, limit) in periods {
            for part in parts {
                let (total, overflows) = used[keyPath: part.path].addingReportingOverflow(message[keyPath: part.path])
                let sum = overflows ? Int.max : total
                let most = limit[keyPath: part.path]
                let finding = "\(sender.name): \(sum) \(part.word) within a\(period == "hour" ? "n" : "") \(period)"
                let key = "receiver.\(sender.kind.rawValue)_\(part.key)_\(period)"
                guard isOver(message, used, limit, part) else {
                    if most > 0 { trail.note("sending.limit", "\(finding), \(most) are allowed", .setting(key)) }
                    continue
                }
                return trail.refuse(
                    .held, "sending.limit", "\(finding), \(most) are allowed", .setting(key),
                    remedy: "release the mail if the sender wrote it, and raise \(key); else lock the account")
            }
        }
        return nil
    }
}
