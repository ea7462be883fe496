import Control
import Crypto
import Explain
import Facts
import MailModel
import Mailbox
import NIOCore
import NIOPosix
import Service
import Settings
import Spool
import Store
import Synchronization
import Tables
import Transport
import Usage

/// The running receiver: listeners, and what a change from outside makes new.
final class Receiver: Sendable {
    private struct State {
        var tables = ReceiverTables()
        var listeners: [ListenerAddress: any Channel] = [:]
        var trouble: [String: String] = [:]
        var isReady = false
        var isStopping = false
    }
    private let context: ServiceContext
    private let core: ReceiverCore
    private let lookups: ClientLookups
    private let group: MultiThreadedEventLoopGroup
    /// One loop for accepting and all sessions: a second one costs memory and hand-overs, and the disk is the limit.
    private let home: NIOLoopBound<ReceiverLoop>
    private let state: Mutex<State>

    init(
        context: ServiceContext, spool: any Spool, mailboxes: any MailboxStore, names: ClientNameLookup?
    ) throws {
        self.context = context
        lookups = ClientLookups(names)
        var tables = ReceiverTables()
        let complaints = tables.read(context.layout)
        let settings = try context.directory.settings()
        let journal = context.journal
        let decisions = DecisionLog(path: context.layout.explain) { text in
            journal.record(
                .init(time: ReceiverCore.now, service: ReceiverCore.name, kind: .system, level: .warning, text: text))
        }
        let usage = UsageLog(path: context.layout.usage, now: ReceiverCore.now) { text in
            journal.record(
                .init(time: ReceiverCore.now, service: ReceiverCore.name, kind: .system, level: .warning, text: text))
        }
        core = ReceiverCore(
            directory: context.directory, journal: journal, spool: spool, mailboxes: mailboxes, decisions: decisions,
            usage: usage,
            served: { context.served() },
            keep: { context.keep($0, of: $1) },
            locked: {
                context.locked(
                    kind: $0.kind.rawValue, subject: $0.subject, since: $0.since, cause: $0.cause.rawValue,
                    count: $0.count)
            },
            alert: { context.alert($0) },
            configuration: ReceiverConfiguration(
                settings: settings, tables: tables, offersTLS: false, lookups: lookups.inForce(settings),
                domains: try context.directory.domains()))
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let core = core
        home = try loop.submit { NIOLoopBound(ReceiverLoop(core: core, loop: loop), eventLoop: loop) }.wait()
        state = Mutex(State(tables: tables))
        for complaint in complaints { core.log(.error, complaint) }
        readLocks()
        let usageFile = context.layout.usage
        _ = core.diskWork.submit { core.locks.recall(usageFile) }
        loadCertificate()
        readSettings()
        context.counters { core.gate.counters(limit: core.configuration.connection.maxSessions) }
    }

    // MARK: Settings and files

    /// Settings are read anew; sessions that run keep theirs.
    func readSettings() {
        do throws(DirectoryError) {
            let settings = try context.directory.settings()
            let before = core.configuration.settings
            let tables = state.withLock { $0.tables }
            if settings.certificateFiles != before.certificateFiles { loadCertificate() }
            core.locks.apply(settings)
            core.decisions.keep(
                days: settings[ExplainSettings.keepDays], records: settings[ExplainSettings.maxRecords])
            core.configuration = ReceiverConfiguration(
                settings: settings, tables: tables, offersTLS: core.tls.current != nil,
                lookups: lookups.inForce(settings), domains: try context.directory.domains(), box: box(settings))
        } catch {
            core.log(.error, "settings cannot be read: \(error.detail)")
        }
    }

    /// The key of the accounts' secrets, where a method needs one.
    private func box(_ settings: SettingsSnapshot) -> SecretBox? {
        guard !AccountSecrets.kinds(settings).isEmpty else {
            report("secrets", nil)
            return nil
        }
        let path = settings.layout.secretKey
        let box = SecretBox(file: path)
        let trouble = "\(path) cannot be read or made: CRAM-MD5 and SCRAM are not offered"
        if box == nil { core.log(.error, trouble) }
        report("secrets", box == nil ? trouble : nil)
        return box
    }

    func readFiles(_ names: Set<String>) {
        if !names.isDisjoint(with: ReceiverTables.names) {
            let layout = context.layout
            let complaints = state.withLock { $0.tables.read(layout) }
            for complaint in complaints { core.log(.error, complaint) }
            report("tables", complaints.first)
        }
        if !names.isDisjoint(with: LockTable.Kind.allCases.map(\.fileName)) { readLocks() }
        if names.contains("tls") { loadCertificate() }
        readSettings()
    }

    private func forget(_ request: ServiceRequest) {
        do throws(ControlError) {
            let input = try request.input(of: GuardInterface.ForgetSender.self)
            core.usage.forget(input.sender) { request.answer(GuardInterface.ForgetSender.self, Nothing()) }
        } catch {
            request.fail(error)
        }
    }

