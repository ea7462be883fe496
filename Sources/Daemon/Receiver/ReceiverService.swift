import CLinux
import Explain
import Glibc
import MailModel
import Mailbox
import NIOCore
import NIOPosix
import Service
import Settings
import Spool
import Store
import Tables
import Transport

/// EPSTRS: takes mail from the network into the spool (spec file 04).
package struct ReceiverService: ServiceProgram {
    private let openSpool: @Sendable (ServiceContext) throws -> any Spool
    private let mailboxes: any MailboxStore
    private let names: ClientNameLookup?

    /// - Parameters:
    ///   - names: finds the names of clients; `nil`: DNS does, for all but this machine's own addresses.
    ///   - openSpool: called once at the start. The spool wakes delivery by itself.
    ///   - mailboxes: asked for what limited mailboxes hold.
    package init(
        mailboxes: any MailboxStore, names: ClientNameLookup? = nil,
        openSpool: @escaping @Sendable (ServiceContext) throws -> any Spool
    ) {
        self.mailboxes = mailboxes
        self.names = names
        self.openSpool = openSpool
    }

    /// Questions come from event loops.
    package var waitsForAccounts: Bool { false }

    package func run(context: ServiceContext) async throws {
        let receiver = try Receiver(context: context, spool: openSpool(context), mailboxes: mailboxes, names: names)
        for await event in context.events {
            switch event {
            case .listeners(let listeners): await receiver.listen(listeners)
            case .settingsChanged: receiver.readSettings()
            case .filesChanged(let names): receiver.readFiles(names)
            case .reload:
                receiver.readFiles(ReceiverTables.names.union(["tls"] + LockTable.Kind.allCases.map(\.fileName)))
            case .request(let request): receiver.take(request)
            case .stop(let grace): await receiver.stop(grace: grace)
            }
        }
        await receiver.close()
    }
}
