import Control
import ControlServer
import Database
import Journal
import MailModel
import MessageFormat
import Settings
import Spool
import Tables
import Usage

/// org.epost.Guard: what accounts send. The receiver counts, this process only reads.
struct SenderDesk: Sendable {
    let desk: Desk
    let locks: LockFiles
    let busy: BusySenders

    func register(on server: ControlServer) {
        let desk = desk
        server.on(GuardInterface.ListSenders.self) { _, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in .init(senders: try list(), busiest: busiest()) }
        }
        server.on(GuardInterface.ShowSender.self) { input, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in try show(Self.name(input.sender)) }
        }
        server.on(GuardInterface.ForgetSender.self) { input, _ throws(ControlError) in
            let normal = GuardInterface.ForgetSender.Input(sender: Self.name(input.sender))
            guard try await desk.forward(GuardInterface.ForgetSender.self, normal, to: .receiver) != nil else {
                throw ControlError(.failed, code: "service.not-running", "epstrs does not run")
            }
            return Nothing()
        }
    }

    private func busiest() -> [BusySender] {
        busy.busiest(now: Int64(Clock.wall())).map {
            BusySender(
                sender: DisplayText.clean($0.sender, limit: 320), messagesHour: $0.messages,
                recipientsHour: $0.recipients)
        }
    }

    private static func name(_ text: String) -> String {
        LockTable.subject(text, text.contains("@") ? .account : .address)?.text ?? text.lowercased()
    }

    private func list() throws(ControlError) -> [SenderEntry] {
        let now = Int64(Clock.wall())
        let waiting = waiting()
        return try reading { archive throws(DatabaseError) in
            var out: [SenderEntry] = []
            for sender in try archive?.senders(now: now) ?? [] {
                let held = try archive?.held(by: sender.account).count { waiting[$0.id] != nil } ?? 0
                // Held mail that was dealt with is no reason to be listed.
                guard held > 0 || sender.lastSession > 0 || sender.day.messages > 0 else { continue }
                out.append(entry(sender, held: held))
            }
            return out
        }
    }

    private func show(_ name: String) throws(ControlError) -> GuardInterface.ShowSender.Output {
        let now = Int64(Clock.wall())
        let waiting = waiting()
        return try reading { archive throws(DatabaseError) in
            guard let archive else {
                let none = SenderSummary(account: name)
                return .init(sender: entry(none, held: 0), sessions: [], held: [])
            }
            let held: [HeldMail] = try archive.held(by: name).compactMap { record in
                waiting[record.id].map { row in
                    HeldMail(
                        id: record.id, time: Int(record.time), client: record.client,
                        recipient: DisplayText.clean(row.recipient.text), recipients: row.recipientCount,
                        size: row.size, reason: DisplayText.clean(record.reason, limit: 500))
                }
            }
            return .init(
                sender: entry(try archive.summary(of: name, now: now), held: held.count),
                sessions: try archive.sessions(of: name).map(Self.session), held: held)
        }
    }

    private static func session(_ record: SessionRecord) -> SenderSession {
        SenderSession(
            time: Int(record.time), client: record.client, hello: DisplayText.clean(record.hello, limit: 255),
            mechanism: record.mechanism, isTLS: record.isTLS, messages: record.messages,
            recipients: record.recipients, held: record.held)
    }

    private func entry(_ sender: SenderSummary, held: Int) -> SenderEntry {
        let kind: LockTable.Kind = sender.account.contains("@") ? .account : .address
        let entries = kind == .account ? locks.read(kind).entries(for: sender.account) : []
        return SenderEntry(
            sender: DisplayText.clean(sender.account, limit: 320), messagesHour: sender.hour.messages,
            messagesDay: sender.day.messages, recipientsHour: sender.hour.recipients,
            recipientsDay: sender.day.recipients, newRecipientsHour: sender.hour.newRecipients,
            newRecipientsDay: sender.day.newRecipients, held: held, lastSession: Int(sender.lastSession),
            lastClient: sender.lastClient, isLocked: entries.contains { $0.since == nil && $0.word != .allow })
    }

    /// Messages that are held in the queue now, by id; the oldest 10,000.
    private func waiting() -> [String: QueuedRow] {
        var out: [String: QueuedRow] = [:]
        guard let queue = try? desk.queue.operations() else { return out }
        var offset = 0
        while offset < 10_000,
            let window = try? queue.list(QueueQuery(state: .held, offset: offset, limit: 1_000)), !window.rows.isEmpty
        {
            for row in window.rows { out[row.id.rawValue] = row }
            offset += window.rows.count
        }
        return out
    }

    private func reading<Value>(
        _ body: (UsageArchive?) throws(DatabaseError) -> Value
    ) throws(ControlError) -> Value {
        do throws(DatabaseError) {
            return try body(try UsageArchive(path: desk.layout.usage))
        } catch {
            throw ControlError(
                .failed, code: "guard.failed", "What was sent cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
    }
}
