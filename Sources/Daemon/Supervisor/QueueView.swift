import Control
import Service
import Settings
import Spool
import Synchronization

/// The spool as the supervisor sees it: opened when it is first asked for, opened anew when its folder changes, counted
/// once a second at most.
final class QueueView: Sendable {
    private struct State {
        var folder = ""
        var spool: DiskSpool?
        var summary = QueueSummary()
        var countedAt = Int.min
    }
    private let state = Mutex(State())
    private let folder: @Sendable () -> String?

    /// - Parameter folder: `server.work_dir`; `nil` while nothing is configured.
    init(folder: @escaping @Sendable () -> String?) { self.folder = folder }

    func operations() throws(SpoolError) -> any QueueOperations { try open() }

    private func open() throws(SpoolError) -> DiskSpool {
        guard let folder = folder() else { throw SpoolError(.closed, "nothing is configured yet") }
        let result: Result<DiskSpool, SpoolError> = state.withLock { state in
            if state.folder == folder, let spool = state.spool { return .success(spool) }
            do throws(SpoolError) {
                let spool = try DiskSpool(root: folder, node: SystemName.node, role: .observer)
                state.folder = folder
                state.spool = spool
                return .success(spool)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// As last counted; never waits.
    var lastSummary: QueueSummary { state.withLock { $0.summary } }

    /// Zeros while the queue cannot be read.
    func summary() -> QueueSummary {
        let now = Clock.monotonic()
        let known: QueueSummary? = state.withLock { state in
            if now < state.countedAt + 1000 { return state.summary }
            state.countedAt = now
            return nil
        }
        if let known { return known }
        guard let counts = try? open().counts() else { return QueueSummary() }
        let age = counts.oldest.map { max(0, (Clock.wall() - Int($0)) / 1000) } ?? 0
        let summary = QueueSummary(
            messages: counts.messages, recipients: counts.queued + counts.deferred + counts.held,
            deferred: counts.deferred, held: counts.held, oldestAge: age)
        state.withLock { $0.summary = summary }
        return summary
    }
}
