import Control
import MailModel
import Service
import Spool
import Threads

/// Control methods that the supervisor passes on to EPSTDS, because what is under way must take notice. Answered on a
/// thread of their own: an action waits for the disk.
final class QueueRequests: Sendable {
    private let worker: BatchWorker<ServiceRequest>

    init(_ actions: QueueActions) {
        worker = BatchWorker(name: "queue-actions", limits: .init(items: 1)) { requests in
            for request in requests { Self.answer(request, actions) }
        }
    }

    func take(_ request: ServiceRequest) {
        if !worker.submit(request) {
            request.fail(ControlError(.failed, code: "queue.stopping", "EPSTDS is stopping"))
        }
    }

    func close() { worker.close() }

    private static func answer(_ request: ServiceRequest, _ actions: QueueActions) {
        if request.method == QueueInterface.Destinations.name { return report(request, actions) }
        guard request.method == QueueInterface.Act.name else { return request.refuse() }
        do throws(ControlError) {
            let input = try request.input(of: QueueInterface.Act.self)
            let ids = input.ids.map { QueueID($0) }
            let done: Set<QueueID>
            do throws(SpoolError) {
                done = Set(try actions.act(action(input.action), on: ids.compactMap { $0 }))
            } catch {
                throw ControlError(.failed, code: "queue.failed", "the queue cannot be changed: \(error.detail)")
            }
            let results = zip(input.ids, ids).map { text, id in
                guard let id else {
                    return QueueInterface.Act.Output.Result(id: text, done: false, message: "not a queue id")
                }
                let isDone = done.contains(id)
                return .init(id: id.rawValue, done: isDone, message: isDone ? "" : "not in the queue (any more)")
            }
            request.answer(QueueInterface.Act.self, .init(results: results))
        } catch {
            request.fail(error)
        }
    }

    private static func report(_ request: ServiceRequest, _ actions: QueueActions) {
        do throws(ControlError) {
            let input = try request.input(of: QueueInterface.Destinations.self)
            request.answer(QueueInterface.Destinations.self, try actions.destinations(input))
        } catch {
            request.fail(error)
        }
    }

    private static func action(_ action: QueueInterface.Act.Action) -> QueueAction {
        switch action {
        case .retry: .retry
        case .hold: .hold
        case .release: .release
        case .remove: .remove
        case .bounce: .bounce
        }
    }
}
