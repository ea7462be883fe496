import MailModel
import MessageFormat
import Policy
import Spool
import Threads

/// What must be done with a message before it has a mailbox or a next hop, and may wait for the disk: copies for the
/// places of an alias, account control. On threads of its own, so that plain deliveries go on meanwhile.
final class AccountWork: Sendable {
    /// At most so many at a time: each holds one message's content.
    static let threads = 4

    let context: DeliveryContext
    let settlement: Settlement
    let local: LocalDelivery
    let controls = AccountControls()
    let replies = ReplyRecords()
    private let worker: BatchWorker<@Sendable () -> Void>

    init(context: DeliveryContext, settlement: Settlement, local: LocalDelivery) {
        self.context = context
        self.settlement = settlement
        self.local = local
        worker = BatchWorker(name: "account", threads: Self.threads, limits: .init(items: 1)) { $0.forEach { $0() } }
    }

    /// Puts a message for several places of an alias into the queue; the recipient is done with it in the same commit.
    /// - Parameter failure: what the sender is told of a branch that leads nowhere.
    func expand(
        _ message: ClaimedMessage, _ recipient: ClaimedRecipient, _ targets: [AliasTarget], failure: Reply?
    ) {
        submit(message, [recipient]) { [self] in
            do throws(SpoolError) {
                let content = try context.spool.content(of: message.key)
                let id = context.spool.makeID()
                let child = NewMessage(
                    id: id, envelope: Self.envelope(of: message, recipient, targets),
                    content: try ContentCopy.make(content, id: id, in: context.spool), receivedAt: message.receivedAt,
                    authenticatedID: message.authenticatedID, parent: message.id)
                let outcome: RecipientResult.Outcome =
                    failure.map { .failed($0) } ?? .replaced("alias: \(targets.count) addresses, as \(id)")
                settlement.settle(
                    message, [recipient], [RecipientResult(outcome, route: "alias")], children: [child])
            } catch {
                settlement.settle(message, [recipient], [Self.trouble(error)])
            }
        }
    }

    /// RFC 3461 §5.2.7: an alias takes what was asked for notification along.
    private static func envelope(
        of message: ClaimedMessage, _ recipient: ClaimedRecipient, _ targets: [AliasTarget]
    ) -> Envelope {
        let original = recipient.recipient
        let recipients = targets.map { target in
            Recipient(
                address: target.envelope, notify: original.notify, originalRecipient: original.orcpt,
                resolved: target.address)
        }
        return Envelope(
            sender: message.sender, notification: message.notification, recipients: recipients,
            needsSMTPUTF8: message.needsSMTPUTF8, is8BitMIME: message.is8BitMIME)
    }

    static func trouble(_ error: SpoolError) -> RecipientResult {
        let trouble: DeliveryTrouble = error.kind == .diskFull ? .diskFull : .contentMissing
        return RecipientResult(
            error.kind == .notFound ? .untried : .deferred(trouble.reply(error.detail), .local), route: "here")
    }

    func submit(_ message: ClaimedMessage, _ recipients: [ClaimedRecipient], _ work: @escaping @Sendable () -> Void) {
        if worker.submit(work) { return }
        settlement.settle(message, recipients, recipients.map { _ in RecipientResult(.untried, route: "") })
    }

    /// What may be lost at the end.
    func submitQuietly(_ work: @escaping @Sendable () -> Void) { _ = worker.submit(work) }

    func close() { worker.close() }
}

extension Recipient {
    /// ORCPT as given, or this address in its place (RFC 3461 §5.2.7: kept when the address is replaced).
    var orcpt: String? {
        if let originalRecipient { return originalRecipient }
        let text = address.text
        return address.isASCII ? "rfc822;\(XText.encode(text))" : "utf-8;\(XText.encode(text))"
    }
}
