import MailModel
import Testing

@Suite struct IPAddressTests {
    @Test(
        "texts that are addresses, in canonical form",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::1", "::1"), ("::", "::"), ("2001:DB8::25", "2001:db8::25"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::1:2", "fe80::1:2"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1::", "1::"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ])
    func good(_ text: String, _ canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(
        "texts that are not",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", "+1.2.3.4", "1.2.3.4 ", ":::", "1::2::3",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::1", "12345::", "::1.2.3", "1.2.3.4::", ":1", "1:", "fe80::1%eth0",
        ])
    func bad(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "prefixes, on both sides of the boundary",
        arguments: [
            ("192.168.1.15", "192.168.1.0", 28, true), ("192.168.1.16", "192.168.1.0", 28, false),
            ("10.0.0.1", "11.0.0.0", 0, true), ("10.0.0.1", "10.0.0.1", 32, true), ("10.0.0.1", "10.0.0.0", 32, false),
            ("2001:db8::1", "2001:db8::", 32, true), ("2001:db9::1", "2001:db8::", 32, false),
            ("10.0.0.1", "::", 0, false), ("10.0.0.1", "10.0.0.0", 33, false), ("10.0.0.1", "10.0.0.0", -1, false),
        ])
    func prefixes(_ address: String, _ network: String, _ bits: Int, _ isIn: Bool) throws {
        let address = try #require(IPAddress(address))
        let network = try #require(IPAddress(network))
        #expect(address.isIn(network, prefixLength: bits) == isIn)
    }

    @Test func loopbackOfBothFamilies() {
        #expect(IPAddress("127.3.2.1")?.isLoopback == true)
        #expect(IPAddress("::1")?.isLoopback == true)
        #expect(IPAddress("::2")?.isLoopback == false)
        #expect(IPAddress("128.0.0.1")?.isLoopback == false)
    }
}
