import MailModel
import Tables
import Testing

@testable import Policy

/// Spec file 06, part 3 (R-RELAY-31, R-RELAY-41, R-RELAY-42, R-RELAY-43, R-RELAY-44, R-RELAY-45): the five matrices
/// through the decision functions, cell by cell, from inside and outside addresses, with and without authentication. Rows
/// Int+, Int−, Ext; columns Int+, Int−, Ext.
@Suite("relay matrices, decided") struct MatrixDecisionTests {
    struct Matrix: Sendable, CustomTestStringConvertible {
        let effect: String
        let client: String
        /// `+` let in, `-` refused; without and with authentication by an account, sender trust `auth_id`.
        let plain: String
        let authenticated: String
        var testDescription: String { "\(effect.debugDescription) \(client)" }

        init(_ effect: String, _ client: String, _ plain: String, _ authenticated: String) {
            self.effect = effect
            self.client = client
            self.plain = plain
            self.authenticated = authenticated
        }
    }
    private static let inside = "192.168.0.9"
    private static let outside = "203.0.113.9"
    private static let six = "2001:db8::9"
    /// Matrix I; R-RELAY-51: authenticated sessions stand in row Int+ of matrices I and II.
    private static let one = ("+-+ --- +--", "+-+ +-+ +-+")

    static let matrices: [Matrix] = [
        .init("", outside, one.0, one.1), .init("192.168.0.* default", inside, one.0, one.1),
        .init("192.168.0.* default", outside, one.0, one.1), .init("2001:db8::/32 default", six, one.0, one.1),
        .init("192.168.0.*", inside, "+-+ +-+ +-+", "+-+ +-+ +-+"),
        .init("192.168.0.* true", inside, "+-+ +-+ +-+", "+-+ +-+ +-+"), .init("192.168.0.*", outside, one.0, one.1),
        .init("2001:db8::/32", six, "+-+ +-+ +-+", "+-+ +-+ +-+"), .init("2001:db8::/32", inside, one.0, one.1),
        .init("192.168.0.* false", inside, "--- --- ---", "--- --- ---"),
        .init("192.168.0.* false", outside, one.0, one.1),
        .init("2001:db8::9 false", six, "--- --- ---", "--- --- ---"),
        .init("192.168.0.* norelay", inside, "+-- --- +--", "+-+ --- +-+"),
        .init("192.168.0.* norelay", outside, one.0, one.1),
        .init("192.168.0.* norelay,1", inside, "+-- --- +--", "+-+ --- +-+"),
        .init("192.168.0.* norelay,0", inside, "+-- --- +--", "+-- --- +--"),
        .init("192.168.0.* norelay,2", inside, "+-- --- +--", "+-+ --- +-+"),
        .init("192.168.0.* only", inside, "+-+ --- +-+", "+-+ --- +-+"),
        .init("192.168.0.* only", outside, "--- --- +--", "--- --- +--"),
        .init("2001:db8::/32 only", six, "+-+ --- +-+", "+-+ --- +-+"),
        .init("2001:db8::/32 only", inside, "--- --- +--", "--- --- +--"),
    ]

    @Test("cell by cell", arguments: matrices)
    func cells(_ matrix: Matrix) {
        let senders = ["a@in.example", "x@in.example", "e@ext.example"]
        let recipients = ["b@in.example", "y@in.example", "f@ext.example"]
        for (login, expected) in [(nil, matrix.plain), ("a@in.example", matrix.authenticated)] {
            let world = World(matrix.effect, client: matrix.client, login: login)
            let found = senders.map { sender in
                recipients.map { world.rcpt($0, from: sender).isAccepted ? "+" : "-" }.joined()
            }.joined(separator: " ")
            #expect(found == expected, "\(login ?? "not authenticated")")
        }
    }

    /// With the delivered sender trust an authenticated session sends as itself: row Int+ alone is left.
    @Test("cell by cell, ID = envelope", arguments: matrices)
    func strictTrust(_ matrix: Matrix) {
        var world = World(matrix.effect, client: matrix.client, login: "a@in.example")
        world.settings.senderTrust = .authIDEnvelope
        let found = ["b@in.example", "y@in.example", "f@ext.example"].map {
            world.rcpt($0, from: "a@in.example").isAccepted ? "+" : "-"
        }.joined()
        #expect(found == matrix.authenticated.prefix(3))
        #expect(!world.rcpt("b@in.example", from: "e@ext.example").isAccepted)
    }

