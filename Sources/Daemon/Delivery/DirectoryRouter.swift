import MailModel
import Policy
import Store

/// Routes by the directory and the settings of one revision (`RoutingPolicy`).
struct DirectoryRouter: DeliveryRouter {
    let directory: any Directory
    let settings: RoutingSettings

    func route(_ recipient: MailAddress, sender: ReversePath) -> DeliveryRoute {
        do {
            let domain = try directory.domain(named: recipient.domain)
            let account = domain == nil ? nil : try directory.account(recipient)
            let facts = RoutingFacts(recipient: recipient, sender: sender, directory: Self.facts(domain, account))
            return try translate(RoutingPolicy.route(facts, settings), account: account, domain: domain)
        } catch {
            return .deferred(DeliveryTrouble.directoryUnavailable.reply(error.detail))
        }
    }

    private static func facts(_ domain: DomainRecord?, _ account: AccountRecord?) -> DirectoryFacts {
        guard domain != nil else { return .external }
        guard let account else { return .unknown }
        return .account(AccountFacts(isEnabled: account.isEnabled))
    }

    private func translate(
        _ decision: RouteDecision, account: AccountRecord?, domain: DomainRecord?
    ) throws(DirectoryError) -> DeliveryRoute {
        switch decision.route {
        case .localMailbox:
            guard let account, let domain else { return .failed(DeliveryTrouble.unknownUser.reply()) }
            let place = try directory.mailbox(of: account)
            return .mailbox(
                LocalTarget(
                    domain: domain.name, base: place.base, folders: place.folders,
                    limit: try directory.mailboxLimit(of: account)))
        case .gateway(let host, let port, let isImplicitTLS):
            return .remote(NextHop(.gateway(host.lowercased()), port: port, isImplicitTLS: isImplicitTLS))
        case .exchangers(let domain, let port): return .remote(NextHop(.domain(domain), port: port))
        case .address(let address, let port): return .remote(NextHop(.address(address), port: port))
        case .unknownRecipient: return .failed(DeliveryTrouble.unknownUser.reply())
        case .unroutable: return .failed(DeliveryTrouble.domainNotFound.reply("the domain part cannot be routed"))
        case .loopToSelf: return .failed(DeliveryTrouble.mxIsUs.reply(decision.source.text))
        case .alias, .list:
            // The directory knows neither today, so no fact leads here.
            return .failed(DeliveryTrouble.unknownUser.reply())
        }
    }
}
