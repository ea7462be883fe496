import Control
import Facts
import MailModel
import MessageFormat
import Policy
import Store
import Tables

/// The counting of a replay: decisions in, changes out.
struct ReplayRun: Sendable {
    typealias Configuration = (rules: EffectTable, settings: AcceptanceSettings)

    private let now: Configuration
    private let draft: Configuration
    private(set) var output = PolicyInterface.Replay.Output()
    private var changes: [Key: Change] = [:]

    private struct Key: Hashable {
        var effect: ReplayEffect
        var client: String
        var login: String?
        var sender: String
        var recipient: String
    }
    private struct Change {
        var count: Int
        var time: Int64
        var before: Verdict
        var after: Verdict
    }

    init(now: Configuration, draft: Configuration) {
        self.now = now
        self.draft = draft
    }

    mutating func take(_ mails: [RecordedMail], _ directory: any Directory) throws(ControlError) {
        for mail in mails {
            output.examined += 1
            do {
                if let facts = try Self.facts(mail, directory) { judge(mail, facts) }
            } catch {
                throw ControlError(
                    .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                    arguments: [error.detail])
            }
        }
    }

    private mutating func judge(_ mail: RecordedMail, _ facts: ReplayedMail) {
        let before = facts.verdict(now.rules, now.settings)
        let after = facts.verdict(draft.rules, draft.settings)
        let isExternal = facts.recipient.directory.addressClass == .external
        guard let effect = ReplayEffect(before: before, after: after, isExternal: isExternal) else { return }
        switch effect {
        case .newlyRelayed: output.newlyRelayed += 1
        case .newlyRefused: output.newlyRefused += 1
        case .newlyAccepted: output.newlyAccepted += 1
        case .otherReply: output.otherReply += 1
        }
        let key = Key(
            effect: effect, client: mail.client, login: mail.login, sender: mail.sender, recipient: mail.recipient)
        if var known = changes[key] {
            known.count += 1
            known.time = max(known.time, mail.time)
            changes[key] = known
        } else if changes.count < ReplayDesk.changesKept {
            let told = facts.verdict(draft.rules, draft.settings, explain: true)
            changes[key] = Change(count: 1, time: mail.time, before: before, after: told)
        }
    }

    /// What the directory knows of them now.
    private static func facts(_ mail: RecordedMail, _ directory: any Directory) throws(DirectoryError) -> ReplayedMail?
    {
        guard let client = IPAddress(mail.client) else { return nil }
        var authentication = Authentication.none
        if let login = mail.login, let address = PolicyDesk.address(login) { authentication = .account(address) }
        let path: ReversePath =
            mail.sender.isEmpty ? .null : PolicyDesk.address(mail.sender).map { .address($0) } ?? .null
        let nobody = MailAddress(localPart: "nobody", domain: "outside.invalid")
        let recipient = PolicyDesk.address(mail.recipient) ?? nobody
        let size = mail.size.map { Int64($0) }
        return ReplayedMail(
            session: SessionFacts(client: client, isTLS: mail.isTLS, authentication: authentication),
            sender: SenderFacts(
                path: path, directory: try directory.facts(about: path), announcedSize: size, asksSMTPUTF8: true),
            recipient: RecipientFacts(
                address: recipient, directory: try directory.facts(about: recipient), asksSMTPUTF8: true))
    }

    func finished(isCut: Bool, limit: Int) -> PolicyInterface.Replay.Output {
        var output = output
        output.isDone = true
        output.isCut = isCut
        let sorted = changes.sorted { one, other in
            if one.key.effect != other.key.effect { return one.key.effect < other.key.effect }
            if one.value.count != other.value.count { return one.value.count > other.value.count }
            return one.value.time > other.value.time
        }
        output.changes = sorted.prefix(min(1_000, max(1, limit))).map { Self.row($0.key, $0.value) }
        return output
    }

    private static func row(_ key: Key, _ change: Change) -> ReplayChange {
        func safe(_ text: String) -> String { DisplayText.clean(text, limit: 320) }
        let source = change.after.trail.last { $0.decided } ?? change.after.trail.last { $0.source != nil }
        return ReplayChange(
            kind: word(key.effect), count: change.count, time: Int(change.time), client: safe(key.client),
            authenticatedID: key.login.map(safe), sender: safe(key.sender), recipient: safe(key.recipient),
            before: change.before.reason.reply.text, after: change.after.reason.reply.text,
            source: source?.source?.text ?? "")
    }

    private static func word(_ effect: ReplayEffect) -> String {
        switch effect {
        case .newlyRelayed: "newly-relayed"
        case .newlyRefused: "newly-refused"
        case .newlyAccepted: "newly-accepted"
        case .otherReply: "other-reply"
        }
    }
}
