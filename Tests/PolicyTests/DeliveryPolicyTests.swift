import MailModel
import Tables
import Testing

@testable import Policy

@Suite("routing")
struct RoutingTests {
    private func route(
        _ recipient: String, table: String = "", gateway: String = "", forwardsAll: Bool = false, port: Int = 25
    ) -> RouteDecision {
        let address = World.address(recipient)
        let settings = RoutingSettings(
            gateway: gateway, forwardsAll: forwardsAll, port: port, table: GatewayTable.read(table).value,
            ownNames: ["mx.in.example", "localhost"], ownAddresses: [World.ip("192.0.2.1")], ownPorts: [25, 465])
        return RoutingPolicy.route(
            RoutingFacts(recipient: address, sender: .null, directory: World().directory(address)), settings)
    }

    @Test func operatedDomain() {
        #expect(route("a@in.example").route == .localMailbox(World.address("a@in.example")))
        #expect(route("info@in.example").route == .alias(World.address("info@in.example")))
        #expect(route("list@in.example").route == .list(World.address("list@in.example")))
        #expect(route("x@in.example").route == .unknownRecipient)
        #expect(route("x@in.example").failure?.status == EnhancedCode(5, 1, 1))
        #expect(route("a@in.example", gateway: "gw.example").route == .localMailbox(World.address("a@in.example")))
    }

    /// R-SRV-22: table, gateway, MX.
    @Test func outside() {
        #expect(route("e@Ext.Example").route == .exchangers(domain: "ext.example", port: 25))
        #expect(route("e@ext.example.").route == .exchangers(domain: "ext.example", port: 25))
        #expect(route("e@ext.example", port: 2525).route == .exchangers(domain: "ext.example", port: 2525))
        #expect(
            route("e@ext.example", gateway: "192.168.0.4").route
                == .gateway(host: "192.168.0.4", port: 25, isImplicitTLS: false))
        let decision = route("e@ext.example", table: "\next.example,one.example,465*\n", gateway: "gw.example")
        #expect(decision.route == .gateway(host: "one.example", port: 465, isImplicitTLS: true))
        #expect(decision.source == .table(file: "gateway.dat", line: 2))
        #expect(decision.trail.last?.decided == true)
        #expect(
            route("e@other.example", table: "ext.example,one.example", gateway: "gw.example").route
                == .gateway(host: "gw.example", port: 25, isImplicitTLS: false))
        #expect(
            route("e@ext.example", table: "ext.example,one.example", port: 26).route
                == .gateway(host: "one.example", port: 26, isImplicitTLS: false))
    }

    /// Field notes A7: the implied last line, written out; and a login that belongs to the gateway.
    @Test func tableByDNSAndWithLogin() {
        let table = "ext.example,<dns>,2525\nin.example,<dns>\n*,gw.example|PLAIN|relay,587\n"
        #expect(route("e@ext.example", table: table).route == .exchangers(domain: "ext.example", port: 2525))
        #expect(route("e@[192.0.2.9]", table: "[*],<dns>").route == .address(World.ip("192.0.2.9"), port: 25))
        #expect(
            route("e@other.example", table: table).route
                == .gateway(
                    host: "gw.example", port: 587, isImplicitTLS: false,
                    login: GatewayLogin(method: .plain, name: "relay")))
        #expect(
            route("a@in.example", table: table, gateway: "gw.example", forwardsAll: true).route
                == .localMailbox(World.address("a@in.example")))
    }

    /// R-SRV-12, R-SRV-23; vector 15 of spec file 05.
    @Test func forwardAll() {
        #expect(
            route("a@in.example", gateway: "gw.example", forwardsAll: true).route
                == .gateway(host: "gw.example", port: 25, isImplicitTLS: false))
        #expect(
            route("a@in.example", table: "in.example,inner.example,2525", gateway: "gw.example", forwardsAll: true)
                .route
                == .gateway(host: "inner.example", port: 2525, isImplicitTLS: false))
        #expect(route("x@in.example", gateway: "gw.example", forwardsAll: true).route == .unknownRecipient)
        #expect(
            route("info@in.example", gateway: "gw.example", forwardsAll: true).route
                == .alias(World.address("info@in.example")))
        #expect(route("a@in.example", forwardsAll: true).route == .localMailbox(World.address("a@in.example")))
    }

    @Test(
        "a gateway that is this server is a loop",
        arguments: [
            ("127.0.0.1", 25, true), ("192.0.2.1", 25, true), ("MX.in.example", 25, true), ("::1", 465, true),
            ("localhost", 25, true), ("127.0.0.1", 10_025, false), ("192.0.2.2", 25, false), ("gw.example", 25, false),
        ])
    func loop(_ gateway: String, _ port: Int, _ isLoop: Bool) {
        #expect((route("e@ext.example", gateway: gateway, port: port).route == .loopToSelf) == isLoop)
        let table = "ext.example,\(gateway),\(port)"
        #expect((route("e@ext.example", table: table).route == .loopToSelf) == isLoop)
        if isLoop { #expect(route("e@ext.example", table: table).failure?.status == EnhancedCode(5, 4, 6)) }
    }

    @Test(
        "literals",
        arguments: [
            ("e@[198.51.100.1]", "198.51.100.1"), ("e@[IPv6:2001:db8::1]", "2001:db8::1"),
            ("e@[ipv6:2001:DB8::1]", "2001:db8::1"),
            ("e@[IPv6:198.51.100.1]", nil), ("e@[2001:db8::1]", nil), ("e@[ext.example]", nil), ("e@[]", nil),
            ("e@[", nil),
            ("e@", nil),
        ] as [(String, String?)])
    func literals(_ recipient: String, _ address: String?) {
        let expected: Route = address.map { .address(World.ip($0), port: 25) } ?? .unroutable
        #expect(route(recipient).route == expected)
    }

    @Test func ownLiteralIsALoop() {
        #expect(route("e@[192.0.2.1]").route == .loopToSelf)
        #expect(route("e@[127.0.0.1]").route == .loopToSelf)
    }
}

