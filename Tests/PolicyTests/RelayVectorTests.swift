import MailModel
import Tables
import Testing

@testable import Policy

struct RelayVector: Sendable, CustomTestStringConvertible {
    let number: Int
    let effect: String
    let client: String
    let from: String
    let to: String
    let login: String?
    let reason: Reason
    let level: SecurityLevel
    var testDescription: String { "\(number): \(effect) | \(client) | \(from) → \(to)" }

    init(
        _ number: Int, _ effect: String, _ client: String, _ from: String, _ to: String, login: String? = nil,
        level: SecurityLevel = .open, _ reason: Reason
    ) {
        self.number = number
        self.effect = effect
        self.client = client
        self.from = from
        self.to = to
        self.login = login
        self.reason = reason
        self.level = level
    }
}

/// Spec file 06, part 6. R-RELAY-04: names are compared with the envelope sender only; R-RELAY-12: 9, 10; R-RELAY-13: 11,
/// 12; R-RELAY-14: 14, 15, 56, 57; R-RELAY-15: 13; R-RELAY-16: 16 to 18; R-RELAY-54: 58, 59; R-RCV-20, R-RCV-21.
@Suite("relay rules: the spec's vectors")
struct RelayVectorTests {
    static let any = "203.0.113.9"
    static let vectors: [RelayVector] = [
        .init(1, "", any, "a@in.example", "f@ext.example", .recipientAccepted),
        .init(2, "", any, "x@in.example", "a@in.example", .relayDenied),
        .init(3, "", any, "e@ext.example", "a@in.example", .recipientAccepted),
        .init(4, "", any, "e@ext.example", "x@in.example", .unknownRecipient),
        .init(5, "", any, "e@ext.example", "f@ext.example", .relayDenied),
        .init(6, "192.168.0.*", "192.168.0.9", "e@ext.example", "f@ext.example", .recipientAccepted),
        .init(7, "192.168.0.*", "192.168.0.9", "x@in.example", "a@in.example", .recipientAccepted),
        .init(8, "192.168.0.*", "192.168.1.9", "e@ext.example", "f@ext.example", .relayDenied),
        .init(9, "192.168.0.* false", "192.168.0.9", "e@ext.example", "a@in.example", .senderRefusedByRule),
        .init(
            10, "192.168.0.* false", "192.168.0.9", "a@in.example", "a@in.example", login: "a@in.example",
            .senderRefusedByRule),
        .init(11, "192.168.0.* norelay", "192.168.0.9", "a@in.example", "f@ext.example", .relayDenied),
        .init(
            12, "192.168.0.* norelay", "192.168.0.9", "a@in.example", "f@ext.example", login: "a@in.example",
            .recipientAccepted),
        .init(
            13, "192.168.0.* norelay,0", "192.168.0.9", "a@in.example", "f@ext.example", login: "a@in.example",
            .relayDenied),
        .init(
            14, "192.168.0.* norelay,2", "192.168.0.9", "e@ext.example", "a@in.example", level: .authOnly,
            .recipientAccepted),
        .init(15, "192.168.0.* norelay,2", "192.168.0.9", "e@ext.example", "f@ext.example", .relayDenied),
        .init(16, "192.168.0.* only", "192.168.0.9", "e@ext.example", "f@ext.example", .recipientAccepted),
        .init(17, "192.168.0.* only", "10.0.0.1", "a@in.example", "a@in.example", .relayDenied),
        .init(18, "192.168.0.* only", "10.0.0.1", "e@ext.example", "a@in.example", .recipientAccepted),
        .init(
            19, "192.168.1.0/28 default\n0.0.0.0 only", "192.168.1.15", "a@in.example", "f@ext.example",
            .recipientAccepted),
        .init(
            20, "192.168.1.0/28 default\n0.0.0.0 only", "192.168.1.16", "a@in.example", "f@ext.example", .relayDenied),
        .init(
            21, "192.168.1.0/28 default\n0.0.0.0 only", "192.168.1.16", "e@ext.example", "a@in.example",
            .recipientAccepted),
        .init(
            22, "192.168.1.0/28 default\n*.*.*.* norelay", "192.168.1.16", "a@in.example", "a@in.example",
            .recipientAccepted),
        .init(
            23, "192.168.1.0/28 default\n*.*.*.* norelay", "192.168.1.16", "a@in.example", "f@ext.example", .relayDenied
        ),
        .init(24, "192.168.0.* only\n10.*.*.*", "10.0.0.1", "e@ext.example", "f@ext.example", .relayDenied),
        .init(25, "ext.example", any, "e@ext.example", "f@ext.example", .recipientAccepted),
        .init(26, "ext.example false", any, "e@ext.example", "a@in.example", .senderRefusedByRule),
        .init(27, "e@ext.example only", any, "e@ext.example", "f@ext.example", .recipientAccepted),
        .init(28, "e@ext.example only", any, "a@in.example", "f@ext.example", .relayDenied),
        .init(29, "#<> false", any, "<>", "a@in.example", .senderRefusedByRule),
        .init(30, "#number false", any, "u@[192.0.2.1]", "a@in.example", .senderRefusedByRule),
        .init(31, "#nodomain false", any, "taro", "a@in.example", .senderRefusedByRule),
        .init(32, "#host false", any, "u@mailpc", "a@in.example", .senderRefusedByRule),
        // The faulty line is ignored: matrix I takes mail for a local account.
        .init(33, "192.168.0.*\tfalse", "192.168.0.9", "e@ext.example", "a@in.example", .recipientAccepted),
        // R-RELAY-51, R-RELAY-52, R-RELAY-53, R-RELAY-56.
        .init(51, "", any, "e@ext.example", "f@ext.example", login: "a@in.example", .recipientAccepted),
        .init(
            52, "*.*.*.* norelay", any, "x@in.example", "f@ext.example", login: "a@in.example", .relayDenied),
        .init(
            53, "192.168.0.* only", "10.0.0.1", "e@ext.example", "f@ext.example", login: "a@in.example", .relayDenied),
        .init(
            54, "*.*.*.* norelay", any, "e@ext.example", "f@ext.example", login: "a@in.example", .recipientAccepted),
        .init(55, "*.*.*.* norelay,1", any, "a@in.example", "f@ext.example", login: "a@in.example", .recipientAccepted),
        // norelay,2 must never open relaying: with auth_only an unauthenticated session gets to local accounts only.
        .init(
            56, "*.*.*.* norelay,2", any, "a@in.example", "f@ext.example", level: .authOnly, .relayDenied),
        .init(
            57, "*.*.*.* norelay,2", any, "a@in.example", "f@ext.example", login: "a@in.example", level: .authOnly,
            .recipientAccepted),
        .init(58, "*.*.*.* norelay", any, "e@ext.example", "a@in.example", level: .authOnly, .authenticationRequired),
        // A-57: not even `true` lifts the security level.
        .init(59, "*.*.*.* true", any, "e@ext.example", "a@in.example", level: .authOnly, .authenticationRequired),
        // R-RELAY-32.
        .init(60, "", any, "<>", "a@in.example", .recipientAccepted),
        .init(61, "", any, "<>", "f@ext.example", .relayDenied),
        .init(62, "", any, "", "f@ext.example", .relayDenied),
        // R-RCV-22, R-ALIAS-15: aliases and lists are internal with account, as recipient and as sender.
        .init(63, "", any, "e@ext.example", "info@in.example", .recipientAccepted),
        .init(64, "", any, "e@ext.example", "list@in.example", .recipientAccepted),
        .init(65, "", any, "info@in.example", "f@ext.example", .recipientAccepted),
        // Letter case is ignored.
        .init(66, "EXT.example FALSE", any, "E@Ext.Example", "a@in.example", .senderRefusedByRule),
        .init(67, "", any, "A@IN.example", "f@ext.example", .recipientAccepted),
    ]

