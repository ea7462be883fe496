import MailModel
import SMTP
import Spool
import Transport

// What happens on a connection: transactions, their outcomes, its end. On the event loop.
extension RemoteDelivery {
    func handle(_ event: ClientConnectionEvent, of link: RemoteLink) {
        switch event {
        case .ready: begin(link)
        case .transactionEnded(let result): transactionEnded(link, result)
        case .ended(let end): ended(link, end)
        }
    }

    func begin(_ link: RemoteLink) {
        guard let job = link.job, let connection = link.connection else { return }
        let configuration = context.configuration
        do {
            let content = try context.spool.content(of: job.message.key)
            let facts = try ContentFacts(content)
            guard facts.hops <= configuration.maxHops else {
                return abandon(
                    link, RecipientResult(.failed(DeliveryTrouble.loop.reply("\(facts.hops)")), route: link.route))
            }
            if facts.hops > ContentFacts.mostOwnPasses, try isReturned(content, configuration) {
                let reply = DeliveryTrouble.returned.reply("by way of \(link.route)")
                return abandon(link, RecipientResult(.failed(reply), route: link.route))
            }
            let limit = min(connection.features?.recipientLimit ?? .max, Self.recipientsPerTransaction)
            let recipients = job.recipients.prefix(limit).map(\.recipient)
            job.sessions += 1
            link.transactions += 1
            link.transactionSize = recipients.count
            let transaction = ClientTransaction(
                sender: job.message.sender, notification: job.message.notification, recipients: recipients,
                size: facts.wireSize, needsSMTPUTF8: Self.needsUTF8(job.message, recipients, facts),
                is8Bit: facts.is8Bit)
            connection.begin(transaction, content: ClientContent(content))
        } catch {
            let outcome: RecipientResult.Outcome =
                error.kind == .notFound
                ? .untried : .deferred(DeliveryTrouble.contentMissing.reply(error.detail), .local)
            abandon(link, RecipientResult(outcome, route: link.route))
        }
    }

    /// Two servers that send each other the same mail are noticed before the hops are used up.
    private func isReturned(
        _ content: StoredContent, _ configuration: DeliveryConfiguration
    ) throws(SpoolError) -> Bool {
        let names: Set = [configuration.helloIPv4.lowercased(), configuration.helloIPv6.lowercased()]
        return try ContentFacts.passes(of: content, through: names) > ContentFacts.mostOwnPasses
    }

    /// The message turned out not to be for sending: the job ends, the connection stays.
    func abandon(_ link: RemoteLink, _ result: RecipientResult) {
        guard let job = link.job else { return }
        link.job = nil
        keep(link)
        finish(job, link.destination, with: result)
    }

    /// RFC 6531 §3.1: only what holds UTF-8 needs the extension, whatever the sender asked for.
    private static func needsUTF8(_ message: ClaimedMessage, _ recipients: [Recipient], _ facts: ContentFacts) -> Bool {
        func isUTF8(_ text: String) -> Bool { !text.utf8.allSatisfy { $0 < 0x80 } }
        if message.needsSMTPUTF8, facts.hasUTF8Header { return true }
        return isUTF8(message.sender.text)
            || recipients.contains { isUTF8($0.address.localPart) || isUTF8($0.address.domain) }
    }

    func transactionEnded(_ link: RemoteLink, _ result: ClientTransactionResult) {
        guard let job = link.job else { return }
        let broke = !link.isUsable
        if broke, !result.contentWasSent, link.transactions > 1, !job.wasRestarted,
            result.outcomes.allSatisfy({ if case .deferred = $0 { true } else { false } })
        {
            // A used connection was closed by the other side before it said anything about this message.
            job.wasRestarted = true
            job.sessions = 0
            link.job = nil
            return restart(job, link.destination)
        }
        if broke { link.destination.record.faltered() }
        let count = min(link.transactionSize, job.recipients.count)
        let sent = job.recipients.prefix(count)
        var left = Array(job.recipients.dropFirst(count))
        var open: [(ClaimedRecipient, RecipientResult)] = []
        let someAccepted = result.outcomes.contains { if case .delivered = $0 { true } else { false } }
        for (recipient, outcome) in zip(sent, result.outcomes) {
            let translated = translate(outcome, link, result)
            switch outcome {
            case .delivered, .failed, .impossible: job.settled.append((recipient, translated))
            case .deferred(let reply, _):
                // RFC 5321 §4.5.3.1.10: too many recipients for one transaction, not a failure of this one.
                if someAccepted, !broke, reply.code == 452 {
                    left.append(recipient)
                } else {
                    open.append((recipient, translated))
                }
            }
        }
        if someAccepted {
            link.destination.record.succeeded(most: context.configuration.perDestination)
            finder.confirm(link.destination.hop)
        }
        goOn(link, job, left: left, open: open, broke: broke, wasInDoubt: broke && result.contentWasSent)
    }