@Suite("mail exchangers")
struct ExchangerTests {
    private func decide(_ answer: ExchangerAnswer, own: Set<String> = []) -> ExchangerDecision {
        var generator = FixedGenerator(state: 3)
        return ExchangerPolicy.decide(
            answer, domain: "Ext.example", isOurselves: { own.contains($0) }, using: &generator)
    }

    private func status(_ decision: ExchangerDecision) -> EnhancedCode? {
        if case .fail(let status, _) = decision { status } else { nil }
    }

    @Test func orderOfPreference() {
        let answer = ExchangerAnswer.records([
            .init(preference: 20, host: "C.example."), .init(preference: 10, host: "b.example"),
            .init(preference: 5, host: "a.example"), .init(preference: 20, host: "b.example"),
        ])
        #expect(decide(answer) == .hosts(["a.example", "b.example", "c.example"]))
    }

    @Test func equalPreferenceIsShuffledButComplete() {
        let records = (0..<8).map { MailExchanger(preference: 10, host: "h\($0).example") }
        guard case .hosts(let hosts) = decide(.records(records)) else {
            Issue.record("hosts expected")
            return
        }
        #expect(Set(hosts) == Set(records.map(\.host)))
        #expect(hosts != records.map(\.host), "the seed of this test shuffles")
    }

    /// RFC 7505.
    @Test func nullMX() {
        #expect(status(decide(.records([.init(preference: 0, host: ".")]))) == EnhancedCode(5, 1, 10))
        #expect(status(decide(.records([.init(preference: 0, host: "")]))) == EnhancedCode(5, 1, 10))
        #expect(
            decide(.records([.init(preference: 0, host: "."), .init(preference: 9, host: "a.example")]))
                == .hosts(["a.example"]))
    }

    @Test func withoutRecordTheDomainItself() {
        #expect(decide(.records([])) == .implicit(domain: "ext.example"))
        #expect(status(decide(.records([]), own: ["ext.example"])) == EnhancedCode(5, 4, 6))
    }

    /// Vector 6 of spec file 05; failure-classes, "DNS failures".
    @Test func failures() {
        #expect(status(decide(.noSuchDomain)) == EnhancedCode(5, 1, 2))
        guard case .retry = decide(.unavailable("SERVFAIL")) else {
            Issue.record("a silent DNS must not bounce anything")
            return
        }
    }

    /// RFC 5321 §5.1.
    @Test func ourselvesAndWorseAreLeftOut() {
        let answer = ExchangerAnswer.records([
            .init(preference: 5, host: "best.example"), .init(preference: 10, host: "mx.in.example"),
            .init(preference: 10, host: "same.example"), .init(preference: 20, host: "worse.example"),
        ])
        #expect(decide(answer, own: ["mx.in.example"]) == .hosts(["best.example"]))
        #expect(status(decide(answer, own: ["best.example"])) == EnhancedCode(5, 4, 6))
    }
}

struct FixedGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}

/// Spec file 05, parts 5 and 8, in virtual time.
@Suite("retry")
struct RetryTests {
    /// Times of all attempts in seconds until it gives up or `limit` is passed.
    private func attempts(
        _ failure: FailureClass, _ settings: RetrySettings, until limit: Int = 3_000_000
    ) -> (times: [Int], gaveUp: RuleSource?) {
        var now = 0
        var times: [Int] = []
        while now <= limit {
            times.append(now)
            let facts = RetryFacts(
                failure: failure, attempts: times.count, refusals: failure == .refusal ? times.count : 0,
                firstFailure: 1_700_000_000_000, now: 1_700_000_000_000 + Int64(now) * 1000)
            switch RetryPolicy.decide(facts, settings) {
            case .retry(let wait): now += wait
            case .giveUp(let source, _): return (times, source)
            }
        }
        return (times, nil)
    }