    /// Aliases and lists are addresses "with account" on both sides (R-RCV-22).
    @Test("aliases and lists are internal", arguments: matrices)
    func aliasesAndLists(_ matrix: Matrix) {
        let world = World(matrix.effect, client: matrix.client)
        func answers(_ from: String, _ to: [String]) -> [Bool] { to.map { world.rcpt($0, from: from).isAccepted } }
        let toAccount = answers("e@ext.example", ["b@in.example"])
        #expect(answers("e@ext.example", ["info@in.example"]) == toAccount)
        #expect(answers("e@ext.example", ["list@in.example"]) == toAccount)
        let out = ["f@ext.example", "b@in.example"]
        #expect(answers("info@in.example", out) == answers("a@in.example", out))
        #expect(answers("list@in.example", out) == answers("a@in.example", out))
    }
}

/// Spec file 06, part 5: the manual's examples do what they are for.
@Suite("effect.dat: the manual's examples") struct EffectExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let effect: String
        /// `client sender recipient answer`, the answer `+` or `-`.
        let cases: [String]
        var testDescription: String { name }

        init(_ name: String, _ effect: String, _ cases: String...) {
            self.name = name
            self.effect = effect
            self.cases = cases
        }
    }

    static let examples: [Example] = [
        .init(
            "I-a", "10.*.*.*", "10.255.0.1 e@ext.example f@ext.example +", "11.0.0.1 e@ext.example f@ext.example -"),
        .init(
            "I-b", "192.168.*.*", "192.168.255.255 e@ext.example f@ext.example +",
            "192.169.0.0 e@ext.example f@ext.example -"),
        .init(
            "I-c", "192.168.1.*", "192.168.1.0 e@ext.example f@ext.example +",
            "192.168.2.1 e@ext.example f@ext.example -"),
        .init(
            "I-d", "192.168.1.0/28", "192.168.1.0 e@ext.example f@ext.example +",
            "192.168.1.15 e@ext.example f@ext.example +", "192.168.1.16 e@ext.example f@ext.example -"),
        .init(
            "I-e", "192.168.1.0/28 false", "192.168.1.15 e@ext.example a@in.example -",
            "192.168.1.16 e@ext.example a@in.example +"),
        .init(
            "I-f", "192.168.1.0/28 default\n0.0.0.0 only", "192.168.1.15 a@in.example f@ext.example +",
            "192.168.1.15 e@ext.example f@ext.example -", "192.168.1.16 a@in.example f@ext.example -",
            "192.168.1.16 a@in.example b@in.example -", "192.168.1.16 e@ext.example a@in.example +"),
        .init(
            "I-g", "192.168.1.0/28 default\n*.*.*.* norelay", "192.168.1.15 a@in.example f@ext.example +",
            "192.168.1.16 a@in.example f@ext.example -", "192.168.1.16 a@in.example b@in.example +",
            "192.168.1.16 e@ext.example a@in.example +"),
        .init(
            "II-a", "abc.co.jp", "9.9.9.9 taro@abc.co.jp f@ext.example +", "9.9.9.9 taro@ABC.CO.JP f@ext.example +",
            "9.9.9.9 taro@sub.abc.co.jp f@ext.example -", "9.9.9.9 taro@xabc.co.jp f@ext.example -"),
        .init(
            "II-b", "abc.co.jp false", "9.9.9.9 taro@abc.co.jp a@in.example -",
            "9.9.9.9 taro@sub.abc.co.jp a@in.example +"),
        .init(
            "II-c", "abc@abc.co.jp", "9.9.9.9 abc@abc.co.jp f@ext.example +", "9.9.9.9 ABC@abc.co.jp f@ext.example +",
            "9.9.9.9 xabc@abc.co.jp f@ext.example -"),
        .init(
            "II-d", "abc@abc.co.jp false", "9.9.9.9 abc@abc.co.jp a@in.example -",
            "9.9.9.9 abd@abc.co.jp a@in.example +"),
        .init(
            "II-e", "abc@abc.co.jp only", "9.9.9.9 abc@abc.co.jp f@ext.example +",
            "9.9.9.9 a@in.example f@ext.example -",
            "9.9.9.9 e@ext.example a@in.example +"),
        .init("II-f", "#blank false", "9.9.9.9 <none> a@in.example -", "9.9.9.9 <> a@in.example +"),
        .init("II-g", "#<> false", "9.9.9.9 <> a@in.example -", "9.9.9.9 <none> a@in.example +"),
        .init(
            "II-h", "#number false", "9.9.9.9 u@[192.0.2.1] a@in.example -", "9.9.9.9 u@192.0.2.1 a@in.example -",
            "9.9.9.9 u@[IPv6:2001:db8::1] a@in.example -", "9.9.9.9 u@999.0.2.1 a@in.example -",
            "9.9.9.9 u@1.2.3 a@in.example +", "9.9.9.9 u@ext.example a@in.example +"),
        .init(
            "II-i", "#nodomain false", "9.9.9.9 taro a@in.example -", "9.9.9.9 taro@ext.example a@in.example +",
            "9.9.9.9 <> a@in.example +"),
        .init(
            "II-j", "#host false", "9.9.9.9 u@mailpc a@in.example -", "9.9.9.9 u@mail.pc a@in.example +",
            "9.9.9.9 u@[1.2.3.4] a@in.example +", "9.9.9.9 taro a@in.example +"),
        .init(
            "as delivered by the vendor (R-RELAY-61)", "#<> default\n#blank false", "9.9.9.9 <> a@in.example +",
            "9.9.9.9 <> f@ext.example -", "9.9.9.9 <none> a@in.example -"),
        .init(
            "first match over both kinds (A-28)", "ext.example default\n9.9.9.* false\next.example true",
            "9.9.9.9 e@ext.example a@in.example +", "9.9.9.9 e@ext.example f@far.example -",
            "9.9.9.9 e@far.example a@in.example -"),
        .init(
            "sub-domains by *", "*.abc.co.jp false", "9.9.9.9 t@x.abc.co.jp a@in.example -",
            "9.9.9.9 t@abc.co.jp a@in.example +"),
        .init(
            "IPv6 (A-62)", "2001:db8:1::/48\n2001:db8::1 false\n::/0 norelay",
            "2001:db8:1:ffff::1 e@ext.example f@ext.example +",
            "2001:db8:2::1 a@in.example f@ext.example -", "2001:db8::1 e@ext.example a@in.example -",
            "::ffff:9.9.9.9 a@in.example f@ext.example +", "9.9.9.9 a@in.example f@ext.example +"),
        .init(
            "comments are apostrophes, # is none (R-RELAY-08)",
            "' 9.9.9.9 false\n\n  \n#9.9.9.9 false\n9.9.9.9   norelay  ",
            "9.9.9.9 a@in.example f@ext.example -"),
    ]

    @Test("does what it is for", arguments: examples)
    func example(_ example: Example) {
        for text in example.cases {
            let words = text.split(separator: " ").map { String($0) }
            guard words.count == 4 else {
                Issue.record("test data: \(text)")
                continue
            }
            let world = World(example.effect, client: words[0])
            let verdict = world.rcpt(words[2], from: words[1] == "<none>" ? "" : words[1])
            #expect(verdict.isAccepted == (words[3] == "+"), "\(text): \(verdict.reason)")
        }
    }

    /// R-RELAY-55 and its kin: what opens this server is said where it stands.
    @Test(
        "lines that open a relay warn",
        arguments: [
            ("abc.co.jp", "sender-relay"), ("abc@abc.co.jp", "sender-relay"), ("*.abc.co.jp true", "sender-relay"),
            ("#<> true", "sender-relay"), ("#host", "sender-relay"), ("abc@abc.co.jp only", "sender-relay"),
            ("*.*.*.*", "open-relay"), ("0.0.0.0/0 true", "open-relay"), ("::/0", "open-relay"),
            ("*.*.*.* only", "open-relay"), ("::/0 only", "open-relay"), ("0.0.0.0/1", "wide-relay"),
            ("*.*.*.1 true", "wide-relay"), ("2000::/3 true", "wide-relay"), ("64.0.0.0/2 only", "wide-relay"),
        ])
    func warnings(_ line: String, _ code: String) {
        let reading = EffectTable.read("#blank false\n\(line)\n")
        #expect(reading.problems.contains { $0.code == "table.effect.\(code)" && $0.line == 2 && $0.isWarning })
        #expect(!reading.hasFaults)
    }

    @Test(
        "lines that open none do not",
        arguments: [
            "*.*.*.* norelay", "10.*.*.*", "192.168.*.* true", "abc.co.jp false", "0.0.0.0 only", "*.*.*.* false",
            "2001:db8::/32", "127.*.*.* only", "172.16.0.0/12", "*.*.*.* default",
        ])
    func noWarnings(_ line: String) { #expect(EffectTable.read(line).problems.isEmpty) }

    @Test(
        "faults name their line and leave no rule",
        arguments: [
            "192.168.0.*\tfalse", "10.*.*.* maybe", "10.* false", "300.1.1.1", "10.0.0.0/33", "fe80::/129", "a@b@c",
            "#nothing", "10.0.0.1 true true", "10.0.0.1　true", "01.2.3.4", "10.0.0.*/8", "@abc.co.jp", "abc..jp",
            "a*@abc.co.jp", "10.0.0.1 norelay,3", "10.0.0.1 true,",
        ])
    func faults(_ line: String) {
        let reading = EffectTable.read("#blank false\n\(line)\n10.0.0.1\n")
        #expect(reading.hasFaults)
        #expect(reading.problems.filter { !$0.isWarning }.map(\.line) == [2])
        #expect(reading.value.rules.map(\.line) == [1, 3])
        #expect(reading.value.text == "#blank false\n\(line)\n10.0.0.1\n")
    }
}

