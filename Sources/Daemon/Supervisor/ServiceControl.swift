import CLinux
import Control
import Glibc
import Journal
import MailModel
import Service
import Settings
import Store
import Tables

/// Starting, stopping and restarting.
extension Supervisor {
    func start(_ service: ManagedService) {
        guard service.process == nil else { return }
        service.restartAt = nil
        service.startsAgain = false
        service.trouble = nil
        if service.kind == .receiver, !openListenersForStart(service) { return }
        let process = ChildProcess.start(
            service.kind.rawValue, root: layout.root, wake: wakeEnd(of: service.kind), now: Clock.monotonic())
        guard let process else {
            let system = SmallFile.errorText(errno)
            let cause = [StatusNote("service.cannot-start", "it cannot be started: \(system)", [system])]
            failed(service, cause, pause: service.rule.pause(after: .neverReady, .exit(code: 1)))
            return
        }
        service.process = process
        service.counters = [:]
        service.history.serviceStarted()
        service.totals.serviceStarted()
        service.readyBy = Clock.monotonic() + Self.readyLimit
        service.failure = []
        service.enter(.starting)
        if service.kind == .receiver { sendListeners(to: process) }
        log(.info, "\(service.kind.rawValue) starts as process \(process.pid)")
        publish()
    }

    /// Orders the end; `reap` notices it.
    func stop(_ service: ManagedService, grace: Int) {
        guard let process = service.process else {
            service.restartAt = nil
            if service.isRegistered { service.enter(.stopped) }
            return
        }
        service.enter(.stopping)
        service.readyBy = nil
        // The runtime of the service ends itself a second after the grace.
        service.killAt = Clock.monotonic() + grace + 3000
        process.send(.stop(grace: grace))
        if grace == 0 { kill(process.pid, SIGKILL) }
        serviceChanged(service, "stops")
    }

    private func failed(_ service: ManagedService, _ causes: [StatusNote], pause: Int) {
        var notes = causes
        if pause >= 1000 {
            let seconds = String(pause / 1000)
            notes.append(StatusNote("service.next-try", "next try in \(seconds) s", [seconds]))
        }
        service.failure = notes
        service.restartAt = Clock.monotonic() + pause
        service.enter(.failed)
        let text = "\(service.kind.rawValue) failed: " + notes.map(\.message).joined(separator: "; ")
        log(.error, text)
        service.finishRun(
            .failure(
                ControlError(
                    .failed, code: "service.failed", text, arguments: [causes.first?.message ?? ""],
                    problems: causes.map {
                        Problem(
                            path: service.kind.rawValue, code: $0.code, message: $0.message, arguments: $0.arguments)
                    })))
        serviceChanged(service, "failed", notes)
    }

    /// No listener at all is a failure of the start (R-SYS-06); some missing ones are shown.
    private func openListenersForStart(_ service: ManagedService) -> Bool {
        applyListeners()
        if !listeners.isEmpty { return true }
        let cause =
            service.listenerTroubles.isEmpty
            ? [StatusNote("listener.none", "no listener is set")] : service.listenerTroubles
        failed(service, cause, pause: service.rule.pause(after: .neverReady, .exit(code: 1)))
        return false
    }

    // MARK: What a service tells

    func exchange(_ service: ManagedService) {
        guard let process = service.process else { return }
        process.flush()
        let (reports, isOpen) = process.receive()
        for report in reports { take(report, from: service) }
        if process.outgoingOctets > ChildProcess.outgoingLimit {
            log(.error, "\(service.kind.rawValue) does not read its orders; it is killed")
            kill(process.pid, SIGKILL)
        }
        // A service that closed its end is about to go; SIGCHLD follows.
        if !isOpen { reap() }
        if !isOpen, service.process === process { kill(process.pid, SIGKILL) }
    }

