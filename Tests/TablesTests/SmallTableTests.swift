import MailModel
import Testing

@testable import Tables

private func ip(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("test data: \(text)") }
    return address
}

/// R-SYS-19.
@Suite("text of tables")
struct TableTextTests {
    @Test(
        "line ends and byte order mark",
        arguments: [
            ("a\nb\n", ["a", "b"]), ("a\r\nb", ["a", "b"]), ("a\rb\r", ["a", "b"]), ("\n\n", ["", ""]), ("", []),
            ("a\n\rb", ["a", "", "b"]), ("\u{FEFF}a\n", ["a"]),
        ] as [(String, [String])])
    func lines(_ text: String, _ lines: [String]) {
        #expect(TableText(text).lines == lines)
        #expect(TableText(octets: Array(text.utf8)).lines == lines)
    }

    @Test func otherCharacterSets() {
        let text = "' 中継の制限\n10.0.0.1 false\n"
        let shiftJIS: [UInt8] = [0x27, 0x20, 0x92, 0x86, 0x8C, 0x70, 0x82, 0xCC, 0x90, 0xA7, 0x8C, 0xC0, 0x0D, 0x0A]
        let iso2022: [UInt8] = [0x27, 0x20, 0x1B, 0x24, 0x42, 0x43, 0x66, 0x37, 0x51, 0x1B, 0x28, 0x42, 0x0A]
        #expect(TableText(octets: Array(text.utf8)).text == text)
        #expect(TableText(octets: shiftJIS + Array("10.0.0.1 false\r\n".utf8)).text == text)
        #expect(TableText(octets: iso2022).text == "' 中継\n")
    }

    @Test func octetsThatAreNothingStillGiveLines() {
        #expect(TableText(octets: [0xFF, 0xFE, 0x0A, 0x41]).lines.count == 2)
    }
}

@Suite("address patterns")
struct IPPatternTests {
    @Test(
        "contains",
        arguments: [
            ("192.168.1.0/28", "192.168.1.15", true), ("192.168.1.0/28", "192.168.1.16", false),
            ("192.168.1.5/28", "192.168.1.0", true), ("10.*.5.*", "10.9.5.1", true), ("10.*.5.*", "10.9.6.1", false),
            ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "::1", false), ("::/0", "::1", true),
            ("::/0", "1.2.3.4", false), ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false), ("::ffff:1.2.3.4", "1.2.3.4", true),
            ("1.2.3.4", "1.2.3.5", false), ("0.0.0.0", "0.0.0.1", false),
        ])
    func contains(_ pattern: String, _ address: String, _ expected: Bool) {
        #expect(IPPattern(pattern)?.contains(ip(address)) == expected)
    }

    @Test(arguments: [
        "", "*", "1.2.3", "1.2.3.4.5", "1.2.3.4/", "1.2.3.4/033", "1.2.3.4/-1", "a.b.c.d", "1.2.3.*/24", "::1/200",
        "/8",
    ])
    func refused(_ text: String) { #expect(IPPattern(text) == nil) }

    @Test func list() {
        let reading = IPPatternList.read(TableText("' own\n10.0.0.1\n\n 192.168.*.* \nhost\n"))
        #expect(reading.value.firstLine(containing: ip("192.168.3.4")) == 4)
        #expect(reading.value.contains(ip("10.0.0.1")))
        #expect(!reading.value.contains(ip("10.0.0.2")))
        #expect(reading.problems.map(\.line) == [5])
    }
}

/// R-ACC-37 to 41.
@Suite("usetime.dat")
struct UseTimeTests {
    static let office = """
        0,0,,
        1,1,08:30,18:00
        2,1,08:30,18:00
        3,1,08:30,18:00
        4,1,08:30,18:00
        5,1,08:30,18:00
        6,0,,

        """

    @Test(
        "the manual's example",
        arguments: [
            (1, 8 * 60 + 29, false), (1, 8 * 60 + 30, true), (5, 17 * 60 + 59, true), (5, 18 * 60, false),
            (0, 720, false), (6, 720, false), (7, 720, false), (1, 1440, false), (1, -1, false),
        ])
    func office(_ weekday: Int, _ minute: Int, _ permitted: Bool) {
        let reading = UseTime.read(TableText(Self.office))
        #expect(reading.problems.isEmpty)
        #expect(reading.value.permits(weekday: weekday, minute: minute) == permitted)
        #expect(reading.value.text == Self.office)
    }

