import DirectoryWire
import Testing

@Suite struct DirectoryTextTests {
    @Test(
        "Filter values by RFC 4515",
        arguments: [
            ("ada", "ada"), ("a*", "a\\2a"), ("*)(uid=*", "\\2a\\29\\28uid=\\2a"), ("a\\b", "a\\5cb"),
            ("\u{0}x", "\\00x"), ("é", "\\c3\\a9"), ("", ""),
        ])
    func filterValue(_ text: String, _ escaped: String) { #expect(DirectoryText.filterValue(text) == escaped) }

    @Test(
        "Values in names by RFC 4514",
        arguments: [
            ("ada", "ada"), ("a,ou=x", "a\\2cou\\3dx"), ("#1", "\\231"), ("a#", "a#"), (" a ", "\\20a\\20"),
            ("a+b\"<>;\\", "a\\2bb\\22\\3c\\3e\\3b\\5c"), ("\u{0}", "\\00"),
        ])
    func nameValue(_ text: String, _ escaped: String) { #expect(DirectoryText.nameValue(text) == escaped) }

    @Test("What is filled in is not filled again") func fill() {
        let filled = DirectoryText.fill("(|(a={name})(m={address}))", name: "{domain}*", domain: "in.example") {
            DirectoryText.filterValue($0)
        }
        #expect(filled == "(|(a={domain}\\2a)(m={domain}\\2a@in.example))")
    }

    @Test("Everybody") func everybody() {
        #expect(
            DirectoryText.everybody("(&(c=u)(|(s={name})(p=smtp:{address})(q={name}@{domain})))")
                == "(&(c=u)(|(s=*)(p=smtp:*)(q=*)))")
    }

    @Test("Names to bind as") func bindName() {
        #expect(DirectoryText.bindName("{name}@corp.example", name: "ada", domain: "x") == "ada@corp.example")
        #expect(DirectoryText.bindName("CORP\\{name}", name: "ada", domain: "x") == "CORP\\ada")
        #expect(DirectoryText.bindName("{name}@corp.example", name: "a,b", domain: "x") == nil)
        #expect(DirectoryText.bindName("{name}@corp.example", name: "", domain: "x") == nil)
        #expect(DirectoryText.bindName("uid={name},dc=x", name: "a,b", domain: "x") == "uid=a\\2cb,dc=x")
    }

    @Test("Active Directory's switch") func control() {
        #expect(DirectoryText.isDisabled(userAccountControl: "514"))
        #expect(!DirectoryText.isDisabled(userAccountControl: "512"))
        #expect(!DirectoryText.isDisabled(userAccountControl: ""))
    }
}