    private func take(_ report: ServiceReport, from service: ManagedService) {
        switch report {
        case .ready:
            service.process?.isReady = true
            if service.kind == .receiver { widenBacklogs(Clock.monotonic()) }
            service.readyBy = nil
            guard service.state == .starting else { return }
            service.enter(.running)
            service.finishRun(.success(service.status))
            serviceChanged(service, "runs")
        case .served: service.process?.hasServed = true
        case .counters(let counters):
            service.counters = counters
            service.history.add(total: counters[service.kind.mainCounter] ?? 0, now: Clock.monotonic() / 1000)
            service.totals.add(counters, now: Clock.wall())
        case .trouble(let text):
            let note = text.map { StatusNote("service.trouble", $0, [$0]) }
            guard service.trouble != note else { return }
            service.trouble = note
            if let text { log(.warning, "\(service.kind.rawValue): \(text)") }
            serviceChanged(service, note == nil ? "trouble-over" : "trouble", [note].compactMap { $0 })
        case .secret(let account, let kind, let generation, let sealed):
            guard let kind = AccountSecret.Kind(rawValue: kind), let account = MailAddress(typed: account) else {
                return
            }
            let secret = AccountSecret(kind: kind, generation: generation, sealed: sealed)
            let (store, journal) = (store, journal)
            // The disk may be slow, and this is the loop that watches the services.
            let isTaken = chores.submit {
                do throws(ControlError) {
                    try store.keep(secret, of: account)
                } catch {
                    Self.complain(journal, "a secret of \(account.text) is not kept: \(error.detail.message)")
                }
            }
            if !isTaken { log(.warning, "a secret of \(account.text) is not kept") }
        case .locked(let kind, let subject, let since, let cause, let count):
            guard let kind = LockTable.Kind(rawValue: kind) else { return }
            let what = cause == "connections" ? "connections" : "failed authentications"
            tell(.warning, "\(subject) is locked after \(count) \(what)")
            writeLock(kind, subject, since: since, word: cause == "connections" ? .iplock : nil)
        case .alert(let text): tell(.warning, text)
        case .answer(let id, let parameters, let error):
            guard let completion = service.requests.removeValue(forKey: id) else { return }
            completion(error.map { .failure($0.controlError) } ?? .success(parameters ?? "{}"))
        }
    }

    /// Locks that are over go at the same time.
    private func writeLock(_ kind: LockTable.Kind, _ subject: String, since: Int64, word: LockTable.Word?) {
        let lockTime = settings[ReceiverSettings.lockTime]
        let (locks, journal) = (locks, journal)
        let isTaken = chores.submit {
            do throws(ControlError) {
                _ = try locks.change(kind) { table in
                    table.pruned(now: Int64(Clock.wall() / 1000), lockTime: lockTime)
                        .adding(subject, since: since, word: word)
                }
            } catch {
                Self.complain(journal, error.detail.message)
            }
        }
        if !isTaken { log(.warning, "the lock of \(subject) is not written down") }
    }

    // MARK: What ended

    /// Looks after our own children, and no others.
    func reap() {
        for service in services {
            guard let process = service.process else { continue }
            var status: Int32 = 0
            guard waitpid(process.pid, &status, WNOHANG) == process.pid else { continue }
            for report in process.receive().reports { take(report, from: service) }
            ended(service, process, status)
        }
    }

    private func ended(_ service: ManagedService, _ process: ChildProcess, _ status: Int32) {
        service.process = nil
        service.killAt = nil
        service.readyBy = nil
        service.failRequests("\(service.kind.rawValue) ended before it answered")
        let signal = status & 0x7F
        let end: RestartRule.End = signal == 0 ? .exit(code: (status >> 8) & 0xFF) : .signal(signal)
        if service.state == .stopping || isEnding {
            service.enter(service.isRegistered ? .stopped : .notRegistered)
            service.failure = []
            service.finishStop(.success(service.status))
            if !service.startsAgain || isEnding {
                let text = "\(service.kind.rawValue) was stopped before it ran"
                service.finishRun(.failure(ControlError(.failed, code: "service.stopped", text)))
            }
            serviceChanged(service, "stopped")
            log(.info, "\(service.kind.rawValue) has stopped")
            if service.startsAgain, !isEnding { start(service) }
            return
        }
        let run: RestartRule.Run = process.hasServed ? .served : process.isReady ? .idle : .neverReady
        let pause = service.rule.pause(after: run, end)
        let causes = [Self.note(of: end), service.trouble].compactMap { $0 }
        service.restarts += 1
        if pause == 0 {
            let text = causes.map(\.message).joined(separator: "; ")
            log(.error, "\(service.kind.rawValue) failed: \(text); it is started again")
            service.enter(.failed)
            service.failure = causes
            start(service)
            if service.process != nil {
                serviceChanged(service, "restarted", causes)
            }
        } else {
            failed(service, causes, pause: pause)
        }
    }

    private static func note(of end: RestartRule.End) -> StatusNote {
        switch end {
        case .exit(let code):
            return StatusNote("service.exit-code", "it ended with exit code \(code)", [String(code)])
        case .signal(let number):
            let name = String(cString: strsignal(number))
            return StatusNote(
                "service.signal", "it was ended by signal \(number) (\(name))", [String(number), name])
        }
    }
}
