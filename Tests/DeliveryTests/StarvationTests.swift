import MailModel
import Settings
import Spool
import Testing

@testable import Delivery

@Suite("Nobody is held up by others")
struct StarvationTests {
    @Test("2,000 messages to a host that never answers do not hold up one mail to another")
    func notStarved() async throws {
        let hanging = try await SinkServer.start(behaviour: { at, _, _ in at == .mail ? .silence : nil })
        let sink = try await SinkServer.start(on: "127.0.0.2")
        let bench = try DeliveryBench(configuration: { $0.timeouts.command = .seconds(600) })
        let (slow, quick) = (hanging.port, sink.port)
        bench.engine.use(
            adjusting: bench.engine.context.configuration,
            router: { $0.domain == "slow.example" ? ("127.0.0.1", slow) : ("127.0.0.2", quick) })
        for _ in 0..<2_000 { bench.add(from: "list@client.example", to: ["x@slow.example"]) }
        bench.add(from: "single@client.example", to: ["x@quick.example"])
        let thread = try #require(bench.engine.start())
        let end = ContinuousClock.now + .seconds(20)
        while sink.messages.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        #expect(sink.messages.map(\.sender) == ["single@client.example"])
        #expect(hanging.mostOpen <= DestinationRecord.firstLimit)
        #expect(bench.engine.underWay <= Dispatcher.capacity)
        await bench.stop()
        _ = thread
        await hanging.stop()
        await sink.stop()
    }

    @Test("a list of 10,000 to the same host does not hold up one mail")
    func listAndSingle() async throws {
        let sink = try await SinkServer.start()
        let port = sink.port
        let bench = try DeliveryBench(
            settings: { try $0.set(DeliverySettings.port, String(port)) }, configuration: { $0.perDestination = 5 })
        bench.route("far.example", to: "127.0.0.1")
        for _ in 0..<10_000 { bench.add(from: "list@client.example", to: ["x@far.example"]) }
        bench.add(from: "single@client.example", to: ["y@far.example"])
        let thread = try #require(bench.engine.start())
        func position() -> Int? { sink.messages.firstIndex { $0.sender == "single@client.example" } }
        let end = ContinuousClock.now + .seconds(30)
        while position() == nil, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        // It waits until the queue was read up to it, not for the list.
        let before = try #require(position())
        #expect(before < 5_000)
        await bench.stop()
        _ = thread
        await sink.stop()
    }

    @Test("memory full of work that does not get on: a part goes back into the queue, other mail gets through")
    func shedding() async throws {
        let hanging = try await SinkServer.start(behaviour: { at, _, _ in at == .mail ? .silence : nil })
        let sink = try await SinkServer.start(on: "127.0.0.2")
        let bench = try DeliveryBench(configuration: { $0.timeouts.command = .seconds(600) })
        let (slow, quick) = (hanging.port, sink.port)
        bench.engine.use(
            adjusting: bench.engine.context.configuration,
            router: { $0.domain == "slow.example" ? ("127.0.0.1", slow) : ("127.0.0.2", quick) })
        // More than there is room for, from many senders, so that no fairness between senders helps.
        let messages = Dispatcher.capacity / 500 + 4
        for number in 0..<messages {
            bench.add(from: "s\(number)@client.example", to: (0..<500).map { "u\($0)@slow.example" })
        }
        bench.add(from: "single@client.example", to: ["x@quick.example"])
        let thread = try #require(bench.engine.start())
        let end = ContinuousClock.now + .seconds(30)
        while sink.messages.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        #expect(sink.messages.map(\.sender) == ["single@client.example"])
        #expect(bench.engine.underWay <= Dispatcher.capacity)
        // Nothing is lost, and putting it off is no attempt.
        let left = try bench.queued()
        #expect(left.reduce(0) { $0 + $1.recipientCount } == messages * 500)
        #expect(left.allSatisfy { $0.tries == 0 })
        await bench.stop()
        _ = thread
        await hanging.stop()
        await sink.stop()
    }
}

/// Sends everything to gateways on this machine.
struct GatewayRouter: DeliveryRouter {
    let find: @Sendable (MailAddress) -> (host: String, port: Int)
    func route(_ recipient: Recipient, sender: ReversePath) -> DeliveryRoute {
        let (host, port) = find(recipient.address)
        return .remote(NextHop(.gateway(host), port: port))
    }
}

extension DeliveryEngine {
    func use(
        adjusting configuration: DeliveryConfiguration, router: @escaping @Sendable (MailAddress) -> (String, Int)
    ) {
        var configuration = configuration
        configuration.router = GatewayRouter(find: router)
        use(configuration)
    }
}
