import MailModel
import Mailbox
import Policy
import Tables

/// Where mail that leaves this server goes next. Messages with the same next hop share connections and transactions
/// (R-DLV-14).
package struct NextHop: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        /// The mail exchanges of a domain, lower case.
        case domain(String)
        /// An address literal of the recipient.
        case address(IPAddress)
        /// One host by name or address, no MX look-up: a gateway (R-DLV-10).
        case gateway(String)
    }
    package var target: Target
    package var port: Int
    /// TLS from the first octet; gateways only.
    package var isImplicitTLS: Bool
    /// How to log in, where gateway.dat says so.
    package var login: GatewayLogin?

    package init(_ target: Target, port: Int, isImplicitTLS: Bool = false, login: GatewayLogin? = nil) {
        self.target = target
        self.port = port
        self.isImplicitTLS = isImplicitTLS
        self.login = login
    }

    package var isGateway: Bool {
        if case .gateway = target { true } else { false }
    }

    /// For logs and the queue: `mx example.net`, `gateway relay.example.jp:25`.
    package var text: String {
        switch target {
        case .domain(let domain): "mx \(domain)"
        case .address(let address): "address [\(address)]"
        case .gateway(let host): "gateway \(host):\(port)"
        }
    }
}

/// What routing says about one recipient at this moment (R-DLV-05, R-DLV-10).
package enum DeliveryRoute: Sendable {
    case mailbox(LocalTarget)
    case remote(NextHop)
    /// Cannot be delivered, now and ever.
    case failed(Reply)
    /// Cannot be decided now.
    case deferred(Reply)
    /// By aliases to one place, which sees `recipient`.
    indirect case aliased(recipient: MailAddress, DeliveryRoute)
    /// By aliases to several places: a message of its own takes it there. `failure`: a branch leads nowhere, which the
    /// sender is told.
    case several([AliasTarget], failure: Reply?)
}

/// A mailbox of this server.
package struct LocalTarget: Sendable {
    /// For logs: `local example.jp`.
    package var domain: String
    /// Absolute; exists.
    package var base: String
    package var folders: [String]
    /// Octets; 0 = no limit.
    package var limit: Int
    /// Written as `Delivered-To:`: an alias brought the mail here (R-ALIAS-09).
    package var deliveredTo: MailAddress?
    /// Whose mailbox it is, and the full name.
    package var owner: MailAddress
    package var ownerName: String
    /// Of the directory when it answered.
    package var revision: Int64

    package init(
        domain: String, base: String, folders: [String], limit: Int, owner: MailAddress, ownerName: String = "",
        revision: Int64 = 0, deliveredTo: MailAddress? = nil
    ) {
        self.domain = domain
        self.base = base
        self.folders = folders
        self.limit = limit
        self.deliveredTo = deliveredTo
        self.owner = owner
        self.ownerName = ownerName
        self.revision = revision
    }

    /// `nil` when a name in it is no plain folder name.
    var mailbox: MailboxLocation? { MailboxLocation(base: base, folders: folders) }
}
