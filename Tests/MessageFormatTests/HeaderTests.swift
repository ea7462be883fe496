import MailModel
import Testing

@testable import MessageFormat

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("header scan")
struct HeaderScanTests {
    private func fields(_ text: String, limits: HeaderLimits = .init()) -> ([String], HeaderScan.End) {
        let content = octets(text)
        var found: [String] = []
        let end = HeaderScan.fields(in: content.span, limits: limits) { field in
            let name = String(decoding: content[field.name], as: UTF8.self)
            found.append("\(name)=\(String(decoding: content[field.body], as: UTF8.self))")
            return true
        }
        return (found, end)
    }

    @Test(
        "fields",
        arguments: [
            ("A: 1\nB: 2\n\nbody", ["A= 1", "B= 2"], 11, true, false),
            ("A: 1\r\nB: 2\r\n\r\nbody", ["A= 1", "B= 2"], 14, true, false),
            ("A: 1\n 2\n\t3\nB:\n\n", ["A= 1\n 2\n\t3", "B="], 15, true, false),
            ("A : 1\n\n", ["A= 1"], 7, true, false),
            ("From x@y Mon\nA: 1\n\nb", ["A= 1"], 19, true, false),
            ("\nbody", [], 1, true, false),
            ("", [], 0, true, true),
            ("A: 1", ["A= 1"], 4, true, true),
            ("A: 1\n", ["A= 1"], 5, true, true),
            ("no header at all\nA: 1\n\n", [], 0, true, true),
            ("A: 1\n: x\n\n", ["A= 1"], 5, true, true),
            (" A: 1\n\n", [], 0, true, true),
            ("A: 1\nB\u{E9}: 2\n\n", ["A= 1"], 5, true, true),
            ("A: 1\nbody: with colon? yes\n\nx", ["A= 1", "body= with colon? yes"], 28, true, false),
        ] as [(String, [String], Int, Bool, Bool)])
    func scan(_ text: String, _ expected: [String], _ bodyStart: Int, _ complete: Bool, _ malformed: Bool) {
        let (found, end) = fields(text)
        #expect(found == expected)
        #expect(end == HeaderScan.End(bodyStart: bodyStart, isComplete: complete, isMalformed: malformed))
    }

    @Test func limitsCutTheScan() {
        let many = String(repeating: "A: 1\n", count: 100) + "\n"
        #expect(fields(many, limits: HeaderLimits(fields: 10)).0.count == 10)
        #expect(!fields(many, limits: HeaderLimits(fields: 10)).1.isComplete)
        let cut = fields(many, limits: HeaderLimits(octets: 23))
        #expect(cut.0.count == 4)
        #expect(!cut.1.isComplete)
        #expect(fields("A: " + String(repeating: "x", count: 5000), limits: HeaderLimits(octets: 100)).0.isEmpty)
    }

    @Test func visitorStops() {
        let content = octets("A: 1\nB: 2\n\n")
        var count = 0
        _ = HeaderScan.fields(in: content.span) { _ in
            count += 1
            return false
        }
        #expect(count == 1)
    }
}

@Suite("message facts")
struct MessageFactsTests {
    static let message = """
        received: from a
        \tby b; Mon
        Received: from c
        Message-ID: <1@x.example>
        DATE: Mon, 24 Aug 2015 16:09:13 +0900
        From: "Last, First" <a@in.example>,
         b@in.example
        Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=
         =?ISO-2022-JP?B?GyRCOGwbKEI=?= ok
        Delivered-To: a@in.example
        X-Received: no

        Received: in the body
        """

    @Test func onePass() {
        let content = octets(Self.message)
        let facts = MessageFacts(scanning: content)
        #expect(facts.receivedFields == 2)
        #expect(facts.hasDate)
        #expect(facts.isHeaderComplete && !facts.isHeaderMalformed)
        #expect(String(decoding: content[facts.bodyStart...], as: UTF8.self) == "Received: in the body")
        #expect(facts.messageIDText(in: content) == "<1@x.example>")
        #expect(facts.subjectText(in: content) == "日本語 ok")
        #expect(facts.fromAddresses(in: content).map(\.text) == ["a@in.example", "b@in.example"])
        #expect(facts.wasDelivered(to: MailAddress(localPart: "A", domain: "IN.example"), in: content))
        #expect(!facts.wasDelivered(to: MailAddress(localPart: "b", domain: "in.example"), in: content))
    }

