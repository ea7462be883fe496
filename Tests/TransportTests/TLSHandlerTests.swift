import Crypto
import Glibc
import MailModel
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

/// The TLS handler's two sides over a loopback connection.
@Suite struct TLSHandlerTests {
    /// Sends back what it gets.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Fulfils `done` with the octets once there are `count` of them, or with the error that ended it.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let count: Int
        private let done: EventLoopPromise<[UInt8]>
        private var octets: [UInt8] = []
        init(_ count: Int, _ done: EventLoopPromise<[UInt8]>) {
            self.count = count
            self.done = done
        }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            octets += unwrapInboundIn(data).readableBytesView
            if octets.count >= count { done.succeed(octets) }
        }
        func channelInactive(context: ChannelHandlerContext) { done.fail(ChannelError.eof) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            done.fail(error)
            context.close(promise: nil)
        }
    }

    struct Files {
        let folder: String
        var certificate: String { folder + "/certificate.pem" }
        var key: String { folder + "/key.pem" }

        init(names: [String] = ["mail.in.example"]) throws {
            folder = "/tmp/epost-tls-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            mkdir(folder, 0o700)
            let pair = try Certificate.selfSigned(names: names)
            try Self.write(pair.certificate, certificate)
            try Self.write(pair.key, key)
        }
        static func write(_ octets: [UInt8], _ path: String) throws {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { close(descriptor) }
            try #require(Glibc.write(descriptor, octets, octets.count) == octets.count)
        }
        func remove() {
            unlink(certificate)
            unlink(key)
            rmdir(folder)
        }
    }

    private func echo(_ sent: [UInt8], server: TLSContext?) async throws -> [UInt8] {
        let group = MultiThreadedEventLoopGroup.singleton
        let address = try #require(IPAddress("127.0.0.1"))
        let listener = try await Listeners.serve(address: address, port: 0, on: group) { channel in
            if let server { try channel.pipeline.syncOperations.addHandler(TLSHandler(server, scope: "test")) }
            try channel.pipeline.syncOperations.addHandler(Echo())
        }.get()
        let loop = group.next()
        let done = loop.makePromise(of: [UInt8].self)
        let port = try #require(listener.localAddress?.port)
        let client = try await ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let context = try TLSContext.opportunisticClient()
                let tls = try TLSHandler(context, serverName: "mail.in.example", handshakeTimeout: .milliseconds(300))
                try channel.pipeline.syncOperations.addHandlers([tls, Collector(sent.count, done)])
            }
        }.connect(host: "127.0.0.1", port: port).get()
        // Written before the handshake is done: held back, not lost and not in clear.
        client.writeAndFlush(ByteBuffer(bytes: sent.prefix(1_000)), promise: nil)
        if sent.count > 1_000 {
            try await client.writeAndFlush(ByteBuffer(bytes: sent.dropFirst(1_000).prefix(10))).get()
            client.writeAndFlush(ByteBuffer(bytes: sent.dropFirst(1_010)), promise: nil)
        }
        let result = done.futureResult.map { Result<[UInt8], any Error>.success($0) }
            .flatMapErrorThrowing { .failure($0) }
        let octets = try await result.get()
        try? await client.close()
        try await listener.close()
        return try octets.get()
    }

    @Test(arguments: [1, 1_000, 20_000, 3_000_000])
    func octetsComeBack(_ count: Int) async throws {
        let files = try Files()
        defer { files.remove() }
        let context = try TLSContext(certificateFile: files.certificate, privateKeyFile: files.key)
        let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let got = try await echo(sent, server: context)
        #expect(got == sent)
    }

    /// A peer that speaks no TLS: an error within the time allowed, never text in clear taken for an answer.
    @Test func peerWithoutTLS() async throws {
        await #expect(throws: TLSError.self) { try await echo([1, 2, 3], server: nil) }
    }

    @Test func brokenCertificateLeavesTheOneInForce() throws {
        let files = try Files()
        let other = try Files(names: ["other.example"])
        defer {
            files.remove()
            other.remove()
        }
        let tls = ServerTLS()
        #expect(tls.current == nil)
        try tls.load(certificateFile: files.certificate, privateKeyFile: files.key)
        let first = try #require(tls.current)
        #expect(throws: TLSError.self) { try tls.load(certificateFile: files.certificate, privateKeyFile: other.key) }
        #expect(tls.current === first)
        try Files.write(Array("-----BEGIN CERTIFICATE-----\nnonsense\n".utf8), files.certificate)
        #expect(throws: TLSError.self) { try tls.load(certificateFile: files.certificate, privateKeyFile: files.key) }
        #expect(tls.current === first)
        try tls.load(certificateFile: other.certificate, privateKeyFile: other.key)
        #expect(tls.current !== first)
    }
}
