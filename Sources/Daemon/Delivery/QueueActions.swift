import Control
import MailModel
import Spool

/// What an administrator does to the queue while delivery runs (architecture, section 8: `queue …`). The spool changes
/// its rows; here what is under way takes notice.
package struct QueueActions: Sendable {
    private let queue: any QueueOperations
    private let engine: DeliveryEngine

    package init(queue: any QueueOperations, engine: DeliveryEngine) {
        self.queue = queue
        self.engine = engine
    }

    package func list(_ query: QueueQuery) throws(SpoolError) -> QueueWindow { try queue.list(query) }
    package func show(_ id: QueueID) throws(SpoolError) -> QueuedMessage { try queue.show(id) }
    package func counts() throws(SpoolError) -> QueueCounts { try queue.counts() }

    /// The beginning of a message's content.
    package func content(of id: QueueID, octets: Int) throws(SpoolError) -> [UInt8] {
        switch try queue.content(of: id) {
        case .inline(let content): Array(content.prefix(max(0, octets)))
        case .file(let file): try file.read(at: 0, count: max(0, octets))
        }
    }

    /// Waits for the event loop: not to be called on it.
    package func destinations(
        _ input: QueueInterface.Destinations.Input
    ) throws(ControlError) -> QueueInterface.Destinations.Output {
        do {
            return try engine.remote.report(input).wait()
        } catch {
            throw ControlError(.failed, code: "queue.stopping", "EPSTDS is stopping")
        }
    }

    /// Acts on messages, durably. A recipient that is being delivered at this moment may still arrive: nobody can take
    /// back what a remote server has; what has not been sent is taken back.
    /// - Returns: those of `ids` that were there.
    package func act(_ action: QueueAction, on ids: [QueueID]) throws(SpoolError) -> [QueueID] {
        let done = try queue.act(action, on: ids, now: engine.context.now())
        for id in done {
            engine.context.journal.record(
                LogEvent(
                    time: engine.context.now(), service: DeliveryContext.service, kind: .system, queueID: id,
                    text: "\(action.rawValue) by the administrator"))
        }
        if action != .retry && action != .release { engine.remote.withdraw(Set(done)) }
        engine.dispatcher.wake()
        return done
    }
}