    @Test func severalFromFieldsAllCount() {
        let content = octets("From: a@x\nFrom: b@y\n\n")
        #expect(MessageFacts(scanning: content).fromAddresses(in: content).map(\.text) == ["a@x", "b@y"])
    }

    @Test func subjectIsSafeToShow() {
        let content = octets("Subject: =?utf-8?Q?a=1B[31m=0D=0ABcc:_x?= \u{202E}b\n\n")
        let text = MessageFacts(scanning: content).subjectText(in: content)
        #expect(text == "a\\x1B[31m\\x0D\\x0ABcc: x \\xE2\\x80\\xAEb")
    }

    @Test(.timeLimit(.minutes(1))) func noTrapOnRandomOctets() {
        var generator = SplitMix(state: 1)
        let pieces = [
            "From:", "Subject:", "=?", "?=", "?B?", "?Q?", "utf-8", "iso-2022-jp", "\n", "\r\n", " ", "<", ">", "(",
            ")", "\\",
            "\"", ",", ";", ":", "@", "[", "]", "=", "a", "Received:", "\u{1B}$B",
        ]
        for _ in 0..<4000 {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                content += octets(pieces.randomElement(using: &generator) ?? "")
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    content.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            let limits = HeaderLimits(octets: Int.random(in: 0...200, using: &generator), fields: 20)
            let facts = MessageFacts(scanning: content, limits: limits)
            #expect((0...content.count).contains(facts.bodyStart))
            _ = facts.fromAddresses(in: content)
            _ = facts.subjectText(in: content)
            _ = facts.messageIDText(in: content)
            _ = AddressList.addresses(in: content)
            _ = EncodedWord.decode(content)
            _ = DisplayText.clean(octets: content)
            _ = DeliveryReport.Original(contentStart: content, size: content.count)
        }
    }
}

@Suite("address lists")
struct AddressListTests {
    @Test(
        "addresses",
        arguments: [
            ("a@x", ["a@x"]), ("<a@x>", ["a@x"]), ("A B <a@x>", ["a@x"]), ("a@x, b@y", ["a@x", "b@y"]),
            ("\"a, b\" <c@x>", ["c@x"]), ("\"a@evil\" <c@x>", ["c@x"]), ("a@x (comment, with @)", ["a@x"]),
            ("(a (nested) \\) b) c@x", ["c@x"]), ("Group: a@x, b@y;", ["a@x", "b@y"]), ("undisclosed:;", []),
            ("<@r1,@r2:a@x>", ["a@x"]), ("\"quo ted\"@x", ["\"quo ted\"@x"]), ("a @ x . y", ["a@x.y"]),
            ("a@[192.0.2.1]", ["a@[192.0.2.1]"]), ("a@[IPv6:2001:db8::1]", ["a@[IPv6:2001:db8::1]"]),
            ("", []), (" , ,", []), ("<>", ["\"\""]), ("name", ["name"]), ("name, a@x", ["name", "a@x"]),
            ("<a@x> <b@y>", ["a@x", "b@y"]), ("a@x b@y", ["\"a@x b\"@y"]), ("evil@x: a@y;", ["evil@x", "a@y"]),
            ("\"unterminated <a@x>", ["\"unterminated <a@x>\""]), ("<a@x", ["a@x"]), ("a@x\r\n , b@y", ["a@x", "b@y"]),
            ("太郎@例え.example", ["太郎@例え.example"]), ("=?utf-8?B?YUB4?= <b@y>", ["b@y"]),
        ] as [(String, [String])])
    func addresses(_ text: String, _ expected: [String]) {
        #expect(AddressList.addresses(in: text).map(\.text) == expected)
    }

