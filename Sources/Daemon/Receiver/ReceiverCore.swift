import Crypto
import Explain
import Journal
import MailModel
import Mailbox
import Policy
import Service
import Settings
import Spool
import Store
import Synchronization
import Threads
import Transport
import Usage

/// What all sessions share. Any thread.
final class ReceiverCore: Sendable {
    let directory: any Directory
    let journal: any EventSink
    let spool: any Spool
    let mailboxes: any MailboxStore
    let decisions: DecisionLog
    let tls = ServerTLS()
    let gate = Gate()
    let disk: DiskSpace
    let passwords: PasswordPool
    let locks: LockKeeper
    let usage: UsageLog
    let personal = PersonalRules()
    /// Shows administrators something at once.
    let alert: @Sendable (String) -> Void
    /// Threads for what waits for the disk on behalf of a session: large content, counting of mailboxes.
    let diskWork: BatchWorker<@Sendable () -> Void>
    let served: @Sendable () -> Void
    private let current: Mutex<ReceiverConfiguration>

    init(
        directory: any Directory, journal: any EventSink, spool: any Spool, mailboxes: any MailboxStore,
        decisions: DecisionLog, usage: UsageLog, served: @escaping @Sendable () -> Void = {},
        keep: @escaping @Sendable (AccountSecret, MailAddress) -> Void = { _, _ in },
        locked: @escaping @Sendable (NewLock) -> Void = { _ in },
        alert: @escaping @Sendable (String) -> Void = { _ in },
        configuration: ReceiverConfiguration
    ) {
        self.directory = directory
        self.journal = journal
        self.spool = spool
        self.mailboxes = mailboxes
        self.decisions = decisions
        self.usage = usage
        self.alert = alert
        self.served = served
        disk = DiskSpace(available: { spool.availableOctets() })
        passwords = PasswordPool(directory: directory, personal: personal, keep: keep)
        locks = LockKeeper(directory: directory, tell: locked)
        locks.apply(configuration.settings)
        diskWork = BatchWorker(name: "rcv-disk", threads: 2, limits: .init(items: 1)) { work in work.forEach { $0() } }
        current = Mutex(configuration)
    }

    var configuration: ReceiverConfiguration {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    func close() {
        passwords.close()
        usage.close()
        diskWork.close()
        decisions.close()
    }

    func log(_ level: LogEvent.Level, _ text: String) {
        journal.record(LogEvent(time: Self.now, service: Self.name, kind: .system, level: level, text: text))
    }

    static let name = "EPSTRS"
    /// In trace fields.
    static let product = "epost"

    /// Milliseconds since 1970.
    static var now: Int64 { SystemClock.wall() }
}
