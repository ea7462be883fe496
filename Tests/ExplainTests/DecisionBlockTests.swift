import Glibc
import MailModel
import Policy
import Synchronization
import Testing
import Threads

@testable import Explain

/// What the octets of a block come to is what was put into it.
@Suite("blocks of records") struct DecisionBlockTests {
    private static func record(_ number: Int, time: Int64 = 1_000, change: (inout DecisionRecord) -> Void = { _ in })
        -> DecisionRecord
    {
        let reference = DecisionReference(random: UInt64(number))
        let steps = [
            TrailStep(check: "session.client", finding: "client 203.0.113.9, no TLS, not authenticated"),
            TrailStep(
                check: "relay.rule", finding: "rule '*.*.*.* norelay' matches",
                source: .table(file: "effect.dat", line: 4)),
            TrailStep(check: "recipient.class", finding: "<u\(number)@far.example> is in no operated domain (Ext)"),
            TrailStep(
                check: "relay.matrix", finding: "matrix IV refuses Ext to Ext without authentication",
                source: .table(file: "effect.dat", line: 4), decided: true),
        ]
        let verdict = Verdict(.relayDenied, trail: steps, remedy: "authenticate before MAIL")
        var record = DecisionRecord(
            reference: reference, time: time, client: "203.0.113.9", listener: "*.*.*.*:25", hello: "c.example",
            isTLS: false, authenticatedID: nil, sender: "e@ext.example", recipient: "u\(number)@far.example",
            moment: "RCPT", verdict: verdict, reply: verdict.reply(reference: reference), settingsRevision: 7)
        change(&record)
        return record
    }

    private func block(_ records: [DecisionRecord]) -> DecisionBlock {
        var block = DecisionBlock()
        for record in records { block.append(record, nil, weight: 1) }
        return block
    }

    private func back(_ block: DecisionBlock) -> [DecisionRecord] {
        DecisionBlockReader.records(block.octets, references: block.references)
    }

    private static let changes: [@Sendable (inout DecisionRecord) -> Void] = [
        { _ in }, { $0.hello = nil }, { $0.hello = "" }, { $0.hello = "é" }, { $0.hello = "e\u{301}" },
        { $0.sender = nil }, { $0.recipient = nil }, { $0.isTLS = true }, { $0.authenticatedID = "太郎@in.example" },
        { $0.time = -5 }, { $0.time = .max }, { $0.time = .min }, { $0.settingsRevision = .min },
        { $0.verdict.trail = [] }, { $0.verdict.remedy = nil }, { $0.verdict.detail = "zone.example" },
        { $0.verdict.reason = .tooManyRecipients }, { $0.verdict.trail[1].source = nil },
        { $0.verdict.trail[1].source = .setting("receiver.max_recipients") },
        { $0.verdict.trail[1].source = .builtIn("R-RCV-21") }, { $0.verdict.trail[3].decided = false },
        { $0.verdict.trail[1].source = .table(file: "effect.dat", line: -1) },
        { $0.verdict.trail.append(TrailStep(check: "", finding: String(repeating: "x", count: 70_000))) },
        { $0.reply = Reply(421, nil, lines: ["a", "b (ref \($0.reference))", ""]) },
        { $0.reply = Reply(550, EnhancedCode(5, 7, 999), "no (ref 0000-0000)") },
        { $0.reply = Reply(550, EnhancedCode(5, 7, 1), " (ref \($0.reference))") },
        { $0.client = "2001:db8::9" }, { $0.listener = "\u{0}\u{1b}[31m" }, { $0.moment = "CONNECT" },
    ]

    /// Each kind of record behind each other kind, so that every field is told by what differs from any other.
    @Test func everythingComesBackOctetForOctet() {
        for one in Self.changes.indices {
            let records = Self.changes.indices.flatMap { other in
                [Self.record(one * 100, change: Self.changes[one]), Self.record(other, change: Self.changes[other])]
            }
            let read = back(block(records))
            #expect(read == records)
            // String's == takes é for e + accent; a quotation must not.
            for (record, original) in zip(read, records) {
                #expect(record.hello.map { Array($0.utf8) } == original.hello.map { Array($0.utf8) })
            }
        }
    }

