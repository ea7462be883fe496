import MailModel
import Testing

@testable import Tables

@Suite("gateway.dat")
struct GatewayTableTests {
    static let manual = """
        ' sub-domains of one company through one gateway each, port 25
        *.xxxx01.co.jp,mailgateway01.xxxx.co.jp,25
        *.xxxx02.co.jp,mailgateway02.xxxx.co.jp,25
        ' by the beginning of the host label
        01*.xxxx.co.jp,mailgateway01.xxxx.co.jp,25
        ' SSL on port 465
        xxxxxx.co.jp,mailgateway.xxxxxx.co.jp,465*

        """

    /// The test table of spec file 02-1, part 3.
    @Test(
        "examples of the manual",
        arguments: [
            ("a.xxxx01.co.jp", "mailgateway01.xxxx.co.jp", 25, false), ("xxxx01.co.jp", nil, 0, false),
            ("01mail.xxxx.co.jp", "mailgateway01.xxxx.co.jp", 25, false),
            ("XXXXXX.co.jp", "mailgateway.xxxxxx.co.jp", 465, true), ("other.example", nil, 0, false),
        ] as [(String, String?, Int, Bool)])
    func manual(_ domain: String, _ host: String?, _ port: Int, _ tls: Bool) {
        let reading = GatewayTable.read(Self.manual)
        #expect(reading.problems.isEmpty)
        #expect(reading.value.text == Self.manual)
        let rule = reading.value.firstMatch(recipient: MailAddress(localPart: "u", domain: domain), sender: .null)
        #expect(rule?.host == host)
        if let rule {
            #expect(rule.port == port)
            #expect(rule.isImplicitTLS == tls)
        }
    }

    @Test(
        "lines",
        arguments: [
            ("a.example , gw.example , 26", nil), ("a.example,192.0.2.1", nil), ("a.example,[2001:db8::1],25*", nil),
            ("a.example,2001:db8::1,", nil), ("u@a.example,gw.example,25", nil), ("*,gw.example,25", nil),
            ("*|boss@in.example,gw.example,25", nil), ("' a,b,c", nil), (" a,b,c", nil), ("", nil),
            ("a.example", "fields"), ("a.example,gw.example,25,x", "fields"), (",gw.example,25", "target"),
            ("a b,gw.example,25", "target"), ("a.example,,25", "host"), ("a.example,10.0.0.300,25", "host"),
            ("a.example,gw_!.example,25", "host"), ("a.example,gw.example,0", "port"),
            ("a.example,gw.example,65536", "port"), ("a.example,gw.example,+25", "port"),
            ("a.example,gw.example,*", "port"), ("a.example,gw.example,99999999999999999999", "port"),
            ("*|u@d.example,smtp.example|1XOAUTH2|x,587", nil), ("*,smtp.example|plain|Relay_1.a@b,587*", nil),
            ("*,smtp.example|NTLM|x,587", "credentials"), ("*,smtp.example|PLAIN,587", "credentials"),
            ("*,smtp.example|PLAIN|../x,587", "credentials"), ("*,smtp.example|PLAIN|.x,587", "credentials"),
            ("*,smtp.example|PLAIN||,587", "credentials"), ("a.example,<dns>", nil), ("a.example,<DNS>,2525", nil),
            ("a.example,<mx>", "host"), ("a.example,<dns>|PLAIN|x", "host"),
        ] as [(String, String?)])
    func lines(_ line: String, _ fault: String?) {
        let reading = GatewayTable.read(line)
        #expect(reading.problems.map(\.code) == (fault.map { ["table.gateway.\($0)"] } ?? []))
    }

    @Test func firstMatchWinsAndSendersCount() {
        let table = GatewayTable.read(
            "*|boss@in.example,one.example,25\nu@a.example,two.example,25\na.example,three.example\n"
        ).value
        let recipient = MailAddress(localPart: "u", domain: "A.example")
        let boss = ReversePath.address(MailAddress(localPart: "Boss", domain: "in.example"))
        #expect(table.firstMatch(recipient: recipient, sender: boss)?.host == "one.example")
        #expect(table.firstMatch(recipient: recipient, sender: .null)?.host == "two.example")
        let other = MailAddress(localPart: "v", domain: "a.example")
        #expect(table.firstMatch(recipient: other, sender: .null)?.host == "three.example")
        #expect(table.firstMatch(recipient: other, sender: .null)?.port == nil)
        #expect(table.firstMatch(recipient: other, sender: .null)?.source.text == "gateway.dat:3")
    }

    @Test func loginsAndDNS() throws {
        let table = GatewayTable.read("a.example,<dns>\n*,smtp.example|1XOAUTH2|cloud,587\n").value
        #expect(table.rules.map(\.host) == [nil, "smtp.example"])
        #expect(table.rules.map(\.login) == [nil, GatewayLogin(method: .xoauth2, name: "cloud")])
    }

    @Test func credentialFiles() throws {
        let text = "# for the cloud\r\nuser = relay@in.example\r\n\r\npassword = a = b \r\n"
        let read = try GatewayCredentials.read(text)
        #expect(read == GatewayCredentials(user: "relay@in.example", password: "a = b"))
        #expect(!"\(read) \(String(reflecting: read))".contains("a = b"))
        let command = try GatewayCredentials.read("user=u\ntoken_command=/usr/bin/token  --for u\n")
        #expect(command.tokenCommand == ["/usr/bin/token", "--for", "u"])
        for (text, fault) in [
            ("password = x\n", GatewayCredentials.Fault.noUser), ("user = u\n", .noSecret),
            ("user = u\nsecret\n", .line(2)),
            ("user = u\ntoken_command = token\n", .line(2)), ("user =\n", .line(1)), ("", .noUser),
        ] { #expect(throws: fault) { try GatewayCredentials.read(text) } }
    }

    @Test func aSecondLineWithTheSameTargetIsDoubtful() {
        let reading = GatewayTable.read("a.example,one.example\nA.EXAMPLE,two.example\n")
        #expect(reading.problems.map(\.code) == ["table.gateway.covered"])
        #expect(!reading.hasFaults)
    }

    @Test(
        "wildcards",
        arguments: [
            ("*", "", true), ("*", "a.b", true), ("*.b", ".b", true), ("*.b", "b", false), ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false), ("**", "x", true), ("A*", "abc", true), ("", "", true), ("", "a", false),
            ("*a*a*a*a*b", String(repeating: "a", count: 2000), false),
        ] as [(String, String, Bool)])
    func wildcards(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Wildcard(pattern).matches(text) == matches)
    }
}