    @Test(.timeLimit(.minutes(1))) func deepAndLongInputIsBounded() {
        #expect(AddressList.addresses(in: String(repeating: "(", count: 300_000)).isEmpty)
        #expect(AddressList.addresses(in: String(repeating: "a@x,", count: 100_000)).count == 1000)
    }
}

@Suite("encoded words")
struct EncodedWordTests {
    @Test(
        "decode",
        arguments: [
            ("plain", "plain"), ("=?UTF-8?B?5pel5pys?=", "日本"), ("=?utf-8?q?a=C3=A9_b?=", "aé b"),
            ("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"), ("=?Shift_JIS?B?k/qWew==?=", "日本"),
            ("=?EUC-JP?B?xvzL3A==?=", "日本"), ("=?iso-8859-1?Q?caf=E9?=", "café"), ("=?utf-8*en?Q?x?=", "x"),
            ("=?UTF-8?B?5pel?= =?UTF-8?B?5pys?=", "日本"), ("=?UTF-8?B?5pel?=\r\n =?UTF-8?B?5pys?=", "日本"),
            // Cut in the middle of a character, as some mailers do.
            ("=?UTF-8?B?5pc=?= =?UTF-8?B?pQ==?=", "日"),
            ("a =?utf-8?Q?b?= c", "a b c"), ("=?utf-8?Q?a?=b", "ab"), ("=?x-unknown?Q?a?=", "=?x-unknown?Q?a?="),
            ("=?utf-8?X?a?=", "=?utf-8?X?a?="), ("=?utf-8?B?!!!?=", "=?utf-8?B?!!!?="),
            ("=?utf-8?Q?open", "=?utf-8?Q?open"),
            ("=?", "=?"), ("==?utf-8?Q?a?=", "=a"), ("1=2", "1=2"), ("=?utf-8?Q?bad=ZZ=4?=", "bad=ZZ=4"),
            ("=?utf-8?Q?=FF?=", "\u{FFFD}"), ("生の日本語", "生の日本語"),
        ])
    func decode(_ text: String, _ expected: String) {
        #expect(EncodedWord.decode(octets(text)) == expected)
    }

    @Test func rawEightBitOctetsAreGuessed() {
        #expect(EncodedWord.decode([0x93, 0xFA, 0x96, 0x7B]) == "日本")
        #expect(EncodedWord.decode([0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42]) == "日")
    }

    @Test(.timeLimit(.minutes(1))) func manyOpeningsAreNotQuadratic() {
        _ = EncodedWord.decode(octets(String(repeating: "=?utf-8?Q?", count: 100_000)))
    }

    @Test("base 64", arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
    func base64(_ text: String) {
        #expect(Base64.decode(Base64.encode(octets(text))) == octets(text))
    }

    @Test func base64Vectors() {
        #expect(Base64.encode(octets("fooba")) == octets("Zm9vYmE="))
        #expect(Base64.decode(octets("Zm9v\r\nYmE")) == octets("fooba"))
        #expect(Base64.decode(octets("Z")) == nil)
        #expect(Base64.decode(octets("Zm9*")) == nil)
        let all = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(all)) == all)
    }
}

@Suite("character sets")
struct CharsetTests {
    @Test func names() {
        #expect(Charset(named: "ISO-2022-JP") == .iso2022JP)
        #expect(Charset(named: "Windows-31J") == .shiftJIS)
        #expect(Charset(named: "us-ascii") == .utf8)
        #expect(Charset(named: "koi8-r") == nil)
    }

    @Test func faultsBecomeReplacementCharactersAndTheRestStays() {
        #expect(Charset.shiftJIS.decode([0x41, 0xFF, 0x42, 0x93, 0xFA]).hasSuffix("B日"))
        #expect(Charset.shiftJIS.decode([0x93, 0xFA, 0x93]) == "日\u{FFFD}")
        #expect(Charset.eucJP.decodeStrictly([0xC6]) == nil)
        #expect(Charset.iso2022JP.decode([0x1B, 0x24, 0x42, 0x46]).unicodeScalars.contains("\u{FFFD}"))
    }

