import Control
import Glibc
import Service
import Settings
import Synchronization

/// What everybody may read at any time about the state of the server.
final class StatusBoard: Sendable {
    private struct State {
        var services: [ServiceStatus] = []
        var listeners: [ListenerAddress] = []
        var isConfigured = false
        var revision = 0
        /// Pages with staged changes by connection.
        var presence: [Int: String] = [:]
    }
    private let state = Mutex(State())
    private let startedAt = Clock.wall()
    private let queue: @Sendable () -> QueueSummary

    /// - Parameter queue: what waits; asked for each status.
    init(queue: @escaping @Sendable () -> QueueSummary) { self.queue = queue }

    func update(_ services: [ServiceStatus], listeners: [ListenerAddress]) {
        state.withLock {
            $0.services = services
            $0.listeners = listeners
        }
    }
    func update(isConfigured: Bool, revision: Int) {
        state.withLock {
            $0.isConfigured = isConfigured
            $0.revision = revision
        }
    }
    func announce(_ text: String?, by connection: Int) { state.withLock { $0.presence[connection] = text } }

    var isConfigured: Bool { state.withLock { $0.isConfigured } }
    var services: [ServiceStatus] { state.withLock { $0.services } }
    /// Addresses that the supervisor listens on.
    var listeners: [ListenerAddress] { state.withLock { $0.listeners } }

    func status() -> ServerStatus {
        let queue = queue()
        return state.withLock { state in
            ServerStatus(
                host: SystemName.full, version: productVersion, isConfigured: state.isConfigured, now: Clock.wall(),
                startedAt: startedAt, pid: Int(getpid()), revision: state.revision, services: state.services,
                queue: queue, presence: state.presence.values.sorted())
        }
    }
}

/// One number for daemon and console.
package let productVersion = "0.1.0"
