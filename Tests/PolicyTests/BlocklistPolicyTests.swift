import MailModel
import Tables
import Testing

@testable import Policy

/// R-RCV-11, R-RCV-12.
@Suite("block lists: decisions") struct BlocklistPolicyTests {
    @Test(
        "what the records mean",
        arguments: [
            (["127.0.0.2"], "listed 127.0.0.2"), ([], "not"), (["203.0.113.1"], "not"),
            (["127.255.255.254"], "failed"), (["203.0.113.1", "127.0.0.10"], "listed 127.0.0.10"),
            (["127.255.255.255", "127.0.0.3"], "listed 127.0.0.3"),
        ])
    func meaning(_ records: [String], _ expected: String) {
        let text =
            switch BlocklistPolicy.meaning(of: records.map(World.ip)) {
            case .listed(let code): "listed \(code)"
            case .notListed: "not"
            case .failed: "failed"
            }
        #expect(text == expected)
    }

    private func world(_ effect: String = "", client: String = "203.0.113.9", login: String? = nil) -> World {
        var world = World(effect, client: client, login: login)
        world.settings.dnsblZones = ["one.test", "two.test"]
        world.settings.dnsblExempt = ["198.51.100.0/24", "2001:db8:1::/48"].compactMap { IPPattern($0) }
        return world
    }

    @Test(
        "who is asked about",
        arguments: [
            ("203.0.113.9", "", nil, true), ("127.0.0.1", "", nil, false), ("::1", "", nil, false),
            // The lists' own test entry (RFC 5782 §5).
            ("127.0.0.2", "", nil, true), ("198.51.100.7", "", nil, false), ("2001:db8:1::5", "", nil, false),
            ("2001:db8:2::5", "", nil, true), ("203.0.113.9", "", "a@in.example", false),
            ("203.0.113.9", "203.0.113.* true", nil, false), ("203.0.113.9", "203.0.113.* norelay", nil, true),
            ("203.0.113.9", "203.0.113.* default", nil, true),
            // Anybody can write a sender: that gets nobody past the lists.
            ("203.0.113.9", "ext.example true", nil, true),
            ("203.0.113.9", "*.*.*.* false", nil, false),
        ] as [(String, String, String?, Bool)])
    func asked(_ client: String, _ effect: String, _ login: String?, _ isAsked: Bool) {
        let world = world(effect, client: client, login: login)
        let zones = SenderPolicy.blocklists(
            for: World.path("e@ext.example"), in: world.session, rules: world.rules, settings: world.settings)
        #expect(zones == (isAsked ? ["one.test", "two.test"] : []))
    }

    @Test func theReplyNamesTheZoneAndTheRecordWhatToDo() {
        let world = world()
        let facts = SenderFacts(
            path: World.path("e@ext.example"),
            blocklists: [
                .init(zone: "one.test", outcome: .failed("time-out")),
                .init(zone: "two.test", outcome: .listed(World.ip("127.0.0.4")), age: 40),
            ])
        let verdict = SenderPolicy.decide(
            facts, in: world.session, rules: world.rules, settings: world.settings
        ).verdict
        #expect(verdict.reason == .clientListed)
        let reference = DecisionReference("7K2Q-93HD")
        #expect(
            verdict.reply(reference: reference).text
                == "550 5.7.1 your address is in a block list: two.test (ref 7K2Q-93HD)")
        #expect(verdict.trail.last?.finding == "two.test lists 203.0.113.9 (127.0.0.4, looked up 40 s before)")
        #expect(verdict.trail.contains { $0.finding.contains("one.test gives no answer") })
        #expect(verdict.remedy?.contains("receiver.dnsbl_exempt") == true)
        var exempt = world
        exempt.client = "198.51.100.1"
        #expect(
            SenderPolicy.decide(facts, in: exempt.session, rules: exempt.rules, settings: exempt.settings)
                .verdict.isAccepted)
    }

    @Test func theAnnouncedSizeIsJudgedBeforeTheListsAndTheRuleBehind() {
        var world = world("ext.example false")
        world.settings.maxMessageSize = 10
        let listed = [BlocklistAnswer(zone: "one.test", outcome: .listed(World.ip("127.0.0.2")))]
        func reason(_ size: Int64) -> Reason {
            SenderPolicy.decide(
                SenderFacts(path: World.path("e@ext.example"), announcedSize: size, blocklists: listed),
                in: world.session, rules: world.rules, settings: world.settings
            ).verdict.reason
        }
        #expect(reason(11) == .announcedSizeTooLarge)
        #expect(reason(10) == .clientListed)
    }
}
