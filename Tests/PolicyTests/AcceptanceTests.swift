import MailModel
import Tables
import Testing

@testable import Policy

/// Spec file 04, part 11, and file 02-3, part 3.
@Suite("MAIL FROM")
struct SenderPolicyTests {
    /// The truth table of the security level (R-SVC-12, R-SVC-13, R-SVC-14, R-RCV-15).
    @Test(
        "security level",
        arguments: [
            (SecurityLevel.open, "a@in.example", nil, true), (.open, "e@ext.example", nil, true),
            (.authOnly, "a@in.example", nil, false), (.authOnly, "e@ext.example", nil, false),
            (.authOnly, "<>", nil, false), (.authOnly, "a@in.example", "a@in.example", true),
            (.authOnly, "e@ext.example", "a@in.example", true), (.authFile, "a@in.example", nil, false),
            (.authFile, "b@in.example", nil, true), (.authFile, "e@ext.example", nil, true),
            (.authFile, "x@in.example", nil, true), (.authFile, "a@in.example", "a@in.example", true),
            (.authFile, "<>", nil, true),
        ] as [(SecurityLevel, String, String?, Bool)])
    func securityLevel(_ level: SecurityLevel, _ from: String, _ login: String?, _ accepted: Bool) {
        var world = World(login: login)
        world.settings.securityLevel = level
        #expect(world.mail(from).verdict.reason == (accepted ? .senderAccepted : .authenticationRequired))
        world.settings.offersAuthentication = false
        #expect(world.mail(from).verdict.isAccepted, "without a method the level has no effect (R-RCV-14)")
    }

    /// Vectors 7 to 9 and 11; R-RCV-19, R-SVC-18, R-SVC-21.
    @Test(
        "sender trust",
        arguments: [
            (SenderTrust.authID, "a@in.example", "b@in.example", true), (.authID, "a@in.example", "<>", true),
            (.authIDEnvelope, "a@in.example", "b@in.example", false),
            (.authIDEnvelope, "a@in.example", "A@IN.example", true), (.authIDEnvelope, "a@in.example", "<>", false),
            (.authIDEnvelope, "a@in.example", "", false), (.authIDEnvelope, "a@in.example", "info@in.example", false),
            (.authIDEnvelope, "a@in.example", "a", false), (.authIDEnvelope, nil, "b@in.example", true),
            (.authIDEnvelopeFrom, "a@in.example", "b@in.example", false),
            (.authIDEnvelopeFrom, "a@in.example", "a@in.example", true),
        ] as [(SenderTrust, String?, String, Bool)])
    func trust(_ trust: SenderTrust, _ login: String?, _ from: String, _ accepted: Bool) {
        var world = World(login: login)
        world.settings.senderTrust = trust
        let verdict = world.mail(from).verdict
        #expect(verdict.reason == (accepted ? .senderAccepted : .senderNotAuthenticatedID))
        #expect(accepted || verdict.reason.reply.code == 553)
    }

    @Test(
        "announced size", arguments: [(999, true), (1000, true), (1001, false), (Int64.max, false)] as [(Int64, Bool)])
    func size(_ size: Int64, _ accepted: Bool) {
        var world = World()
        world.settings.maxMessageSize = 1000
        #expect(world.mail("e@ext.example", size: size).verdict.isAccepted == accepted)
        world.settings.maxMessageSize = 0
        #expect(world.mail("e@ext.example", size: size).verdict.isAccepted, "0 is unlimited")
    }

    @Test func addressesBeyondASCIINeedSMTPUTF8() {
        #expect(World().mail("太郎@ext.example").verdict.reason == .senderNeedsSMTPUTF8)
        #expect(World().mail("太郎@ext.example", utf8: true).verdict.isAccepted)
        #expect(World().mail("u@例え.example").verdict.reason == .senderNeedsSMTPUTF8)
    }