    /// Test vector 10 of spec file 03.
    @Test func overMidnight() {
        let night = UseTime.read(
            TableText((0...6).map { "\($0),\($0 == 1 ? 1 : 0),22:00,06:00" }.joined(separator: "\n"))
        ).value
        #expect(night.permits(weekday: 1, minute: 23 * 60))
        #expect(night.permits(weekday: 2, minute: 5 * 60))
        #expect(!night.permits(weekday: 1, minute: 21 * 60))
        #expect(!night.permits(weekday: 2, minute: 6 * 60))
        #expect(!night.permits(weekday: 2, minute: 23 * 60))
    }

    @Test func nothingGivenIsNoLimit() {
        #expect(UseTime.read(TableText("")).value.isUnlimited)
        #expect(UseTime.read(TableText("3,1,,\n")).value.isUnlimited)
        #expect(UseTime.read(TableText("3,1,00:00,24:00\n")).value.isUnlimited)
        #expect(!UseTime.read(TableText("3,1,00:00,23:30\n")).value.isUnlimited)
    }

    @Test(
        "faults",
        arguments: [
            ("1,1,08:30", "fields"), ("7,1,,", "day"), ("x,1,,", "day"), ("1,2,,", "flag"), ("1,1,24:00,", "time"),
            ("1,1,8:3,", "time"), ("1,1,08:60,", "time"), ("1,1,,24:01", "time"), ("1,1,-1:00,", "time"),
        ])
    func faults(_ line: String, _ code: String) {
        let reading = UseTime.read(TableText(line))
        #expect(reading.problems.map(\.code) == ["table.usetime.\(code)"])
        #expect(reading.value.isUnlimited)
    }

    @Test func aDayNamedTwiceIsDoubtful() {
        let reading = UseTime.read(TableText("1,1,,\n1,0,,\n"))
        #expect(reading.problems.map(\.isWarning) == [true])
        #expect(!reading.value.permits(weekday: 1, minute: 0) || reading.value.days[0].isPermitted == false)
        #expect(reading.value.days[1].isPermitted == false)
    }
}

/// R-ACC-42 to 45.
@Suite("sender.dat")
struct RecipientRestrictionTests {
    private func permits(_ text: String, _ recipient: String) -> Bool {
        let parts = recipient.split(separator: "@")
        let address = MailAddress(localPart: String(parts[0]), domain: String(parts[1]))
        if case .forbidden = RecipientRestriction.read(TableText(text)).value.answer(for: address) { return false }
        return true
    }

    @Test func examplesOfTheManual() {
        #expect(permits("user1@domain.co.jp\nuser2@domain.co.jp\n", "User2@Domain.co.jp"))
        #expect(!permits("user1@domain.co.jp\nuser2@domain.co.jp\n", "user3@domain.co.jp"))
        #expect(permits("*@domain.co.jp\n", "any@domain.co.jp"))
        #expect(!permits("*@domain.co.jp\n", "any@other.jp"))
        #expect(permits("", "any@other.jp"))
        #expect(permits("\n  \n", "any@other.jp"))
    }

    @Test func firstMatchDecidesWithOptions() {
        let text = "boss@a.jp,-1\n*@a.jp,0\n"
        #expect(!permits(text, "boss@a.jp"))
        #expect(permits(text, "other@a.jp"))
        #expect(!permits(text, "x@b.jp"))
        #expect(
            permits("boss@a.jp,-1\n", "x@b.jp"), "a table without permitted recipient restricts nobody else (R-ACC-43)")
    }

    @Test(arguments: [
        ("a@b,1", "option"), ("a@b,0,0", "option"), ("nobody", "pattern"), ("a b@c", "pattern"), (",0", "pattern"),
    ])
    func faults(_ line: String, _ code: String) {
        let reading = RecipientRestriction.read(TableText(line))
        #expect(reading.problems.map(\.code) == ["table.sender.\(code)"])
        #expect(reading.value.rules.isEmpty)
    }
}

/// R-ACC-46 to 50.
@Suite("account list")
struct AccountTSVTests {
    static let manual =
        "taro\tSecret1\tYamada, Taro\txxxx.co.jp\t\t1\t0\t0\n"
        + "hanako\tSecret2\tSuzuki, Hanako\txxxx.co.jp\t/srv/home/hanako\t1\t1\t10485760\n"