    @Test("vector", arguments: vectors)
    func vector(_ vector: RelayVector) {
        var world = World(vector.effect, client: vector.client, login: vector.login)
        world.settings.securityLevel = vector.level
        let verdict = world.rcpt(vector.to, from: vector.from)
        #expect(verdict.reason == vector.reason)
        #expect(verdict == world.rcpt(vector.to, from: vector.from), "the same facts, the same verdict")
        if !verdict.isAccepted {
            #expect(verdict.trail.filter(\.decided).count == 1)
            #expect(verdict.trail.last?.decided == true)
            #expect(verdict.trail.last?.source != nil)
        }
    }

    @Test func aRefusalNamesTheDecidingLine() {
        let verdict = World(EffectTable.delivered).rcpt("f@ext.example", from: "e@ext.example")
        #expect(verdict.trail.last?.source == .table(file: "effect.dat", line: 5))
        #expect(verdict.remedy == "authenticate before MAIL")
    }
}

/// Spec file 06, part 3, cell by cell.
@Suite("relay matrices")
struct RelayMatrixTests {
    @Test(
        "as printed",
        arguments: [
            (RelayMatrix.one, "+-+ --- +--"), (.two, "+-+ +-+ +-+"), (.three, "--- --- ---"), (.four, "+-a --- +-a"),
            (.five, "+-+ --- +-+"), (.fiveOthers, "--- --- +--"),
        ])
    func asPrinted(_ matrix: RelayMatrix, _ printed: String) {
        let text = AddressClass.allCases.map { from in
            AddressClass.allCases.map { to in
                switch matrix.cell(from: from, to: to) {
                case .allowed: "+"
                case .denied: "-"
                case .authenticated: "a"
                }
            }.joined()
        }.joined(separator: " ")
        #expect(text == printed)
    }