    /// Spec file 04, part 1: the order decides which refusal a client sees.
    @Test func orderOfTheChecks() {
        var world = World("*.*.*.* false", login: "a@in.example")
        world.settings.maxMessageSize = 10
        world.settings.senderTrust = .authIDEnvelope
        #expect(world.mail("b@in.example", size: 11).verdict.reason == .announcedSizeTooLarge)
        #expect(world.mail("b@in.example", size: 10).verdict.reason == .senderRefusedByRule)
        world.rules = .empty
        #expect(world.mail("b@in.example").verdict.reason == .senderNotAuthenticatedID)
        world.login = nil
        world.settings.securityLevel = .authOnly
        #expect(world.mail("b@in.example").verdict.reason == .authenticationRequired)
    }

    /// R-ACC-40.
    @Test func usageHours() {
        let facts = SenderFacts(path: World.path("a@in.example"), directory: .account(), isOutsideHours: true)
        let decision = SenderPolicy.decide(facts, in: World().session, rules: .empty, settings: .init())
        #expect(decision.verdict.reason == .senderOutsideHours)
    }
}

@Suite("RCPT TO")
struct RecipientPolicyTests {
    /// Vector 13; R-RCV-24, R-RTAB-04.
    @Test("recipient count", arguments: [(0, true), (2, true), (3, false), (4, false)])
    func count(_ accepted: Int, _ isAccepted: Bool) {
        var world = World()
        world.settings.maxRecipients = 3
        let verdict = world.rcpt("a@in.example", from: "e@ext.example", accepted: accepted)
        #expect(verdict.reason == (isAccepted ? .recipientAccepted : .tooManyRecipients))
        world.settings.maxRecipients = 0
        #expect(world.rcpt("a@in.example", from: "e@ext.example", accepted: 100_000).isAccepted)
    }

    /// Vectors 16 and 17; R-RCV-25, R-RTAB-03; answered as architecture section 5 says.
    @Test(
        "mailbox limit",
        arguments: [
            (5000, 0, 5000, nil, false), (5000, 0, 4999, nil, true), (5000, 20_000, 6000, nil, true),
            (5000, 0, 4000, 1000, true), (5000, 0, 4000, 1001, false), (0, 0, 1 << 60, nil, true),
            (0, 100, 100, nil, false), (5000, 0, 4000, Int64.max, false), (5000, 0, 4000, -5, true),
        ] as [(Int64, Int64, Int64, Int64?, Bool)])
    func mailbox(_ quota: Int64, _ limit: Int64, _ used: Int64, _ announced: Int64?, _ accepted: Bool) {
        var world = World()
        world.settings.mailboxQuota = quota
        world.mailboxLimit = limit
        world.mailboxUsed = used
        let verdict = world.rcpt("a@in.example", from: "e@ext.example", size: announced)
        #expect(verdict.reason == (accepted ? .recipientAccepted : .mailboxFull))
        if !accepted { #expect(verdict.reason.reply.text.hasPrefix("452 4.2.2 ")) }
    }

    @Test func disabledAccount() {
        #expect(World().rcpt("off@in.example", from: "e@ext.example").reason == .accountDisabled)
    }

    /// Vector 19; R-RCV-23.
    @Test func restriction() {
        let table = RecipientRestriction.read(TableText("*@domain.co.jp\n")).value
        let world = World(login: "a@in.example")
        #expect(world.rcpt("u@domain.co.jp", from: "a@in.example", restriction: table).isAccepted)
        let refused = world.rcpt("u@other.jp", from: "a@in.example", restriction: table)
        #expect(refused.reason == .recipientNotPermitted)
        #expect(refused.reason.reply.text.hasPrefix("550 5.7.1 "))
    }

    @Test func addressesBeyondASCIINeedSMTPUTF8() {
        #expect(World().rcpt("太郎@in.example", from: "e@ext.example").reason == .senderNeedsSMTPUTF8)
        #expect(World().rcpt("太郎@in.example", from: "e@ext.example", utf8: true).reason == .unknownRecipient)
    }

    /// R-RCV-17, R-RCV-26.
    @Test func listLogin() {
        var session = World().session
        session.authentication = .list(World.address("closed@in.example"))
        let world = World()
        var settings = world.settings
        settings.securityLevel = .authOnly
        func decide(_ to: String, from: String, _ session: SessionFacts) -> Reason {
            let sender = SenderPolicy.decide(
                .init(path: World.path(from), directory: world.directory(World.address(from))), in: session,
                rules: EffectTable.read(EffectTable.delivered).value, settings: settings)
            guard sender.verdict.isAccepted else { return sender.verdict.reason }
            let address = World.address(to)
            return RecipientPolicy.decide(
                .init(address: address, directory: world.directory(address)), from: sender, in: session,
                settings: settings
            ).reason
        }
        #expect(decide("closed@in.example", from: "e@ext.example", session) == .recipientAccepted)
        #expect(decide("f@ext.example", from: "a@in.example", session) == .relayDenied, "no other relay right")
        settings.securityLevel = .open
        #expect(decide("closed@in.example", from: "e@ext.example", world.session) == .authenticationRequired)
        session.authentication = .account(World.address("a@in.example"))
        #expect(decide("closed@in.example", from: "a@in.example", session) == .recipientAccepted)
    }
}

@Suite("end of DATA")
struct ContentPolicyTests {
    private func decide(
        _ facts: ContentFacts, login: String? = nil, _ change: (inout AcceptanceSettings) -> Void = { _ in }
    ) -> Verdict {
        var world = World(login: login)
        change(&world.settings)
        return ContentPolicy.decide(facts, in: world.session, settings: world.settings)
    }

