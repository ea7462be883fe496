import CLinux
import Control
import Delivery
import MailModel
import Mailbox
import Receiver
import Service
import Settings
import Spool

/// The services with what they work on.
enum Programs {
    static func run(_ name: String, _ layout: Layout) -> Int32 {
        switch name {
        case "epstrs": ServiceRuntime.run(receiver, name: name, layout: layout)
        case "epstds": ServiceRuntime.run(delivery, name: name, layout: layout)
        default: unknown(name)
        }
    }

    private static func unknown(_ name: String) -> Int32 {
        clinux_complain("epostd: there is no service \(name)\n")
        return 64
    }

    private static var receiver: ReceiverService {
        ReceiverService(mailboxes: MaildirStore()) { context in
            try spool(context, .receiver, wake: context.wake.descriptor)
        }
    }

    private static var delivery: DeliveryProgram {
        DeliveryProgram(
            .init(
                spool: { try spool($0, .delivery, wake: -1) }, mailboxes: { _ in MaildirStore() }, answer: answer))
    }

    private static func spool(_ context: ServiceContext, _ role: DiskSpool.Role, wake: Int32) throws -> DiskSpool {
        let settings = try context.directory.settings()
        return try DiskSpool(
            root: settings[ServerSettings.workFolder], node: context.node, role: role, wakeDescriptor: wake,
            notify: { notice in
                context.journal.record(
                    LogEvent(
                        time: DiskSpool.wallClock(), service: context.name.uppercased(), kind: .system, level: .error,
                        text: "\(notice)"))
            })
    }

    /// org.epost.Queue.Act, passed on by the supervisor because delivery alone knows what is under way.
    private static func answer(_ request: ServiceRequest, _ actions: QueueActions) {
        guard request.method == QueueInterface.Act.name else { return request.refuse() }
        do throws(ControlError) {
            let input = try request.input(of: QueueInterface.Act.self)
            guard let action = QueueAction(rawValue: input.action.rawValue) else { return request.refuse() }
            let ids = input.ids.compactMap { QueueID($0) }
            let done: Set<QueueID>
            do throws(SpoolError) {
                done = Set(try actions.act(action, on: ids))
            } catch {
                throw ControlError(
                    .failed, code: "queue.failed", "The queue cannot be changed: \(error.detail)",
                    arguments: [error.detail])
            }
            let results = input.ids.map { id in
                let isDone = QueueID(id).map(done.contains) ?? false
                return QueueInterface.Act.Output.Result(
                    id: id, done: isDone, message: isDone ? "" : "It is no longer in the queue.")
            }
            request.answer(QueueInterface.Act.self, .init(results: results))
        } catch {
            request.fail(error)
        }
    }
}
