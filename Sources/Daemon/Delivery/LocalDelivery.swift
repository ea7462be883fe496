import MailModel
import Mailbox
import MessageFormat
import Spool

/// Hands messages to the mailbox store. Returns at once; results are settled on the store's threads, many to a sync.
struct LocalDelivery: Sendable {
    let context: DeliveryContext
    let settlement: Settlement
    let gauge: Gauge

    /// - Parameter recipients: of one message, each with its mailbox; at least one.
    func deliver(_ message: ClaimedMessage, to recipients: [(ClaimedRecipient, LocalTarget)], content: StoredContent) {
        // The same octets for all, except where an alias led.
        let plain = recipients.filter { $0.1.deliveredTo == nil }
        if !plain.isEmpty { store(message, in: plain, content: content) }
        guard plain.count < recipients.count else { return }
        for entry in recipients where entry.1.deliveredTo != nil { store(message, in: [entry], content: content) }
    }

    /// Stores for one recipient without settling it.
    func store(
        _ message: ClaimedMessage, _ recipient: (ClaimedRecipient, LocalTarget), _ content: StoredContent,
        completion: @escaping @Sendable (RecipientResult) -> Void
    ) {
        guard let location = recipient.1.mailbox else { return completion(Self.badFolder(recipient.1)) }
        let delivery = MailboxDelivery(
            id: message.id, header: Self.header(message.sender, recipient.1.deliveredTo),
            content: Self.content(content),
            targets: [.init(mailbox: location, index: recipient.0.index, limit: recipient.1.limit)])
        let route = Self.route(recipient.1)
        let (gauge, octets) = (gauge, delivery.memory)
        gauge.begin(localOctets: octets)
        context.mailboxes.deliver(delivery) { results in
            gauge.end(localOctets: octets)
            guard let result = results.first else { return completion(RecipientResult(.untried, route: route)) }
            completion(RecipientResult(Self.outcome(result), route: route))
        }
    }

    private static func badFolder(_ target: LocalTarget) -> RecipientResult {
        let reply = DeliveryTrouble.mailboxFailed.reply("mailbox folder is not a plain path")
        return RecipientResult(.deferred(reply, .local), route: route(target))
    }

    private func store(
        _ message: ClaimedMessage, in recipients: [(ClaimedRecipient, LocalTarget)], content: StoredContent
    ) {
        var ready: [(recipient: ClaimedRecipient, target: LocalTarget)] = []
        var targets: [MailboxDelivery.Target] = []
        for (recipient, target) in recipients {
            if let location = target.mailbox {
                ready.append((recipient, target))
                targets.append(.init(mailbox: location, index: recipient.index, limit: target.limit))
            } else {
                settlement.settle(message, [recipient], [Self.badFolder(target)])
            }
        }
        guard !targets.isEmpty else { return }
        let delivery = MailboxDelivery(
            id: message.id, header: Self.header(message.sender, recipients.first?.1.deliveredTo),
            content: Self.content(content), targets: targets)
        let (settlement, gauge, order) = (settlement, gauge, ready)
        let octets = delivery.memory
        gauge.begin(localOctets: octets)
        context.mailboxes.deliver(delivery) { results in
            gauge.end(localOctets: octets)
            let translated = zip(order, results).map { entry, result in
                RecipientResult(Self.outcome(result), route: Self.route(entry.target))
            }
            settlement.settle(message, order.map(\.recipient), translated)
        }
    }

    static func route(_ target: LocalTarget) -> String { "local \(target.domain)" }

    /// RFC 5321 §4.4: the final delivery writes the reverse path, once, on top.
    static func returnPath(_ sender: ReversePath) -> [UInt8] { Array("Return-Path: <\(sender.text)>\n".utf8) }

    private static func header(_ sender: ReversePath, _ deliveredTo: MailAddress?) -> [UInt8] {
        returnPath(sender) + (deliveredTo.map(TraceField.deliveredTo) ?? [])
    }

    private static func content(_ content: StoredContent) -> MailboxDelivery.Content {
        switch content {
        case .inline(let octets): .octets(octets)
        case .file(let file): .file(descriptor: file.descriptor, size: file.size, owner: file)
        }
    }

    private static func outcome(_ result: Result<MailboxOutcome, MailboxError>) -> RecipientResult.Outcome {
        switch result {
        case .success: .stored  // already there: a crash came between the mailbox and the note of it
        case .failure(let error):
            switch error.kind {
            // R-DLV-08: fails at once. RCPT answers 452 while the mailbox is full, so only mail that was under way
            // when the mailbox filled up comes here.
            case .full: .failed(DeliveryTrouble.mailboxFull.reply())
            case .diskFull: .deferred(DeliveryTrouble.diskFull.reply(error.detail), .local)
            case .notWritable: .deferred(DeliveryTrouble.mailboxFailed.reply(error.detail), .local)
            case .io: .deferred(DeliveryTrouble.mailboxFailed.reply(error.detail), .local)
            }
        }
    }
}

extension MailboxDelivery {
    /// Octets that it holds in memory while it is under way.
    fileprivate var memory: Int {
        if case .octets(let octets) = content { octets.count } else { 0 }
    }
}