/// R-RELAY-62: entries that the mail filter makes.
@Suite("effect.dat: automatic entries") struct AutomaticEntryTests {
    private func inserting(_ client: String, into text: String, own: [String] = []) -> String {
        EffectTable.read(text).value.inserting(
            client: World.ip(client), action: .refuse, own: own.map(World.ip)
        ).text
    }

    @Test(
        "in front of the first IP pattern",
        arguments: [
            ("#<> default\n#blank false\n10.*.*.*\n", "#<> default\n#blank false\n9.9.9.9 false\n10.*.*.*\n"),
            ("", "9.9.9.9 false\n"), ("abc.co.jp\n", "abc.co.jp\n9.9.9.9 false\n"),
            ("a@b.example only\n", "9.9.9.9 false\na@b.example only\n"),
            ("' note\n10.*.*.*\n", "' note\n9.9.9.9 false\n10.*.*.*\n"),
            ("faulty\tline\n*.*.*.* norelay\n", "faulty\tline\n9.9.9.9 false\n*.*.*.* norelay\n"),
            ("::/0 norelay\n", "9.9.9.9 false\n::/0 norelay\n"),
        ])
    func position(_ before: String, _ after: String) {
        #expect(inserting("9.9.9.9", into: before) == after)
        #expect(inserting("9.9.9.9", into: after) == after, "not repeated")
    }

    @Test(
        "never loopback, never an own address",
        arguments: ["127.0.0.1", "127.5.5.5", "::1", "192.0.2.25", "2001:db8::25", "::ffff:192.0.2.25"])
    func neverOurselves(_ client: String) {
        let text = "*.*.*.* norelay\n"
        #expect(inserting(client, into: text, own: ["192.0.2.25", "2001:db8::25"]) == text)
    }

    @Test func theEntryDecides() {
        let text = inserting("2001:db8::9", into: EffectTable.delivered)
        var world = World(text, client: "2001:db8::9")
        #expect(world.mail("e@ext.example").verdict.reason == .senderRefusedByRule)
        world.client = "2001:db8::a"
        #expect(world.mail("e@ext.example").verdict.isAccepted)
    }
}