    @Test func windowsExtensionsAreRead() {
        // ① in the NEC row, as Japanese Windows mail has it.
        #expect(Charset.shiftJIS.decodeStrictly([0x87, 0x40]) == "①")
        #expect(Charset.latin1.decodeStrictly([0x80, 0xE9]) == "€é")
    }

    @Test(.timeLimit(.minutes(1))) func longAndRandomInput() {
        var generator = SplitMix(state: 9)
        for charset in Charset.allCases {
            for count in [0, 1, 5, 4095, 4096, 4097, 50_000] {
                let input = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                _ = charset.decode(input)
                _ = charset.decodeStrictly(input)
            }
            let ascii = [UInt8](repeating: 0x61, count: 100_000)
            #expect(charset.decode(ascii).utf8.count == 100_000)
        }
    }
}

@Suite("display text")
struct DisplayTextTests {
    @Test(
        "clean",
        arguments: [
            ("plain 日本", "plain 日本"), ("a\u{1B}[2Jb", "a\\x1B[2Jb"), ("a\r\nb\tc", "a\\x0D\\x0Ab\\x09c"),
            ("\u{7F}\u{9B}", "\\x7F\\xC2\\x9B"), ("a\u{202E}b", "a\\xE2\\x80\\xAEb"), ("\u{200B}", "\\xE2\\x80\\x8B"),
            ("\u{FEFF}", "\\xEF\\xBB\\xBF"), ("e\u{301}", "e\u{301}"),
        ])
    func clean(_ text: String, _ expected: String) { #expect(DisplayText.clean(text) == expected) }

    @Test func limits() {
        #expect(DisplayText.clean("abcdef", limit: 3) == "abc…")
        #expect(DisplayText.clean("abc", limit: 3) == "abc")
        #expect(DisplayText.clean(octets: [0x61, 0xFF, 0x0A]) == "a\\xFF\\x0A")
        #expect(DisplayText.clean(octets: Array("日本".utf8)) == "日本")
    }
}

@Suite("dates")
struct MailDateTests {
    @Test(
        "RFC 5322",
        arguments: [
            (0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"), (1_440_400_153_000, 32_400, "Mon, 24 Aug 2015 16:09:13 +0900"),
            (951_782_400_000, 0, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (4_107_542_399_000, 0, "Sun, 28 Feb 2100 23:59:59 +0000"),
            (-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"), (1_700_000_000_999, -12_600, "Tue, 14 Nov 2023 18:43:20 -0330"),
            (1_700_000_000_000, 20_700, "Wed, 15 Nov 2023 03:58:20 +0545"),
            (1_700_000_000_000, 999_999, "Tue, 14 Nov 2023 22:13:20 +0000"),
            (253_402_214_400_000, 0, "Fri, 31 Dec 9999 00:00:00 +0000"),
            (.max, .min, "Fri, 31 Dec 9999 00:00:00 +0000"), (.min, .max, "Mon, 01 Jan 0001 00:00:00 +0000"),
        ] as [(Int64, Int, String)])
    func text(_ milliseconds: Int64, _ offset: Int, _ text: String) {
        #expect(MailDate(milliseconds: milliseconds, offsetSeconds: offset).text == text)
    }

    /// R-LOG-19, R-LOG-02.
    @Test func logForms() {
        let date = MailDate(milliseconds: 1_121_245_226_000, offsetSeconds: 32_400)
        #expect(date.logText == "13/Jul/2005:18:00:26")
        #expect(date.dayText == "20050713")
        #expect(date.minuteOfDay == 1080)
        #expect(date.weekday == 3)
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() {
        var last = MailDate(milliseconds: -86_400_000)
        for day in 0..<146_097 {
            let date = MailDate(milliseconds: Int64(day) * 86_400_000)
            #expect(date.weekday == (last.weekday + 1) % 7)
            let isNext = date.day == last.day + 1 && date.month == last.month || date.day == 1 && last.day >= 28
            if !isNext { Issue.record("\(last.text) → \(date.text)") }
            last = date
        }
        #expect(last.text.hasSuffix("31 Dec 2369 00:00:00 +0000"))
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
