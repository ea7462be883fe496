import Control
import Glibc
import MailModel
import Mailbox
import Service
import Settings
import Spool
import Store
import Tables
import Threads
import Transport

/// EPSTDS: takes mail out of the spool into mailboxes and to other servers (spec file 05).
package struct DeliveryService: ServiceProgram {
    private let openSpool: @Sendable (ServiceContext) throws -> any DeliverySpool & QueueOperations
    private let mailboxes: any MailboxStore

    /// - Parameters:
    ///   - mailboxes: where local mail goes.
    ///   - openSpool: called once at the start.
    package init(
        mailboxes: any MailboxStore,
        openSpool: @escaping @Sendable (ServiceContext) throws -> any DeliverySpool & QueueOperations
    ) {
        self.mailboxes = mailboxes
        self.openSpool = openSpool
    }

    package func run(context: ServiceContext) async throws {
        let spool = try openSpool(context)
        var reading = try SettingsReading(context)
        let engine = DeliveryEngine(
            spool: spool, mailboxes: mailboxes, journal: context.journal,
            resolver: DNSResolver(configuration: reading.dns),
            tls: Self.tls(context), configuration: reading.configuration, now: SystemClock.wall,
            settled: { context.served() })
        let requests = QueueRequests(QueueActions(queue: spool, engine: engine))
        let memory = context.layout.spoolMemory(context, reading.settings)
        if let text = SmallFile.text(memory + mxCache) { engine.remote.readMXCache(text) }
        if let text = SmallFile.text(memory + destinations) { engine.remote.readDestinationBook(text) }
        context.counters { engine.context.counters.snapshot(threads: engine.context.configuration.threads) }
        guard engine.start() != nil, Self.listen(context.wake, engine.dispatcher) else {
            throw DirectoryError("no thread can be started")
        }
        context.ready()
        let saver = Task { await Self.saveRegularly(engine, to: memory) }
        var grace = Duration.seconds(30)
        events: for await event in context.events {
            switch event {
            case .stop(let time):
                grace = time
                break events
            case .request(let request): requests.take(request)
            case .settingsChanged, .filesChanged, .reload:
                let before = reading.dns
                reading.readAgain(context)
                if reading.dns != before { engine.remote.use(DNSResolver(configuration: reading.dns)) }
                engine.use(reading.configuration)
            case .listeners(let listeners): for listener in listeners { close(listener.descriptor) }
            }
        }
        saver.cancel()
        requests.close()
        // A little is kept for writing the results down.
        await Self.save(engine, to: memory)
        await engine.stop(grace: max(Duration.milliseconds(200), grace - Duration.milliseconds(500)))
    }

    private static func tls(_ context: ServiceContext) -> ClientTLS? {
        let contexts = ClientTLSContexts()
        do {
            _ = try contexts.context(for: .anybody)
            return { name, trust in try TLSHandler(try contexts.context(for: trust), serverName: name) }
        } catch {
            context.trouble("mail leaves without TLS: \(error.detail)")
            return nil
        }
    }

    /// Turns the receiver's wake-ups into the dispatcher's.
    private static func listen(_ line: WakeLine, _ dispatcher: Dispatcher) -> Bool {
        guard line.descriptor >= 0 else { return true }
        let thread = Thread(name: "wake", stack: 128 << 10) {
            var entry = pollfd(fd: line.descriptor, events: Int16(POLLIN), revents: 0)
            while true {
                let ready = poll(&entry, 1, -1)
                if ready < 0, errno == EINTR { continue }
                guard ready > 0, entry.revents & Int16(POLLIN) != 0 else { return }
                line.drain()
                dispatcher.wake()
            }
        }
        return thread != nil
    }

    // MARK: What outlives the service: the MX cache (R-DLV-17), counters and causes of destinations

    private static let saveInterval = Duration.seconds(30)

    private static func saveRegularly(_ engine: DeliveryEngine, to path: String) async {
        while (try? await Task.sleep(for: saveInterval)) != nil { await save(engine, to: path) }
    }

    private static func save(_ engine: DeliveryEngine, to folder: String) async {
        let remote = engine.remote
        for (name, future) in [(mxCache, remote.mxCache()), (destinations, remote.destinationBook())] {
            guard let text = try? await future.get() else { continue }
            let path = folder + name
            if !SmallFile.replace(path, with: text) { engine.context.report(.warning, "\(path) cannot be written") }
        }
    }
}

/// Files beside the node's queue.
private let mxCache = "/mxcache"
private let destinations = "/destinations"

extension Layout {
    fileprivate func spoolMemory(_ context: ServiceContext, _ settings: SettingsSnapshot) -> String {
        Layout.spool(workFolder: settings[ServerSettings.workFolder], node: context.node)
    }
}

/// Settings and tables as they were last read without fault.
private struct SettingsReading {
    private(set) var settings: SettingsSnapshot
    private(set) var configuration: DeliveryConfiguration
    private(set) var dns: DNSConfiguration
    private var gateways: GatewayTable

    init(_ context: ServiceContext) throws {
        settings = try context.directory.settings()
        gateways = Self.gateways(context, before: .empty)
        configuration = DeliveryConfiguration(settings, directory: context.directory, gateways: gateways)
        dns = Self.dns(settings, configuration)
    }

    /// Keeps what is there where the new cannot be read.
    mutating func readAgain(_ context: ServiceContext) {
        do {
            settings = try context.directory.settings()
        } catch {
            context.trouble("settings cannot be read: \(error.detail)")
            return
        }
        gateways = Self.gateways(context, before: gateways)
        configuration = DeliveryConfiguration(settings, directory: context.directory, gateways: gateways)
        dns = Self.dns(settings, configuration)
    }

    private static func dns(_ settings: SettingsSnapshot, _ configuration: DeliveryConfiguration) -> DNSConfiguration {
        DNSConfiguration(
            servers: settings[ServerSettings.dnsServers].map(\.text),
            cacheSeconds: min(configuration.mxCacheTTL, DNSConfiguration.longestCache))
    }

    /// A file with errors does not replace the last good reading (architecture, section 5). No file: no rules.
    private static func gateways(_ context: ServiceContext, before: GatewayTable) -> GatewayTable {
        guard let text = SmallFile.text(context.layout.path(of: .gateway)) else { return .empty }
        let reading = GatewayTable.read(text)
        if let fault = reading.problems.first(where: { !$0.isWarning }) {
            context.trouble("gateway.dat line \(fault.line): \(fault.message)")
            return before
        }
        context.trouble(nil)
        return reading.value
    }
}
