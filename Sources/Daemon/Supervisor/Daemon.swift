import CLinux
import Control
import ControlServer
import Explain
import Facts
import Glibc
import Journal
import MailModel
import Service
import Settings
import Spool
import Store
import Tables
import Threads

/// The supervisor process, from its start to its end.
package enum Daemon {
    /// EX_UNAVAILABLE of sysexits.h: the daemon could not start.
    package static let unavailable: Int32 = 69
    /// EX_CONFIG of sysexits.h.
    package static let badConfiguration: Int32 = 78

    /// Runs until SIGTERM or SIGINT. Call on the main thread.
    /// - Returns: exit code.
    package static func run(_ layout: Layout) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let signals = blockSignals()
        umask(0o027)
        if let failure = Privileges.prepare(layout) ?? Privileges.drop(layout) { return fail(failure) }
        let instance: Instance
        do {
            instance = try Instance(layout)
        } catch {
            return fail(error.text)
        }
        defer { instance.end(layout) }
        guard let inbox = Inbox(), let wake = WakeLine.pair() else { return fail("no descriptors are left") }
        let board = StatusBoard()
        let journal = Journal(folder: layout.log, host: SystemName.node)
        defer { journal.close() }
        do {
            let parts = try build(layout, board, inbox, journal, wake)
            let server = try serve(parts, layout)
            defer { server.stop() }
            parts.desk.hashes.start()
            defer { parts.desk.hashes.end() }
            guard watch(signals, inbox) else { return fail("no thread can be started") }
            parts.supervisor.log(.info, "epostd \(productVersion) runs for \(layout.root ?? "this machine")")
            if let warning = Privileges.warning { clinux_complain("epostd: \(warning)\n") }
            clinux_complain("epostd: ready, control socket \(layout.controlSocket)\n")
            ServiceManager.notify("READY=1\n")
            parts.tables.changed(Layout.Table.allCases.map(\.rawValue))
            parts.supervisor.run()
            ServiceManager.notify("STOPPING=1\n")
            parts.supervisor.log(.info, "epostd has ended")
            return 0
        } catch let error as StartFailure {
            return fail(error.text)
        } catch {
            return fail("\(error)")
        }
    }

    private struct StartFailure: Error {
        let text: String
    }

    private struct Parts {
        let supervisor: Supervisor
        let desk: Desk
        let browser: AccountBrowser
        let aliases: AliasBrowser
        let directory: StoreDirectory
        let tables: TableFiles
    }

    private static func fail(_ text: String) -> Int32 {
        clinux_complain("epostd: \(text)\n")
        return unavailable
    }

    private static func build(
        _ layout: Layout, _ board: StatusBoard, _ inbox: Inbox, _ journal: Journal, _ wake: (WakeLine, WakeLine)
    ) throws -> Parts {
        var checks = StoreChecks { old, new in
            let isServing = board.services.contains {
                $0.name == ManagedService.Kind.receiver.rawValue && [.running, .starting].contains($0.state)
            }
            return SystemChecks.problems(old, new, open: board.listeners, isServing: isServing)
        }
        checks.hasGateways = { TableFiles.hasGateways(layout) }
        let store: StoreWriter
        do {
            store = try StoreWriter(layout: layout, checks: checks, clock: { Int64(Clock.wall()) })
        } catch {
            throw StartFailure(text: "the settings store cannot be opened: \(error.detail)")
        }
        let settings = try store.snapshot()
        board.update(isConfigured: try store.isConfigured(), revision: Int(settings.revision))
        journal.apply(JournalSettings(settings))
        let hub = EventHub()
        let queue = QueueView { [board] in
            board.isConfigured ? (try? store.snapshot())?[ServerSettings.workFolder] : nil
        }
        let supervisor = Supervisor(
            layout: layout, store: store, board: board, hub: hub, queue: queue, inbox: inbox, journal: journal,
            settings: settings, wake: wake)
        if let report = store.openingReport { supervisor.log(.error, report) }
        if let code = RewritingKey.make(layout) {
            supervisor.log(.warning, "\(RewritingKey.path(layout)) cannot be made: \(SmallFile.errorText(code))")
        }
        let directory = try StoreDirectory(layout: layout)
        let browser = try AccountBrowser(layout: layout, usage: MailboxUsageReader.usage)
        let offload = Offload()
        let desk = Desk(
            layout: layout, store: store, board: board, hub: hub, inbox: inbox, offload: offload, queue: queue,
            hashes: HashCompleter(store: store, progress: { [board] in board.update(hashesLeft: $0) }) { [inbox] text in
                inbox.post { $0.log(.info, text) }
            },
            gate: DomainGate(browser: browser, offload: offload))
        let aliases = try AliasBrowser(layout: layout)
        let tables = TableFiles(desk: desk)
        supervisor.tablesChanged = { tables.changed($0) }
        return Parts(
            supervisor: supervisor, desk: desk, browser: browser, aliases: aliases, directory: directory,
            tables: tables)
    }

    private static func serve(_ parts: Parts, _ layout: Layout) throws -> ControlServer {
        let (desk, directory, tables) = (parts.desk, parts.directory, parts.tables)
        let server = ControlServer(
            path: layout.controlSocket,
            identity: .init(
                vendor: "epost", product: "epost", version: productVersion, url: "https://varlink.org/",
                descriptions: descriptions(in: Assets.folder())))
        ServerDesk(desk: desk, setup: SetupWork(desk: desk)).register(on: server)
        CertificateDesk(desk: desk).register(on: server)
        SettingsDesk(
            desk: desk, writeTable: { name, lines throws(ControlError) in try tables.revert(name, lines) },
            writeAccountFiles: { undone throws(ControlError) in try AccountFilesDesk.revert(undone, directory) }
        ).register(on: server)
        DirectoryDesk(
            desk: desk, browser: parts.browser,
            foreign: ForeignDesk(directory: directory, browser: parts.browser, helper: parts.supervisor.directory)
        ).register(on: server)
        LogInDesk(desk: desk, directory: directory).register(on: server)
        AccountTransferDesk(desk: desk).register(on: server)
        AccountFilesDesk(desk: desk, directory: directory).register(on: server)
        MailControlDesk(desk: desk, directory: directory).register(on: server)
        AliasDesk(desk: desk, browser: parts.aliases, directory: directory).register(on: server)
        ServicesDesk(desk: desk).register(on: server)
        QueueDesk(
            queue: { () throws(SpoolError) in try desk.queue.operations() },
            forward: { input throws(ControlError) in
                try await desk.forward(QueueInterface.Act.self, input, to: .delivery)
            },
            report: { input throws(ControlError) in
                try await desk.forward(QueueInterface.Destinations.self, input, to: .delivery)
            },
            clock: { Int64(Clock.wall()) }
        ).register(on: server)
        let indexer = EventIndexer.start(folder: layout.log)
        SenderDesk(desk: desk, locks: parts.supervisor.locks, busy: indexer.senders).register(on: server)
        GuardDesk(desk: desk, files: parts.supervisor.locks).register(on: server)
        LogDesk(folder: layout.log, offload: desk.offload).register(on: server)
        PolicyDesk(
            directory: directory, find: { try DecisionArchive.find($0, in: layout.explain) },
            rules: { tables.effect() }, hidden: { tables.hidden() },
            look: { input throws(ControlError) in try await desk.forward(ReceiverLook.self, input, to: .receiver) }
        ).register(on: server)
        RelayDesk(directory: directory, rules: { tables.effect() }).register(on: server)
        ReplayDesk(desk: desk, directory: directory, rules: { tables.effect() }).register(on: server)
        TraceDesk(index: indexer.index, offload: desk.offload).register(on: server)
        TablesDesk(layout: layout, settled: { await desk.settled() }) {
            table, old, new, note, caller throws(ControlError) in
            let applied = try desk.store.recordTable(
                table.rawValue, from: old, to: new, note: note, by: Desk.author(caller))
            return desk.published(applied, by: caller)
        }.register(on: server)
        do {
            try server.start()
        } catch {
            guard case .cannotListen(let text) = error else { throw error }
            throw StartFailure(text: "the control socket cannot be opened: \(text)")
        }
        return server
    }

    /// The interface files, by interface name.
    private static func descriptions(in assets: String?) -> [String: String] {
        guard let assets else { return [:] }
        var out: [String: String] = [:]
        for method in ControlMethods.all {
            guard let dot = method.name.lastIndex(of: ".") else { continue }
            let interface = String(method.name[..<dot])
            guard out[interface] == nil,
                let octets = SmallFile.read("\(assets)/varlink/\(interface).varlink", limit: 1 << 20)
            else { continue }
            out[interface] = String(decoding: octets, as: UTF8.self)
        }
        return out
    }

    // MARK: Signals

    /// Before the first thread, so that all threads inherit the mask and one alone takes them.
    private static func blockSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    private static func watch(_ signals: sigset_t, _ inbox: Inbox) -> Bool {
        let thread = Thread(name: "signals", stack: 128 << 10) {
            var signals = signals
            while true {
                var number: Int32 = 0
                guard sigwait(&signals, &number) == 0 else { continue }
                switch number {
                case SIGCHLD: inbox.post { $0.reap() }
                case SIGHUP: inbox.post { $0.reload() }
                default: inbox.post { $0.end() }
                }
            }
        }
        return thread != nil
    }
}
