import Journal
import MailModel
import Mailbox
import Spool
import Synchronization

/// What all parts of delivery share.
package final class DeliveryContext: Sendable {
    package let spool: any DeliverySpool
    package let mailboxes: any MailboxStore
    package let journal: any EventSink
    package let counters = DeliveryCounters()
    /// Milliseconds since 1970.
    package let now: @Sendable () -> Int64
    /// Called after each settled attempt; cheap.
    let settled: @Sendable () -> Void
    private let current: Mutex<DeliveryConfiguration>

    package init(
        spool: any DeliverySpool, mailboxes: any MailboxStore, journal: any EventSink,
        configuration: DeliveryConfiguration, now: @escaping @Sendable () -> Int64,
        settled: @escaping @Sendable () -> Void = {}
    ) {
        self.spool = spool
        self.mailboxes = mailboxes
        self.journal = journal
        self.now = now
        self.settled = settled
        current = Mutex(configuration)
    }

    package var configuration: DeliveryConfiguration {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    static let service = "EPSTDS"

    /// Trouble or a change of state of the service itself.
    func report(_ level: LogEvent.Level, _ text: String) {
        journal.record(LogEvent(time: now(), service: Self.service, kind: .system, level: level, text: text))
    }

    /// A step of a delivery (R-LOG-06): what one host of a destination said, while others are left.
    func trace(_ id: QueueID, _ reply: Reply, of link: RemoteLink) {
        journal.record(
            LogEvent(
                time: now(), service: Self.service, kind: .sender, level: .debug, queueID: id,
                address: link.host.address.description, host: link.host.name, reply: reply.text, text: link.route,
                tls: link.tls))
    }

    /// Something that happened to a recipient beside its delivery.
    func note(_ message: ClaimedMessage, _ recipient: MailAddress, _ text: String) {
        journal.record(
            LogEvent(
                time: now(), service: Self.service, kind: .sender, queueID: message.id, sender: message.sender.text,
                recipient: recipient.text, text: text, size: message.size))
    }
}
