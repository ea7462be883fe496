import Control
import Facts
import MailModel
import MessageFormat
import Policy
import Settings
import Store
import Tables

/// The counting of a replay: decisions in, changes out.
struct ReplayRun: Sendable {
    /// What decides.
    struct Configuration: Sendable {
        var rules: EffectTable
        var acceptance: AcceptanceSettings
        var limits: ConnectionSettings

        init(rules: EffectTable, settings: SettingsSnapshot) {
            self.rules = rules
            acceptance = AcceptanceSettings(settings)
            limits = ConnectionSettings(
                maxSessions: settings[ReceiverSettings.maxSessions],
                maxSessionsPerClient: settings[ReceiverSettings.maxSessionsPerClient])
        }
    }

    private let now: Configuration
    private let draft: Configuration
    private(set) var output = PolicyInterface.Replay.Output()
    /// Decisions judged, whatever they stand for.
    private(set) var judged = 0
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
            judged += 1
            output.examined += mail.weight
            do {
                if let subject = try Self.subject(mail, directory) { judge(mail, subject) }
            } catch {
                throw ControlError(
                    .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                    arguments: [error.detail])
            }
        }
    }

    /// What is judged, and whether its recipient is outside.
    private enum Subject {
        case kept([Evidence])
        case logged(ReplayedMail)

        var isExternal: Bool {
            switch self {
            case .logged(let mail): mail.recipient.directory.addressClass == .external
            case .kept(let decisions):
                decisions.contains {
                    if case .recipient(let facts, _) = $0.moment {
                        facts.directory.addressClass == .external
                    } else {
                        false
                    }
                }
            }
        }

        /// The first refusal, else the last acceptance.
        func verdict(_ configuration: Configuration, explain: Bool = false) -> Verdict {
            switch self {
            case .logged(let mail):
                return mail.verdict(configuration.rules, configuration.acceptance, explain: explain)
            case .kept(let decisions):
                // A mail is accepted by what allowed its recipient: that is what is told.
                var shown = Verdict(.accepted)
                for decision in decisions {
                    var isRecipient = false
                    if case .recipient = decision.moment { isRecipient = true }
                    let verdict = decision.verdict(
                        rules: configuration.rules, settings: configuration.acceptance, limits: configuration.limits,
                        explain: explain && isRecipient)
                    if !verdict.isAccepted { return verdict }
                    if isRecipient { shown = verdict }
                }
                return shown
            }
        }
    }

    private mutating func judge(_ mail: RecordedMail, _ subject: Subject) {
        let before = subject.verdict(now)
        let after = subject.verdict(draft)
        guard let effect = ReplayEffect(before: before, after: after, isExternal: subject.isExternal) else { return }
        switch effect {
        case .newlyRelayed: output.newlyRelayed += mail.weight
        case .newlyRefused: output.newlyRefused += mail.weight
        case .newlyAccepted: output.newlyAccepted += mail.weight
        case .otherReply: output.otherReply += mail.weight
        }
        let key = Key(
            effect: effect, client: mail.client, login: mail.login, sender: mail.sender, recipient: mail.recipient)
        if var known = changes[key] {
            known.count += mail.weight
            known.time = max(known.time, mail.time)
            changes[key] = known
        } else if changes.count < ReplayDesk.changesKept {
            let told = subject.verdict(draft, explain: true)
            changes[key] = Change(count: mail.weight, time: mail.time, before: before, after: told)
        }
    }

    private static func subject(
        _ mail: RecordedMail, _ directory: any Directory
    ) throws(DirectoryError) -> Subject? {
        switch mail.facts {
        case .kept(let decisions): return .kept(decisions)
        case .logged(let isTLS, let size):
            return try facts(mail, isTLS: isTLS, size: size, directory).map { .logged($0) }
        }
    }

    /// What the directory knows of them now.
    private static func facts(
        _ mail: RecordedMail, isTLS: Bool, size: Int?, _ directory: any Directory
    ) throws(DirectoryError) -> ReplayedMail? {
        guard let client = IPAddress(mail.client) else { return nil }
        var authentication = Authentication.none
        if let login = mail.login, let address = PolicyDesk.address(login) { authentication = .account(address) }
        let path: ReversePath =
            mail.sender.isEmpty ? .null : PolicyDesk.address(mail.sender).map { .address($0) } ?? .null
        let nobody = MailAddress(localPart: "nobody", domain: "outside.invalid")
        let recipient = PolicyDesk.address(mail.recipient) ?? nobody
        let size = size.map { Int64($0) }
        return ReplayedMail(
            session: SessionFacts(client: client, isTLS: isTLS, authentication: authentication),
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
