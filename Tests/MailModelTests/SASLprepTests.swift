import MailModel
import TestSupport
import Testing

/// RFC 4013.
@Suite struct SASLprepTests {
    @Test(
        "examples of RFC 4013, section 3",
        arguments: [
            ("I\u{AD}X", "IX"), ("user", "user"), ("USER", "USER"), ("\u{AA}", "a"), ("\u{2168}", "IX"),
            ("\u{7}", nil), ("\u{627}1", nil),
        ] as [(String, String?)])
    func examples(_ text: String, _ expected: String?) {
        #expect(SASLprep.prepare(text) == expected)
        #expect(SASLprep.prepare(Array(text.utf8)) == expected.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("ｐａｓｓ　１", "pass 1"), ("e\u{301}", "\u{E9}"), ("ﾊﾟｽﾜｰﾄﾞ", "パスワード"), ("\u{1E9B}", "\u{1E61}"),
        ("\u{3A9}", "\u{3A9}"), ("\u{2126}", "\u{3A9}"), ("", ""), ("🔑", "🔑"), ("パスワード", "パスワード"),
    ])
    func whatLooksTheSameIsTheSame(_ text: String, _ expected: String) {
        #expect(SASLprep.prepare(text).map { Array($0.unicodeScalars) } == Array(expected.unicodeScalars))
    }

    @Test func whatIsNoTextIsRefused() {
        #expect(SASLprep.prepare([0xFF, 0x41]) == nil)
        #expect(SASLprep.prepare([0x41, 0x0D]) == nil)
        #expect(SASLprep.prepare([]) == [])
    }

    /// Against another implementation.
    @Test func vectors() {
        let octets = Fixture.octets(Fixture.folder("SASLprep") + "/vectors.txt")
        func text(_ field: Substring) -> String {
            var out = String.UnicodeScalarView()
            if field == "-" { return "" }
            let values = field.split(separator: ".").compactMap { UInt32($0, radix: 16) }
            out.append(contentsOf: values.compactMap { Unicode.Scalar($0) })
            return String(out)
        }
        var count = 0
        for line in String(decoding: octets, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: " ")
            let expected = fields[1] == "!" ? nil : text(fields[1])
            let found = SASLprep.prepare(text(fields[0]))
            #expect(found.map { Array($0.unicodeScalars) } == expected.map { Array($0.unicodeScalars) }, "\(line)")
            count += 1
        }
        #expect(count > 700)
    }
}
