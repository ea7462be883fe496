import Control
import Journal
import Service
import Settings
import Store
import Tables

/// Passing on what changed.
extension Supervisor {
    /// Settings, domains or accounts have a new revision.
    func settingsChanged() {
        guard let new = try? store.snapshot() else { return }
        let old = settings
        settings = new
        board.update(isConfigured: board.isConfigured, revision: Int(new.revision))
        tables.watch(Self.watched(new))
        journal.apply(JournalSettings(new))
        secretsChanged(from: old, to: new)
        directory.apply(new)
        for service in services { service.process?.send(.settingsChanged(revision: Int(new.revision))) }
        if old.listeners != new.listeners || old.hasCertificate != new.hasCertificate { applyListeners() }
    }

    /// A method that was switched off leaves no secrets behind.
    private func secretsChanged(from old: SettingsSnapshot, to new: SettingsSnapshot) {
        guard !AccountSecrets.kinds(old).subtracting(AccountSecrets.kinds(new)).isEmpty else { return }
        let (store, journal) = (store, journal)
        _ = chores.submit {
            do throws(ControlError) {
                try store.dropUnusedSecrets()
            } catch {
                Self.complain(journal, "secrets of a method that is off are still kept: \(error.detail.message)")
            }
        }
    }

    /// Text tables or certificate files changed on disk, by whomever.
    func filesChanged(_ names: [String]) {
        for service in services { service.process?.send(.filesChanged(names)) }
        // Locks come and go by themselves: no news for people, and no part of the history.
        let names = names.filter { name in !LockTable.Kind.allCases.contains { $0.fileName == name } }
        guard !names.isEmpty else { return }
        let records = names.map { name in
            ChangeRecord(path: name == "tls" ? "tls" : "table/\(name)", old: nil, new: nil)
        }
        log(.info, "changed on disk: \(names.joined(separator: ", "))")
        tablesChanged(names)
        hub.publish(ServerEvent(kind: .table, changes: records, time: Clock.wall()))
    }

    /// A change of an administrator is answered when it works: people, and scripts, go on at once.
    /// - Parameter completion: called when every running service has taken all changes over, or after a while.
    func whenInForce(_ completion: @escaping @Sendable () -> Void) {
        let changed = tables.changes()
        if !changed.isEmpty { filesChanged(changed) }
        let running = services.filter { $0.process?.isReady == true && $0.state == .running }
        let barrier = ChangeBarrier(
            waitingFor: running.count, until: Clock.monotonic() + ChangeBarrier.patience, completion: completion)
        guard !running.isEmpty else { return }
        barriers.append(barrier)
        for service in running {
            let id = service.nextRequest
            service.nextRequest += 1
            service.requests[id] = { _ in barrier.passed() }
            service.process?.send(.mark(id: id))
        }
    }

    /// SIGHUP: everything is read anew.
    func reload() {
        log(.info, "reload")
        settingsChanged()
        _ = tables.changes()
        for service in services { service.process?.send(.reload) }
    }

    // MARK: Actions of administrators

    func act(
        _ kind: ManagedService.Kind, _ action: ServicesInterface.Act.Action, force: Bool,
        completion: @escaping ManagedService.Completion
    ) {
        guard let service = service(kind) else { return }
        do {
            switch action {
            case .register: try register(service, completion)
            case .unregister: try unregister(service, force, completion)
            case .start: try startByHand(service, completion)
            case .stop: try stopByHand(service, force, completion)
            case .restart:
                try need(service)
                try want(service, true)
                service.rule.forget()
                guard service.process != nil else { return try startByHand(service, completion) }
                service.waitingForRun.append(completion)
                service.startsAgain = true
                if service.state != .stopping { stop(service, grace: force ? 0 : Self.stopGrace) }
            }
        } catch {
            completion(.failure(error as? ControlError ?? ControlError(.failed, code: "service.failed", "\(error)")))
        }
        publish()
    }

    private func need(_ service: ManagedService) throws {
        guard service.isRegistered else {
            throw ControlError(
                .refused, code: "service.not-registered",
                "\(service.kind.rawValue) is not registered; register it first", arguments: [service.kind.rawValue])
        }
    }

    private func want(_ service: ManagedService, _ isWanted: Bool) throws {
        try store.setState("wanted.\(service.kind.rawValue)", isWanted ? "1" : "0")
        service.isWanted = isWanted
    }

    private func register(_ service: ManagedService, _ completion: ManagedService.Completion) throws {
        if !service.isRegistered {
            try store.setState("registered.\(service.kind.rawValue)", "1")
            service.isRegistered = true
            service.enter(.stopped)
            serviceChanged(service, "registered")
        }
        completion(.success(service.status))
    }

    private func unregister(
        _ service: ManagedService, _ force: Bool, _ completion: @escaping ManagedService.Completion
    ) throws {
        try want(service, false)
        try store.setState("registered.\(service.kind.rawValue)", "0")
        service.isRegistered = false
        service.failure = []
        if service.kind == .receiver { closeListeners() }
        guard service.process != nil else {
            service.restartAt = nil
            service.enter(.notRegistered)
            serviceChanged(service, "unregistered")
            return completion(.success(service.status))
        }
        service.waitingForStop.append(completion)
        if service.state != .stopping { stop(service, grace: force ? 0 : Self.stopGrace) }
    }

    private func startByHand(_ service: ManagedService, _ completion: @escaping ManagedService.Completion) throws {
        try need(service)
        try want(service, true)
        if service.state == .running { return completion(.success(service.status)) }
        service.rule.forget()
        service.waitingForRun.append(completion)
        if service.state == .stopping { service.startsAgain = true } else { start(service) }
    }

    private func stopByHand(
        _ service: ManagedService, _ force: Bool, _ completion: @escaping ManagedService.Completion
    ) throws {
        try need(service)
        try want(service, false)
        service.startsAgain = false
        service.failure = []
        if service.kind == .receiver { closeListeners() }
        guard service.process != nil else {
            stop(service, grace: 0)
            serviceChanged(service, "stopped")
            return completion(.success(service.status))
        }
        service.waitingForStop.append(completion)
        if service.state != .stopping || force { stop(service, grace: force ? 0 : Self.stopGrace) }
    }

    /// Passes a control method on to a service.
    func forward(
        _ kind: ManagedService.Kind, method: String, parameters: String,
        completion: @escaping @Sendable (Result<String, ControlError>) -> Void
    ) {
        guard let service = service(kind), let process = service.process, process.isReady else {
            return completion(
                .failure(ControlError(.failed, code: "service.not-running", "\(kind.rawValue) does not run")))
        }
        let id = service.nextRequest
        service.nextRequest += 1
        service.requests[id] = completion
        process.send(.request(id: id, method: method, parameters: parameters))
    }
}
