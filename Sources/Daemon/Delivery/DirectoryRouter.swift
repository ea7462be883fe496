import Facts
import MailModel
import Policy
import Store
import Tables

/// Routes by the directory and the settings of one revision (`RoutingPolicy`).
struct DirectoryRouter: DeliveryRouter {
    let directory: any Directory
    let settings: RoutingSettings
    let rewriting: SenderRewriting?

    /// Accounts of a directory are asked for together, not one after the other.
    func prepare(_ recipients: [Recipient]) {
        guard directory.asksElsewhere else { return }
        _ = directory.prepare(recipients.map { $0.resolved ?? $0.address }) {}
    }

    func route(_ recipient: Recipient, sender: ReversePath) -> DeliveryRoute {
        do throws(DirectoryError) {
            if let resolved = recipient.resolved { return try direct(resolved, sender) }
            // Nobody in this domain has an alias: the usual case, one look into memory.
            guard try isAliased(recipient.address) else { return try direct(recipient.address, sender) }
            let expansion = try AliasExpansion.expand(recipient.address, in: DirectoryAliases(directory))
            let failure = expansion.dead.first.map(\.fault).map(Self.reply)
            guard let first = expansion.targets.first else {
                // No alias and no account: perhaps a rewritten sender.
                return failure != nil && expansion.isAliased
                    ? .failed(failure ?? DeliveryTrouble.unknownUser.reply())
                    : try direct(recipient.address, sender)
            }
            if expansion.targets.count > 1 || failure != nil { return .several(expansion.targets, failure: failure) }
            return .aliased(recipient: first.envelope, try direct(first.address, sender))
        } catch {
            return .deferred(DeliveryTrouble.directoryUnavailable.reply(error.detail))
        }
    }

    /// An alias of its own, or a wildcard and no account (R-ALIAS-14).
    private func isAliased(_ address: MailAddress) throws(DirectoryError) -> Bool {
        if try !directory.aliases(of: address).isEmpty { return true }
        let wildcard = MailAddress(localPart: AliasRule.wildcard, domain: address.domain)
        if try directory.aliases(of: wildcard).isEmpty { return false }
        return try directory.account(address) == nil
    }

    private static func reply(_ fault: AliasExpansion.Fault) -> Reply {
        switch fault {
        case .unknown: DeliveryTrouble.unknownUser.reply()
        case .loop, .tooLong, .tooMany: DeliveryTrouble.aliasLoop.reply()
        }
    }

    /// Where an address goes without aliases.
    private func direct(_ recipient: MailAddress, _ sender: ReversePath) throws(DirectoryError) -> DeliveryRoute {
        let domain = try directory.domain(named: recipient.domain)
        let account = domain == nil ? nil : try directory.account(recipient)
        if domain != nil, account == nil,
            let sender = rewriting?.original(of: recipient.localPart, day: SenderRewriting.today)
        {
            // A report about a forwarded mail, on its way back to who sent it.
            return .aliased(recipient: sender, try direct(sender, .null))
        }
        let facts = RoutingFacts(recipient: recipient, sender: sender, directory: Self.facts(domain, account))
        return try translate(RoutingPolicy.route(facts, settings), account: account, domain: domain)
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
                    limit: try directory.mailboxLimit(of: account), owner: account.address,
                    ownerName: account.fullName, revision: try directory.settingsAtHand().revision))
        case .gateway(let host, let port, let isImplicitTLS, let login):
            return .remote(
                NextHop(.gateway(host.lowercased()), port: port, isImplicitTLS: isImplicitTLS, login: login))
        case .exchangers(let domain, let port): return .remote(NextHop(.domain(domain), port: port))
        case .address(let address, let port): return .remote(NextHop(.address(address), port: port))
        case .unknownRecipient: return .failed(DeliveryTrouble.unknownUser.reply())
        case .unroutable: return .failed(DeliveryTrouble.domainNotFound.reply("the domain part cannot be routed"))
        case .loopToSelf: return .failed(DeliveryTrouble.mxIsUs.reply(decision.source.text))
        case .alias, .list:
            // Aliases are done with before; the directory knows no lists today, so no fact leads here.
            return .failed(DeliveryTrouble.unknownUser.reply())
        }
    }
}
