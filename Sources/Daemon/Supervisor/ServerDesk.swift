import Control
import ControlServer
import Crypto
import Service
import Settings
import Synchronization

/// org.epost.Server
struct ServerDesk: Sendable {
    let desk: Desk
    let setup: SetupWork
    private let lock = UnlockCounter()
    private let verifier = PasswordVerifier(limit: 1, lifetime: 1)

    init(desk: Desk, setup: SetupWork) {
        self.desk = desk
        self.setup = setup
    }

    func register(on server: ControlServer) {
        let desk = desk
        server.on(ServerInterface.Hello.self) { input, caller throws(ControlError) in
            caller.introduce(client: input.client, origin: input.origin)
            desk.gate.present(input.keys ?? [], caller)
            return try await desk.offload.run { () throws(ControlError) in try hello(caller) }
        }
        server.on(ServerInterface.GetStatus.self) { _, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in desk.status() }
        }
        server.on(ServerInterface.Announce.self) { input, caller in
            desk.board.announce(input.pages.map { String($0.prefix(100)) }, by: caller)
            return Nothing()
        }
        server.on(ServerInterface.Unlock.self) { input, caller throws(ControlError) in
            try await unlock(input.password, caller)
        }
        server.on(ServerInterface.CheckSetup.self) { [setup] input, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in setup.check(input) }
        }
        server.stream(ServerInterface.Setup.self) { [setup] input, caller, replies throws(ControlError) in
            try await setup.run(input, caller, replies)
        }
        server.stream(ServerInterface.Watch.self) { input, caller, replies throws(ControlError) in
            await watch(input, caller, replies)
        }
    }

    private func hello(_ caller: Caller) throws(ControlError) -> ServerInterface.Hello.Output {
        let settings = try desk.store.snapshot()
        return .init(
            product: "epost", version: productVersion, host: SystemName.full, user: caller.user,
            mayChange: caller.mayChange, isConfigured: desk.board.isConfigured, root: desk.layout.root ?? "/",
            utcOffset: Clock.utcOffset(), isLocked: !settings[AdminSettings.passwordHash].isEmpty)
    }

    /// R-MC-07. Each wrong try makes the same user wait longer, up to five seconds.
    private func unlock(_ password: String, _ caller: Caller) async throws(ControlError) -> Nothing {
        let wait = lock.wait(for: caller.userID)
        if wait > 0 { try? await Task.sleep(for: .seconds(wait)) }
        let verifier = verifier
        let isRight = try await desk.offload.run { [desk] () throws(ControlError) in
            let hash = try desk.store.snapshot()[AdminSettings.passwordHash]
            return hash.isEmpty || verifier.verify(Array(password.utf8), hash: hash)
        }
        lock.note(caller.userID, isRight: isRight)
        guard isRight else {
            throw ControlError(
                .notPermitted, code: "control.wrong-password", "this is not the system management password")
        }
        return Nothing()
    }

    private func watch(
        _ input: ServerInterface.Watch.Input, _ caller: Caller, _ replies: Replies<ServerInterface.Watch.Output>
    ) async {
        let interval = min(max(input.statusInterval, 200), 60_000)
        let (items, continuation) = desk.hub.subscribe()
        defer { continuation.finish() }
        var last = await currentStatus()
        replies.send(ServerEvent(kind: .status, status: last, time: last.now))
        guard replies.wantsMore, replies.isOpen else { return }
        let ticker = Task {
            while (try? await Task.sleep(for: .milliseconds(interval))) != nil { continuation.yield(.tick) }
        }
        defer { ticker.cancel() }
        for await item in items {
            guard replies.isOpen, !Task.isCancelled else { return }
            switch item {
            case .event(let event):
                if let status = event.status { last = status }
                var event = event
                // Unknown doors are shut ones.
                guard let shut = try? desk.gate.shut(caller) else { continue }
                event.changes = event.changes.map { DomainGate.visible($0, shut: shut) }
                replies.send(event)
            case .tick:
                let status = await currentStatus()
                guard !Self.isSame(status, last) else { continue }
                last = status
                replies.send(ServerEvent(kind: .status, status: status, time: status.now))
            }
        }
    }

    private func currentStatus() async -> ServerStatus {
        let desk = desk
        return (try? await desk.offload.run { () throws(ControlError) in desk.status() })
            ?? desk.board.status(queue: QueueSummary())
    }

    /// Whether there is nothing to tell: time passes always, and the age of a message with it.
    private static func isSame(_ one: ServerStatus, _ other: ServerStatus) -> Bool {
        var one = one
        one.now = other.now
        if one.queue.messages == other.queue.messages { one.queue.oldestAge = other.queue.oldestAge }
        return one == other
    }
}

/// Wrong tries of the system management password, by user.
private final class UnlockCounter: Sendable {
    private let failures = Mutex<[UInt32: Int]>([:])

    /// Seconds.
    func wait(for user: UInt32) -> Int { failures.withLock { min($0[user] ?? 0, 5) } }
    func note(_ user: UInt32, isRight: Bool) {
        failures.withLock { $0[user] = isRight ? nil : ($0[user] ?? 0) + 1 }
    }
}