    private func readLocks() {
        for complaint in core.locks.read(context.layout) { core.log(.warning, complaint) }
    }

    /// What the supervisor passes on. Of org.epost.Guard.ChangeLock the tables are written already.
    func take(_ request: ServiceRequest) {
        if request.method == GuardInterface.ForgetSender.name { return forget(request) }
        if request.method == ReceiverLook.name { return ReceiverLooking(core: core).answer(request) }
        guard request.method == GuardInterface.ChangeLock.name else { return request.refuse() }
        do throws(ControlError) {
            let input = try request.input(of: GuardInterface.ChangeLock.self)
            if input.action == .release {
                core.locks.release(input.subject, input.subject.contains("@") ? .account : .address)
            }
            readLocks()
            request.answer(GuardInterface.ChangeLock.self, .init(isChanged: false))
        } catch {
            request.fail(error)
        }
    }

    /// A pair that cannot be used leaves the one in force where it is.
    private func loadCertificate() {
        guard let settings = try? context.directory.settings() else { return }
        guard settings.hasCertificate else {
            core.tls.unload()
            return report("tls", nil)
        }
        do throws(TLSError) {
            let files = settings.certificateFiles
            try core.tls.load(certificateFile: files[0], privateKeyFile: files[1])
            report("tls", nil)
        } catch {
            let consequence = core.tls.current == nil ? "TLS is not offered" : "the one before stays in force"
            core.log(.error, "\(error.detail) (\(consequence))")
            report("tls", "\(error.detail) (\(consequence))")
        }
    }

    /// Shows what lasts beside the service's state.
    private func report(_ part: String, _ text: String?) {
        let shown = state.withLock { state -> String?? in
            guard state.trouble[part] != text else { return nil }
            state.trouble[part] = text
            return .some(state.trouble.values.sorted().first)
        }
        if let shown { context.trouble(shown) }
    }

    // MARK: Listeners

    func listen(_ inherited: [InheritedListener]) async {
        var wanted: Set<ListenerAddress> = []
        for listener in inherited {
            wanted.insert(listener.address)
            let isNew = state.withLock { $0.listeners[listener.address] == nil && !$0.isStopping }
            if isNew {
                await serve(listener)
            } else {
                Descriptors.close(listener.descriptor)
            }
        }
        let gone = state.withLock { state in
            let gone = state.listeners.filter { !wanted.contains($0.key) }
            for address in gone.keys { state.listeners[address] = nil }
            return gone
        }
        for (address, channel) in gone {
            try? await channel.close()
            core.log(.info, "no longer listening on \(address.text)")
        }
        let isFirst = state.withLock { state in
            defer { state.isReady = true }
            return !state.isReady
        }
        if isFirst { context.ready() }
    }

    private func serve(_ listener: InheritedListener) async {
        let address = listener.address
        do {
            let channel = try await Listeners.serve(descriptor: listener.descriptor, on: group) {
                [core, home] channel in
                try Self.open(channel, address, core, home)
            }.get()
            state.withLock { $0.listeners[address] = channel }
            core.log(.info, "listening on \(address.text)")
        } catch {
            core.log(.error, "cannot listen on \(address.text): \(error)")
        }
    }

    /// A connection was accepted; called on its event loop, which is the only one.
    private static func open(
        _ channel: any Channel, _ listener: ListenerAddress, _ core: ReceiverCore, _ home: NIOLoopBound<ReceiverLoop>
    ) throws {
        guard let client = IPAddress(channel.remoteAddress), let local = IPAddress(channel.localAddress) else {
            throw ChannelError.unknownLocalAddress  // the peer is gone already
        }
        if listener.isTLS {
            // R-RCV-03: this port never speaks in clear; without a certificate it does not speak at all.
            guard let tls = core.tls.current else { throw TLSError(.configuration, "no certificate") }
            try channel.pipeline.syncOperations.addHandler(TLSHandler(tls, scope: listener.text))
        }
        let handler = SessionHandler(
            home: home.value, configuration: core.configuration, listener: listener.text, isTLS: listener.isTLS,
            client: client, local: local)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    // MARK: End

    /// No new connections; sessions end behind the message under way; what is left after `grace` is cut.
    func stop(grace: Duration) async {
        let channels = state.withLock { state in
            state.isStopping = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for channel in channels { try? await channel.close() }
        let home = home
        let loop = group.next()
        let emptied = loop.flatSubmit { home.value.stop() }
        let cut = loop.scheduleTask(in: .nanoseconds(Int64(grace / .nanoseconds(1)))) { home.value.abort() }
        try? await emptied.get()
        cut.cancel()
    }

    func close() async {
        try? await group.shutdownGracefully()
        core.close()
    }
}

extension SettingsSnapshot {
    /// Certificate and key.
    fileprivate var certificateFiles: [String] {
        [self[TLSSettings.certificateFile], self[TLSSettings.privateKeyFile]]
    }
}
