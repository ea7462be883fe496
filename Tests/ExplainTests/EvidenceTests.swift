import Explain
import Glibc
import Locale
import MailModel
import Tables
import TestSupport
import Testing

@testable import Policy

/// Facts made up at random, decided, kept, read back and decided again.
@Suite("decisions taken again") struct EvidenceTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &self)] }
        mutating func flag() -> Bool { Bool.random(using: &self) }
        mutating func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
    }

    private static func ip(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("test data: \(text)") }
        return address
    }
    private static let clients = ["203.0.113.9", "127.0.0.1", "2001:db8::9", "10.0.0.1"].map(ip)
    private static let addresses = [
        MailAddress(localPart: "a", domain: "in.example"), MailAddress(localPart: "太郎", domain: "ext.example"),
        MailAddress(localPart: "f%x", domain: "in.example"), MailAddress(localPart: "x y\"\n", domain: "ext.example"),
        MailAddress(localPart: "taro", domain: ""), MailAddress(localPart: "u", domain: "[192.0.2.1]"),
    ]
    private static let tables = [
        "", EffectTable.delivered, "10.*.*.* only", "*.*.*.* norelay,0\n", "*.*.*.* norelay,2", "ext.example false",
        "10.0.0.0/9 false\n::/0 true", "#<> false\n#blank false", "a@in.example true\n\n' x\n*.*.*.* norelay",
    ].map { EffectTable.read($0).value }

    private func directory(_ dice: inout Dice) -> DirectoryFacts {
        switch dice.number(0...4) {
        case 0: .external
        case 1: .unknown
        case 2: DirectoryFacts(isOperatedDomain: true, entry: .alias)
        case 3: DirectoryFacts(isOperatedDomain: true, entry: .list(.init(needsPassword: dice.flag())))
        default:
            .account(
                .init(
                    isEnabled: dice.number(0...5) > 0, usesAuthentication: dice.flag(),
                    mailboxUsed: dice.flag() ? dice.number(0...100) : nil, mailboxLimit: dice.pick([0, 50])))
        }
    }

    private func settings(_ dice: inout Dice) -> AcceptanceSettings {
        AcceptanceSettings(
            offersAuthentication: dice.flag(), securityLevel: dice.pick(SecurityLevel.allCases),
            senderTrust: dice.pick(SenderTrust.allCases), maxMessageSize: dice.pick([0, 40]),
            maxRecipients: dice.pick([0, 2]), mailboxQuota: dice.pick([0, 60]), maxReceivedFields: 5,
            dnsblZones: dice.pick([[], ["a.test", "b.test"]]),
            dnsblExempt: dice.pick([[], [IPPattern("10.*.*.*")].compactMap { $0 }]))
    }

    /// One decision of a made-up session, with what it was decided from.
    private func decision(_ dice: inout Dice) -> (Verdict, Evidence) {
        let login = dice.pick([Authentication.none, .account(Self.addresses[0]), .list(Self.addresses[2])])
        let session = SessionFacts(client: dice.pick(Self.clients), isTLS: dice.flag(), authentication: login)
        let settings = settings(&dice)
        let rules = dice.pick(Self.tables)
        let path: ReversePath = dice.pick([.null, .blank] + Self.addresses.map { .address($0) })
        let listed = BlocklistAnswer(
            zone: "b.test", outcome: dice.pick([.notListed, .listed(Self.ip("127.0.0.4")), .failed("time-out")]),
            age: Int(dice.number(0...9)))
        let facts = SenderFacts(
            path: path, directory: directory(&dice), announcedSize: dice.pick([nil, 10, 41]),
            asksSMTPUTF8: dice.flag(), isOutsideHours: dice.number(0...9) == 0,
            blocklists: settings.dnsblZones.isEmpty ? [] : [.init(zone: "a.test", outcome: .notListed), listed])
        let sender = SenderPolicy.decide(facts, in: session, rules: rules, settings: settings)
        if dice.number(0...5) == 0 {
            let content = ContentFacts(
                size: dice.number(30...50), receivedFields: Int(dice.number(0...7)), wasDeliveredHere: dice.flag(),
                fromAddresses: dice.pick([[], [Self.addresses[0]], Self.addresses]))
            return (
                ContentPolicy.decide(content, in: session, settings: settings),
                Evidence(.content(content), session: session, settings: settings)
            )
        }
        guard sender.verdict.isAccepted else {
            return (
                sender.verdict,
                Evidence(.sender(facts), session: session, settings: settings, selection: sender.selection)
            )
        }
        let recipient = RecipientFacts(
            address: dice.pick(Self.addresses), directory: directory(&dice),
            acceptedRecipients: Int(dice.number(0...3)), announcedSize: facts.announcedSize,
            asksSMTPUTF8: facts.asksSMTPUTF8,
            restriction: dice.pick([
                .none, RecipientRestriction.read(TableText("' note\n*@ext.example,-1\n*@*\n")).value,
            ]))
        return (
            RecipientPolicy.decide(recipient, from: sender, in: session, settings: settings),
            Evidence(
                .recipient(recipient, from: facts), session: session, settings: settings, selection: sender.selection)
        )
    }

    /// Steps of acceptances too, which only a simulation tells.
    @Test func everyStepAndRemedyIsSaidInJapanese() throws {
        let assets = Fixture.folder("Sentences").replacing("/Tests/Fixtures/Sentences", with: "/assets/locale")
        let japanese = try #require(CatalogueFiles.load(.japanese, from: [assets]))
        var dice = Dice(state: 11)
        var missing: Set<String> = []
        func look(_ verdict: Verdict) {
            for sentence in verdict.trail.map(\.finding) + [verdict.remedy].compactMap(\.self) {
                if japanese.sentence(sentence) == sentence { missing.insert(sentence) }
            }
        }
        for _ in 0..<2_000 { look(decision(&dice).1.verdict(explain: true)) }
        let client = Self.ip("203.0.113.9")
        for cause in [LockFacts.Cause.failures, .connections] {
            for until in [nil, 5] as [Int64?] {
                look(ConnectionPolicy.refusal(of: client, for: LockFacts(cause: cause, until: until)))
            }
        }
        for limit in [0, 1, 9] {
            let facts = ConnectionFacts(client: client, local: client, openSessions: 2, openSessionsOfClient: 2)
            look(ConnectionPolicy.explain(facts, .init(maxSessions: limit)).verdict)
            look(ConnectionPolicy.explain(facts, .init(maxSessionsPerClient: limit)).verdict)
            let hidden = IPPatternList.read(TableText("203.0.113.*\n")).value
            look(ConnectionPolicy.explain(facts, .init(hidden: hidden)).verdict)
        }
        #expect(missing.isEmpty)
    }

    @Test func aThousandDecisionsComeOutTheSame() throws {
        let path = "/tmp/epost-evidence-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        let log = DecisionLog(path: path)
        var dice = Dice(state: 7)
        var verdicts: [DecisionReference: Verdict] = [:]
        for number in 0..<1_000 {
            let (verdict, evidence) = decision(&dice)
            #expect(evidence.verdict() == verdict)
            let reference = DecisionReference(random: UInt64(number))
            verdicts[reference] = verdict
            let record = DecisionRecord(
                reference: reference, time: Int64(number), client: "c", listener: "l", hello: nil, isTLS: false,
                authenticatedID: nil, sender: nil, recipient: nil, moment: "RCPT", verdict: verdict,
                reply: verdict.reason.reply, settingsRevision: 1)
            #expect(log.record(record, evidence: evidence))
        }
        log.close()
        let kept = try DecisionArchive.decisions(since: 0, limit: 2_000, in: path)
        #expect(kept.count == verdicts.count)
        for decision in kept {
            #expect(decision.evidence.verdict() == decision.record.verdict)
            #expect(decision.record.verdict == verdicts[decision.record.reference])
        }
        #expect(Set(kept.map(\.record.verdict.reason)).count > 12, "the dice fall in many ways")
    }

    @Test func aDraftOfTheRulesDecidesAnew() {
        let session = SessionFacts(client: Self.ip("203.0.113.9"))
        let sender = SenderFacts(path: .address(MailAddress(localPart: "e", domain: "ext.example")))
        let evidence = Evidence(
            .recipient(
                RecipientFacts(address: MailAddress(localPart: "f", domain: "far.example"), directory: .external),
                from: sender),
            session: session, settings: AcceptanceSettings(),
            selection: RelaySelection.choose(
                EffectTable.read(EffectTable.delivered).value, client: session.client, sender: sender.path))
        #expect(evidence.verdict().reason == .relayDenied)
        #expect(evidence.verdict(rules: EffectTable.read("203.0.113.* true").value).reason == .recipientAccepted)
        #expect(evidence.verdict(rules: EffectTable.read("ext.example false").value).reason == .senderRefusedByRule)
    }

    @Test func theOldestGoWhenThereAreTooMany() throws {
        let path = "/tmp/epost-evidence-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        func write(_ numbers: Range<Int>) {
            let log = DecisionLog(path: path)
            log.keep(days: 30, records: 80)
            for number in numbers {
                _ = log.record(
                    DecisionRecord(
                        reference: DecisionReference(random: UInt64(number)), time: Int64(number), client: "c",
                        listener: "l", hello: nil, isTLS: false, authenticatedID: nil, sender: nil, recipient: nil,
                        moment: "RCPT", verdict: Verdict(.relayDenied), reply: Reason.relayDenied.reply,
                        settingsRevision: 1))
            }
            log.close()
        }
        func has(_ number: Int) throws -> Bool {
            try DecisionArchive.find(DecisionReference(random: UInt64(number)), in: path) != nil
        }
        write(0..<80)
        #expect(try has(0))
        write(80..<81)
        // One too many: that one and an eighth of the limit go, the oldest first, and what was written with the last.
        #expect(try (0...10).allSatisfy { try !has($0) })
        #expect(try (20...80).allSatisfy { try has($0) })
    }
}
