import NIOCore
import NIOPosix
import Transport

/// A client for one test: octets out, lines in. Used by one task.
final class TestClient {
    struct Ended: Error {}

    private let channel: any Channel
    private var pieces: AsyncStream<ByteBuffer>.Iterator
    private var buffer = ByteBuffer()
    private let established: EventLoopFuture<TLSEstablished>
    private let establish: EventLoopPromise<TLSEstablished>

    private init(_ channel: any Channel, _ stream: AsyncStream<ByteBuffer>, _ promise: EventLoopPromise<TLSEstablished>)
    {
        self.channel = channel
        pieces = stream.makeAsyncIterator()
        establish = promise
        established = promise.futureResult
    }

    /// - Parameter tls: from the first octet.
    static func connect(port: Int, tls: Bool = false, from source: String = "127.0.0.1") async throws -> TestClient {
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: TLSEstablished.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if tls {
                        let context = try TLSContext.opportunisticClient()
                        try channel.pipeline.syncOperations.addHandler(
                            TLSHandler(context, serverName: "mail.in.example"))
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation, promise))
                }
            }
            .bind(to: try SocketAddress(ipAddress: source, port: 0))
            .connect(host: "127.0.0.1", port: port).get()
        return TestClient(channel, stream, promise)
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: octets)).get()
    }

    /// One line without CR LF. - Throws: `Ended` when the server has closed.
    func line() async throws -> String {
        while true {
            if let end = buffer.readableBytesView.firstIndex(of: 10) {
                let length = end - buffer.readerIndex
                let line = buffer.readString(length: length) ?? ""
                buffer.moveReaderIndex(forwardBy: 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            guard var piece = await pieces.next() else { throw Ended() }
            buffer.writeBuffer(&piece)
        }
    }

    /// The last line of a reply.
    @discardableResult func reply() async throws -> String {
        while true {
            let line = try await line()
            if line.dropFirst(3).first != "-" { return line }
        }
    }

    /// Sends a command and reads its reply. - Returns: the reply's last line.
    @discardableResult func command(_ text: String) async throws -> String {
        try await send(text + "\r\n")
        return try await reply()
    }

    /// Whether the server closes without saying more.
    func isClosed() async -> Bool {
        do {
            _ = try await line()
            return false
        } catch { return true }
    }

    func startTLS() async throws {
        let channel = channel
        try await channel.eventLoop.submit {
            let handler = try TLSHandler(TLSContext.opportunisticClient())
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }.get()
        _ = try await established.get()
    }

    var tls: TLSEstablished { get async throws { try await established.get() } }

    func close() async { try? await channel.close() }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation
        private let promise: EventLoopPromise<TLSEstablished>

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation, _ promise: EventLoopPromise<TLSEstablished>) {
            self.continuation = continuation
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? TLSEstablished { promise.succeed(event) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(Ended())
            continuation.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
