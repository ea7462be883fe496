import MailModel
import Testing

@testable import Transport

// One after the other: libunbound keeps the longest TTL in a global variable, which its newest context sets.
@Suite("Resolver against a name server on loopback", .serialized)
struct DNSResolverTests {
    private func resolver(_ servers: FakeNameServer..., cacheSeconds: Int = 0) -> DNSResolver {
        DNSResolver(
            configuration: DNSConfiguration(
                servers: servers.map(\.text), secondsPerServer: 1, cacheSeconds: cacheSeconds),
            hosts: HostsFile(path: "/nonexistent"))
    }

    private func exchanges(
        _ resolver: DNSResolver, _ domain: String
    ) async -> Result<MailExchanges, NameFailure> {
        await withCheckedContinuation { continuation in
            resolver.mailExchanges(of: domain) { continuation.resume(returning: $0.map(\.value)) }
        }
    }

    private func addresses(
        _ resolver: DNSResolver, _ host: String, _ family: AddressFamily
    ) async -> Result<[String], NameFailure> {
        await withCheckedContinuation { continuation in
            resolver.addresses(of: host, family: family) {
                continuation.resume(returning: $0.map { $0.value.map(\.description) })
            }
        }
    }

    @Test("MX records, addresses, no records, null MX")
    func answers() async throws {
        let server = try #require(
            FakeNameServer([
                "MX a.example": .records([
                    FakeNameServer.exchange(20, "mx2.a.example"), FakeNameServer.exchange(10, "MX1.a.example"),
                ]),
                "MX plain.example": .records([]),
                "MX null.example": .records([[0, 0, 0]]),
                "A mx1.a.example": .records([[192, 0, 2, 1], [192, 0, 2, 2]]),
                "AAAA mx1.a.example": .records([[0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]),
            ]))
        let resolver = resolver(server)
        let found = await exchanges(resolver, "A.example")
        guard case .success(.hosts(let hosts)) = found else {
            Issue.record("\(found)")
            return
        }
        #expect(
            hosts.sorted { $0.preference < $1.preference } == [
                MailExchange(preference: 10, host: "mx1.a.example"),
                MailExchange(preference: 20, host: "mx2.a.example"),
            ])
        #expect(await exchanges(resolver, "plain.example") == .success(.none))
        #expect(await exchanges(resolver, "null.example") == .success(.null))
        let four = await addresses(resolver, "mx1.a.example", .ipv4)
        #expect(four.map { $0.sorted() } == .success(["192.0.2.1", "192.0.2.2"]))
        #expect(await addresses(resolver, "mx1.a.example", .ipv6) == .success(["2001:db8::1"]))
        server.stop()
    }

    @Test("a domain that does not exist is told apart from servers that fail")
    func failures() async throws {
        let server = try #require(
            FakeNameServer(["MX fail.example": .code(2), "MX refused.example": .code(5), "MX odd.example": .garbage]))
        let resolver = resolver(server)
        #expect(await exchanges(resolver, "gone.example") == .failure(.notFound))
        for name in ["fail.example", "refused.example", "odd.example"] {
            switch await exchanges(resolver, name) {
            case .failure(.temporary), .failure(.timeout): break
            case let other: Issue.record("\(name): \(other)")
            }
        }
        server.stop()
    }

    @Test("a silent server: the next one in the order answers; all silent: a time-out")
    func silent() async throws {
        let silent = try #require(FakeNameServer(["MX a.example": .silence, "MX b.example": .silence]))
        let good = try #require(
            FakeNameServer(["MX a.example": .records([FakeNameServer.exchange(1, "mx.a.example")])]))
        let both = resolver(silent, good)
        #expect(
            await exchanges(both, "a.example") == .success(.hosts([MailExchange(preference: 1, host: "mx.a.example")])))
        #expect(!silent.questions.isEmpty)
        let alone = resolver(silent)
        #expect(await exchanges(alone, "b.example") == .failure(.timeout))
        silent.stop()
        good.stop()
    }

    @Test("the first server is asked first; the second only when the first fails")
    func order() async throws {
        let first = try #require(
            FakeNameServer(["MX a.example": .records([FakeNameServer.exchange(1, "one.example")])]))
        let second = try #require(
            FakeNameServer(["MX a.example": .records([FakeNameServer.exchange(1, "two.example")])]))
        let resolver = resolver(first, second)
        for _ in 0..<5 {
            #expect(
                await exchanges(resolver, "a.example")
                    == .success(.hosts([MailExchange(preference: 1, host: "one.example")])))
        }
        #expect(second.questions.isEmpty)
        first.answer("MX a.example", .code(2))
        #expect(
            await exchanges(resolver, "a.example")
                == .success(.hosts([MailExchange(preference: 1, host: "two.example")])))
        first.stop()
        second.stop()
    }

    @Test(
        "with the cache off every question is asked; with it on, not before the TTL is over",
        arguments: [(0, 2), (60, 1)])
    func cache(_ seconds: Int, _ questions: Int) async throws {
        let server = try #require(
            FakeNameServer(["MX a.example": .records([FakeNameServer.exchange(1, "mx.a.example")])]))
        let resolver = resolver(server, cacheSeconds: seconds)
        for _ in 0..<2 { _ = await exchanges(resolver, "a.example") }
        #expect(server.questions == Array(repeating: "MX a.example", count: questions))
        server.stop()
    }

    @Test(
        "names that cannot be asked for",
        arguments: ["", "a..example", "a example", "太郎.example", String(repeating: "a", count: 300)])
    func unaskable(_ name: String) async throws {
        let server = try #require(FakeNameServer())
        #expect(await exchanges(resolver(server), name) == .failure(.notFound))
        server.stop()
    }
}