    @Test(
        "the screen's view",
        arguments: [
            ("", "203.0.113.1", "I", "+-+ --- +--", "+-+ --- +--"),
            (EffectTable.delivered, "203.0.113.1", "IV", "+-- --- +--", "+-+ --- +-+"),
            (EffectTable.delivered, "127.0.0.1", "I", "+-+ --- +--", "+-+ --- +--"),
            ("*.*.*.* norelay,0", "203.0.113.1", "IV", "+-- --- +--", "+-- --- +--"),
            ("10.*.*.* only", "203.0.113.1", "V-others", "--- --- +--", "--- --- +--"),
            ("10.*.*.* only", "10.0.0.1", "V", "+-+ --- +-+", "+-+ --- +-+"),
        ])
    func view(_ effect: String, _ client: String, _ matrix: String, _ plain: String, _ authenticated: String) {
        let view = RelayView(client: World.ip(client), table: EffectTable.read(effect).value)
        #expect(view.selection.matrix.rawValue == matrix)
        func text(_ cells: (RelayView.Cell) -> Bool) -> String {
            stride(from: 0, to: 9, by: 3).map { start in
                view.cells[start..<start + 3].map { cells($0) ? "+" : "-" }.joined()
            }.joined(separator: " ")
        }
        #expect(text { $0.allowed } == plain)
        #expect(text { $0.allowedWithAuthentication } == authenticated)
        #expect(view.cells.allSatisfy { $0.allowed == !$0.reason.isRefusal })
    }

    @Test(
        "everybody else",
        arguments: [
            ("", "I", nil, RelayView.Exposure.forgedSenders), (EffectTable.delivered, "IV", 5, .none),
            ("203.0.113.0/24\n*.*.*.* norelay,0", "IV", 2, .none), ("10.*.*.* only", "V-others", 1, .none),
            ("*.*.*.*", "II", 1, .everybody), ("0.0.0.0/0 only", "V", 1, .everybody),
            ("::/0", "I", nil, .forgedSenders), ("0.0.0.0/0 false", "III", 1, .none),
        ] as [(String, String, Int?, RelayView.Exposure)])
    func everybodyElse(_ effect: String, _ matrix: String, _ line: Int?, _ exposure: RelayView.Exposure) {
        let table = EffectTable.read(effect).value
        let view = RelayView(.everybodyElse(isIPv6: false), table: table)
        #expect(view.selection.matrix.rawValue == matrix)
        #expect(view.cells.allSatisfy { $0.line == line })
        #expect(view.exposure == exposure)
    }

