import MailModel
import Spool
import Testing

/// What every spool promises, memory and disk alike.
@Suite struct ContractTests {
    enum Kind: CaseIterable { case memory, disk }

    /// A spool to be tested.
    struct Subject {
        let spool: any DeliverySpool & QueueOperations

        init(_ kind: Kind) throws {
            switch kind {
            case .memory: spool = MemorySpool()
            case .disk:
                let folder = ScratchFolder()
                // The folder lives as long as the spool that can tell of it.
                spool = try DiskSpool(
                    root: "\(folder.path)/spool", node: "mx.example", role: .delivery,
                    notify: { [folder] in
                        Issue.record("\(folder.path): \($0.text)")
                    })
            }
        }
    }

    @Test(arguments: Kind.allCases) func whatWasAddedIsClaimedOnce(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        var message = makeMessage(spool, to: ["a@example.jp", "b@example.jp"])
        message.envelope.needsSMTPUTF8 = true
        message.envelope.notification = SenderNotification(ret: .headers, envelopeID: "env+2B1")
        message.envelope.recipients[1].notify = [.failure, .delay]
        message.envelope.recipients[1].originalRecipient = "rfc822;B@example.jp"
        message.authenticatedID = "ada"
        try await spool.add(message)

        let claim = try spool.claim(limit: 10, now: noon)
        #expect(claim.messages.count == 1)
        #expect(claim.hasMore == false)
        #expect(claim.nextDue == nil)
        let claimed = try #require(claim.messages.first)
        #expect(claimed.id == message.id)
        #expect(claimed.sender == message.envelope.sender)
        #expect(claimed.notification == message.envelope.notification)
        #expect(claimed.needsSMTPUTF8 && !claimed.is8BitMIME)
        #expect(claimed.authenticatedID == "ada")
        #expect(claimed.receivedAt == noon)
        #expect(claimed.recipients.map(\.index) == [0, 1])
        #expect(claimed.recipients.map(\.recipient) == message.envelope.recipients)
        #expect(try spool.content(of: claimed.key).octets == Array("Subject: x\n\nhello\n".utf8))
        #expect(try spool.claim(limit: 10, now: noon).messages.isEmpty)
    }

