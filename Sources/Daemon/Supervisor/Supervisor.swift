import CLinux
import Control
import Glibc
import Journal
import MailModel
import Service
import Settings
import Store
import Tables
import Threads

/// Starts and watches the services, holds the listening sockets, tells what changed. One loop on one thread; other
/// threads reach it through the inbox.
final class Supervisor {
    let layout: Layout
    let store: StoreWriter
    let board: StatusBoard
    let hub: EventHub
    let queue: QueueView
    let inbox: Inbox
    let journal: Journal
    let services: [ManagedService]
    var listeners: [BoundListener] = []
    var listenerRetryAt: Int?
    var settings: SettingsSnapshot
    var tables: FileWatcher
    /// Told the names of files that changed on disk.
    var tablesChanged: ([String]) -> Void = { _ in }
    /// Changes whose authors wait for them to be in force.
    var barriers: [ChangeBarrier] = []
    let locks: LockFiles
    let directory: DirectoryHelper
    /// What waits for the disk on behalf of services.
    let chores = BatchWorker<@Sendable () -> Void>(name: "chores", limits: .init(items: 1)) { $0.forEach { $0() } }
    private let wake: (receiver: WakeLine, delivery: WakeLine)
    private(set) var isEnding = false
    /// When the totals of the day were written down, monotonic milliseconds; and what was written.
    private var totalsSaved = (at: 0, lines: [String]())
    /// Monotonic milliseconds until which the receiver may still take sockets over.
    var backlogUntil = 0

    init(
        layout: Layout, store: StoreWriter, board: StatusBoard, hub: EventHub, queue: QueueView, inbox: Inbox,
        journal: Journal,
        settings: SettingsSnapshot, wake: (WakeLine, WakeLine)
    ) {
        self.layout = layout
        self.store = store
        self.board = board
        self.hub = hub
        self.queue = queue
        self.inbox = inbox
        self.journal = journal
        self.settings = settings
        self.wake = wake
        locks = LockFiles(layout: layout)
        directory = DirectoryHelper(layout: layout) { level, text in
            journal.record(
                LogEvent(time: Int64(Clock.wall()), service: "EPOSTD", kind: .system, level: level, text: text))
            if level == .error { clinux_complain("epostd: \(text)\n") }
        }
        directory.apply(settings)
        services = ManagedService.Kind.allCases.map { ManagedService($0) }
        tables = FileWatcher(Self.watched(settings))
        for service in services {
            service.isRegistered = (try? store.state("registered.\(service.kind.rawValue)")) == "1"
            service.isWanted = (try? store.state("wanted.\(service.kind.rawValue)")) == "1"
            service.enter(service.isRegistered ? .stopped : .notRegistered)
        }
    }

    static func watched(_ settings: SettingsSnapshot) -> [String: [String]] {
        var files: [String: [String]] = [:]
        for table in Layout.Table.allCases { files[table.rawValue] = [settings.layout.path(of: table)] }
        for kind in LockTable.Kind.allCases { files[kind.fileName] = [settings.layout.path(of: kind)] }
        files["tls"] = [settings[TLSSettings.certificateFile], settings[TLSSettings.privateKeyFile]].filter {
            !$0.isEmpty
        }
        return files
    }

    func service(_ kind: ManagedService.Kind) -> ManagedService? { services.first { $0.kind == kind } }
    func wakeEnd(of kind: ManagedService.Kind) -> Int32 {
        kind == .receiver ? wake.receiver.descriptor : wake.delivery.descriptor
    }

    /// Runs until the end was asked for and all services have ended.
    func run() {
        readTotals()
        for service in services where service.isRegistered && service.isWanted { start(service) }
        publish()
        var lastTick = 0
        while !(isEnding && services.allSatisfy { $0.process == nil }) {
            turn()
            let now = Clock.monotonic()
            if now - lastTick >= 1000 || now >= nextTimer() {
                lastTick = now
                tick(now)
            }
            publish()
        }
        saveTotals()
        for listener in listeners { close(listener.descriptor) }
        listeners = []
        directory.end()
    }

    // MARK: Totals of the day

    private var totalsFile: String { layout.log + "/totals" }
    private static let totalsInterval = 60_000

    /// What the services did before this process began.
    private func readTotals() {
        let text = SmallFile.read(totalsFile, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let kind = ManagedService.Kind(rawValue: String(parts[0])) else { continue }
            service(kind)?.totals.restore(parts[1])
        }
    }

    private func saveTotals() {
        let lines = services.flatMap { service in service.totals.lines.map { "\(service.kind.rawValue) \($0)" } }
        totalsSaved.at = Clock.monotonic()
        guard lines != totalsSaved.lines else { return }
        totalsSaved.lines = lines
        let (path, octets) = (totalsFile, Array(lines.map { $0 + "\n" }.joined().utf8))
        // A disk that does not take it costs the figures of a minute.
        _ = chores.submit { _ = SmallFile.replace(path, with: octets, mode: 0o640) }
    }

