import CLinux
import Delivery
import Glibc
import MailModel
import Mailbox
import Receiver
import Service
import Settings
import Spool
import Threads

/// The services with what they work on.
enum Programs {
    static func run(_ name: String, _ layout: Layout) -> Int32 {
        switch name {
        case "epstrs": return ServiceRuntime.run(receiver, name: name, layout: layout)
        case "epstds":
            // A client waits for its 250, nobody waits for a delivery: under load the receiver goes first. Before any
            // thread is made, because each inherits it.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
            return ServiceRuntime.run(delivery, name: name, layout: layout)
        default: return unknown(name)
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

    private static var delivery: DeliveryService {
        DeliveryService(mailboxes: MaildirStore()) { try spool($0, .delivery, wake: -1) }
    }

    private static func spool(_ context: ServiceContext, _ role: DiskSpool.Role, wake: Int32) throws -> DiskSpool {
        let settings = try context.directory.settings()
        return try DiskSpool(
            root: settings[ServerSettings.workFolder], node: context.node, role: role, wakeDescriptor: wake,
            notify: { notice in
                context.journal.record(
                    LogEvent(
                        time: SystemClock.wall(), service: context.name.uppercased(), kind: .system, level: .error,
                        text: notice.text))
            })
    }
}