    @Test(arguments: Kind.allCases) func aMessageGoesWithItsLastRecipient(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool, to: ["a@example.jp", "b@example.jp"]))
        let claimed = try #require(try spool.claim(limit: 10, now: noon).messages.first)
        try await spool.apply(DeliveryChange(message: claimed.key, items: [.init(index: 0, outcome: .finished)]))
        #expect(try spool.show(claimed.id).recipients.map(\.index) == [1])
        try await spool.apply(DeliveryChange(message: claimed.key, items: [.init(index: 1, outcome: .finished)]))
        #expect(throws: SpoolError.self) { try spool.show(claimed.id) }
        #expect(throws: SpoolError.self) { try spool.content(of: claimed.key) }
        #expect(try spool.counts() == QueueCounts())
    }

    @Test(arguments: Kind.allCases) func aDeferredRecipientComesBackAtItsTime(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool))
        let claimed = try #require(try spool.claim(limit: 10, now: noon).messages.first)
        let history = AttemptHistory(
            tries: 1, firstFailure: noon, failure: .line, reply: "451 4.7.1 try later", route: "mx mx1.b.example")
        try await spool.apply(
            DeliveryChange(
                message: claimed.key, items: [.init(index: 0, outcome: .deferred(history, until: noon + 120_000))]))
        let early = try spool.claim(limit: 10, now: noon + 119_999)
        #expect(early.messages.isEmpty)
        #expect(early.nextDue == noon + 120_000)
        let later = try spool.claim(limit: 10, now: noon + 120_000)
        #expect(later.messages.first?.recipients.first?.history == history)
        #expect(later.messages.first?.id == claimed.id)
    }

    @Test(arguments: Kind.allCases) func postponedKeepsItsHistoryAndReleasedIsDueAtOnce(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool, to: ["a@example.jp", "b@example.jp"]))
        let claimed = try #require(try spool.claim(limit: 10, now: noon).messages.first)
        try await spool.apply(
            DeliveryChange(
                message: claimed.key,
                items: [.init(index: 0, outcome: .postponed(until: noon + 5)), .init(index: 1, outcome: .released)]))
        #expect(try spool.claim(limit: 10, now: noon).messages.first?.recipients.map(\.index) == [1])
        let second = try spool.claim(limit: 10, now: noon + 5)
        #expect(second.messages.first?.recipients.map(\.index) == [0])
        #expect(second.messages.first?.recipients.first?.history == AttemptHistory())
    }

    @Test(arguments: Kind.allCases) func claimsAreLimitedAndInOrder(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        var ids: [QueueID] = []
        for _ in 0..<5 {
            let message = makeMessage(spool, to: ["a@example.jp", "b@example.jp"])
            ids.append(message.id)
            try await spool.add(message)
        }
        let first = try spool.claim(limit: 3, now: noon)
        #expect(first.hasMore)
        #expect(first.messages.map(\.id) == Array(ids[0...1]))
        #expect(first.messages.map(\.recipients.count) == [2, 1])
        let rest = try spool.claim(limit: 100, now: noon)
        #expect(rest.messages.map(\.id) == Array(ids[1...4]))
        #expect(rest.messages.map(\.recipients.count) == [1, 2, 2, 2])
        #expect(!rest.hasMore)
    }

    @Test(arguments: Kind.allCases) func aChildArrivesWithTheEndOfItsParent(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool))
        let claimed = try #require(try spool.claim(limit: 10, now: noon).messages.first)
        let report = makeMessage(spool, from: .null, to: ["ada@a.example"], parent: claimed.id)
        try await spool.finish(claimed, children: [report])
        let next = try spool.claim(limit: 10, now: noon).messages
        #expect(next.map(\.id) == [report.id])
        #expect(next.first?.parent == claimed.id)
        #expect(next.first?.sender == .null)
    }

    @Test(arguments: Kind.allCases) func nobodyGetsAReportTwice(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        try await spool.add(makeMessage(spool))
        let claimed = try #require(try spool.claim(limit: 10, now: noon).messages.first)
        try await spool.finish(claimed, children: [makeMessage(spool, from: .null)])
        // Written down a second time, as after a crash between the commit and its answer.
        try await spool.finish(claimed, children: [makeMessage(spool, from: .null)])
        #expect(try spool.counts().messages == 1)
    }

    @Test(arguments: Kind.allCases) func senderFormsComeBack(_ kind: Kind) async throws {
        let spool = try Subject(kind).spool
        let senders: [ReversePath] = [
            .null, .blank, .address(MailAddress(localPart: "a@b", domain: "c.example")),
            .address(MailAddress(localPart: "taro", domain: "")),
            .address(MailAddress(localPart: "", domain: "x.example")),
            .address(MailAddress(localPart: "太郎", domain: "例.jp")),
        ]
        for sender in senders { try await spool.add(makeMessage(spool, from: sender)) }
        #expect(try spool.claim(limit: 10, now: noon).messages.map(\.sender) == senders)
    }

    @Test(arguments: Kind.allCases) func largeContentComesBack(_ kind: Kind) async throws {
        let subject = try Subject(kind)
        let spool = subject.spool
        let octets = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var streamed = makeMessage(spool)
        let content = try spool.beginLarge(streamed.id)
        try content.append(Array(octets[..<100_000]))
        try content.append(Array(octets[100_000...]))
        #expect(content.size == 300_000)
        streamed.content = .large(content)
        try await spool.add(streamed)
        // Too long for a row, though it came in one piece.
        try await spool.add(makeMessage(spool, content: octets))
        for message in try spool.claim(limit: 10, now: noon).messages {
            #expect(message.size == 300_000)
            #expect(try spool.content(of: message.key).octets == octets)
            try await spool.finish(message)
        }
        #expect(try spool.counts().messages == 0)
    }
}

@Suite struct CopyTests {
    @Test func copiesGoApartFromTheMessageWithoutASender() {
        let address = MailAddress(localPart: "u", domain: "x.test")
        func recipient(_ index: Int, _ notify: Recipient.Notify) -> ClaimedRecipient {
            ClaimedRecipient(
                index: index,
                recipient: Recipient(address: address, notify: notify, originalRecipient: "rfc822;u@x.test"))
        }
        let message = ClaimedMessage(
            key: MessageKey(row: 1), id: MemorySpool().makeID(), sender: .address(address),
            notification: SenderNotification(ret: .full, envelopeID: "E"), size: 1, receivedAt: 0,
            recipients: [recipient(0, .success), recipient(1, .copy), recipient(2, [])])
        #expect(message.hasCopies)
        let parts = message.apart
        #expect(parts.map { $0.recipients.map(\.index) } == [[0, 2], [1]])
        #expect(parts.map(\.sender) == [.address(address), .null])
        #expect(parts[1].recipients[0].recipient == Recipient(address: address, notify: .never))
        #expect(parts[1].notification == SenderNotification())
    }
}
