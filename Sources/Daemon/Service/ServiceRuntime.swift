import CLinux
import Glibc
import Journal
import Settings
import Store
import Threads

/// Runs one service in a process of its own, below the supervisor.
package enum ServiceRuntime {
    /// How long a new process waits for the one before it to end, seconds.
    private static let lockWait = 60
    /// Grace of a service whose supervisor is gone: sessions in mid-reply get their answer.
    private static let orphanGrace = 2000

    /// Runs `program` until it is told to stop. Call on the main thread.
    /// - Returns: exit code of the process.
    package static func run(_ program: any ServiceProgram, name: String, layout: Layout) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        // Else it would be shown as "exe": it was started by /proc/self/exe.
        _ = name.withCString { clinux_prctl(15, UInt(bitPattern: $0)) }  // PR_SET_NAME
        // The supervisor's end closes when it dies; the signal is for the case that this process hangs in its start.
        _ = clinux_prctl(PR_SET_PDEATHSIG, UInt(SIGTERM))
        raiseDescriptorLimit()
        let signals = blockSignals()
        let channel = Channel(descriptor: InheritedDescriptor.channel)
        guard let lock = waitForLock(layout.run + "/\(name).lock") else {
            return fail(channel, name, "another \(name) still runs after \(lockWait) seconds")
        }
        defer { close(lock) }
        let directory: StoreDirectory
        let journal: Journal
        do {
            directory = try StoreDirectory(layout: layout, isPatient: program.waitsForAccounts)
            let settings = JournalSettings(try directory.settings())
            journal = Journal(folder: layout.log, host: SystemName.node, settings: settings)
        } catch {
            return fail(channel, name, error.detail)
        }
        defer { journal.close() }
        let (events, feed) = ServiceEvents.make()
        let context = ServiceContext(
            name: name, layout: layout, node: SystemName.node, directory: directory,
            journal: journal, wake: WakeLine(descriptor: InheritedDescriptor.wake),
            events: events, report: { channel.send($0) })
        let life = Life(feed: feed)
        let started = channel.start(
            counters: { context.currentCounters },
            receive: { order, descriptors in
                if case .settingsChanged = order, let settings = try? directory.settings() {
                    journal.apply(JournalSettings(settings))
                }
                deliver(order, descriptors, to: life, channel)
            },
            lost: { life.stop(grace: orphanGrace) })
        guard started, watch(signals, life) else { return fail(channel, name, "no thread can be started") }
        Task.detached {
            do {
                try await program.run(context: context)
                life.end(nil)
            } catch {
                life.end("\(error)")
            }
        }
        let outcome = life.wait()
        if let outcome { return fail(channel, name, outcome) }
        channel.send(.counters(context.currentCounters))
        channel.close()
        return 0
    }

    private static func fail(_ channel: Channel, _ name: String, _ reason: String) -> Int32 {
        channel.send(.trouble(reason))
        // Without a running channel (a failure before its threads start) the writer is started here.
        _ = channel.start(counters: { [:] }, receive: { _, _ in }, lost: {})
        channel.close()
        clinux_complain("\(name): \(reason)\n")
        return 1
    }

    private static func deliver(_ order: ServiceOrder, _ descriptors: [Int32], to life: Life, _ channel: Channel) {
        switch order {
        case .listeners(let texts):
            let listeners = zip(texts, descriptors).compactMap { text, descriptor in
                ListenerAddress(text).map { InheritedListener(address: $0, descriptor: descriptor) }
            }
            life.tell(.listeners(listeners))
        case .settingsChanged: life.tell(.settingsChanged)
        case .filesChanged(let names): life.tell(.filesChanged(Set(names)))
        case .reload: life.tell(.reload)
        case .mark(let id): life.mark { channel.send(.answer(id: id, parameters: nil, error: nil)) }
        case .stop(let grace): life.stop(grace: grace)
        case .request(let id, let method, let parameters):
            life.tell(
                .request(
                    ServiceRequest(method: method, parameters: parameters) { parameters, error in
                        channel.send(.answer(id: id, parameters: parameters, error: error))
                    }))
        }
    }

    /// The process before this one may still be finishing: two of a kind would give out the same queue ids.
    private static func waitForLock(_ path: String) -> Int32? {
        let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        for _ in 0..<(lockWait * 20) {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            usleep(50_000)
        }
        close(descriptor)
        return nil
    }

    /// Each session is a descriptor, each mailbox in use three: as many as the system allows.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Before the first thread, so that all threads inherit the mask.
    private static func blockSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    private static func watch(_ signals: sigset_t, _ life: Life) -> Bool {
        let thread = Thread(name: "signals", stack: 128 << 10) {
            var signals = signals
            while true {
                var number: Int32 = 0
                guard sigwait(&signals, &number) == 0 else { continue }
                number == SIGHUP ? life.tell(.reload) : life.stop(grace: orphanGrace)
            }
        }
        return thread != nil
    }
}

/// Whether the service goes on, stops, or has ended.
private final class Life: Sendable {
    private struct State {
        var isStopping = false
        var outcome: String??
    }
    private let feed: ServiceEvents.Feed
    private let state = Monitor(State())

    init(feed: ServiceEvents.Feed) { self.feed = feed }

    func tell(_ event: ServiceEvent) { feed.tell(event) }
    func mark(_ reached: @escaping @Sendable () -> Void) { feed.mark(reached) }

    /// Asks the program to stop, and ends the wait some time after `grace` whatever it does.
    func stop(grace: Int) {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard isFirst else { return }
        feed.tell(.stop(grace: .milliseconds(grace)))
        feed.finish()
        _ = Thread(name: "grace", stack: 128 << 10) { [self] in
            usleep(UInt32(clamping: (grace + 1000) * 1000))
            end(nil)
        }
    }

    /// - Parameter reason: why it failed; `nil` for an orderly end.
    func end(_ reason: String?) {
        state.withLock { if $0.outcome == nil { $0.outcome = .some(reason) } }
        state.signalAll()
    }

    func wait() -> String? { state.wait { $0.outcome } }
}
