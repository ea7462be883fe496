import MailModel
import Testing

@testable import Tables

struct EffectLine: Sendable, CustomTestStringConvertible {
    let line: String
    let pattern: EffectTable.Pattern?
    let action: EffectTable.Action?
    let fault: String?
    var testDescription: String { line }

    static func good(_ line: String, _ pattern: EffectTable.Pattern, _ action: EffectTable.Action) -> EffectLine {
        EffectLine(line: line, pattern: pattern, action: action, fault: nil)
    }
    static func bad(_ line: String, _ fault: String) -> EffectLine {
        EffectLine(line: line, pattern: nil, action: nil, fault: fault)
    }
}

private func client(_ text: String) -> EffectTable.Pattern {
    IPPattern(text).map { .client($0) } ?? .domain("(no pattern: \(text))")
}
private func ip(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("test data: \(text)") }
    return address
}
private func sender(_ text: String) -> ReversePath {
    switch text {
    case "<>": return .null
    case "": return .blank
    default:
        let parts = text.split(separator: "@", maxSplits: 1)
        return .address(MailAddress(localPart: String(parts[0]), domain: parts.count > 1 ? String(parts[1]) : ""))
    }
}

/// Tables 1 and 2 of spec file 06: R-RELAY-01 to R-RELAY-03, patterns R-RELAY-20, R-RELAY-21, R-RELAY-22, R-RELAY-23,
/// R-RELAY-24, R-RELAY-25, R-RELAY-26, R-RELAY-27, R-RELAY-28, R-RELAY-29, R-RELAY-30, actions R-RELAY-10, R-RELAY-11,
/// R-RELAY-12, R-RELAY-13, R-RELAY-14, R-RELAY-15, R-RELAY-16; R-RELAY-02: without an action it is `true`.
@Suite("effect.dat: lines")
struct EffectLineTests {
    static let lines: [EffectLine] = [
        .good("10.*.*.*", client("10.*.*.*"), .accept),
        .good("192.168.*.* true", client("192.168.*.*"), .accept),
        .good("192.168.1.0/28 false", client("192.168.1.0/28"), .refuse),
        .good("0.0.0.0 only", client("0.0.0.0"), .only),
        .good("*.*.*.* norelay", client("*.*.*.*"), .norelay),
        .good("2001:db8::/32 norelay,0", client("2001:db8::/32"), .norelayStrict),
        .good("::1 default", client("::1"), .standard),
        .good("::/0 norelay,2", client("::/0"), .norelayOpenReception),
        .good("1.2.3.4 norelay,1", client("1.2.3.4"), .norelayReserved),
        .good("abc.co.jp", .domain("abc.co.jp"), .accept),
        .good("ABC.co.JP FALSE", .domain("abc.co.jp"), .refuse),
        .good("*.abc.co.jp false", .subdomains(".abc.co.jp"), .refuse),
        .good("Abc@abc.co.jp only", .address(MailAddress(localPart: "abc", domain: "abc.co.jp")), .only),
        .good("mailpc false", .domain("mailpc"), .refuse),
        .good("#blank false", .token(.blank), .refuse),
        .good("#<> default", .token(.null), .standard),
        .good("#NUMBER false", .token(.number), .refuse),
        .good("#nodomain false", .token(.noDomain), .refuse),
        .good("#host false", .token(.host), .refuse),
        .good("10.0.0.1    false", client("10.0.0.1"), .refuse),
        .good("10.0.0.1 false  ", client("10.0.0.1"), .refuse),
        .bad("192.168.0.*\tfalse", "table.effect.tab"),
        .bad("192.168.0.*\u{3000}false", "table.effect.wide-blank"),
        .bad("10.0.0.1 refuse", "table.effect.action"),
        .bad("10.0.0.1 norelay, 0", "table.effect.words"),
        .bad("10.0.0.1 norelay,3", "table.effect.action"),
        .bad("300.1.1.1 false", "table.effect.pattern"),
        .bad("10.* false", "table.effect.pattern"),
        .bad("10.0.0 false", "table.effect.pattern"),
        .bad("10.0.0.1/33", "table.effect.pattern"),
        .bad("10.0.0.01 false", "table.effect.pattern"),
        .bad("10.0.*.*/16 false", "table.effect.pattern"),
        .bad("fe80::/129 false", "table.effect.pattern"),
        .bad("::ffff:10.0.0.0/104 false", "table.effect.pattern"),
        .bad("# a comment", "table.effect.words"),
        .bad("#comment", "table.effect.pattern"),
        .bad("* false", "table.effect.pattern"),
        .bad("a*c.co.jp false", "table.effect.pattern"),
        .bad("*@abc.co.jp false", "table.effect.pattern"),
        .bad("a@b@abc.co.jp false", "table.effect.pattern"),
        .bad("-abc.co.jp", "table.effect.pattern"),
    ]

