import Control
import ControlServer
import Settings
import Store

/// What the handlers of the control socket share.
struct Desk: Sendable {
    let layout: Layout
    let store: StoreWriter
    let board: StatusBoard
    let hub: EventHub
    let inbox: Inbox
    let offload: Offload
    let queue: QueueView
    let hashes: HashCompleter
    let gate: DomainGate

    func status() -> ServerStatus { board.status(queue: queue.summary()) }

    static func author(_ caller: Caller) -> Author { Author(name: caller.user, origin: caller.origin) }

    /// Tells everybody about a change that was made.
    func published(_ applied: Applied, by caller: Caller) -> Applied {
        guard !applied.changes.isEmpty else { return applied }
        hub.publish(
            ServerEvent(
                kind: .changed, changes: applied.changes, revision: applied.revision, author: caller.user,
                origin: caller.origin, time: Clock.wall()))
        inbox.post { $0.settingsChanged() }
        return applied
    }

    /// As `published`; returns when the running services work by the change.
    func inForce(_ applied: Applied, by caller: Caller) async -> Applied {
        let applied = published(applied, by: caller)
        if !applied.changes.isEmpty { await settled() }
        return applied
    }

    /// Returns when the running services work by everything that was changed before.
    func settled() async {
        await withCheckedContinuation { continuation in
            inbox.post { $0.whenInForce { continuation.resume() } }
        }
    }

    /// Domains, accounts and services need a set-up first.
    func needConfiguration() throws(ControlError) {
        guard board.isConfigured else {
            throw ControlError(
                .notConfigured, code: "control.not-configured",
                "nothing is configured yet; run the wizard, or epost-console setup")
        }
    }
}
