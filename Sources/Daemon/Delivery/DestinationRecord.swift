import MailModel
import Policy
import Spool

/// What is known of a destination beyond the work it has just now: what became of recipients and why, for people; how
/// it fares, for the scheduler. Lives on the event loop.
final class DestinationRecord {
    let hop: NextHop
    /// Recipients since the record was made.
    var delivered = 0
    var deferred = 0
    var failed = 0
    /// Connections that were tried, and that came about.
    var connections = 0
    /// Milliseconds since 1970; 0 = never.
    var lastSuccess: Int64 = 0
    var lastFailure: Int64 = 0
    /// The latest reply that was no success.
    var lastReply = ""
    /// Of the latest connection that carried a message.
    var tls: String?
    private(set) var causes: [RefusalCause: CauseCounter] = [:]
    /// When it was last needed, for eviction.
    var used: Int64 = 0

    /// Connections at a time to a destination that has not taken a message yet; each success allows one more, so that
    /// a host that swallows connections cannot take all slots at once.
    static let firstLimit = 5
    /// Connections that it may have at a time: grows with success, falls with faults.
    private(set) var limit = DestinationRecord.firstLimit
    private(set) var health = Health.unknown

    enum Health: Hashable {
        /// Nothing came of it yet.
        case unknown
        case good
        /// The latest attempt reached nobody, or nobody who could go on.
        case failing
    }

    init(hop: NextHop) { self.hop = hop }

    /// - Parameter most: `delivery.per_destination`.
    func bound(to most: Int) { limit = max(1, min(limit, most)) }

    func succeeded(most: Int) {
        health = .good
        if limit < most { limit += 1 }
    }

    /// A connection broke or was closed in the midst of work: it may be too many for the other side.
    func faltered() { limit = max(1, limit / 2) }

    /// No more connections than these came about.
    func bounded(by working: Int) { limit = max(1, working) }

    /// Nobody was reached: one connection at a time finds out when that changes.
    func unreachable() {
        health = .failing
        limit = 1
    }

    func restore(_ counter: CauseCounter, for cause: RefusalCause) { causes[cause] = counter }

    func note(_ result: RecipientResult, cause: RefusalCause?, now: Int64) {
        switch result.outcome {
        case .stored, .replaced, .untried, .postponed: return
        case .relayed:
            delivered += 1
            lastSuccess = now
            tls = result.tls
            return
        case .deferred: deferred += 1
        case .refused, .failed: failed += 1
        }
        guard let reply = result.reply, let cause else { return }
        lastFailure = now
        lastReply = reply.text
        causes[cause, default: CauseCounter()].add(reply.text, now: now)
    }
}

/// How often something was the cause: in all, and within the last hour.
struct CauseCounter {
    private(set) var total = 0
    /// The latest reply of this cause.
    private(set) var reply = ""
    private(set) var time: Int64 = 0
    private(set) var slots = [Int](repeating: 0, count: Self.slotsPerHour)
    private(set) var newest: Int64 = 0

    private static let slotsPerHour = 12
    private static let slotMilliseconds: Int64 = 300_000

    init() {}

    /// As it was written down.
    init(total: Int, time: Int64, newest: Int64, slots: [Int], reply: String) {
        self.total = total
        self.time = time
        self.newest = newest
        self.reply = reply
        if slots.count == Self.slotsPerHour { self.slots = slots }
    }

    mutating func add(_ reply: String, now: Int64) {
        turn(to: now)
        slots[Int(newest % Int64(Self.slotsPerHour))] += 1
        total += 1
        self.reply = reply
        time = now
    }

    /// Within the last hour, to five minutes.
    func hour(now: Int64) -> Int {
        var copy = self
        copy.turn(to: now)
        return copy.slots.reduce(0, +)
    }

    /// Slots that are over are empty again. A clock that went back stays in the newest one.
    private mutating func turn(to now: Int64) {
        let slot = max(0, now) / Self.slotMilliseconds
        guard slot > newest else { return }
        for passed in 0..<min(slot - newest, Int64(Self.slotsPerHour)) {
            slots[Int((slot - passed) % Int64(Self.slotsPerHour))] = 0
        }
        newest = slot
    }
}

/// The records of all destinations, over restarts of the service. Lives on the event loop.
final class DestinationBook {
    /// Records at most; those that were not needed for longest go first.
    static let limit = 10_000

    private(set) var records: [NextHop: DestinationRecord] = [:]
    /// Over all destinations, evicted ones too.
    private(set) var causes: [RefusalCause: CauseCounter] = [:]

    /// Something was noted since it was written down.
    var isDirty = false

    func restore(_ counter: CauseCounter, for cause: RefusalCause) { causes[cause] = counter }
    func restore(_ record: DestinationRecord) { records[record.hop] = record }

    func record(of hop: NextHop, now: Int64) -> DestinationRecord {
        if let known = records[hop] {
            known.used = now
            return known
        }
        if records.count >= Self.limit { evict() }
        let record = DestinationRecord(hop: hop)
        record.used = now
        records[hop] = record
        return record
    }

    func note(_ results: [(ClaimedRecipient, RecipientResult)], of record: DestinationRecord, now: Int64) {
        isDirty = true
        for (_, result) in results {
            var cause: RefusalCause?
            switch result.outcome {
            case .deferred(_, .local): cause = .localTrouble
            case .deferred(let reply, _), .refused(let reply), .failed(let reply): cause = RefusalCause(of: reply)
            case .relayed, .stored, .replaced, .untried, .postponed: break
            }
            record.note(result, cause: cause, now: now)
            if let cause, let reply = result.reply {
                causes[cause, default: CauseCounter()].add(reply.text, now: now)
            }
        }
    }

    /// A tenth at a time, so that the pass over all of them is seldom.
    private func evict() {
        let oldest = records.values.sorted { $0.used < $1.used }.prefix(Self.limit / 10)
        for record in oldest { records[record.hop] = nil }
    }
}
