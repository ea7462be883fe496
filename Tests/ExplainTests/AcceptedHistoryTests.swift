import Explain
import Glibc
import MailModel
import Policy
import Tables
import Testing

@Suite("accepted mail that is kept") struct AcceptedHistoryTests {
    private static func mail(_ number: Int, settings: AcceptanceSettings = .init()) -> AcceptedMail {
        guard let client = IPAddress("203.0.113.9") else { preconditionFailure("test data") }
        let session = SessionFacts(client: client)
        let sender = SenderFacts(path: .address(MailAddress(localPart: "e", domain: "ext.example")))
        return AcceptedMail(
            time: Int64(number), weight: number + 1,
            facts: .init(
                connection: .init(
                    client: session.client, local: session.client, openSessions: 3, openSessionsOfClient: 1),
                maxSessions: 5, maxSessionsPerClient: 2, session: session,
                selection: RelaySelection.choose(
                    EffectTable.read(EffectTable.delivered).value, client: session.client, sender: sender.path),
                sender: sender,
                recipients: [
                    RecipientFacts(
                        address: MailAddress(localPart: "taro", domain: "in.example"), directory: .account(),
                        asksSMTPUTF8: true)
                ], content: ContentFacts(size: 70, receivedFields: 1)),
            settings: settings)
    }

    private static func scratch() -> String { "/tmp/epost-accepted-\(getpid())-\(UInt32.random(in: 0 ... .max)).db" }
    private static func remove(_ path: String) { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }

    @Test func itIsReadBackInPagesNewestFirstAndDecidedAgain() throws {
        let path = Self.scratch()
        defer { Self.remove(path) }
        #expect(try AcceptedHistory.oldest(in: path) == nil, "no database yet")
        let log = DecisionLog(path: path)
        let all = (0..<7).map { Self.mail($0, settings: .init(maxMessageSize: $0 < 4 ? 0 : 100)) }
        for mail in all { log.record(mail) }
        log.close()
        var history = AcceptedHistory(path: path)
        var found: [AcceptedMail] = []
        while case let page = try history.next(since: 1, limit: 3), !page.isEmpty { found += page }
        #expect(found == Array(all[1...].reversed()))
        #expect(try AcceptedHistory.oldest(in: path) == 0)
        for mail in found {
            for decision in mail.facts.recipients.flatMap(mail.decisions) { #expect(decision.verdict().isAccepted) }
        }
    }

    @Test func aDraftOfLimitsTurnsItRound() {
        let mail = Self.mail(1)
        func reasons(_ settings: AcceptanceSettings?, _ limits: ConnectionSettings?) -> [Reason] {
            mail.facts.recipients.flatMap(mail.decisions).map { $0.verdict(settings: settings, limits: limits).reason }
        }
        #expect(reasons(.init(maxMessageSize: 60), nil).last == .messageTooLarge)
        #expect(reasons(nil, ConnectionSettings(maxSessions: 3)).first == .tooManySessions)
        #expect(reasons(nil, ConnectionSettings(maxSessionsPerClient: 1)).first == .tooManySessionsFromClient)
    }

    @Test func theOldestGoAndNothingIsKeptWithNone() throws {
        let path = Self.scratch()
        defer { Self.remove(path) }
        let log = DecisionLog(path: path)
        log.keep(days: 30, records: 80)
        for number in 0..<81 { log.record(Self.mail(number)) }
        log.close()
        #expect(try AcceptedHistory.oldest(in: path) == 11, "one too many, and an eighth of the limit")
        let off = DecisionLog(path: path)
        off.keep(days: 30, records: 0)
        #expect(!off.isOn)
        off.record(Self.mail(500))
        off.close()
        var history = AcceptedHistory(path: path)
        #expect(try history.next(since: 100, limit: 10).isEmpty)
    }

    @Test func aFloodIsSampledAndEveryMessageIsStoodFor() {
        var sampler = AcceptanceSampler(burst: 10, rate: 20)
        var kept: [Int] = []
        // 5,000 a second for ten seconds.
        for number in 0..<50_000 {
            if let weight = sampler.take(now: 1_000_000 + Int64(number) / 5) { kept.append(weight) }
        }
        #expect((200...212).contains(kept.count), "ten at once, then twenty a second")
        #expect((49_700...50_000).contains(kept.reduce(0, +)))
        #expect((kept.dropFirst(10).max() ?? 0) <= 252, "evenly")
        var slow = AcceptanceSampler(burst: 10, rate: 20)
        #expect((0..<1_000).allSatisfy { slow.take(now: Int64($0) * 50) == 1 }, "each one")
        #expect(slow.take(now: 0) != nil && slow.take(now: .max) != nil, "whatever the clock says")
    }
}
