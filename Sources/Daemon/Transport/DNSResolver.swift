import CUnbound
import MailModel
import Synchronization

/// How names are asked for.
package struct DNSConfiguration: Hashable, Sendable {
    /// `address` or `address@port`, asked in this order; empty = the servers of /etc/resolv.conf.
    package var servers: [String]
    /// Seconds that each server is given; the next one follows.
    package var secondsPerServer: Int
    /// Seconds for which an answer may be given again without a question, at most its TTL; 0 = each question is asked.
    package var cacheSeconds: Int

    /// Name servers' TTLs count up to this many seconds.
    package static let longestCache = 3_600

    /// A server that stayed silent is asked last for so long.
    static let silenceSeconds = 30
    /// Records of one answer that are looked at.
    static let recordLimit = 64

    package init(servers: [String], secondsPerServer: Int = 5, cacheSeconds: Int = DNSConfiguration.longestCache) {
        self.servers = servers
        self.secondsPerServer = max(1, secondsPerServer)
        self.cacheSeconds = max(0, cacheSeconds)
    }

    /// The same for zones that have no option. Behind all other options: it makes the context final.
    func unblock(_ context: OpaquePointer) {
        for zone in ["127.in-addr.arpa.", "test."] { ub_ctx_zone_remove(context, zone) }
    }

    func apply(to context: OpaquePointer, server: Int) {
        // Without a trust anchor the validator has nothing to do; it would only cost time.
        ub_ctx_set_option(context, "module-config:", "iterator")
        ub_ctx_set_option(context, "cache-max-ttl:", String(cacheSeconds))
        ub_ctx_set_option(context, "cache-max-negative-ttl:", String(min(cacheSeconds, 60)))
        // libunbound answers for private, documentation and test zones by itself; the configured servers may know them
        // (reverse names of a LAN), and it is they who are to be asked.
        ub_ctx_set_option(context, "unblock-lan-zones:", "yes")
        if servers.indices.contains(server) {
            ub_ctx_set_fwd(context, servers[server])
        } else {
            ub_ctx_resolvconf(context, nil)
        }
    }
}

/// The resolver of the product: libunbound. The thread and libunbound's memory come with the first question, so that
/// a server that relays to a smarthost by address pays nothing.
package final class DNSResolver: NameResolver {
    private let configuration: DNSConfiguration
    private let hosts: HostsFile
    private let thread = Mutex<DNSThread?>(nil)

    package init(configuration: DNSConfiguration) {
        self.configuration = configuration
        hosts = HostsFile()
    }

    init(configuration: DNSConfiguration, hosts: HostsFile) {
        self.configuration = configuration
        self.hosts = hosts
    }

    deinit {
        thread.withLock { $0?.stop() }
    }

    package func mailExchanges(
        of domain: String, completion: @escaping @Sendable (Result<NameAnswer<MailExchanges>, NameFailure>) -> Void
    ) {
        ask(domain, DNSRecord.typeMX) { answer in
            completion(
                answer.flatMap { raw in
                    let records = raw.records.compactMap { $0.withUnsafeBytes(DNSRecord.mailExchange) }
                    let malformed = raw.records.count - records.count
                    guard let meaning = DNSRecord.meaning(of: records, malformed: malformed) else {
                        return .failure(.temporary("malformed MX records"))
                    }
                    return .success(NameAnswer(meaning, ttl: raw.ttl))
                })
        }
    }

    package func addresses(
        of host: String, family: AddressFamily,
        completion: @escaping @Sendable (Result<NameAnswer<[IPAddress]>, NameFailure>) -> Void
    ) {
        if let known = hosts.addresses(of: host) {
            completion(.success(NameAnswer(known.filter { $0.isIPv4 == (family == .ipv4) }, ttl: 0)))
            return
        }
        ask(host, family == .ipv4 ? DNSRecord.typeA : DNSRecord.typeAAAA) { answer in
            completion(
                answer.map { raw in
                    let length = family == .ipv4 ? 4 : 16
                    let found = raw.records.filter { $0.count == length }.compactMap { IPAddress(octets: $0) }
                    return NameAnswer(found, ttl: raw.ttl)
                })
        }
    }

    /// The first name that an address points to.
    func reverseName(of address: IPAddress, completion: @escaping @Sendable (String?) -> Void) {
        ask(Self.pointerName(of: address), DNSRecord.typePTR) { answer in
            let records = (try? answer.get())?.records ?? []
            completion(records.lazy.compactMap { $0.withUnsafeBytes(DNSRecord.name) }.first { !$0.isEmpty })
        }
    }

    private func ask(
        _ name: String, _ type: Int32, completion: @escaping @Sendable (Result<DNSQuery.Raw, NameFailure>) -> Void
    ) {
        guard MailAddress.isPlainDomain(name), name.utf8.allSatisfy({ $0 < 0x80 }) else {
            completion(.failure(.notFound))
            return
        }
        let running = thread.withLock { thread in
            if thread == nil { thread = DNSThread(configuration: configuration) }
            return thread
        }
        guard let running else {
            completion(.failure(.temporary("resolver cannot be started")))
            return
        }
        running.ask(.init(key: .init(name: name.lowercased(), type: type), completion: completion))
    }
}
