import MailModel
import Settings
import Testing
import Transport

@testable import Delivery

/// Which hosts and addresses mail goes to.
@Suite("Hosts of a destination") struct HostTests {
    private func bench(
        _ sink: SinkServer, configuration: @escaping (inout DeliveryConfiguration) -> Void = { _ in }
    ) throws -> DeliveryBench {
        try DeliveryBench(
            settings: { try $0.set(DeliverySettings.port, String(sink.port)) }, configuration: configuration)
    }

    @Test("a host from the MX cache that does not answer: the name servers are asked again at once (R-DLV-17)")
    func askedAgain() async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink)
        bench.route("far.example", to: "127.0.0.1")
        bench.add(to: ["x@far.example"])
        try await bench.run()
        await bench.engine.closeIdle()
        // The old host is gone; the new one stands in the name servers only.
        bench.resolver.change { zone in
            zone.addresses["mx.far.example"] = .success([IPAddress("127.0.0.77")].compactMap { $0 })
            zone.exchanges["far.example"] = .success(.hosts([MailExchange(preference: 5, host: "new.far.example")]))
            zone.addresses["new.far.example"] = .success([IPAddress("127.0.0.1")].compactMap { $0 })
        }
        bench.add(to: ["y@far.example"])
        try await bench.run()
        #expect(sink.messages.map(\.recipients) == [["x@far.example"], ["y@far.example"]])
        #expect(bench.resolver.questions.count { $0 == "MX far.example" } == 2)
        #expect(try bench.queued().isEmpty)
        await bench.stop()
        await sink.stop()
    }

    @Test("the IP version limits which addresses are asked for and used (R-DLV-13)")
    func family() async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink, configuration: { $0.families = [.ipv4] })
        bench.route("far.example", to: "::1", "127.0.0.1")
        bench.route("six.example", to: "::1")
        bench.add(to: ["x@far.example"])
        bench.add(to: ["y@six.example"])
        try await bench.run()
        #expect(sink.messages.map(\.recipients) == [["x@far.example"]])
        #expect(!bench.resolver.questions.contains { $0.hasPrefix("AAAA") })
        await bench.stop()
        await sink.stop()
    }
}
