import MailModel
import Policy
import Testing

@Suite struct SenderRewritingTests {
    private func scheme(_ key: UInt8) -> SenderRewriting {
        SenderRewriting { octets in
            // A toy hash that depends on every octet; the product's is HMAC-SHA-256.
            (0..<16).map { place in octets.reduce(key &+ UInt8(place)) { ($0 ^ $1) &* 31 &+ 7 } }
        }
    }
    private let sender = MailAddress(localPart: "user", domain: "Ext.Example")

    @Test func rewrittenNameLeadsBack() throws {
        let ours = scheme(1)
        let name = try #require(ours.rewrite(sender, domain: "in.example", day: 20_000))
        #expect(name.localPart.hasPrefix("SRS0=") && name.domain == "in.example")
        #expect(ours.original(of: name.localPart, day: 20_021) == MailAddress(localPart: "user", domain: "ext.example"))
        #expect(ours.original(of: name.localPart.lowercased(), day: 20_000)?.folded == sender.folded)
        #expect(ours.original(of: name.localPart, day: 20_022) == nil)
        #expect(ours.original(of: name.localPart.replacing("user", with: "other"), day: 20_000) == nil)
        #expect(scheme(2).original(of: name.localPart, day: 20_000) == nil)
    }

    /// What another server rewrote leads back to that server, whatever the number of forwards.
    @Test func secondAndThirdForward() throws {
        let (first, second, third) = (scheme(1), scheme(2), scheme(3))
        let one = try #require(first.rewrite(sender, domain: "a.jp", day: 20_000))
        let two = try #require(second.rewrite(one, domain: "b.jp", day: 20_000))
        let three = try #require(third.rewrite(two, domain: "c.jp", day: 20_000))
        #expect(two.localPart.hasPrefix("SRS1=") && three.localPart.hasPrefix("SRS1="))
        #expect(second.original(of: two.localPart, day: 20_500) == one)
        #expect(third.original(of: three.localPart, day: 20_500) == one)
    }

    @Test(arguments: ["SRS0=", "SRS0=x", "SRS1==", "SRS0====", "SRS1=aaaaaaaa=b", "srs0=a=b=c=d", "user"])
    func brokenNamesLeadNowhere(_ name: String) {
        #expect(scheme(1).original(of: name, day: 20_000) == nil)
    }

    @Test func nameThatWouldBeTooLongStays() {
        let long = MailAddress(localPart: String(repeating: "x", count: 50), domain: "ext.example")
        #expect(scheme(1).rewrite(long, domain: "in.example", day: 1) == nil)
    }
}
