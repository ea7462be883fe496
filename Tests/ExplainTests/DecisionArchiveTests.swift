import Explain
import Glibc
import MailModel
import Policy
import Testing

@Suite struct DecisionArchiveTests {
    private func record(_ reference: DecisionReference, time: Int64) -> DecisionRecord {
        DecisionRecord(
            reference: reference, time: time, client: "192.0.2.1", listener: "*.*.*.*:25", hello: "c", isTLS: false,
            authenticatedID: nil, sender: "a@b.example", recipient: "c@d.example", moment: "RCPT",
            verdict: Verdict(.relayDenied, trail: [TrailStep(check: "relay.matrix", finding: "no", decided: true)]),
            reply: Reply(550, EnhancedCode(5, 7, 1), "relaying denied"), settingsRevision: 7)
    }

    @Test func whatWasRecordedIsFoundUntilItIsOld() throws {
        let path = "/tmp/epost-explain-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        let first = DecisionReference(random: 1)
        let second = DecisionReference(random: 2)
        #expect(try DecisionArchive.find(first, in: path) == nil, "no database yet")
        let log = DecisionLog(path: path)
        #expect(log.record(record(first, time: 1_000)))
        #expect(log.record(record(second, time: 62_000)), "too late to go together with the first")
        log.close()
        #expect(!log.record(record(second, time: 62_000)), "closed")
        #expect(try DecisionArchive.find(first, in: path) == record(first, time: 1_000))
        #expect(try DecisionArchive.find(second, in: path)?.verdict.reason == .relayDenied)
        let later = DecisionLog(path: path)
        later.keep(days: 1)
        #expect(later.record(record(DecisionReference(random: 3), time: 86_400_000 + 62_000)))
        later.close()
        #expect(try DecisionArchive.find(first, in: path) == nil)
        #expect(try DecisionArchive.find(second, in: path) != nil, "exactly a day old")
    }

    @Test func recordsComeInPagesAndAreCountedByReason() throws {
        let path = "/tmp/epost-explain-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        #expect(try DecisionArchive.decisions(since: 0, limit: 10, in: path).isEmpty)
        let log = DecisionLog(path: path)
        // Two records of one moment: neither is lost, neither comes twice.
        let all = [1_000, 2_000, 2_000, 3_000].enumerated().map { index, time in
            record(DecisionReference(random: UInt64(index)), time: Int64(time))
        }
        let evidence = Evidence(
            .content(ContentFacts(size: 1)), session: SessionFacts(client: try #require(IPAddress("192.0.2.1"))),
            settings: AcceptanceSettings())
        for record in all { #expect(log.record(record, evidence: evidence)) }
        log.close()
        var found: [DecisionRecord] = []
        var place: DecisionArchive.Place?
        repeat {
            let page = try DecisionArchive.decisions(before: place, since: 1_500, limit: 2, in: path)
            found += page.map(\.record)
            place = page.last?.place
        } while place != nil
        #expect(found.map(\.time) == [3_000, 2_000, 2_000])
        #expect(Set(found.map(\.reference)).count == 3)
        let counts = try DecisionArchive.counts(since: 0, limit: 5, in: path)
        #expect(counts.map(\.reason) == ["recipient.relay"] && counts.map(\.count) == [4])
        #expect(counts.first?.time == 3_000 && counts.first?.reference == all[3].reference.rawValue)
    }
}