    @Test func aFloodTakesFewOctetsARecord() {
        let records = (0..<512).map { Self.record($0, time: 1_000 + Int64($0) / 4) }
        let made = block(records)
        #expect(back(made) == records)
        #expect(made.octets.count < 512 * 128, "\(made.octets.count / 512) octets a record")
        #expect(made.tallies.map(\.count) == [512] && made.tallies.map(\.item) == [511])
    }

    @Test func aBlockIsFull() {
        var made = block([Self.record(1)])
        #expect(made.takes(1_000 + 60_000, limit: 9) && made.takes(1_000 - 60_000, limit: 9))
        #expect(!made.takes(1_000 + 60_001, limit: 9) && !made.takes(1_000 - 60_001, limit: 9))
        #expect(!made.takes(1_000, limit: 1) && !made.takes(.min, limit: 9) && !made.takes(.max, limit: 9))
        made.append(Self.record(2) { $0.hello = String(repeating: "x", count: 256 << 10) }, nil, weight: 1)
        #expect(!made.takes(1_000, limit: 9), "long names fill it")
    }

    @Test func damageEndsTheReadingAndNothingElse() {
        let records = Self.changes.indices.prefix(8).map { Self.record($0, change: Self.changes[$0]) }
        let made = block(records)
        for end in 0..<made.octets.count {
            let read = DecisionBlockReader.records(Array(made.octets[..<end]), references: made.references)
            #expect(read.count < records.count && read[...] == records.prefix(read.count))
        }
        for index in made.octets.indices {
            for value in [0, 1, 2, 0x7F, 0x80, 0xFF] as [UInt8] {
                var octets = made.octets
                octets[index] = value
                _ = DecisionBlockReader.records(octets, references: made.references)
            }
        }
        #expect(DecisionBlockReader.records(made.octets, references: Array(made.references.prefix(20))).count == 2)
    }

    /// Every reference that was given out is explained, from several threads, through a clean stop.
    @Test func noneIsLostOnACleanStop() throws {
        let path = "/tmp/epost-blocks-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        let log = DecisionLog(path: path)
        let given = Mutex<[Int]>([])
        let threads = (0..<4).compactMap { thread in
            Thread(name: "flood") {
                for number in 0..<1_500 where log.record(Self.record(thread * 10_000 + number)) {
                    given.withLock { $0.append(thread * 10_000 + number) }
                }
            }
        }
        for thread in threads { thread.join() }
        log.close()
        let numbers = given.withLock { $0 }
        #expect(numbers.count >= 512, "dropped is only what the disk had no time for")
        #expect(try DecisionArchive.counts(since: 0, limit: 9, in: path).map(\.count) == [numbers.count])
        for number in numbers.shuffled().prefix(60) + [numbers.last ?? 0] {
            let found = try DecisionArchive.find(DecisionReference(random: UInt64(number)), in: path)
            #expect(found == Self.record(number))
        }
        #expect(try DecisionArchive.find(DecisionReference(random: 0xFFFF_FFFF), in: path) == nil)
    }

    @Test func factsOfAFloodAreSampledByKindAndEveryRefusalIsStoodFor() throws {
        func address(_ number: Int) throws -> IPAddress {
            try #require(IPAddress("10.0.\(number / 256 % 256).\(number % 256)"))
        }
        let flood = Verdict(
            .relayDenied, trail: [TrailStep(check: "c", finding: "f", source: .setting("s"), decided: true)])
        var sampler = RefusalSampler(burst: 10, rate: 2)
        var weights: [Int] = []
        for number in 0..<20_000 {
            if let weight = sampler.take(flood, of: try address(0), now: Int64(number)) { weights.append(weight) }
            if number % 1_000 == 0 {
                #expect(sampler.take(Verdict(.unknownRecipient), of: try address(0), now: Int64(number)) == 1)
            }
        }
        #expect((48...52).contains(weights.count) && (19_400...20_000).contains(weights.reduce(0, +)))
        // Thousands of clients at once: bounded, and a fair part of them.
        var others = 0
        for number in 1..<5_000 where sampler.take(flood, of: try address(number), now: 20_000) != nil { others += 1 }
        #expect((300...400).contains(others))
        #expect(sampler.take(flood, of: try address(9_000), now: .max) == 1, "those that rested made room")
    }
}
