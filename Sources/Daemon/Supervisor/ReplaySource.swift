import Control
import Explain
import Journal
import MailModel
import Policy

/// What was decided, to be judged again.
struct RecordedMail: Sendable {
    /// What a judgement is made from.
    enum Facts: Sendable {
        /// The decisions about one mail, in their order, with everything that each was taken from.
        case kept([Evidence])
        /// From the log, which keeps no facts: what the directory says now.
        case logged(isTLS: Bool, size: Int?)
    }
    var time: Int64
    /// How many it stands for.
    var weight = 1
    var client: String
    var login: String?
    var sender: String
    var recipient: String
    var facts: Facts
}

/// Recorded decisions, newest first: refusals, then accepted mail, then what the log remembers beyond the records.
struct ReplaySource: Sendable {
    private let archive: String
    private let journal: JournalReader
    private let since: Int64
    private var place: DecisionArchive.Place?
    private var history: AcceptedHistory
    private var cursor: String?
    /// Of the log, only what is older than the records.
    private var until: Int64?
    private var stage = Stage.refused
    private enum Stage { case refused, accepted, logged, done }

    init(archive: String, journal: JournalReader, since: Int64) {
        self.archive = archive
        self.journal = journal
        self.since = since
        history = AcceptedHistory(path: archive)
    }

    /// - Returns: empty when there is nothing older in the time asked for.
    mutating func next(_ count: Int) throws(ControlError) -> [RecordedMail] {
        do {
            while true {
                switch stage {
                case .refused:
                    let page = try DecisionArchive.decisions(before: place, since: since, limit: count, in: archive)
                    place = page.last?.place ?? place
                    if !page.isEmpty { return page.map(Self.mail) }
                    stage = .accepted
                case .accepted:
                    let page = try history.next(since: since, limit: count)
                    if !page.isEmpty { return page.flatMap(Self.mails) }
                    until = try AcceptedHistory.oldest(in: archive).map { $0 - 1 }
                    stage = .logged
                case .logged:
                    let found = logged(count)
                    if !found.isEmpty { return found }
                    stage = .done
                case .done: return []
                }
            }
        } catch {
            throw ControlError(
                .failed, code: "explain.failed", "The records cannot be read: \(error)", arguments: ["\(error)"])
        }
    }

    private static func mail(_ past: PastDecision) -> RecordedMail {
        let record = past.record
        var evidence = past.evidence
        if case .sender(let sender) = evidence.moment {
            // A refused sender has no recipient yet; one outside shows whether his mail would be relayed.
            let nobody = MailAddress(localPart: "nobody", domain: "outside.invalid")
            evidence.moment = .recipient(
                RecipientFacts(address: nobody, directory: .external, asksSMTPUTF8: sender.asksSMTPUTF8), from: sender)
        }
        return RecordedMail(
            time: record.time, weight: past.weight, client: record.client, login: record.authenticatedID,
            sender: record.sender ?? "", recipient: record.recipient ?? "", facts: .kept([evidence]))
    }

    private static func mails(_ mail: AcceptedMail) -> [RecordedMail] {
        let facts = mail.facts
        return facts.recipients.map { recipient in
            RecordedMail(
                time: mail.time, weight: mail.weight, client: facts.session.client.description,
                login: facts.session.authentication.text, sender: facts.sender.path.text,
                recipient: recipient.address.text, facts: .kept(mail.decisions(about: recipient)))
        }
    }

    private mutating func logged(_ count: Int) -> [RecordedMail] {
        if let until, until < since { return [] }
        let filter = JournalFilter(kinds: [.receive], since: since, until: until)
        var isLast = false
        while !isLast {
            let page = journal.search(filter, limit: count, cursor: cursor)
            cursor = page.cursor
            isLast = page.cursor == nil
            if isLast { stage = .done }
            let mails = page.events.compactMap { event -> RecordedMail? in
                guard let client = event.address, let recipient = event.recipient else { return nil }
                return RecordedMail(
                    time: event.time, client: client, login: event.login, sender: event.sender ?? "",
                    recipient: recipient, facts: .logged(isTLS: event.tls != nil, size: event.size))
            }
            if !mails.isEmpty { return mails }
        }
        return []
    }
}
