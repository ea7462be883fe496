import MailModel
import Tables

/// An accepted message with what each of its decisions was taken from, so that they can be taken again: the same facts
/// give the same verdicts, and a draft of rules or settings shows what it would refuse.
package struct AcceptedMail: Hashable, Sendable {
    /// What was known; one of many with the same settings.
    package struct Facts: Hashable, Sendable, Codable {
        package var connection: ConnectionFacts
        package var maxSessions: Int
        package var maxSessionsPerClient: Int
        package var session: SessionFacts
        package var selection: RelaySelection
        package var sender: SenderFacts
        /// The first `recipientsKept` of the message.
        package var recipients: [RecipientFacts]
        package var content: ContentFacts

        package init(
            connection: ConnectionFacts, maxSessions: Int, maxSessionsPerClient: Int, session: SessionFacts,
            selection: RelaySelection, sender: SenderFacts, recipients: [RecipientFacts], content: ContentFacts
        ) {
            self.connection = connection
            self.maxSessions = maxSessions
            self.maxSessionsPerClient = maxSessionsPerClient
            self.session = session
            self.selection = selection
            self.sender = sender
            self.recipients = recipients
            self.content = content
        }
    }
    /// Milliseconds since 1970.
    package var time: Int64
    /// Messages that this one stands for: 1, or more where they came too fast for each to be kept.
    package var weight: Int
    package var facts: Facts
    package var settings: AcceptanceSettings

    /// Recipients of one message whose facts are kept.
    package static let recipientsKept = 20

    package init(time: Int64, weight: Int, facts: Facts, settings: AcceptanceSettings) {
        self.time = time
        self.weight = weight
        self.facts = facts
        self.settings = settings
    }

    /// The decisions about one of its recipients, in the order in which they were taken.
    package func decisions(about recipient: RecipientFacts) -> [Evidence] {
        func evidence(_ moment: Evidence.Moment) -> Evidence {
            Evidence(moment, session: facts.session, settings: settings, selection: facts.selection)
        }
        return [
            evidence(
                .connection(
                    facts.connection, maxSessions: facts.maxSessions, maxSessionsPerClient: facts.maxSessionsPerClient)),
            evidence(.sender(facts.sender)), evidence(.recipient(recipient, from: facts.sender)),
            evidence(.content(facts.content)),
        ]
    }
}

/// Chooses the accepted messages that are kept: all while they come slowly, a fair part of them in a flood, so that
/// keeping costs a busy server next to nothing. A value; its owner brings the time.
package struct AcceptanceSampler: Sendable {
    /// Messages kept at once, and how many more each second.
    private let burst: Int64
    private let rate: Int64
    /// Thousandths of a message that may be kept now.
    private var credit: Int64
    private var last: Int64 = 0
    private var passedOver = 0

    package init(burst: Int = 100, rate: Int = 20) {
        self.burst = Int64(burst) * 1_000
        self.rate = Int64(rate)
        credit = self.burst
    }

    /// - Parameter now: milliseconds; a clock that goes back earns nothing.
    /// - Returns: `nil`: this message is not kept; else how many it stands for, itself included.
    package mutating func take(now: Int64) -> Int? {
        if now > last {
            // Past the time that fills it the difference means no more, and cannot overflow.
            credit = min(burst, credit + min(now - last, burst) * rate)
        }
        last = now
        guard credit >= 1_000 else {
            passedOver += 1
            return nil
        }
        credit -= 1_000
        defer { passedOver = 0 }
        return passedOver + 1
    }

    /// Whether as many may be kept at once as ever.
    package func isRested(now: Int64) -> Bool {
        credit + (now > last ? min(now - last, burst) * rate : 0) >= burst
    }
}
