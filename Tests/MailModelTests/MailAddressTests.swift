import MailModel
import Testing

@Suite struct MailAddressTests {
    @Test(
        "the wire form is quoted where RFC 5321 demands it",
        arguments: [
            ("taro", "x.example", "taro@x.example"),
            ("taro.y", "x.example", "taro.y@x.example"),
            ("a b", "x.example", "\"a b\"@x.example"),
            ("a\"b", "x.example", "\"a\\\"b\"@x.example"),
            (".taro", "x.example", "\".taro\"@x.example"),
            ("a..b", "x.example", "\"a..b\"@x.example"),
            ("a@b", "x.example", "\"a@b\"@x.example"),
            ("", "x.example", "\"\"@x.example"),
            ("太郎", "x.example", "太郎@x.example"),
            ("taro", "", "taro"),
        ])
    func text(_ local: String, _ domain: String, _ expected: String) {
        #expect(MailAddress(localPart: local, domain: domain).text == expected)
    }

    @Test(
        "an address typed by an administrator",
        arguments: [
            ("taro@x.example", true), ("Administrator", false), ("@x.example", false), ("taro@", false),
            ("taro@x..example", false), ("taro@-x.example", false), ("ta ro@x.example", false),
            ("taro@x.example>", false), ("<taro@x.example", false), ("taro@x.example\r\n", false),
            ("taro@" + String(repeating: "a", count: 64) + ".example", false),
            (String(repeating: "a", count: 64) + "@x.example", true),
            (String(repeating: "a", count: 65) + "@x.example", false),
        ])
    func typed(_ text: String, _ isGood: Bool) {
        #expect((MailAddress(typed: text) != nil) == isGood)
    }

    @Test func foldingIgnoresLetterCaseInBothParts() {
        #expect(
            MailAddress(localPart: "Taro", domain: "X.Example").folded
                == MailAddress(localPart: "taro", domain: "x.example"))
    }
}
