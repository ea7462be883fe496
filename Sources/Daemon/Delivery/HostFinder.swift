import MailModel
import NIOCore
import Policy
import Transport

/// What a next hop's name leads to.
enum FoundHosts: Sendable {
    /// In the order in which they are to be tried; at least one. `fromCache`: the name servers may know better.
    case hosts([HostAddress], fromCache: Bool)
    case failed(Reply)
    case deferred(Reply)
}

/// Finds the hosts of a next hop: MX records, their addresses, never ourselves. Lives on the event loop.
final class HostFinder: @unchecked Sendable {
    // @unchecked: confined to `loop`; the resolver's answers hop onto it first.

    /// MX hosts whose addresses are asked for.
    static let hostLimit = 8
    /// Addresses that are tried in one attempt.
    static let addressLimit = 16

    private let loop: any EventLoop
    private let context: DeliveryContext
    var resolver: any NameResolver
    var cache = MXCache()
    private var generator = SystemRandomNumberGenerator()

    init(loop: any EventLoop, context: DeliveryContext, resolver: any NameResolver) {
        self.loop = loop
        self.context = context
        self.resolver = resolver
    }

    /// - Parameters:
    ///   - refresh: the cache has shown itself wrong: ask again.
    ///   - completion: on the loop, perhaps before the call returns.
    func find(_ hop: NextHop, refresh: Bool, completion: @escaping (FoundHosts) -> Void) {
        switch hop.target {
        case .gateway(let host): resolve([host], hop, fromCache: false, completion)
        case .address(let address):
            conclude([[address]], names: [address.description], hop, fromCache: false, completion)
        case .domain(let domain):
            guard let domain = Punycode.domain(domain) else {
                return completion(.failed(DeliveryTrouble.domainNotFound.reply("not a domain name")))
            }
            if refresh { cache.remove(domain) }
            let ttl = context.configuration.mxCacheTTL
            if let known = cache.exchanges(of: domain, ttl: ttl, now: context.now()) {
                return choose(known, domain: domain, hop, fromCache: true, completion)
            }
            let bound = NIOLoopBound(completion, eventLoop: loop)
            resolver.mailExchanges(of: domain) { [self] answer in
                loop.execute { self.answered(answer, domain: domain, hop, bound.value) }
            }
        }
    }

    /// Mail went there: the data are good (R-DLV-16).
    func confirm(_ hop: NextHop) {
        if case .domain(let domain) = hop.target, let domain = Punycode.domain(domain) { cache.confirm(domain) }
    }

    private func answered(
        _ answer: Result<NameAnswer<MailExchanges>, NameFailure>, domain: String, _ hop: NextHop,
        _ completion: @escaping (FoundHosts) -> Void
    ) {
        switch answer {
        case .success(let found):
            cache.keep(found, for: domain, now: context.now())
            choose(found.value, domain: domain, hop, fromCache: false, completion)
        case .failure(.notFound): completion(.failed(DeliveryTrouble.domainNotFound.reply(domain)))
        case .failure(let failure): completion(.deferred(Self.reply(failure, "MX of \(domain)")))
        }
    }

    private func choose(
        _ exchanges: MailExchanges, domain: String, _ hop: NextHop, fromCache: Bool,
        _ completion: @escaping (FoundHosts) -> Void
    ) {
        let answer: ExchangerAnswer =
            switch exchanges {
            case .hosts(let hosts):
                .records(hosts.map { MailExchanger(preference: $0.preference, host: $0.host) })
            case .none: .records([])
            case .null: .records([MailExchanger(preference: 0, host: ".")])
            }
        let isOurselves = context.configuration.isOurselves
        let decision = ExchangerPolicy.decide(
            answer, domain: domain, isOurselves: { isOurselves($0, hop.port) }, using: &generator)
        switch decision {
        case .hosts(let hosts): resolve(Array(hosts.prefix(Self.hostLimit)), hop, fromCache: fromCache, completion)
        case .implicit(let domain): resolve([domain], hop, fromCache: fromCache, completion)
        case .fail(let status, let text): completion(.failed(Reply(550, status, text)))
        case .retry(let text): completion(.deferred(DeliveryTrouble.dnsTemporary.reply(text)))
        }
    }

