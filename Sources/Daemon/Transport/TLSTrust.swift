import Synchronization

/// Whose certificates count when this server connects to others.
package enum TLSTrust: Hashable, Sendable {
    /// Anybody's: it hides mail from listeners, and that only (RFC 7435).
    case anybody
    /// Those that an authority gave to the host's name. - Parameter file: PEM; `nil`: the system's authorities.
    case authorities(file: String?)
}

/// The TLS contexts for connecting, each made when it is first needed. Any thread.
package final class ClientTLSContexts: Sendable {
    private let known = Mutex<[TLSTrust: TLSContext]>([:])

    package init() {}

    /// - Throws: when the authorities cannot be read; they are tried again at the next call.
    package func context(for trust: TLSTrust) throws(TLSError) -> TLSContext {
        if let made = known.withLock({ $0[trust] }) { return made }
        let made: TLSContext
        switch trust {
        case .anybody: made = try TLSContext.opportunisticClient()
        case .authorities(let file): made = try TLSContext.verifyingClient(authorities: file)
        }
        known.withLock { $0[trust] = made }
        return made
    }
}
