import MailModel
import Spool

// What settled recipients leave in the log.
extension Settlement {
    /// What sprang from a message can be followed from it, and back.
    func recordChild(_ child: NewMessage) {
        let recipients = child.envelope.recipients.map(\.address.text).joined(separator: " ")
        context.journal.record(
            LogEvent(
                time: context.now(), service: DeliveryContext.service, kind: .sender, queueID: child.id,
                sender: child.envelope.sender.text, text: "made for \(recipients)", parent: child.parent))
    }

    private func event(
        _ kind: LogEvent.Kind, _ message: ClaimedMessage, _ recipient: MailAddress, _ result: RecipientResult,
        now: Int64
    ) -> LogEvent {
        LogEvent(
            time: now, service: DeliveryContext.service, kind: kind, queueID: message.id, address: result.address,
            host: result.host, sender: message.sender.text, recipient: recipient.text, size: message.size,
            tls: result.tls)
    }

    func record(
        _ message: ClaimedMessage, _ recipient: ClaimedRecipient, _ result: RecipientResult, now: Int64
    ) {
        switch result.outcome {
        case .relayed(let reply, _):
            var event = event(.send, message, recipient.recipient.address, result, now: now)
            event.reply = reply.text
            event.text = result.route
            context.journal.record(event)
        default:
            var event = event(.local, message, recipient.recipient.address, result, now: now)
            event.text = result.route
            context.journal.record(event)
        }
    }

    func recordReplaced(_ message: ClaimedMessage, _ recipient: ClaimedRecipient, _ text: String, now: Int64) {
        let result = RecipientResult(.replaced(text), route: "")
        var event = event(.sender, message, recipient.recipient.address, result, now: now)
        event.text = text
        context.journal.record(event)
    }

    func recordFailure(_ message: ClaimedMessage, _ failure: FailedRecipient, now: Int64) {
        var event = event(.fail, message, failure.recipient.address, failure.result, now: now)
        event.level = .warning
        event.reply = failure.reply.text
        event.text = failure.result.route
        context.journal.record(event)
    }

    func recordWait(
        _ message: ClaimedMessage, _ recipient: ClaimedRecipient, _ result: RecipientResult, until: Int64, now: Int64
    ) {
        var event = event(.sender, message, recipient.recipient.address, result, now: now)
        event.level = .warning
        switch result.outcome {
        case .deferred(let reply, _): event.reply = reply.text
        case .refused(let reply): event.reply = reply.text
        default: break
        }
        event.text = "\(result.route): try \(recipient.history.tries + 1), again in \((until - now + 500) / 1_000) s"
        context.journal.record(event)
    }
}
