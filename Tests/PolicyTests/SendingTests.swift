import MailModel
import Testing

@testable import Policy

@Suite struct SendingTests {
    private static func counts(_ messages: Int, _ recipients: Int, _ new: Int) -> SendingCounts {
        SendingCounts(messages: messages, recipients: recipients, newRecipients: new)
    }

    struct Row: Sendable {
        let hour: SendingCounts
        let day: SendingCounts
        let message: SendingCounts
        /// The setting that holds it.
        let key: String?
        init(
            _ hour: (Int, Int, Int), _ day: (Int, Int, Int), _ message: (Int, Int, Int), _ key: String?
        ) {
            self.hour = counts(hour.0, hour.1, hour.2)
            self.day = counts(day.0, day.1, day.2)
            self.message = counts(message.0, message.1, message.2)
            self.key = key
        }
    }

    /// Limits 10 messages, 50 recipients, 5 new ones an hour; 20, 100, 8 a day. Exactly the limit is allowed.
    @Test(arguments: [
        Row((9, 0, 0), (9, 0, 0), (1, 1, 0), nil),
        Row((10, 0, 0), (10, 0, 0), (1, 1, 0), "receiver.account_messages_hour"),
        Row((0, 40, 0), (0, 40, 0), (1, 10, 0), nil),
        Row((0, 40, 0), (0, 40, 0), (1, 11, 0), "receiver.account_recipients_hour"),
        Row((0, 0, 4), (0, 0, 4), (1, 2, 2), "receiver.account_new_recipients_hour"),
        Row((0, 0, 5), (0, 0, 5), (1, 2, 0), nil),
        Row((0, 0, 0), (20, 0, 0), (1, 1, 0), "receiver.account_messages_day"),
        Row((0, 0, 0), (5, 100, 0), (1, 1, 0), "receiver.account_recipients_day"),
        Row((0, 0, 0), (5, 10, 7), (1, 2, 2), "receiver.account_new_recipients_day"),
        Row((0, 0, 0), (0, 0, 0), (1, 51, 0), "receiver.account_recipients_hour"),
    ])
    func limits(_ row: Row) {
        let limits = SendingLimits(hour: Self.counts(10, 50, 5), day: Self.counts(20, 100, 8))
        let facts = SendingFacts(kind: .account, name: "a@in.example", hour: row.hour, day: row.day, limits: limits)
        let verdict = SendingPolicy.decide(row.message, from: [facts])
        #expect(verdict.reason == (row.key == nil ? .queued : .held))
        #expect(verdict.trail.last { $0.decided }?.source == row.key.map { .setting($0) })
        // Held is no refusal: the client is told that the mail is queued.
        #expect(verdict.isAccepted)
        #expect(SendingPolicy.decide(row.message, from: [facts], explain: true).reason == verdict.reason)
    }

    @Test func noLimitHoldsNothing() {
        let facts = SendingFacts(kind: .account, name: "a", hour: Self.counts(.max, .max, .max), limits: .none)
        #expect(SendingPolicy.decide(Self.counts(1, 1, 1), from: [facts]).reason == .queued)
    }

    @Test func theAddressHasLimitsOfItsOwn() {
        let account = SendingFacts(kind: .account, name: "a", limits: .none)
        let address = SendingFacts(
            kind: .address, name: "192.0.2.7", hour: Self.counts(2, 2, 0),
            limits: SendingLimits(hour: Self.counts(2, 0, 0)))
        let verdict = SendingPolicy.decide(Self.counts(1, 1, 0), from: [account, address])
        #expect(verdict.reason == .held)
        #expect(verdict.trail.last?.source == .setting("receiver.address_messages_hour"))
    }
}
