import MessageFormat
import Tables
import Testing

/// Files that are edited as lines keep what was not edited (R-SYS-19, R-CTL-34).
struct KeptTextTests {
    private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func whatIsNotEditedStaysOctetForOctet() {
        let old = octets("\u{FEFF}a\r\n  b \r\nc")
        #expect(KeptText.octets(["a", "  b ", "c"], over: old) == old)
        #expect(KeptText.octets(["a", "x", "c"], over: old) == octets("\u{FEFF}a\r\nx\r\nc"))
        #expect(KeptText.octets(["a", "  b "], over: old) == octets("\u{FEFF}a\r\n  b \r\n"))
        #expect(KeptText.octets(["a", "  b ", "c", "d"], over: old) == octets("\u{FEFF}a\r\n  b \r\nc\r\nd\r\n"))
        #expect(KeptText.octets([], over: old) == octets(""))
        #expect(KeptText.octets(["a"], over: []) == octets("a\n"))
    }

    @Test(arguments: [Charset.iso2022JP, .shiftJIS])
    func theCharacterSetStays(_ charset: Charset) throws {
        let old = try #require(charset.encode("休暇中です。\r\n山田\r\n"))
        let new = KeptText.octets(["休暇中です。", "川本"], over: old)
        #expect(new == charset.encode("休暇中です。\r\n川本\r\n"))
        #expect(TableText(octets: new).lines == ["休暇中です。", "川本"])
    }

    /// A character that the old set lacks: better another set than a lost character.
    @Test func aNewCharacterMakesItUTF8() throws {
        let old = try #require(Charset.iso2022JP.encode("休暇\n"))
        #expect(KeptText.octets(["休暇 \u{1F600}"], over: old) == octets("休暇 \u{1F600}\n"))
    }

    @Test func textsComeBackFromTheirOctets() throws {
        for charset in [Charset.utf8, .iso2022JP, .shiftJIS, .eucJP] {
            let coded = try #require(charset.encode("件名 ﾃｽﾄ abc".replacing("ﾃｽﾄ", with: "テスト")))
            #expect(charset.decodeStrictly(coded) == "件名 テスト abc")
        }
        #expect(Charset.latin1.encode("日") == nil)
    }
}
