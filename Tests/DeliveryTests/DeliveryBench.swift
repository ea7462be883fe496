import Journal
import MailModel
import Mailbox
import Settings
import Spool
import Store
import Synchronization
import Tables
import Transport

@testable import Delivery

/// A delivery engine with everything around it in memory, and a clock of its own.
final class DeliveryBench: Sendable {
    let spool: MemorySpool
    let mailboxes = MemoryMailboxStore()
    let journal = MemoryJournal()
    let resolver = FakeResolver()
    let directory: MemoryDirectory
    let engine: DeliveryEngine
    private let clock: Clock
    private let settled: AsyncStream<Void>

    final class Clock: Sendable {
        let milliseconds = Mutex<Int64>(1_700_000_000_000)
        var now: Int64 { milliseconds.withLock { $0 } }
    }

    init(
        spool: (any DeliverySpool)? = nil, tls: ClientTLS? = nil,
        settings change: (inout SettingsSnapshot) throws -> Void = { _ in },
        configuration adjust: (inout DeliveryConfiguration) -> Void = { _ in }
    ) throws {
        let clock = Clock()
        self.clock = clock
        self.spool = MemorySpool(clock: { clock.now })
        var settings = SettingsSnapshot(layout: Layout(root: "/nowhere"))
        try settings.set(AdminSettings.account, "admin@local.example")
        try settings.set(NetSettings.hostName, "mail.local.example")
        try change(&settings)
        directory = MemoryDirectory(
            settings: settings,
            domains: [DomainRecord(name: "local.example", mailboxMode: .separate, folder: "local.example")],
            accounts: ["taro", "hanako", "admin"].map { AccountRecord(account: $0, domain: "local.example") })
        var configuration = DeliveryConfiguration(settings, directory: directory, gateways: .empty)
        configuration.timeouts = ClientTimeouts(
            connect: .seconds(5), command: .milliseconds(300), dataStart: .milliseconds(300),
            dataBlock: .milliseconds(300), dataEnd: .milliseconds(300), idle: .seconds(5))
        adjust(&configuration)
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        settled = stream
        engine = DeliveryEngine(
            spool: spool ?? self.spool, mailboxes: mailboxes, journal: journal, resolver: resolver, tls: tls,
            configuration: configuration, now: { clock.now }, settled: { continuation.yield() })
    }

    var now: Int64 { clock.now }
    func advance(seconds: Int) { clock.milliseconds.withLock { $0 += Int64(seconds) * 1_000 } }
    func advance(to time: Int64) { clock.milliseconds.withLock { $0 = time } }

    /// Puts a message into the spool, as the receiver would.
    @discardableResult
    func add(
        from sender: String = "a@client.example", to recipients: [String], content: String = "Subject: x\n\nhello\n",
        notify: Recipient.Notify = [], notification: SenderNotification = .init(), needsSMTPUTF8: Bool = false
    ) -> QueueID {
        let id = spool.makeID()
        let path = MailAddress(typed: sender).map { ReversePath.address($0) } ?? .null
        let envelope = Envelope(
            sender: path, notification: notification,
            recipients: recipients.compactMap { MailAddress(typed: $0) }.map { Recipient(address: $0, notify: notify) },
            needsSMTPUTF8: needsSMTPUTF8)
        spool.add(
            NewMessage(id: id, envelope: envelope, content: .inline(Array(content.utf8)), receivedAt: now)
        ) { _ in }
        return id
    }

    /// Makes `domain` lead to a server on this machine.
    func route(_ domain: String, to addresses: String...) {
        resolver.change { zone in
            zone.exchanges[domain] = .success(.hosts([MailExchange(preference: 10, host: "mx.\(domain)")]))
            zone.addresses["mx.\(domain)"] = .success(addresses.compactMap { IPAddress($0) })
        }
    }

    /// One look into the queue; returns when what was due has been settled, reports that followed included.
    func run() async throws {
        while true {
            let claim = try engine.dispatcher.step()
            if claim.messages.isEmpty { return }
            var events = settled.makeAsyncIterator()
            while engine.underWay > 0 { _ = await events.next() }
        }
    }

    func stop() async { await engine.stop(grace: .milliseconds(200)) }

    func mailbox(_ name: String) -> [String] {
        guard let place = MailboxLocation(base: "/nowhere/mail", folders: ["local.example", name]) else { return [] }
        return mailboxes.messages(in: place).map { String(decoding: $0.octets, as: UTF8.self) }
    }

    func queued() throws -> [QueuedRow] { try spool.list(QueueQuery()).rows }

    func events(_ kind: LogEvent.Kind) -> [LogEvent] { journal.events.filter { $0.kind == kind } }
}
