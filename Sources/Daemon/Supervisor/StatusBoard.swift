import Control
import ControlServer
import Glibc
import Service
import Settings
import Synchronization

/// What everybody may read at any time about the state of the server.
final class StatusBoard: Sendable {
    private struct Presence {
        weak var caller: Caller?
        var text: String
    }
    private struct State {
        var services: [ServiceStatus] = []
        var listeners: [ListenerAddress] = []
        var isConfigured = false
        var revision = 0
        var hashesLeft = 0
        /// Who has staged changes; goes with the connection.
        var presence: [Int: Presence] = [:]
    }
    private let state = Mutex(State())
    private let startedAt = Clock.wall()

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

    /// - Parameter hashesLeft: of a mass import, not yet made whole.
    func update(hashesLeft: Int) { state.withLock { $0.hashesLeft = hashesLeft } }

    /// - Parameter pages: with staged changes; none takes the caller off.
    func announce(_ pages: [String], by caller: Caller) {
        let text = pages.isEmpty ? nil : "\(caller.user)@\(pages.prefix(10).joined(separator: ","))"
        state.withLock { state in
            state.presence[caller.id] = text.map { Presence(caller: caller, text: $0) }
        }
    }

    var isConfigured: Bool { state.withLock { $0.isConfigured } }
    var revision: Int { state.withLock { $0.revision } }
    var services: [ServiceStatus] { state.withLock { $0.services } }
    /// Addresses that the supervisor listens on.
    var listeners: [ListenerAddress] { state.withLock { $0.listeners } }

    func status(queue: QueueSummary) -> ServerStatus {
        state.withLock { state in
            state.presence = state.presence.filter { $0.value.caller != nil }
            return ServerStatus(
                host: SystemName.full, version: productVersion, isConfigured: state.isConfigured, now: Clock.wall(),
                startedAt: startedAt, pid: Int(getpid()), revision: state.revision, services: state.services,
                queue: queue, presence: state.presence.sorted { $0.key < $1.key }.map(\.value.text),
                hashesLeft: state.hashesLeft > 0 ? state.hashesLeft : nil)
        }
    }
}

/// One number for daemon and console.
package let productVersion = "0.1.0"
