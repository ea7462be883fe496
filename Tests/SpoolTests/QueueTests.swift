import MailModel
import Spool
import Testing

/// Listing and acting, memory and disk alike.
@Suite struct QueueTests {
    typealias Subject = ContractTests.Subject

    /// Three messages: one queued, one deferred with two recipients, one held.
    private func fill(_ spool: any DeliverySpool & QueueOperations) async throws -> [QueueID] {
        let first = makeMessage(spool, from: .null, to: ["zoe@b.example"], content: [1, 2, 3])
        var second = makeMessage(spool, to: ["news@a_b.example", "bob@c.example"], content: [1])
        second.receivedAt = noon + 1
        let third = makeMessage(
            spool, from: .address(MailAddress(localPart: "Eve", domain: "z.example")), to: ["carl@d.example"],
            content: [1, 2])
        for message in [second, third] { try await spool.add(message) }
        let claim = try spool.claim(limit: 10, now: noon)
        for message in claim.messages where message.id == second.id {
            let history = AttemptHistory(tries: 3, firstFailure: noon, failure: .unreachable, reply: "no route")
            try await spool.apply(
                DeliveryChange(
                    message: message.key,
                    items: [
                        .init(index: 0, outcome: .deferred(history, until: noon + 900)),
                        .init(index: 1, outcome: .deferred(AttemptHistory(tries: 1), until: noon + 500)),
                    ]))
        }
        #expect(try spool.act(.hold, on: [third.id], now: noon) == [third.id])
        try await spool.add(first)
        return [second.id, third.id, first.id]
    }

    @Test(arguments: ContractTests.Kind.allCases) func rowsShowTheWorstOfTheirRecipients(
        _ kind: ContractTests.Kind
    ) async throws {
        let spool = try Subject(kind).spool
        let ids = try await fill(spool)
        let window = try spool.list(QueueQuery())
        #expect(window.matching == 3)
        #expect(window.rows.map(\.id) == ids)
        let row = try #require(window.rows.first)
        #expect(row.recipient.text == "news@a_b.example")
        #expect(row.recipientCount == 2)
        #expect(row.state == .deferred)
        #expect(row.tries == 3)
        #expect(row.nextAttempt == noon + 500)
        #expect(row.reply == "no route")
        #expect(row.size == 1)
        #expect(window.rows.map(\.state) == [.deferred, .held, .queued])
        #expect(window.rows.map(\.nextAttempt) == [noon + 500, nil, 0])
        #expect(
            try spool.counts()
                == QueueCounts(messages: 3, queued: 1, deferred: 2, held: 1, active: 1, oldest: noon + 1))
    }

    @Test(
        arguments: ContractTests.Kind.allCases,
        [
            (QueueQuery(text: "ZOE"), [2]), (QueueQuery(text: "EVE@Z"), [1]), (QueueQuery(text: "a_b"), [0]),
            (QueueQuery(text: "%"), []), (QueueQuery(text: "example", descending: true), [2, 1, 0]),
            (QueueQuery(text: "example", offset: 1, limit: 1), [1]), (QueueQuery(sender: "ada"), [0]),
            (QueueQuery(recipient: "bob@"), [0]),
            (QueueQuery(recipient: "ada"), []), (QueueQuery(state: .held), [1]), (QueueQuery(state: .queued), [2]),
            (QueueQuery(state: .deferred), [0]), (QueueQuery(receivedBefore: noon + 1), [1, 2]),
            (QueueQuery(sort: .size), [0, 1, 2]), (QueueQuery(sort: .size, descending: true), [2, 1, 0]),
            (QueueQuery(sort: .from), [2, 0, 1]), (QueueQuery(sort: .to), [1, 0, 2]),
            (QueueQuery(sort: .id), [2, 0, 1]),
            (QueueQuery(sort: .tries, descending: true, limit: 1), [0]), (QueueQuery(sort: .next), [2, 0, 1]),
            (QueueQuery(offset: 1, limit: 1), [1]), (QueueQuery(offset: 9), []),
            (QueueQuery(offset: -5, limit: -1), []),
        ] as [(QueueQuery, [Int])])
    func windows(_ kind: ContractTests.Kind, _ fixture: (query: QueueQuery, expected: [Int])) async throws {
        let spool = try Subject(kind).spool
        let ids = try await fill(spool)
        #expect(try spool.list(fixture.query).rows.map(\.id) == fixture.expected.map { ids[$0] })
    }

    @Test(arguments: ContractTests.Kind.allCases) func retryMakesDeferredDueAndLeavesHeld(
        _ kind: ContractTests.Kind
    ) async throws {
        let spool = try Subject(kind).spool
        let ids = try await fill(spool)
        let unknown = spool.makeID()
        #expect(try spool.act(.retry, on: [ids[0], unknown, ids[1]], now: noon + 10) == [ids[0], ids[1]])
        let claim = try spool.claim(limit: 10, now: noon + 10)
        #expect(Set(claim.messages.map(\.id)) == [ids[0], ids[2]])
        #expect(try spool.show(ids[1]).row.state == .held)
    }

    @Test(arguments: ContractTests.Kind.allCases) func releaseMakesHeldDue(_ kind: ContractTests.Kind) async throws {
        let spool = try Subject(kind).spool
        let message = makeMessage(spool)
        try await spool.add(message)
        #expect(try spool.act(.hold, on: [message.id], now: noon) == [message.id])
        #expect(try spool.claim(limit: 10, now: noon).messages.isEmpty)
        #expect(try spool.act(.release, on: [message.id], now: noon) == [message.id])
        #expect(try spool.claim(limit: 10, now: noon).messages.map(\.id) == [message.id])
    }

    @Test(arguments: ContractTests.Kind.allCases) func heldWhileUnderWayStaysHeldAfterTheAttempt(
        _ kind: ContractTests.Kind
    ) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool))
        let claimed = try #require(try spool.claim(limit: 1, now: noon).messages.first)
        _ = try spool.act(.hold, on: [claimed.id], now: noon)
        #expect(try spool.show(claimed.id).row.isActive)
        let history = AttemptHistory(tries: 1)
        try await spool.apply(
            DeliveryChange(message: claimed.key, items: [.init(index: 0, outcome: .deferred(history, until: noon))]))
        #expect(try spool.show(claimed.id).recipients.first?.state == .held)
        #expect(try spool.show(claimed.id).recipients.first?.history.tries == 1)
        #expect(try spool.claim(limit: 1, now: noon + 1).messages.isEmpty)
    }

    @Test(arguments: ContractTests.Kind.allCases) func bounceMarksAndRemoveRemoves(
        _ kind: ContractTests.Kind
    ) async throws {
        let spool = try Subject(kind).spool
        let ids = try await fill(spool)
        _ = try spool.act(.bounce, on: [ids[1]], now: noon + 1)
        let claim = try spool.claim(limit: 10, now: noon + 1)
        let marked = claim.messages.filter { $0.recipients.contains(where: \.mustBounce) }
        // The held one was under way when it was held: it is due, but not given out a second time.
        #expect(marked.isEmpty || marked.map(\.id) == [ids[1]])
        #expect(try spool.show(ids[1]).recipients.allSatisfy(\.mustBounce))
        #expect(try spool.act(.remove, on: ids, now: noon) == ids)
        #expect(try spool.list(QueueQuery()) == QueueWindow(rows: [], matching: 0))
        #expect(throws: SpoolError.self) { try spool.content(of: ids[0]) }
    }
}
