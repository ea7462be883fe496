import MailModel
import Spool
import Synchronization

/// Turns results into what is written down: queue changes, reports, log lines, counters. Any thread.
///
/// A result that cannot be written (disk full) is kept here and written later; until then its recipients count as under
/// way and are not tried again.
package final class Settlement: Sendable {
    /// A change with what belongs to it outside the queue.
    private struct Writing: Sendable {
        var change: DeliveryChange
        /// How many of its children are reports.
        var reports: Int
        var done: (@Sendable () -> Void)?
        var ended: (@Sendable () -> Void)?
    }

    private struct Waiting {
        var changes: [Writing] = []
        var failedSince: Int64?
    }

    let context: DeliveryContext
    private let waiting = Mutex(Waiting())
    private let gauge: Gauge

    package init(context: DeliveryContext, gauge: Gauge) {
        self.context = context
        self.gauge = gauge
    }

    /// Settles recipients of one message that were tried together.
    /// - Parameters:
    ///   - results: in the order of `recipients`.
    ///   - children: messages that go into the queue with this change or not at all.
    ///   - done: called when the change is durable; any thread, must not block.
    ///   - ended: called when nothing is left to be written: it is durable, or the message was removed meanwhile; any
    ///     thread, must not block.
    package func settle(
        _ message: ClaimedMessage, _ recipients: [ClaimedRecipient], _ results: [RecipientResult],
        children others: [NewMessage] = [], done: (@Sendable () -> Void)? = nil,
        ended: (@Sendable () -> Void)? = nil
    ) {
        let now = context.now()
        let configuration = context.configuration
        var items: [DeliveryChange.Item] = []
        var failures: [FailedRecipient] = []
        var successes: [DeliveredRecipient] = []
        var delays: [DelayedRecipient] = []
        items.reserveCapacity(recipients.count)
        for (recipient, result) in zip(recipients, results) {
            let outcome = outcome(of: recipient, result, message, now: now, configuration: configuration)
            items.append(.init(index: recipient.index, outcome: outcome.change))
            switch outcome.verdict {
            case .delivered(let delivered):
                record(message, recipient, result, now: now)
                if recipient.recipient.notify.contains(.success), let delivered { successes.append(delivered) }
            case .failed(let failure):
                recordFailure(message, failure, now: now)
                failures.append(failure)
            case .waits(let until, let delay):
                recordWait(message, recipient, result, until: until, now: now)
                if let delay { delays.append(delay) }
            case .replaced(let text): recordReplaced(message, recipient, text, now: now)
            case .untried: break
            }
        }
        var children: [NewMessage] = []
        if !failures.isEmpty || !successes.isEmpty || !delays.isEmpty {
            let reports = Reports(context: context, configuration: configuration)
            children = reports.messages(
                about: message, failures: failures, successes: successes, delays: delays, now: now)
        }
        let change = DeliveryChange(
            message: message.key, items: items, children: others + children,
            isRepeatable: done == nil && results.allSatisfy(\.isRepeatable))
        write(Writing(change: change, reports: children.count, done: done, ended: ended))
    }

    // MARK: What an outcome means

    private enum Verdict {
        case delivered(DeliveredRecipient?)
        case failed(FailedRecipient)
        case waits(until: Int64, DelayedRecipient?)
        case replaced(String)
        case untried
    }

    private func outcome(
        of recipient: ClaimedRecipient, _ result: RecipientResult, _ message: ClaimedMessage, now: Int64,
        configuration: DeliveryConfiguration
    ) -> (change: DeliveryChange.Outcome, verdict: Verdict) {
        switch result.outcome {
        case .stored:
            context.counters.stored.add()
            return (.finished, .delivered(DeliveredRecipient(recipient: recipient.recipient, result: result)))
        case .relayed(_, let reportsFollow):
            context.counters.relayed.add()
            let report = reportsFollow ? nil : DeliveredRecipient(recipient: recipient.recipient, result: result)
            return (.finished, .delivered(report))
        case .replaced(let text): return (.finished, .replaced(text))
        case .untried: return (.released, .untried)
        case .postponed(let until): return (.postponed(until: until), .untried)
        case .failed(let reply): return failed(recipient, reply, result)
        case .refused(let reply):
            return retry(recipient, reply, .refusal, result, message, now: now, configuration: configuration)
        case .deferred(let reply, let kind):
            return retry(recipient, reply, kind, result, message, now: now, configuration: configuration)
        }
    }

    private func retry(
        _ recipient: ClaimedRecipient, _ reply: Reply, _ kind: FailureClass, _ result: RecipientResult,
        _ message: ClaimedMessage, now: Int64, configuration: DeliveryConfiguration
    ) -> (DeliveryChange.Outcome, Verdict) {
        var history = recipient.history
        history.tries += 1
        history.firstFailure = history.firstFailure ?? now
        history.failure = kind
        if kind == .refusal { history.refusals += 1 }
        history.reply = reply.text
        history.route = result.route
        guard let until = configuration.retry.nextAttempt(after: history, now: now) else {
            return failed(recipient, reply, result)
        }
        context.counters.deferred.add()
        var delay: DelayedRecipient?
        if !history.isWarned, Reports.wantsDelay(recipient.recipient, of: message, now: now, configuration) {
            history.isWarned = true
            delay = DelayedRecipient(
                recipient: recipient.recipient, reply: reply, result: result,
                retryUntil: configuration.retry.expiry(of: history))
        }
        return (.deferred(history, until: until), .waits(until: until, delay))
    }

    private func failed(
        _ recipient: ClaimedRecipient, _ reply: Reply, _ result: RecipientResult
    ) -> (DeliveryChange.Outcome, Verdict) {
        context.counters.failed.add()
        return (.finished, .failed(FailedRecipient(recipient: recipient.recipient, reply: reply, result: result)))
    }

    // MARK: Writing

    /// Milliseconds between two tries to write what could not be written.
    static let writeAgain: Int64 = 2_000

    private func write(_ writing: Writing) {
        let change = writing.change
        context.spool.apply(change) { [self] result in
            switch result {
            case .success:
                gauge.end(recipients: change.items.count)
                writing.done?()
                writing.ended?()
                context.settled()
                guard !change.children.isEmpty else { return }
                context.counters.reports.add(writing.reports)
                for child in change.children { recordChild(child) }
                gauge.signal.set()
            case .failure(let error): keep(writing, error)
            }
        }
    }

    private func keep(_ writing: Writing, _ error: SpoolError) {
        guard error.kind != .notFound else {
            writing.ended?()
            return gauge.end(recipients: writing.change.items.count)
        }
        let isFirst = waiting.withLock { waiting in
            waiting.changes.append(writing)
            defer { waiting.failedSince = waiting.failedSince ?? context.now() }
            return waiting.failedSince == nil
        }
        if isFirst { context.report(.error, "results cannot be written to the queue: \(error.detail)") }
    }

    /// Writes what could not be written before. The dispatcher calls it now and then.
    package func writeAgain() {
        let changes = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting.changes
        }
        for writing in changes { write(writing) }
    }

    /// Results that wait for the disk.
    package var unwritten: Int { waiting.withLock { $0.changes.count } }
}

/// A recipient that will not get the message.
package struct FailedRecipient: Sendable {
    package var recipient: Recipient
    package var reply: Reply
    package var result: RecipientResult
}

/// A recipient whose success may have to be reported (RFC 3461 §4.1).
package struct DeliveredRecipient: Sendable {
    package var recipient: Recipient
    package var result: RecipientResult
}

/// A recipient that waits for so long that the sender is told (RFC 3461 §4.1, DELAY).
package struct DelayedRecipient: Sendable {
    package var recipient: Recipient
    package var reply: Reply
    package var result: RecipientResult
    /// Milliseconds since 1970; `nil`: not a matter of time.
    package var retryUntil: Int64?
}
