import MailModel
import Settings
import Synchronization
import Transport

/// Finds the confirmed DNS name of a client. The completion is called once, on any thread; `nil`: there is none.
package typealias ClientNameLookup = @Sendable (IPAddress, @escaping @Sendable (String?) -> Void) -> Void

/// What DNS knows of clients, asked of the configured servers: names for trace fields, entries of block lists.
final class ClientLookups: Sendable {
    /// For one revision of the settings.
    struct InForce: Sendable {
        /// A session never waits for its answer: a name that comes too late is not in the trace field.
        let names: ClientNameLookup
        let blocklists: Blocklists
    }
    private struct State {
        var servers: [DNSServerAddress] = []
        var resolver: DNSResolver?
        var blocklists: Blocklists?
    }
    private let state = Mutex(State())
    private let given: ClientNameLookup?

    /// Seconds that a block list is given over all servers (R-RCV-13).
    private static let patience = 5

    init(_ given: ClientNameLookup?) { self.given = given }

    /// Answers already known stay while the servers do.
    func inForce(_ settings: SettingsSnapshot) -> InForce {
        let servers = settings[ServerSettings.dnsServers]
        let (resolver, blocklists) = state.withLock { state in
            if let resolver = state.resolver, let lists = state.blocklists, state.servers == servers {
                return (resolver, lists)
            }
            // No thread and no memory of the resolver's before the first question.
            let resolver = DNSResolver(configuration: DNSConfiguration(servers: servers.map(\.text)))
            let lists = Blocklists(
                resolver: DNSResolver(
                    configuration: DNSConfiguration(
                        servers: servers.map(\.text), secondsPerServer: max(1, Self.patience / max(1, servers.count)))))
            state = State(servers: servers, resolver: resolver, blocklists: lists)
            return (resolver, lists)
        }
        let names: ClientNameLookup = { client, completion in
            // Ourselves: no question, and no resolver for a server that only relays for this machine.
            client.isThisMachine ? completion(nil) : resolver.confirmedName(of: client, completion: completion)
        }
        return InForce(names: given ?? names, blocklists: blocklists)
    }
}