    @Test("one line", arguments: lines)
    func line(_ example: EffectLine) {
        let reading = EffectTable.read(example.line + "\n")
        if let fault = example.fault {
            #expect(reading.value.rules.isEmpty)
            #expect(reading.problems.map(\.code) == [fault])
            #expect(reading.hasFaults)
        } else {
            #expect(reading.value.rules.first?.pattern == example.pattern)
            #expect(reading.value.rules.first?.action == example.action)
            #expect(reading.value.rules.first?.line == 1)
            #expect(!reading.hasFaults)
        }
        #expect(reading.value.text == example.line + "\n", "no line is lost")
    }

    /// R-RELAY-08.
    @Test func emptyLinesAndApostrophesAreLeftOut() {
        let reading = EffectTable.read("' a comment\r\n\r\n   \n10.0.0.1 false\r\n")
        #expect(reading.problems.isEmpty)
        #expect(reading.value.rules.map(\.line) == [4])
        #expect(reading.value.text == "' a comment\n\n   \n10.0.0.1 false\n")
    }

    /// R-RELAY-05.
    @Test func nothingCountsBehindOnly() {
        let reading = EffectTable.read("192.168.0.* only\n10.*.*.*\n10.0.0.1 false\n")
        #expect(reading.value.rules.count == 1)
        #expect(reading.value.hasOnly)
        #expect(reading.problems.map(\.code) == ["table.effect.behind-only", "table.effect.behind-only"])
        #expect(reading.problems.map(\.arguments) == [["1"], ["1"]])
        #expect(!reading.hasFaults)
    }

    /// R-RELAY-55.
    @Test(
        "warnings",
        arguments: [
            ("abc.co.jp", ["table.effect.sender-relay"]),
            ("abc@abc.co.jp true", ["table.effect.sender-relay"]),
            ("#<> true", ["table.effect.sender-relay"]),
            ("*.*.*.*", ["table.effect.open-relay"]),
            ("::/0 true", ["table.effect.open-relay"]),
            ("1.2.3.4 norelay,1", ["table.effect.reserved"]),
            ("*.*.*.* norelay\n10.0.0.1", ["table.effect.covered"]),
            ("10.0.0.0/8 default\n10.1.*.* false", ["table.effect.covered"]),
            ("10.1.*.* default\n10.0.0.0/8 false", []),
            ("abc.co.jp false\nx@abc.co.jp false", ["table.effect.covered"]),
            ("*.co.jp false\nabc.co.jp false\nx@y.co.jp false", ["table.effect.covered", "table.effect.covered"]),
            ("2001:db8::/32 false\n2001:db8:1::/48 default", ["table.effect.covered"]),
            ("10.0.0.1 false\n10.0.0.1 true", ["table.effect.covered"]),
            ("10.0.0.1\n10.0.0.2", []),
        ] as [(String, [String])])
    func warnings(_ text: String, _ codes: [String]) {
        let reading = EffectTable.read(text)
        #expect(reading.problems.map(\.code) == codes)
        #expect(reading.problems.allSatisfy { $0.isWarning })
    }
}

