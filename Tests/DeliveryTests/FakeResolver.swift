import MailModel
import Synchronization
import Transport

/// Name servers in memory. Every question is counted.
final class FakeResolver: NameResolver {
    struct Zone: Sendable {
        var exchanges: [String: Result<MailExchanges, NameFailure>] = [:]
        var addresses: [String: Result<[IPAddress], NameFailure>] = [:]
        var ttl = 300
        var questions: [String] = []
        var isSilent = false
    }
    let zone: Mutex<Zone>

    init(_ zone: Zone = Zone()) { self.zone = Mutex(zone) }

    func change(_ body: (inout Zone) -> Void) { zone.withLock { body(&$0) } }
    var questions: [String] { zone.withLock { $0.questions } }

    func mailExchanges(
        of domain: String, completion: @escaping @Sendable (Result<NameAnswer<MailExchanges>, NameFailure>) -> Void
    ) {
        let (answer, ttl) = zone.withLock { zone in
            zone.questions.append("MX \(domain)")
            return (zone.exchanges[domain] ?? .failure(.notFound), zone.ttl)
        }
        completion(answer.map { NameAnswer($0, ttl: ttl) })
    }

    func addresses(
        of host: String, family: AddressFamily,
        completion: @escaping @Sendable (Result<NameAnswer<[IPAddress]>, NameFailure>) -> Void
    ) {
        let (answer, ttl) = zone.withLock { zone in
            zone.questions.append("\(family == .ipv4 ? "A" : "AAAA") \(host)")
            return (zone.addresses[host] ?? .failure(.notFound), zone.ttl)
        }
        completion(answer.map { found in NameAnswer(found.filter { $0.isIPv4 == (family == .ipv4) }, ttl: ttl) })
    }
}
