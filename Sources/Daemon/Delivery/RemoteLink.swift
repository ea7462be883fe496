import MailModel
import NIOCore
import SMTP
import Transport

/// One connection to one host, and the job it works on. Lives on the event loop.
final class RemoteLink: @unchecked Sendable {
    // @unchecked: confined to the event loop; it is captured by the channel's initializer, which runs there too.

    /// Messages that one connection carries at most, so that a change of the destination's hosts is noticed.
    static let messageLimit = 1_000

    let destination: RemoteDestination
    let host: HostAddress
    let usesTLS: Bool
    var job: RemoteJob?
    /// Recipients of the transaction under way: the first ones of the job.
    var transactionSize = 0
    var connection: ClientConnection?
    /// Transactions that were begun on it.
    var transactions = 0
    /// It logs in, with what decided about TLS; `nil`: it does not.
    var login: LoginSource.Answer?
    private unowned let owner: RemoteDelivery

    init(destination: RemoteDestination, host: HostAddress, usesTLS: Bool, job: RemoteJob, owner: RemoteDelivery) {
        self.destination = destination
        self.host = host
        self.usesTLS = usesTLS
        self.job = job
        self.owner = owner
    }

    /// Certificates are checked on it.
    var isTrusted = false
    /// Version and cipher; behind them, when the certificate was checked, `verified`.
    var tls: String? { connection?.tls.map { isTrusted ? $0 + " verified" : $0 } }
    var isUsable: Bool { connection?.isIdle ?? false }

    /// For logs and the queue: `mx mx1.example.net [192.0.2.1]`.
    var route: String {
        let kind = destination.hop.isGateway ? "gateway" : "mx"
        let name = host.name == host.address.description ? "" : "\(host.name) "
        let port = host.port == 25 ? "" : ":\(host.port)"
        return "\(kind) \(name)[\(host.address)]\(port)"
    }

    func makeConnection(
        settings: ClientSettings, timeouts: ClientTimeouts, makeTLS: ClientConnection.TLSFactory?
    ) -> ClientConnection {
        let connection = ClientConnection(settings: settings, timeouts: timeouts, makeTLS: makeTLS) { [self] event in
            owner.handle(event, of: self)
        }
        self.connection = connection
        return connection
    }
}