@Suite("effect.dat: matching")
struct EffectMatchTests {
    /// Architecture, section 5: the text of the delivered file is binding.
    @Test func deliveredFile() {
        #expect(
            EffectTable.delivered
                == "#<> default\n#blank false\n127.0.0.1 default\n::1 default\n*.*.*.* norelay\n::/0 norelay\n")
        let reading = EffectTable.read(EffectTable.delivered)
        #expect(reading.problems.isEmpty)
        #expect(reading.value.rules.count == 6)
        let table = reading.value
        func line(_ client: String, _ from: String) -> Int? {
            table.firstMatch(client: ip(client), sender: sender(from))?.line
        }
        #expect(line("192.0.2.7", "<>") == 1)
        #expect(line("192.0.2.7", "") == 2)
        #expect(line("127.0.0.1", "a@b.example") == 3)
        #expect(line("127.0.0.2", "a@b.example") == 5)
        #expect(line("::1", "a@b.example") == 4)
        #expect(line("192.0.2.7", "a@b.example") == 5)
        #expect(line("2001:db8::7", "a@b.example") == 6)
        #expect(line("::ffff:192.0.2.7", "a@b.example") == 5)
    }

    @Test(
        "tokens",
        arguments: [
            ("#number false", "u@[192.0.2.1]", true), ("#number false", "u@192.0.2.1", true),
            ("#number false", "u@[IPv6:2001:db8::1]", true), ("#number false", "u@999.0.2.1", true),
            ("#number false", "u@1.2.3", false), ("#number false", "u@a1.2.3.4", false), ("#number false", "<>", false),
            ("#nodomain false", "taro", true), ("#nodomain false", "taro@x", false), ("#nodomain false", "<>", false),
            ("#nodomain false", "", false), ("#host false", "u@mailpc", true), ("#host false", "u@mail.pc", false),
            ("#host false", "taro", false), ("#host false", "u@[192.0.2.1]", false), ("#blank false", "", true),
            ("#blank false", "<>", false), ("#<> false", "<>", true), ("#<> false", "", false),
            ("abc.co.jp false", "u@ABC.CO.JP", true), ("abc.co.jp false", "u@x.abc.co.jp", false),
            ("*.abc.co.jp false", "u@x.abc.co.jp", true), ("*.abc.co.jp false", "u@abc.co.jp", false),
            ("*.abc.co.jp false", "u@xabc.co.jp", false), ("U@abc.co.jp false", "u@ABC.co.jp", true),
            ("u@abc.co.jp false", "v@abc.co.jp", false),
        ] as [(String, String, Bool)])
    func senderPatterns(_ line: String, _ from: String, _ matches: Bool) {
        let table = EffectTable.read(line).value
        #expect((table.firstMatch(client: ip("203.0.113.1"), sender: sender(from)) != nil) == matches)
    }

    /// R-RELAY-07: IP and envelope patterns stand in one common order.
    @Test func firstLineDecides() {
        let text = "ext.example false\n10.*.*.* true\n10.0.0.1 false\n10.0.0.0/24 norelay\n*.*.*.* default\n"
        let table = EffectTable.read(text).value
        #expect(table.firstMatch(client: ip("10.0.0.1"), sender: sender("e@ext.example"))?.line == 1)
        #expect(table.firstMatch(client: ip("10.0.0.1"), sender: sender("e@other.example"))?.line == 2)
        #expect(table.firstMatch(client: ip("11.0.0.1"), sender: sender("e@other.example"))?.line == 5)
        #expect(table.firstMatch(client: ip("::5"), sender: sender("e@other.example")) == nil)
    }

    /// The index must give what walking the rules from the top gives.
    @Test func indexAgreesWithAPlainWalk() {
        var generator = SplitMix(state: 7)
        let words = [
            "10.*.*.*", "10.0.*.*", "10.0.0.1", "10.0.0.0/30", "10.*.0.1", "*.*.*.*", "::1", "2001:db8::/32", "::/0",
            "a.example", "*.a.example", "u@a.example", "#<>", "#blank", "#number", "#nodomain", "#host",
        ]
        let clients = ["10.0.0.1", "10.0.0.2", "10.9.0.1", "192.0.2.1", "::1", "2001:db8::5", "fe80::1"].map(ip)
        let senders = ["<>", "", "u@a.example", "v@x.a.example", "v@a.example", "w", "w@[10.0.0.1]", "w@pc"].map(sender)
        for _ in 0..<300 {
            let lines = (0..<6).map { _ in words.randomElement(using: &generator) ?? "::1" }
            let table = EffectTable.read(lines.joined(separator: "\n")).value
            for client in clients {
                for from in senders {
                    let expected = table.rules.first { plainMatch($0.pattern, client, from) }
                    #expect(table.firstMatch(client: client, sender: from) == expected, "\(lines) \(client) \(from)")
                }
            }
        }
    }

    private func plainMatch(_ pattern: EffectTable.Pattern, _ client: IPAddress, _ sender: ReversePath) -> Bool {
        switch pattern {
        case .client(let range): range.contains(client)
        case .domain(let domain): sender.address?.folded.domain == domain
        case .subdomains(let suffix): sender.address?.folded.domain.hasSuffix(suffix) ?? false
        case .address(let address): sender.address?.folded == address
        case .token(let token): token.matches(sender)
        }
    }

    /// R-RELAY-62.
    @Test func automaticEntry() {
        let text = "' head\n#<> default\n#blank false\nabc.example false\n10.*.*.* default\n*.*.*.* norelay\n"
        let table = EffectTable.read(text).value
        let once = table.inserting(client: ip("192.0.2.9"), action: .refuse)
        #expect(once.text.contains("abc.example false\n192.0.2.9 false\n10.*.*.* default\n"))
        #expect(once.inserting(client: ip("192.0.2.9"), action: .refuse).text == once.text)
        let only = EffectTable.read("a.example only\n").value.inserting(client: ip("192.0.2.9"), action: .refuse)
        #expect(only.text == "192.0.2.9 false\na.example only\n")
        let none = EffectTable.empty.inserting(client: ip("2001:db8::1"), action: .refuse)
        #expect(none.text == "2001:db8::1 false\n")
        #expect(none.firstMatch(client: ip("2001:db8::1"), sender: .null)?.action == .refuse)
    }

    @Test(.timeLimit(.minutes(1))) func longFileIsReadInLinearTime() {
        let text = (0..<20_000).map { "10.\($0 >> 16 & 255).\($0 >> 8 & 255).\($0 & 255) false" }
        let table = EffectTable.read(text.joined(separator: "\n")).value
        #expect(table.rules.count == 20_000)
        #expect(table.firstMatch(client: ip("10.0.78.31"), sender: .null)?.line == 19_999 + 1)
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
