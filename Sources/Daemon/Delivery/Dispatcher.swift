import CLinux
import MailModel
import Mailbox
import Policy
import Spool

/// Takes what is due out of the spool and gives it to those who deliver. One thread; woken by the receiver's byte, by
/// freed capacity and by its own clock, so that a lost wake-up costs seconds at most.
package final class Dispatcher: Sendable {
    /// Recipients under way at most: bounds memory (some 10 MB), whatever the length of the queue. A list of 10,000 fits,
    /// so that senders can take turns at once.
    package static let capacity = 12_000
    /// Recipients taken at a time: a large message goes out in one transaction (R-DLV-14).
    static let batch = 1_000
    /// Octets of local content in memory at most.
    static let localOctets = 32 << 20
    /// Milliseconds after which it looks by itself.
    static let ownLook = 5_000
    /// Milliseconds without room after which slow destinations give theirs up.
    static let patience = 2_000

    private let context: DeliveryContext
    private let remote: RemoteDelivery
    private let settlement: Settlement
    private let local: LocalDelivery
    private let accounts: AccountWork
    private let gauge: Gauge

    package init(context: DeliveryContext, remote: RemoteDelivery, settlement: Settlement, gauge: Gauge) {
        self.context = context
        self.remote = remote
        self.settlement = settlement
        self.gauge = gauge
        local = LocalDelivery(context: context, settlement: settlement, gauge: gauge)
        accounts = AccountWork(context: context, settlement: settlement, local: local)
    }

    /// There may be something to do.
    package func wake() { gauge.signal.set() }

    /// Works until the gauge says stop.
    package func run() {
        var claimFailed = false
        var wasOnDuty = true
        var hasWorked = false
        while !gauge.isStopping {
            settlement.writeAgain()
            guard isOnDuty(&wasOnDuty) else {
                gauge.signal.wait(milliseconds: Self.ownLook)
                continue
            }
            if gauge.recipients > Self.capacity - Self.batch {
                gauge.waitForRoom(Self.capacity - Self.batch, milliseconds: Self.patience)
                if gauge.recipients > Self.capacity - Self.batch { remote.shed() }
                continue
            }
            do {
                let claim = try step()
                if claimFailed { context.report(.info, "the queue can be read again") }
                claimFailed = false
                if !claim.messages.isEmpty {
                    hasWorked = true
                } else if hasWorked, gauge.recipients == 0 {
                    hasWorked = false
                    malloc_trim(0)  // what a burst took goes back to the system
                }
                if !claim.hasMore { gauge.signal.wait(milliseconds: pause(until: claim.nextDue)) }
            } catch {
                if !claimFailed { context.report(.error, "the queue cannot be read: \(error.detail)") }
                claimFailed = true
                gauge.signal.wait(milliseconds: Self.ownLook)
            }
        }
    }

    /// R-DLV-04: the machine that owns the address works, the others wait.
    private func isOnDuty(_ wasOnDuty: inout Bool) -> Bool {
        let configuration = context.configuration
        guard let address = configuration.logicalIP else { return true }
        let isOnDuty = configuration.ownsAddress(address)
        if isOnDuty != wasOnDuty {
            let state = isOnDuty ? "owns" : "does not own"
            context.report(.info, "this machine \(state) \(address): delivery \(isOnDuty ? "works" : "waits")")
        }
        wasOnDuty = isOnDuty
        return isOnDuty
    }

    /// Claims once and hands out what came.
    @discardableResult
    package func step() throws(SpoolError) -> Claim {
        let claim = try context.spool.claim(limit: Self.batch, now: context.now())
        let configuration = context.configuration
        var jobs: [RemoteJob] = []
        for message in claim.messages { configuration.router.prepare(message.recipients.map(\.recipient)) }
        for message in claim.messages {
            gauge.begin(recipients: message.recipients.count)
            if !configuration.isMultithreaded { waitForTurn(&jobs, own: message.recipients.count) }
            if message.hasCopies {
                for part in message.apart { dispatch(part, configuration, &jobs) }
            } else {
                dispatch(message, configuration, &jobs)
            }
        }
        remote.submit(jobs)
        return claim
    }

    private func pause(until due: Int64?) -> Int {
        if settlement.unwritten > 0 { return Int(Settlement.writeAgain) }
        guard let due else { return Self.ownLook }
        return Int(clamping: min(Int64(Self.ownLook), max(1, due - context.now())))
    }

    /// With multithreading off: until everything before has been settled (R-DLV-02).
    private func waitForTurn(_ jobs: inout [RemoteJob], own: Int) {
        remote.submit(jobs)
        jobs = []
        while gauge.recipients > own, !gauge.isStopping { gauge.waitForRoom(own, milliseconds: Self.patience) }
    }

    private func dispatch(
        _ message: ClaimedMessage, _ configuration: DeliveryConfiguration, _ jobs: inout [RemoteJob]
    ) {
        if gauge.isStopping { return settle(message, message.recipients, .untried, route: "") }
        var sorted = Sorted()
        for recipient in message.recipients {
            if recipient.mustBounce {
                let route = recipient.history.route ?? "here"
                sorted.failures.append((recipient, RecipientResult(.failed(bounceReply(recipient)), route: route)))
                continue
            }
            let route = configuration.router.route(recipient.recipient, sender: message.sender)
            sort(recipient, route, of: message, &sorted)
        }
        let failures = sorted.failures
        if !failures.isEmpty { settlement.settle(message, failures.map(\.0), failures.map(\.1)) }
        if !sorted.mailboxes.isEmpty { deliver(message, sorted.mailboxes, configuration) }
        for (hop, recipients) in sorted.hops {
            jobs.append(RemoteJob(message: message, recipients: recipients, hop: hop))
        }
    }

    /// Recipients of one message by where they go.
    private struct Sorted {
        var mailboxes: [(ClaimedRecipient, LocalTarget)] = []
        var hops: [(hop: NextHop, recipients: [ClaimedRecipient])] = []
        var failures: [(ClaimedRecipient, RecipientResult)] = []
    }

    private func sort(
        _ recipient: ClaimedRecipient, _ route: DeliveryRoute, of message: ClaimedMessage, _ sorted: inout Sorted
    ) {
        switch route {
        case .mailbox(var target):
            if recipient.recipient.resolved != nil { target.deliveredTo = recipient.recipient.address }
            if let control = control(of: target), let mailbox = target.mailbox {
                accounts.control(
                    .init(
                        message: message, recipient: recipient, target: target, mailbox: mailbox, control: control,
                        configuration: context.configuration))
            } else {
                sorted.mailboxes.append((recipient, target))
            }
        case .remote(let hop):
            if let index = sorted.hops.firstIndex(where: { $0.hop == hop }) {
                sorted.hops[index].recipients.append(recipient)
            } else {
                sorted.hops.append((hop, [recipient]))
            }
        case .failed(let reply):
            sorted.failures.append((recipient, RecipientResult(.failed(reply), route: "here")))
        case .deferred(let reply):
            sorted.failures.append((recipient, RecipientResult(.deferred(reply, .local), route: "here")))
        case .aliased(let envelope, let route):
            var moved = recipient
            if envelope.folded != recipient.recipient.address.folded {
                moved.recipient.originalRecipient = recipient.recipient.orcpt
                moved.recipient.address = envelope
            }
            moved.recipient.resolved = envelope
            sort(moved, route, of: message, &sorted)
        case .several(let targets, let failure): accounts.expand(message, recipient, targets, failure: failure)
        }
    }

    /// Nearly always `nil`, from memory.
    private func control(of target: LocalTarget) -> AccountControl? {
        guard let mailbox = target.mailbox else { return nil }
        return accounts.controls.control(of: mailbox, revision: target.revision, now: context.now()) {
            context.report(.warning, $0)
        }
    }

    /// What the remote said last says more than that somebody pressed a key.
    private func bounceReply(_ recipient: ClaimedRecipient) -> Reply {
        DeliveryTrouble.bouncedByAdministrator.reply(recipient.history.reply.map { "last answer: \($0)" } ?? "")
    }

    private func deliver(
        _ message: ClaimedMessage, _ mailboxes: [(ClaimedRecipient, LocalTarget)],
        _ configuration: DeliveryConfiguration
    ) {
        while gauge.localOctets > Self.localOctets, !gauge.isStopping { gauge.waitForOctets(Self.localOctets) }
        let recipients = mailboxes.map(\.0)
        do {
            let content = try context.spool.content(of: message.key)
            let hops = try ContentFacts.hops(of: content)
            guard hops <= configuration.maxHops else {
                return settle(message, recipients, .failed(DeliveryTrouble.loop.reply("\(hops)")), route: "here")
            }
            local.deliver(message, to: mailboxes, content: content)
        } catch {
            let outcome: RecipientResult.Outcome =
                error.kind == .notFound
                ? .untried : .deferred(DeliveryTrouble.contentMissing.reply(error.detail), .local)
            settle(message, recipients, outcome, route: "here")
        }
    }

    private func settle(
        _ message: ClaimedMessage, _ recipients: [ClaimedRecipient], _ outcome: RecipientResult.Outcome, route: String
    ) {
        settlement.settle(message, recipients, recipients.map { _ in RecipientResult(outcome, route: route) })
    }
}
