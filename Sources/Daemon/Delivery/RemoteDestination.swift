import MailModel
import NIOCore

/// A next hop with work: what waits for it, its connections, and how many it may have. Lives on the event loop.
final class RemoteDestination: @unchecked Sendable {
    // @unchecked: confined to the event loop.

    /// What one sender has waiting here, in order.
    struct Line {
        var jobs = CircularBuffer<RemoteJob>()
    }

    let record: DestinationRecord
    var hop: NextHop { record.hop }
    let flow: Flow
    /// By sender, so that nobody's many messages stand in front of another's one.
    var lines: [ReversePath: Line] = [:]
    /// Senders that have work here and wait for one of its slots, in turn.
    var blocked = CircularBuffer<SenderFlow>()
    /// It waits until destinations of its health have a slot.
    var isHeld = false
    /// Used last stands last.
    var idle: [RemoteLink] = []
    /// Jobs under way.
    var active = 0
    /// Hosts whose handshake failed: they get their mail without TLS while the destination has work.
    var withoutTLS: Set<HostAddress> = []

    init(_ record: DestinationRecord, now: Int64) {
        self.record = record
        flow = Flow(since: now)
    }

    /// Jobs that wait.
    var waiting: Int { lines.values.reduce(0) { $0 + $1.jobs.count } }
    var isEmpty: Bool { lines.isEmpty && idle.isEmpty && active == 0 }
}

/// Work that belongs together, of a sender or of a destination, as far as it waits in memory.
class Flow {
    /// Recipients that wait.
    var waiting = 0
    /// More came than goes: the rest waits in the queue.
    var congestion: Congestion?
    /// Recipients that were settled since `since`, milliseconds.
    private var done = 0
    private var since: Int64

    init(since: Int64) { self.since = since }

    func settled(_ recipients: Int) { done += recipients }

    /// Recipients a second, over the last seconds; never below a floor, so that nothing is put off for ever.
    func pace(now: Int64) -> Double {
        max(Congestion.slowest, Double(done) * 1_000 / Double(max(1_000, now - since)))
    }

    func measureAnew(now: Int64) {
        done = 0
        since = now
    }
}

/// How a flow that is too broad is narrowed: so many recipients stay in memory, the others get a time at which those
/// before them will be done, as far as can be told.
struct Congestion {
    /// Recipients a second at least that are assumed.
    static let slowest = 5.0
    /// Nobody is put off further than this at a time, milliseconds.
    static let longest: Int64 = 600_000
    /// Nor less.
    static let shortest: Int64 = 1_000

    let keep: Int
    private let pace: Double
    private var next: Double

    init(keep: Int, pace: Double, now: Int64) {
        self.keep = keep
        self.pace = pace
        next = Double(now) + Double(keep) / pace * 1_000
    }

    /// - Returns: milliseconds since 1970 at which so many more recipients may come.
    mutating func place(_ recipients: Int, now: Int64) -> Int64 {
        next = min(max(next, Double(now)), Double(now + Self.longest))
        let time = max(Int64(next), now + Self.shortest)
        next += Double(recipients) / pace * 1_000
        return time
    }
}

final class SenderFlow: Flow {
    let sender: ReversePath
    /// Destinations where it has work and that may have a slot, in turn.
    var ready = CircularBuffer<RemoteDestination>()
    var isInTurn = false

    init(_ sender: ReversePath, since: Int64) {
        self.sender = sender
        super.init(since: since)
    }
}