    /// - Parameters:
    ///   - left: recipients for another transaction on the same connection.
    ///   - open: recipients that this host deferred.
    ///   - wasInDoubt: the end of the content was sent and not answered: another host would double the message.
    func goOn(
        _ link: RemoteLink, _ job: RemoteJob, left: [ClaimedRecipient], open: [(ClaimedRecipient, RecipientResult)],
        broke: Bool, wasInDoubt: Bool
    ) {
        let destination = link.destination
        job.recipients = left
        if !left.isEmpty, !broke {
            job.settled += open  // their next host comes with the next attempt
            concludeDelivered(job)
            if !unwritten.hold(.session(link), limit: context.configuration.threads) { begin(link) }
            return
        }
        link.job = nil
        if !broke { keep(link) }
        if !open.isEmpty, left.isEmpty, !wasInDoubt, job.candidates.count > 1, job.sessions < Self.sessionsPerAttempt {
            if let reply = open[0].1.reply { context.trace(job.message.id, reply, of: link) }
            job.recipients = open.map(\.0)
            job.lastFailure = open[0].1
            job.lastFailures = Dictionary(open.map { ($0.0.index, $0.1) }, uniquingKeysWith: { first, _ in first })
            job.candidates = job.candidates.dropFirst()
            return connect(job, destination)
        }
        job.settled += open
        for recipient in left {
            job.settled.append((recipient, RecipientResult(.untried, route: link.route)))
        }
        job.recipients = []
        conclude(job)
        releaseWhenWritten(job, destination)
    }

    func translate(
        _ outcome: ClientOutcome, _ link: RemoteLink, _ result: ClientTransactionResult
    ) -> RecipientResult {
        let translated: RecipientResult.Outcome =
            switch outcome {
            case .delivered(let reply): .relayed(reply, reportsFollow: result.passedNotification)
            case .deferred where isCutting: .untried
            case .deferred(let reply, .line): .deferred(reply, .line)
            case .deferred(let reply, .unreachable): .deferred(reply, .unreachable)
            case .failed(let reply): .refused(reply)
            case .impossible(let reply): .failed(reply)
            }
        return RecipientResult(
            translated, route: link.route, address: link.host.address.description, host: link.host.name, tls: link.tls)
    }

    /// The connection is over.
    func ended(_ link: RemoteLink, _ end: ClientEnd) {
        let destination = link.destination
        links[ObjectIdentifier(link)] = nil
        destination.idle.removeAll { $0 === link }
        defer {
            link.connection = nil
            forget(destination)
        }
        guard let job = link.job else { return }
        link.job = nil
        let outcome: ClientOutcome
        switch end {
        case .quit: outcome = .deferred(DeliveryTrouble.connectionLost.reply(), .line)
        case .refused(let refusal), .broken(let refusal):
            outcome = refusal
            if link.login?.isRemembered == true {
                logins.forgetTokens()
                if case .failed = refusal, !job.hasNewToken {
                    // Tokens end when they like: that is no refusal of the mail.
                    job.hasNewToken = true
                    context.trace(job.message.id, refusal.reply, of: link)
                    return connect(job, destination)
                }
            }
        case .tlsFailed(let reply):
            context.trace(job.message.id, reply, of: link)
            if link.usesTLS, context.configuration.tls == .opportunistic, !destination.hop.isImplicitTLS,
                link.login == nil
            {
                // Opportunistic TLS hides mail from listeners where it can; mail that is not sent helps nobody. Not so
                // where we log in: a password is no price for that, and most gateways would refuse us in clear for good.
                destination.withoutTLS.insert(link.host)
                return connect(job, destination)
            }
            outcome = .deferred(reply, .line)
        }
        context.trace(job.message.id, outcome.reply, of: link)
        let nothing = ClientTransactionResult(outcomes: [], passedNotification: false, contentWasSent: false)
        hostFailed(job, destination, translate(outcome, link, nothing))
    }

    /// The connection waits for the next message, or says good-bye.
    func keep(_ link: RemoteLink) {
        let isWorn = (link.connection?.transactionsCompleted ?? 0) >= RemoteLink.messageLimit
        if isStopping || isWorn { link.connection?.quit() } else { link.destination.idle.append(link) }
    }
}
