import MailModel
import NIOCore
import NIOPosix

/// Listening sockets. When descriptors run out NIO's back-off stops accepting for a second at a time, and connections
/// wait in the kernel's queue.
package enum Listeners {
    /// Serves a socket that was bound and set to listen by somebody else; takes the descriptor over.
    /// - Parameter initialize: called for each connection on its event loop.
    package static func serve(
        descriptor: Int32, on group: any EventLoopGroup,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        bootstrap(group, initialize).withBoundSocket(descriptor)
    }

    /// Binds and serves. - Parameter port: 0: any free one, see `localAddress` of the channel.
    package static func serve(
        address: IPAddress, port: Int, on group: any EventLoopGroup,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        bootstrap(group, initialize).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address.description, port: port)
    }

    private static func bootstrap(
        _ group: any EventLoopGroup, _ initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            // Connections taken at a time, so that a burst of them does not keep the sessions waiting.
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 65_536)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel) }
            }
    }
}

extension IPAddress {
    /// The address of a TCP socket.
    package init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let four):
            var inner = four.address.sin_addr
            self.init(octets: withUnsafeBytes(of: &inner) { Array($0) })
        case .v6(let six):
            var inner = six.address.sin6_addr
            self.init(octets: withUnsafeBytes(of: &inner) { Array($0) })
        case .unixDomainSocket, nil: return nil
        }
    }
}
