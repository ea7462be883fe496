import MailModel
import Testing

@testable import Transport

/// The client's name in trace fields, over a name server on loopback.
@Suite("reverse names", .serialized) struct ReverseNameTests {
    private static func name(_ host: String) -> [UInt8] {
        host.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    @Test("a name counts when it points back to the address; everything else is no name")
    func confirmed() async throws {
        let server = try #require(
            FakeNameServer([
                "PTR 1.2.0.192.in-addr.arpa": .records([Self.name("MX.good.example")]),
                "A mx.good.example": .records([[192, 0, 2, 9], [192, 0, 2, 1]]),
                "PTR 2.2.0.192.in-addr.arpa": .records([Self.name("mx.bank.example")]),
                "A mx.bank.example": .records([[198, 51, 100, 1]]),
                "PTR 3.2.0.192.in-addr.arpa": .records([[5, 65]]),
                "PTR 4.2.0.192.in-addr.arpa": .code(2),
                "PTR 5.2.0.192.in-addr.arpa": .records([Self.name("gone.example")]),
                "PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa":
                    .records([Self.name("six.good.example")]),
                "AAAA six.good.example": .records([[0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]),
            ]))
        let resolver = DNSResolver(
            configuration: DNSConfiguration(servers: [server.text], secondsPerServer: 5, cacheSeconds: 0),
            hosts: HostsFile(path: "/nonexistent"))
        func name(_ address: String) async throws -> String? {
            let address = try #require(IPAddress(address))
            return await withCheckedContinuation { continuation in
                resolver.confirmedName(of: address) { continuation.resume(returning: $0) }
            }
        }
        #expect(try await name("192.0.2.1")?.lowercased() == "mx.good.example")
        #expect(try await name("2001:db8::1") == "six.good.example")
        for address in ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"] {
            #expect(try await name(address) == nil, "\(address)")
        }
        server.stop()
    }
}