    /// One wait for something to happen, a second at most.
    private func turn() {
        var entries = [pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0)]
        let running = services.filter { $0.process != nil }
        for service in running {
            guard let process = service.process else { continue }
            let events = process.hasOutgoing ? POLLIN | POLLOUT : POLLIN
            entries.append(pollfd(fd: process.channel, events: Int16(events), revents: 0))
        }
        let wait = max(0, min(1000, nextTimer() - Clock.monotonic()))
        guard poll(&entries, nfds_t(entries.count), Int32(wait)) > 0 else { return }
        for (entry, service) in zip(entries.dropFirst(), running) where entry.revents != 0 { exchange(service) }
        if entries[0].revents != 0 {
            for work in inbox.take() { work(self) }
        }
    }

    private func nextTimer() -> Int {
        let times =
            services.flatMap { [$0.restartAt, $0.killAt, $0.readyBy] } + [listenerRetryAt]
            + barriers.map { $0.isOver ? nil : $0.deadline }
        return times.compactMap { $0 }.min() ?? .max
    }

    private func tick(_ now: Int) {
        for service in services {
            service.history.advance(to: now / 1000)
            if let time = service.killAt, now >= time, let process = service.process {
                service.killAt = now + 1000
                log(.warning, "\(service.kind.rawValue) does not end; it is killed")
                kill(process.pid, SIGKILL)
            }
            if let time = service.readyBy, now >= time, let process = service.process {
                service.readyBy = nil
                let seconds = String(Self.readyLimit / 1000)
                service.trouble = StatusNote("service.not-ready", "not ready within \(seconds) seconds", [seconds])
                kill(process.pid, SIGKILL)
            }
            if let time = service.restartAt, now >= time {
                service.restartAt = nil
                if service.isWanted, !isEnding { start(service) }
            }
        }
        if now >= totalsSaved.at + Self.totalsInterval { saveTotals() }
        if let time = listenerRetryAt, now >= time { applyListeners() }
        for barrier in barriers where now >= barrier.deadline { barrier.end() }
        barriers.removeAll { $0.isOver }
        widenBacklogs(now)
        let changed = tables.changes()
        if !changed.isEmpty { filesChanged(changed) }
    }

    /// Orderly end: both services finish what is under way. Asked twice, they are killed.
    func end() {
        if isEnding {
            for service in services { if let process = service.process { kill(process.pid, SIGKILL) } }
            return
        }
        isEnding = true
        for service in services {
            service.restartAt = nil
            if service.process != nil { stop(service, grace: Self.stopGrace) }
        }
    }

    /// Time to get ready, from the start.
    static let readyLimit = 90_000
    /// For messages and deliveries under way (R-SVC-03).
    static let stopGrace = 30_000

    // MARK: Telling others

    func publish() { board.update(services.map(\.status), listeners: listeners.map(\.address)) }

    /// - Parameters:
    ///   - event: the last part of the catalogue key `service.event.…`.
    ///   - causes: why, if there is more to say.
    func serviceChanged(_ service: ManagedService, _ event: String, _ causes: [StatusNote] = []) {
        publish()
        let notes = [Self.note(of: event, service.kind)] + causes
        hub.publish(
            ServerEvent(
                kind: .service, status: board.status(queue: queue.lastSummary), time: Clock.wall(),
                message: notes.message, notes: notes))
    }

    private static func note(of event: String, _ kind: ManagedService.Kind) -> StatusNote {
        let name = kind.rawValue
        let text =
            switch event {
            case "registered": "\(name) is registered"
            case "unregistered": "\(name) is not registered any more"
            case "stops": "\(name) stops"
            case "stopped": "\(name) has stopped"
            case "runs": "\(name) runs"
            case "listens": "\(name) listens anew"
            case "restarted": "\(name) was started again"
            case "failed": "\(name) failed"
            case "trouble": name
            default: "\(name): trouble is over"
            }
        return StatusNote("service.event.\(event)", text, [name.uppercased()])
    }

    /// Logs, and shows it to everybody who looks at a console.
    func tell(_ level: LogEvent.Level, _ text: String) {
        log(level, text)
        hub.publish(
            ServerEvent(
                kind: .service, status: board.status(queue: queue.lastSummary), time: Clock.wall(), message: text))
    }

    static func complain(_ journal: Journal, _ text: String) {
        journal.record(
            LogEvent(time: Int64(Clock.wall()), service: "EPOSTD", kind: .system, level: .warning, text: text))
    }

    func log(_ level: LogEvent.Level, _ text: String) {
        journal.record(
            LogEvent(time: Int64(Clock.wall()), service: "EPOSTD", kind: .system, level: level, text: text))
        if level == .warning || level == .error { clinux_complain("epostd: \(text)\n") }
    }
}