    /// Vector 15, R-RTAB-02: exactly the limit is allowed.
    @Test("size", arguments: [(999, true), (1000, true), (1001, false)] as [(Int64, Bool)])
    func size(_ size: Int64, _ accepted: Bool) {
        let verdict = decide(ContentFacts(size: size)) { $0.maxMessageSize = 1000 }
        #expect(verdict.reason == (accepted ? .queued : .messageTooLarge))
    }

    /// R-DLV-27: more than 50.
    @Test("loop", arguments: [(0, true), (50, true), (51, false)])
    func loop(_ fields: Int, _ accepted: Bool) {
        #expect(decide(ContentFacts(size: 1, receivedFields: fields)).reason == (accepted ? .queued : .mailLoop))
    }

    @Test func deliveredHereBefore() {
        #expect(decide(ContentFacts(size: 1, wasDeliveredHere: true)).reason == .mailLoop)
    }

    /// Vector 10; several addresses never match.
    @Test(
        "From header",
        arguments: [
            (["a@in.example"], true), (["A@IN.EXAMPLE"], true), (["b@in.example"], false), ([], false),
            (["a@in.example", "a@in.example"], false), (["a@in.example", "b@in.example"], false), (["a"], false),
        ])
    func from(_ addresses: [String], _ accepted: Bool) {
        let facts = ContentFacts(size: 1, fromAddresses: addresses.map(World.address))
        let verdict = decide(facts, login: "a@in.example") { $0.senderTrust = .authIDEnvelopeFrom }
        #expect(verdict.reason == (accepted ? .queued : .headerFromMismatch))
        #expect(decide(facts, login: "a@in.example") { $0.senderTrust = .authIDEnvelope }.isAccepted)
        #expect(
            decide(facts) { $0.senderTrust = .authIDEnvelopeFrom }.isAccepted, "without authentication it is not asked")
    }
}

@Suite("connection")
struct ConnectionPolicyTests {
    private func decide(open: Int, own: Int = 0, _ settings: ConnectionSettings, stopping: Bool = false)
        -> ConnectionDecision
    {
        ConnectionPolicy.decide(
            ConnectionFacts(
                client: World.ip("203.0.113.9"), local: World.ip("192.0.2.1"), openSessions: open,
                openSessionsOfClient: own, isShuttingDown: stopping), settings)
    }

    /// Vector 12; R-SVC-15, R-SVC-19, R-RCV-06.
    @Test func sessions() {
        #expect(decide(open: 1, .init(maxSessions: 2)) == .accept)
        guard case .refuse(let verdict) = decide(open: 2, .init(maxSessions: 2)) else {
            Issue.record("the third connection must be refused")
            return
        }
        #expect(verdict.reason == .tooManySessions)
        #expect(verdict.trail.last?.source == .setting("receiver.max_sessions"))
        #expect(decide(open: 100_000, .init()) == .accept)
    }

