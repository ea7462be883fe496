import Control
import ControlServer
import Journal
import MailModel
import MessageFormat
import Settings
import Tables

/// org.epost.Guard
struct GuardDesk: Sendable {
    let desk: Desk
    let files: LockFiles

    func register(on server: ControlServer) {
        let desk = desk
        server.on(GuardInterface.ListLocks.self) { _, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in .init(locks: try list()) }
        }
        server.on(GuardInterface.ChangeLock.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            return try await change(input, caller)
        }
    }

    private func list() throws(ControlError) -> [LockEntry] {
        let lockTime = try desk.store.snapshot()[ReceiverSettings.lockTime]
        let now = Int64(Clock.wall() / 1000)
        return LockTable.Kind.allCases.flatMap { kind in
            files.read(kind).entries.filter { !LockTable.isOver($0, now: now, lockTime: lockTime) }
                .map { Self.entry($0, kind, lockTime: lockTime) }
        }
    }

    static func entry(_ entry: LockTable.Entry, _ kind: LockTable.Kind, lockTime: Int) -> LockEntry {
        let since = Int(entry.since ?? 0)
        let isTimed = entry.since != nil && lockTime > 0
        return LockEntry(
            subject: DisplayText.clean(entry.subject, limit: 320), kind: kind == .address ? .address : .account,
            state: entry.word == .allow ? .allowed : isTimed ? .locked : .permanent,
            cause: entry.word == .iplock ? .connections : entry.since == nil ? .manual : .failures,
            since: since * 1000, until: isTimed ? (since + lockTime) * 1000 : 0,
            source: "\(kind.fileName):\(entry.line)")
    }

    private func change(
        _ input: GuardInterface.ChangeLock.Input, _ caller: Caller
    ) async throws(ControlError) -> GuardInterface.ChangeLock.Output {
        let kind: LockTable.Kind = input.subject.contains("@") ? .account : .address
        guard let subject = LockTable.subject(input.subject, kind)?.text else {
            let shown = DisplayText.clean(input.subject, limit: 80)
            throw ControlError(
                .refused, code: "lock.bad-subject",
                "\(shown) is not an IP address, a range of addresses or an account such as taro@example.jp.",
                arguments: [shown])
        }
        let files = files
        var isChanged = try await desk.offload.run { () throws(ControlError) in
            try files.change(kind) { table in
                switch input.action {
                case .lock: table.adding(subject, since: nil, word: nil)
                case .allow: table.adding(subject, since: nil, word: .allow)
                case .release: table.removing(subject)
                }
            }
        }
        let normal = GuardInterface.ChangeLock.Input(subject: subject, action: input.action)
        if let answer = try await desk.forward(GuardInterface.ChangeLock.self, normal, to: .receiver) {
            isChanged = isChanged || answer.isChanged
        }
        if isChanged {
            let text = "\(subject): \(input.action.rawValue) by \(caller.user)"
            desk.inbox.post { $0.tell(.info, text) }
        }
        return .init(isChanged: isChanged)
    }
}