    @Test func everybodyElseOnIPv6() {
        let table = EffectTable.read("2001:db8::/32 true\n*.*.*.* norelay\n::/0 false\n").value
        #expect(RelayView(.everybodyElse(isIPv6: true), table: table).selection.rule?.line == 3)
        #expect(RelayView(.everybodyElse(isIPv6: false), table: table).selection.rule?.line == 2)
    }

    @Test func exceptionsStandInTheRowsThatTheyConcern() {
        let table = EffectTable.read("#<> default\nIN.example false\nabc.example true\n*.in.example true\n").value
        let view = RelayView(
            .everybodyElse(isIPv6: false), table: table, operatedDomains: ["in.Example", "sub.in.example"])
        func lines(_ from: AddressClass) -> [Int] {
            view.cell(from: from, to: .external)?.exceptions.map(\.line) ?? []
        }
        #expect(lines(.internalKnown) == [2, 4])
        #expect(lines(.internalUnknown) == [2, 4])
        #expect(lines(.external) == [1, 3, 4])
    }

    @Test func theViewNamesSenderRulesInFront() {
        let table = EffectTable.read("#<> default\nabc.example false\n*.*.*.* norelay\ndef.example false\n").value
        let view = RelayView(client: World.ip("203.0.113.1"), table: table)
        #expect(view.senderRules.map(\.line) == [1, 2])
        #expect(view.selection.rule?.line == 3)
    }
}

/// failure-classes: open relay tricks. With the delivered effect.dat none of them leaves the house.
@Suite("open relay tricks")
struct OpenRelayTests {
    static let tricks = [
        "f@ext.example", "f%ext.example@in.example", "f%ext.example@[203.0.113.1]", "ext.example!f@in.example",
        "ext.example!f", "f@ext.example@in.example", "\"f@ext.example\"@in.example", "f@[198.51.100.1]",
        "f@[in.example]",
        "f@ext.example.", "f@in.example.", "f＠ext.example@in.example", "IMCEASMTP-f+40ext+2Eexample@in.example",
        "@in.example:f@ext.example", "f@ext.example%in.example", "f", "f%ext.example", "f@", "a@sub.in.example",
        "a@in.example.ext.example", "a@xin.example", "f@ext.example\u{0}@in.example",
    ]
    static let senders = [
        "e@ext.example", "<>", "a@in.example", "A@IN.EXAMPLE", "postmaster@in.example", "a@[127.0.0.1]", "a@localhost",
        "root",
    ]

    @Test("never relayed", arguments: tricks, senders)
    func neverRelayed(_ recipient: String, _ sender: String) {
        let world = World(EffectTable.delivered)
        let verdict = world.rcpt(recipient, from: sender, utf8: true)
        #expect(verdict.reason == .relayDenied || verdict.reason == .unknownRecipient)
        #expect(verdict.reason.reply.code == 550)
    }

    @Test(
        "onward relaying is called by its name",
        arguments: ["f%ext.example@in.example", "ext.example!f@in.example", "f@ext.example@in.example"])
    func calledByName(_ recipient: String) {
        #expect(World(EffectTable.delivered).rcpt(recipient, from: "e@ext.example").reason == .relayDenied)
    }

    @Test func theLocalMachineMayNotRelayForStrangersEither() {
        let world = World(EffectTable.delivered, client: "127.0.0.1")
        #expect(world.rcpt("f@ext.example", from: "e@ext.example").reason == .relayDenied)
        #expect(world.rcpt("f@ext.example", from: "a@in.example").reason == .recipientAccepted)
    }

    @Test func mailForAccountsComesInFromEverywhere() {
        for client in ["203.0.113.9", "2001:db8::9", "127.0.0.1", "::1"] {
            let world = World(EffectTable.delivered, client: client)
            #expect(world.rcpt("a@in.example", from: "e@ext.example").isAccepted)
            #expect(world.rcpt("A@IN.EXAMPLE", from: "<>").isAccepted)
            #expect(world.rcpt("x@in.example", from: "<>").reason == .unknownRecipient)
            #expect(world.mail("").verdict.reason == .senderRefusedByRule)
        }
    }
}