    @Test func sessionsPerClient() {
        guard case .refuse(let verdict) = decide(open: 5, own: 3, .init(maxSessionsPerClient: 3)) else {
            Issue.record("must be refused")
            return
        }
        #expect(verdict.reason == .tooManySessionsFromClient)
        #expect(decide(open: 5, own: 2, .init(maxSessionsPerClient: 3)) == .accept)
    }

    /// R-RCV-05, R-CLU-19.
    @Test func hiddenAddress() {
        let hidden = IPPatternList.read(TableText("192.0.2.1\n")).value
        #expect(decide(open: 0, .init(hidden: hidden)) == .closeSilently(.table(file: "hiddensmtpip.dat", line: 1)))
    }

    @Test func shuttingDown() {
        guard case .refuse(let verdict) = decide(open: 0, .init(), stopping: true) else {
            Issue.record("must be refused")
            return
        }
        #expect(verdict.reason == .shuttingDown)
    }
}

@Suite("verdicts")
struct VerdictTests {
    @Test func acceptedMailCarriesNoTrail() {
        let world = World(EffectTable.delivered)
        #expect(world.mail("e@ext.example").verdict.trail.isEmpty)
        #expect(world.rcpt("a@in.example", from: "e@ext.example").trail.isEmpty)
        #expect(ContentPolicy.decide(.init(size: 1), in: world.session, settings: .init()).trail.isEmpty)
    }

    @Test func explainTellsTheStepsOfAcceptedMailToo() {
        let world = World(EffectTable.delivered)
        let address = World.address("a@in.example")
        let simulation = Simulation(
            sender: .init(path: World.path("e@ext.example")),
            recipient: .init(address: address, directory: world.directory(address)), in: world.session,
            rules: world.rules,
            settings: world.settings)
        #expect(simulation.moment == "RCPT")
        #expect(simulation.verdict.isAccepted)
        #expect(
            simulation.verdict.trail.map(\.check) == [
                "session.client", "relay.rule", "recipient.class", "relay.matrix",
            ])
    }

    @Test func simulationAgreesWithTheSession() {
        for vector in RelayVectorTests.vectors {
            var world = World(vector.effect, client: vector.client, login: vector.login)
            world.settings.securityLevel = vector.level
            let path = World.path(vector.from)
            let to = World.address(vector.to)
            let simulation = Simulation(
                sender: .init(path: path, directory: path.address.map(world.directory) ?? .external),
                recipient: .init(address: to, directory: world.directory(to)), in: world.session, rules: world.rules,
                settings: world.settings)
            #expect(simulation.verdict.reason == vector.reason, "\(vector.number)")
        }
    }

    @Test func referenceStandsAtTheEndOfRefusalsOnly() {
        let reference = DecisionReference("7K2Q-93HD")
        let refusal = Verdict(.relayDenied).reply(reference: reference)
        #expect(refusal.text == "550 5.7.1 relaying denied (ref 7K2Q-93HD)")
        #expect(Verdict(.mailboxFull).reply(reference: reference).text == "452 4.2.2 mailbox is full (ref 7K2Q-93HD)")
        #expect(Verdict(.recipientAccepted).reply(reference: reference).text == "250 2.1.5 recipient OK")
        #expect(Reason.queued.reply(reference: reference, detail: "X").text == "250 2.0.0 queued: X")
    }

    /// Accepting must cost next to nothing beside a message's way to the disk (about 100 µs).
    @Test(.timeLimit(.minutes(1))) func acceptedVerdictsAreCheap() {
        let world = World(EffectTable.delivered)
        let clock = ContinuousClock()
        let rounds = 2000
        let time = clock.measure {
            for _ in 0..<rounds { _ = world.rcpt("a@in.example", from: "e@ext.example") }
        }
        // Debug build, MAIL and RCPT together; a wide margin for busy machines.
        #expect(time < .microseconds(rounds * 500))
    }
}
