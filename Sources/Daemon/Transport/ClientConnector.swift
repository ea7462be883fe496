import Glibc
import MailModel
import NIOCore
import NIOPosix

/// Why there is no connection.
package struct ConnectFailure: Error, Equatable {
    package var reply: Reply
}

/// Opens TCP connections for clients.
package enum ClientConnector {
    /// Connects and puts `handler` into the channel.
    /// - Parameters:
    ///   - limit: for the connection to stand.
    ///   - completion: on `loop`, once; on success the handler's owner has perhaps been called already.
    package static func connect(
        to address: IPAddress, port: Int, loop: any EventLoop, limit: Duration,
        handler: @escaping @Sendable () -> ClientConnection, implicitTLS: (@Sendable () throws -> any ChannelHandler)?,
        completion: @escaping @Sendable (Result<any Channel, ConnectFailure>) -> Void
    ) {
        let socketAddress: SocketAddress
        do {
            socketAddress = try SocketAddress(ipAddress: address.description, port: port)
        } catch {
            completion(.failure(ConnectFailure(reply: DeliveryTrouble.connectFailed.reply(text(of: error)))))
            return
        }
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(limit))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let implicitTLS { try channel.pipeline.syncOperations.addHandler(implicitTLS()) }
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .connect(to: socketAddress)
            .whenComplete { result in
                completion(result.mapError { ConnectFailure(reply: reply(of: $0)) })
            }
    }

    /// What a failed connection is called in logs and queue rows.
    private static func reply(of error: any Error) -> Reply {
        switch error {
        case let error as NIOConnectionError:
            return error.connectionErrors.first.map { reply(of: $0.error) } ?? DeliveryTrouble.connectFailed.reply()
        case ChannelError.connectTimeout: return DeliveryTrouble.connectTimeout.reply()
        case let error as IOError where error.errnoCode == ECONNREFUSED: return DeliveryTrouble.connectRefused.reply()
        case let error as IOError where error.errnoCode == ETIMEDOUT: return DeliveryTrouble.connectTimeout.reply()
        default: return DeliveryTrouble.connectFailed.reply(text(of: error))
        }
    }

    /// An error in few words: the system's for system errors.
    static func text(of error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return String(describing: error)
    }
}
