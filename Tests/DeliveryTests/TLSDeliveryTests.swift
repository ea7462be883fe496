import MailModel
import NIOCore
import SMTP
import Settings
import Spool
import Testing
import Transport

@testable import Delivery

@Suite("Opportunistic TLS")
struct TLSDeliveryTests {
    private static let clientTLS: ClientTLS = { name, trust in
        try TLSHandler(ClientTLSContexts().context(for: trust), serverName: name)
    }

    private static let nonsense: SinkServer.TLSMaker = { Nonsense() }

    private func bench(_ sink: SinkServer, mode: String) throws -> DeliveryBench {
        let port = sink.port
        let bench = try DeliveryBench(
            tls: Self.clientTLS,
            settings: {
                try $0.set(DeliverySettings.port, String(port))
                try $0.set(DeliverySettings.tls, mode)
            })
        bench.route("far.example", to: "127.0.0.1")
        return bench
    }

    /// Answers a ClientHello with something that is no TLS.
    final class Nonsense: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: "this is not TLS\r\n")), promise: nil)
        }
    }

    @Test("a failed handshake: in clear over a new connection, and no further try with TLS while it works")
    func failing() async throws {
        let sink = try await SinkServer.start(tls: Self.nonsense)
        let bench = try bench(sink, mode: "opportunistic")
        for _ in 0..<3 { bench.add(to: ["x@far.example"]) }
        try await bench.run()
        #expect(sink.messages.count == 3)
        #expect(bench.events(.sender).contains { $0.reply?.contains("TLS handshake failed") == true })
        await bench.stop()
        await sink.stop()
    }

    @Test("required: waits when TLS fails or is not offered", arguments: [true, false])
    func required(_ isOffered: Bool) async throws {
        let sink = try await SinkServer.start(tls: isOffered ? Self.nonsense : nil)
        let bench = try bench(sink, mode: "required")
        bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(sink.messages.isEmpty)
        #expect(try bench.queued().first?.reply?.contains("TLS") == true)
        await bench.stop()
        await sink.stop()
    }

    @Test("off: STARTTLS is never said")
    func off() async throws {
        let sink = try await SinkServer.start(tls: Self.nonsense)
        let bench = try bench(sink, mode: "off")
        bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(sink.messages.count == 1)
        #expect(!sink.commands.contains { $0.uppercased().hasPrefix("STARTTLS") })
        await bench.stop()
        await sink.stop()
    }
}