@Suite("DNS records and the hosts file")
struct DNSRecordTests {
    private func exchange(_ octets: [UInt8]) -> MailExchange? { octets.withUnsafeBytes(DNSRecord.mailExchange) }

    @Test(
        "record data of others",
        arguments: [
            ([0, 10, 2, 109, 120, 0], MailExchange(preference: 10, host: "mx")),
            ([0, 0, 0], MailExchange(preference: 0, host: "")),
            ([1, 0, 1, 65, 1, 66, 0], MailExchange(preference: 256, host: "a.b")),
            ([], nil), ([0, 1], nil), ([0, 1, 5, 97, 0], nil), ([0, 1, 1, 97], nil), ([0, 1, 1, 97, 0, 7], nil),
            ([0, 1, 0xC0, 12], nil), ([0, 1, 1, 13, 0], nil), ([0, 1, 1, 32, 0], nil), ([0, 1, 1, 46, 0], nil),
        ] as [([UInt8], MailExchange?)])
    func exchanges(_ octets: [UInt8], _ expected: MailExchange?) {
        #expect(exchange(octets) == expected)
    }

    @Test("a null record beside others is ignored (RFC 7505 §3); malformed ones alone are no answer")
    func meaning() {
        let one = MailExchange(preference: 1, host: "a")
        let null = MailExchange(preference: 0, host: "")
        #expect(DNSRecord.meaning(of: [], malformed: 0) == MailExchanges.none)
        #expect(DNSRecord.meaning(of: [], malformed: 1) == nil)
        #expect(DNSRecord.meaning(of: [null], malformed: 0) == .null)
        #expect(DNSRecord.meaning(of: [null, one], malformed: 0) == .hosts([one]))
    }

    @Test("/etc/hosts")
    func hosts() {
        let text =
            "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # six\n# 10.0.0.1 no\n192.0.2.9 Relay relay.example\nbad line\n"
        let found = HostsFile.parse(text)
        #expect(found["localhost"]?.map(\.description) == ["127.0.0.1", "::1"])
        #expect(found["relay.example"]?.map(\.description) == ["192.0.2.9"])
        #expect(found["relay"] != nil)
        #expect(found["no"] == nil)
    }
}