    @Test func exampleOfTheSpecComesBack() {
        let reading = AccountTSV.read(Self.manual)
        #expect(reading.problems.isEmpty)
        #expect(reading.value.map(\.account) == ["taro", "hanako"])
        #expect(reading.value.map(\.line) == [1, 2])
        #expect(reading.value[1].mailboxLimit == 10_485_760)
        #expect(reading.value[1].usesAPOP)
        #expect(reading.value[0].usesSMTPAuth && !reading.value[0].usesAPOP)
        #expect(AccountTSV.write(reading.value) == Self.manual)
    }

    @Test func tenColumnsShortLinesAndLineEnds() {
        let text = "user\tpass1234\tuser\tdomain.jp\tHome\t1\t1\t0\t1\t1\r\nshort\tpw\r\n\r\n日本\tpw\n"
        let reading = AccountTSV.read(text)
        #expect(reading.value.map(\.account) == ["user", "short"])
        #expect(reading.value.map(\.usesSMTPAuth) == [true, false])
        #expect(reading.problems.map(\.line) == [4])
        #expect(reading.problems.map(\.column) == [1])
    }

    @Test(
        "faults with line and column",
        arguments: [
            ("taro", 2, "columns"), ("\tpw", 1, "account"), ("ta ro\tpw", 1, "account"), ("../x\tpw", 1, "account"),
            (".x\tpw", 1, "account"),
            ("taro\t", 2, "password"), ("taro\t*****", 2, "password"), ("taro\tpw\tT\tbad..domain", 4, "domain"),
            ("taro\tpw\tT\u{1}", 3, "control"), ("taro\tpw\tT\td.jp\t/h\u{7F}", 5, "control"),
            ("taro\tpw\tT\td.jp\t\t2", 6, "flag"), ("taro\tpw\tT\td.jp\t\t1\tyes", 7, "flag"),
            ("taro\tpw\tT\td.jp\t\t1\t1\t-1", 8, "limit"),
            ("taro\tpw\tT\td.jp\t\t1\t1\t99999999999999999999", 8, "limit"),
        ])
    func faults(_ line: String, _ column: Int, _ code: String) {
        let reading = AccountTSV.read("ok\tpw\n" + line)
        #expect(reading.value.map(\.account) == ["ok"])
        #expect(reading.problems.map(\.line) == [2])
        #expect(reading.problems.map(\.column) == [column])
        #expect(reading.problems.map(\.code) == ["table.account.\(code)"])
    }

    @Test func aProblemNeverShowsThePassword() {
        let reading = AccountTSV.read("taro\tTopSecret\tT\td.jp\t\t9\n")
        #expect(reading.problems.count == 1)
        #expect(reading.problems.allSatisfy { !$0.text.contains("TopSecret") && !$0.arguments.contains("TopSecret") })
    }

    @Test func whatCannotBeWrittenBecomesABlank() {
        #expect(AccountTSV.write([.init(account: "a", password: "p\tq\nr")]).hasPrefix("a\tp q r\t\t"))
    }

    @Test func anAccountTwiceIsDoubtful() {
        let reading = AccountTSV.read("a\tp\t\td.jp\nA\tq\t\tD.jp\n")
        #expect(reading.value.count == 2)
        #expect(reading.problems.map(\.isWarning) == [true])
    }
}

@Suite("hostile tables")
struct HostileTableTests {
    /// No reader traps, and none loses a line.
    @Test func randomOctets() {
        var generator = SplitMix(state: 42)
        let pieces: [[UInt8]] = [
            [0x0A], [0x0D], [0x09], [0x20], [0x25], [0x2A], [0x2F], [0x3A], [0x2C], [0x7C], [0x1B, 0x24, 0x42], [0xFF],
            [0x00],
            [0xE3, 0x80, 0x80], Array("10.0.0.1".utf8), Array("only".utf8), Array("Received: ".utf8),
            Array("%DATE%".utf8),
            Array("99999999999999999999".utf8), Array("::".utf8), Array("a@b".utf8), [0xC3], [0x82, 0xA0],
        ]
        for _ in 0..<3000 {
            var octets: [UInt8] = []
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                octets += pieces.randomElement(using: &generator) ?? []
                if Bool.random(using: &generator) { octets.append(UInt8.random(in: 0...255, using: &generator)) }
            }
            let text = TableText(octets: octets)
            #expect(EffectTable.read(text).value.text == text.text)
            #expect(GatewayTable.read(text).value.text == text.text)
            #expect(RecipientRestriction.read(text).value.text == text.text)
            _ = HeaderTemplate.read(text)
            _ = UseTime.read(text)
            _ = AccountTSV.read(text)
            _ = IPPatternList.read(text)
        }
    }
}