    /// Vector 1.
    @Test func fixedInterval() {
        let (times, _) = attempts(.line, RetrySettings(interval: 120, isFixed: true), until: 400)
        #expect(times == [0, 120, 240, 360])
    }

    /// Vector 2.
    @Test func growingInterval() {
        let (times, _) = attempts(.line, RetrySettings(interval: 120), until: 1300)
        #expect(times == [0, 120, 360, 720, 1200])
    }

    /// Vector 3.
    @Test func refusals() {
        let (times, source) = attempts(.refusal, RetrySettings(maxRefusals: 9))
        #expect(times.count == 10)
        #expect(source == .setting("delivery.retry_max_refusals"))
    }

    /// Architecture, section 5: a 5yz answer is final.
    @Test func aRefusalIsFinalByDefault() {
        #expect(attempts(.refusal, RetrySettings()).times == [0])
    }

    /// Vectors 4 and 5: the first attempt due after the period is the last.
    @Test(
        "hours",
        arguments: [
            (FailureClass.line, 8, "delivery.retry_hours_line"),
            (.unreachable, 24, "delivery.retry_hours_unreachable"),
        ])
    func hours(_ failure: FailureClass, _ hours: Int, _ key: String) {
        let (times, source) = attempts(failure, RetrySettings(hoursLine: 8, hoursUnreachable: 24))
        #expect(source == .setting(key))
        #expect(times.dropLast().allSatisfy { $0 < hours * 3600 })
        #expect((hours * 3600...(hours + 1) * 3600).contains(times.last ?? 0))
    }

    @Test func defaultsGoOnForFiveDays() {
        for failure in [FailureClass.line, .unreachable] {
            let times = attempts(failure, RetrySettings()).times
            #expect((120 * 3600...121 * 3600).contains(times.last ?? 0))
            // RFC 5321 §4.5.4.1 asks for patience; the growing wait ends at an hour.
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= 3600 })
        }
    }

    @Test func waitsHaveBounds() {
        #expect(RetryPolicy.wait(beforeRetry: 29, RetrySettings(interval: 120)) == 3480)
        #expect(RetryPolicy.wait(beforeRetry: 30, RetrySettings(interval: 120)) == 3600)
        #expect(RetryPolicy.wait(beforeRetry: 31, RetrySettings(interval: 120)) == 3600)
        #expect(RetryPolicy.wait(beforeRetry: 5, RetrySettings(interval: 7200)) == 7200)
        #expect(RetryPolicy.wait(beforeRetry: .max, RetrySettings(interval: .max)) == .max)
        #expect(RetryPolicy.wait(beforeRetry: -3, RetrySettings(interval: 0)) == 1)
    }

    /// failure-classes, "clock jumps".
    @Test func aClockThatGoesBackExpiresNothing() {
        let facts = RetryFacts(failure: .line, attempts: 3, refusals: 0, firstFailure: .max, now: .min)
        #expect(RetryPolicy.decide(facts, RetrySettings()).wait == 360)
        let back = RetryFacts(failure: .line, attempts: 3, refusals: 0, firstFailure: 10, now: 5)
        #expect(RetryPolicy.decide(back, RetrySettings()).wait == 360)
    }

    @Test func absurdLimitsAreLimits() {
        let settings = RetrySettings(hoursLine: .max, hoursUnreachable: .min)
        let late = RetryFacts(failure: .line, attempts: 2, refusals: 0, firstFailure: 0, now: 1 << 40)
        #expect(RetryPolicy.decide(late, settings).wait == 240)
        let first = RetryFacts(failure: .unreachable, attempts: 1, refusals: 0, firstFailure: 5, now: 5)
        #expect(RetryPolicy.decide(first, settings).wait == nil)
    }

    @Test func theLatestFailureDecidesWhichLimitCounts() {
        let old = RetryFacts(failure: .unreachable, attempts: 50, refusals: 3, firstFailure: 0, now: 9 * 3_600_000)
        #expect(RetryPolicy.decide(old, RetrySettings(hoursLine: 8, hoursUnreachable: 24)).wait != nil)
        var line = old
        line.failure = .line
        #expect(RetryPolicy.decide(line, RetrySettings(hoursLine: 8, hoursUnreachable: 24)).wait == nil)
    }

    @Test func classOfAReply() {
        #expect(FailureClass(reply: Reply(450, nil, "x")) == .line)
        #expect(FailureClass(reply: Reply(421, nil, "x")) == .line)
        #expect(FailureClass(reply: Reply(550, nil, "x")) == .refusal)
        #expect(FailureClass(reply: Reply(250, nil, "x")) == nil)
        #expect(FailureClass(reply: Reply(354, nil, "x")) == nil)
    }
}
