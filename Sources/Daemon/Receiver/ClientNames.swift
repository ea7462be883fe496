import MailModel
import Settings
import Synchronization
import Transport

/// Finds the confirmed DNS name of a client. The completion is called once, on any thread; `nil`: there is none.
package typealias ClientNameLookup = @Sendable (IPAddress, @escaping @Sendable (String?) -> Void) -> Void

/// Names of clients by DNS, asked of the configured servers. A session never waits for its answer: a name that comes
/// too late is not in the trace field.
final class ClientNames: Sendable {
    private struct State {
        var servers: [DNSServerAddress] = []
        var resolver: DNSResolver?
    }
    private let state = Mutex(State())
    private let given: ClientNameLookup?

    init(_ given: ClientNameLookup?) { self.given = given }

    /// For one revision of the settings; answers already cached stay while the servers do.
    func lookup(_ settings: SettingsSnapshot) -> ClientNameLookup {
        if let given { return given }
        let servers = settings[ServerSettings.dnsServers]
        let resolver = state.withLock { state in
            if let resolver = state.resolver, state.servers == servers { return resolver }
            let made = DNSResolver(configuration: DNSConfiguration(servers: servers.map(\.text)))
            state = State(servers: servers, resolver: made)
            return made
        }
        return { client, completion in
            // Ourselves: no question, and no resolver for a server that only relays for this machine.
            client.isLoopback ? completion(nil) : resolver.confirmedName(of: client, completion: completion)
        }
    }
}
