import MailModel
import Testing

@testable import Transport

@Suite struct ReverseNamesTests {
    @Test(arguments: [
        ("192.0.2.17", "17.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ])
    func pointerNames(_ address: String, _ name: String) throws {
        #expect(DNSResolver.pointerName(of: try #require(IPAddress(address))) == name)
    }
}
