import Glibc
import MailModel
import MessageFormat
import Spool

/// Writes the reports that follow from the fate of recipients (R-DLV-24, R-DLV-25, RFC 3461 §5, RFC 3464). They become
/// children of the message, stored in the transaction that removes its recipients: neither is there without the other.
struct Reports {
    let context: DeliveryContext
    let configuration: DeliveryConfiguration

    func messages(
        about message: ClaimedMessage, failures: [FailedRecipient], successes: [DeliveredRecipient],
        delays: [DelayedRecipient], now: Int64
    ) -> [NewMessage] {
        var out: [NewMessage] = []
        let toSender = failures.filter { Self.wantsFailure($0.recipient.notify) }.map { entry(for: $0, now: now) }
        let good = successes.map { entry(for: $0, now: now) }
        // Never a report about a report: its reverse path is null (RFC 5321 §4.5.5).
        if let sender = message.sender.address, !(toSender + good).isEmpty, !sender.domain.isEmpty {
            out += report(about: message, to: sender, toSender + good, now: now)
        }
        if let sender = message.sender.address, !delays.isEmpty {
            // Apart from failures: its subject says that nothing is lost yet.
            out += report(about: message, to: sender, delays.map { entry(for: $0, now: now) }, now: now)
        }
        if configuration.copiesBounces, let administrator = configuration.administrator,
            message.sender.address?.folded != administrator.folded, !Self.isOwnNotice(message)
        {
            // R-DLV-25: also when nobody else is told; never about the administrator's own address, which would go round.
            let copied = failures.filter { $0.recipient.address.folded != administrator.folded }
            if !copied.isEmpty {
                out += report(about: message, to: administrator, copied.map { entry(for: $0, now: now) }, now: now)
            }
        }
        return out
    }

    /// A report, an automatic reply or what became of one by a forward: a copy about it could go round for ever
    /// (R-DLV-27).
    private static func isOwnNotice(_ message: ClaimedMessage) -> Bool {
        message.sender.address == nil && message.parent != nil
    }

    /// Whether the sender is to be told now that the recipient still waits. RFC 3461 §4.1: the default leaves it to us.
    static func wantsDelay(
        _ recipient: Recipient, of message: ClaimedMessage, now: Int64, _ configuration: DeliveryConfiguration
    ) -> Bool {
        guard configuration.warnsAfter > 0, now - message.receivedAt >= configuration.warnsAfter else { return false }
        guard let sender = message.sender.address, !sender.domain.isEmpty else { return false }
        return recipient.notify.isEmpty || recipient.notify.contains(.delay)
    }

    /// RFC 3461 §4.1: the default is to report failures.
    private static func wantsFailure(_ notify: Recipient.Notify) -> Bool {
        notify.isEmpty || notify.contains(.failure)
    }

    private func entry(for failure: FailedRecipient, now: Int64) -> DeliveryReport.RecipientReport {
        DeliveryReport.RecipientReport(
            recipient: failure.recipient, action: .failed, status: Self.status(of: failure.reply),
            reply: failure.reply, remoteHost: failure.result.host, lastAttempt: now)
    }

    private func entry(for delay: DelayedRecipient, now: Int64) -> DeliveryReport.RecipientReport {
        DeliveryReport.RecipientReport(
            recipient: delay.recipient, action: .delayed, status: Self.status(of: delay.reply, class: 4),
            reply: delay.reply, remoteHost: delay.result.host, lastAttempt: now, retryUntil: delay.retryUntil)
    }

    private func entry(for success: DeliveredRecipient, now: Int64) -> DeliveryReport.RecipientReport {
        switch success.result.outcome {
        case .relayed(let reply, _):
            // The remote does not do DSN: from here on nobody will report (RFC 3461 §5.2.2).
            DeliveryReport.RecipientReport(
                recipient: success.recipient, action: .relayed, status: EnhancedCode(2, 1, 9), reply: reply,
                remoteHost: success.result.host, lastAttempt: now)
        default:
            DeliveryReport.RecipientReport(
                recipient: success.recipient, action: .delivered, status: EnhancedCode(2, 1, 5), lastAttempt: now)
        }
    }

    /// A final failure has a permanent status, though its last reply was a temporary one: 4.4.7 says why it ends
    /// (RFC 3463 §3.5: delivery time expired) when the reply brings nothing of its own.
    private static func status(of reply: Reply, class kind: Int = 5) -> EnhancedCode {
        if let code = reply.enhanced { return EnhancedCode(kind, code.subject, code.detail) }
        if kind == 4 { return EnhancedCode(4, 0, 0) }
        return reply.kind == .transient ? EnhancedCode(5, 4, 7) : EnhancedCode(5, 0, 0)
    }

    private func report(
        about message: ClaimedMessage, to address: MailAddress, _ entries: [DeliveryReport.RecipientReport], now: Int64
    ) -> [NewMessage] {
        let id = context.spool.makeID()
        let host = configuration.hostName
        let report = DeliveryReport(
            reportedTo: address,
            from: configuration.administrator ?? MailAddress(localPart: "postmaster", domain: host), hostName: host,
            originalID: message.id, reportID: id, arrival: message.receivedAt, now: now,
            offsetSeconds: Self.zoneOffset(at: now),
            receivedFrom: message.receivedFrom, notification: message.notification, recipients: entries,
            language: configuration.reportLanguage, seed: UInt64.random(in: .min ... .max))
        let original = original(of: message)
        let written = report.write(
            original: DeliveryReport.Original(contentStart: original.start, size: original.size))
        let octets = written.octets(content: written.returnsContent ? original.whole() : [])
        guard let content = store(octets, id: id) else { return [] }
        let recipient = Recipient(address: address, notify: .never)
        let envelope = Envelope(
            sender: .null, recipients: [recipient], needsSMTPUTF8: report.needsSMTPUTF8, is8BitMIME: true)
        return [NewMessage(id: id, envelope: envelope, content: content, receivedAt: now, parent: message.id)]
    }

    private func store(_ octets: [UInt8], id: QueueID) -> NewMessage.Content? {
        if octets.count <= SpoolLimits.inlineContent { return .inline(octets) }
        do {
            let content = try context.spool.beginLarge(id)
            try content.append(octets)
            return .large(content)
        } catch {
            // Without room for the whole, the sender still learns what happened.
            context.report(.warning, "report \(id) is cut to its beginning: \(error.detail)")
            return .inline(Array(octets.prefix(SpoolLimits.inlineContent)))
        }
    }

    private struct Content {
        var start: [UInt8]
        var size: Int
        var whole: () -> [UInt8]
    }

    private func original(of message: ClaimedMessage) -> Content {
        do {
            switch try context.spool.content(of: message.key) {
            case .inline(let octets): return Content(start: octets, size: octets.count) { octets }
            case .file(let file):
                let start = try file.read(at: 0, count: ContentFacts.headerLimit)
                return Content(start: start, size: file.size) {
                    (try? file.read(at: 0, count: min(file.size, DeliveryReport.fullReturnOctets))) ?? start
                }
            }
        } catch {
            context.report(.warning, "\(message.id): the report cannot quote the message: \(error.detail)")
            return Content(start: [], size: message.size) { [] }
        }
    }

    private static func zoneOffset(at milliseconds: Int64) -> Int {
        var time = time_t(milliseconds / 1_000)
        var parts = tm()
        localtime_r(&time, &parts)
        return parts.tm_gmtoff
    }
}