    // MARK: Addresses

    private final class Gathering {
        var addresses: [[IPAddress]]
        var failures: [NameFailure] = []
        var open: Int
        init(hosts: Int, questions: Int) {
            addresses = Array(repeating: [], count: hosts)
            open = questions
        }
    }

    private func resolve(
        _ names: [String], _ hop: NextHop, fromCache: Bool, _ completion: @escaping (FoundHosts) -> Void
    ) {
        let families = context.configuration.families
        if names.count == 1, let address = IPAddress(names[0]) {
            return conclude([[address]], names: names, hop, fromCache: fromCache, completion)
        }
        let gathering = Gathering(hosts: names.count, questions: names.count * families.count)
        let bound = NIOLoopBound((gathering, completion), eventLoop: loop)
        for (index, name) in names.enumerated() {
            for family in families {
                resolver.addresses(of: name, family: family) { [self] answer in
                    loop.execute {
                        let (gathering, completion) = bound.value
                        switch answer {
                        case .success(let found):
                            // IPv6 first (RFC 6724 §2.1), whichever answer came first.
                            let known = gathering.addresses[index] + found.value
                            gathering.addresses[index] = known.filter { !$0.isIPv4 } + known.filter(\.isIPv4)
                        case .failure(let failure): gathering.failures.append(failure)
                        }
                        gathering.open -= 1
                        guard gathering.open == 0 else { return }
                        self.gathered(gathering, names: names, hop, fromCache: fromCache, completion)
                    }
                }
            }
        }
    }

    private func gathered(
        _ gathering: Gathering, names: [String], _ hop: NextHop, fromCache: Bool,
        _ completion: @escaping (FoundHosts) -> Void
    ) {
        if gathering.addresses.allSatisfy(\.isEmpty) {
            if let trouble = gathering.failures.first(where: { $0 != .notFound }) {
                return completion(.deferred(Self.reply(trouble, "address of \(names[0])")))
            }
            return completion(.failed(DeliveryTrouble.noAddress.reply(names.joined(separator: ", "))))
        }
        conclude(gathering.addresses, names: names, hop, fromCache: fromCache, completion)
    }

    private func conclude(
        _ addresses: [[IPAddress]], names: [String], _ hop: NextHop, fromCache: Bool,
        _ completion: @escaping (FoundHosts) -> Void
    ) {
        let isOurselves = context.configuration.isOurselves
        var out: [HostAddress] = []
        for (name, list) in zip(names, addresses) {
            // RFC 5321 §5.1: from the host that is ourselves on, the others are no better than we are.
            if list.contains(where: { isOurselves($0.description, hop.port) }) { break }
            out += list.map { HostAddress(name: name, address: $0, port: hop.port) }
        }
        if out.isEmpty {
            if addresses.contains(where: { !$0.isEmpty }) {
                return completion(.failed(DeliveryTrouble.mxIsUs.reply(names[0])))
            }
            return completion(.failed(DeliveryTrouble.noAddress.reply(names[0])))
        }
        completion(.hosts(Array(out.prefix(Self.addressLimit)), fromCache: fromCache))
    }

    private static func reply(_ failure: NameFailure, _ what: String) -> Reply {
        switch failure {
        case .notFound: DeliveryTrouble.domainNotFound.reply(what)
        case .temporary(let text): DeliveryTrouble.dnsTemporary.reply("\(what): \(text)")
        case .timeout: DeliveryTrouble.dnsTimeout.reply(what)
        case .bogus(let text): DeliveryTrouble.dnsBogus.reply("\(what): \(text)")
        }
    }
}
