import MailModel
import Settings
import Spool
import Testing

@testable import Delivery

@Suite("Queue actions")
struct QueueActionsTests {
    private func bench() async throws -> (DeliveryBench, QueueActions, SinkServer) {
        let sink = try await SinkServer.start()
        let port = sink.port
        let bench = try DeliveryBench(settings: { try $0.set(DeliverySettings.port, String(port)) })
        bench.resolver.change { $0.exchanges["far.example"] = .failure(.timeout) }
        return (bench, QueueActions(queue: bench.spool, engine: bench.engine), sink)
    }

    @Test("retry: what waits is tried at once")
    func retry() async throws {
        let (bench, actions, sink) = try await bench()
        let id = bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(try actions.show(id).row.state == .deferred)
        bench.route("far.example", to: "127.0.0.1")
        #expect(try actions.act(.retry, on: [id]) == [id])
        try await bench.run()
        #expect(sink.messages.count == 1)
        #expect(try actions.counts().messages == 0)
        await bench.stop()
        await sink.stop()
    }

    @Test("hold and release")
    func hold() async throws {
        let (bench, actions, sink) = try await bench()
        bench.route("far.example", to: "127.0.0.1")
        let id = bench.add(to: ["x@far.example"])
        _ = try actions.act(.hold, on: [id])
        bench.advance(seconds: 100_000)
        try await bench.run()
        #expect(sink.messages.isEmpty)
        _ = try actions.act(.release, on: [id])
        try await bench.run()
        #expect(sink.messages.count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test("remove: nobody is told")
    func remove() async throws {
        let (bench, actions, sink) = try await bench()
        let id = bench.add(from: "taro@local.example", to: ["x@far.example"])
        try await bench.run()
        #expect(try actions.act(.remove, on: [id, bench.spool.makeID()]) == [id])
        bench.advance(seconds: 100_000)
        try await bench.run()
        #expect(bench.mailbox("taro").isEmpty)
        #expect(try actions.counts().messages == 0)
        await bench.stop()
        await sink.stop()
    }

    @Test("bounce: the sender gets a report with what the remote said last")
    func bounce() async throws {
        let (bench, actions, sink) = try await bench()
        let id = bench.add(from: "taro@local.example", to: ["x@far.example"])
        try await bench.run()
        _ = try actions.act(.bounce, on: [id])
        try await bench.run()
        let report = try #require(bench.mailbox("taro").first)
        #expect(report.contains("returned by the administrator"))
        #expect(report.contains("name server did not answer"))
        #expect(try actions.counts().messages == 0)
        await bench.stop()
        await sink.stop()
    }
}
