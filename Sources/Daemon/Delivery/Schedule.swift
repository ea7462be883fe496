import MailModel
import NIOCore

/// Who gets the next free slot: senders in turn, then the sender's destinations in turn. A list of 10,000 and one mail
/// get a slot alternately; a destination that fails never holds more than its part of the slots. Lives on the event loop.
final class Schedule {
    private var turn = CircularBuffer<SenderFlow>()
    private(set) var senders: [ReversePath: SenderFlow] = [:]
    /// Destinations that wait for the slot of another one of their health.
    private var held = CircularBuffer<RemoteDestination>()
    private(set) var active = 0
    private var activeByHealth: [DestinationRecord.Health: Int] = [:]
    /// `delivery.threads`, as last told.
    private var threads = 1

    // MARK: In

    func add(_ job: RemoteJob, to destination: RemoteDestination, now: Int64) {
        let sender = count(job, in: destination, now: now)
        let isNew = destination.lines[sender.sender] == nil
        // Recipients of one message that were claimed apart go together again (R-DLV-14).
        if let last = destination.lines[sender.sender]?.jobs.last, last.message.key == job.message.key,
            last.recipients.count + job.recipients.count <= RemoteDelivery.recipientsPerTransaction
        {
            last.recipients += job.recipients
        } else {
            destination.lines[sender.sender, default: .init()].jobs.append(job)
        }
        if isNew { list(sender, destination) }
    }

    /// In front of the sender's others: it had its turn.
    func addFirst(_ job: RemoteJob, to destination: RemoteDestination, now: Int64) {
        let sender = count(job, in: destination, now: now)
        let isNew = destination.lines[sender.sender] == nil
        destination.lines[sender.sender, default: .init()].jobs.prepend(job)
        if isNew { list(sender, destination) }
    }

    private func count(_ job: RemoteJob, in destination: RemoteDestination, now: Int64) -> SenderFlow {
        let sender = senders[job.message.sender] ?? SenderFlow(job.message.sender, since: now)
        senders[job.message.sender] = sender
        sender.waiting += job.recipients.count
        destination.flow.waiting += job.recipients.count
        return sender
    }

    private func list(_ sender: SenderFlow, _ destination: RemoteDestination) {
        if destination.active < destination.record.limit, !destination.isHeld {
            sender.ready.append(destination)
            putInTurn(sender)
        } else {
            destination.blocked.append(sender)
        }
    }

    private func putInTurn(_ sender: SenderFlow) {
        guard !sender.isInTurn, !sender.ready.isEmpty else { return }
        sender.isInTurn = true
        turn.append(sender)
    }

    // MARK: Out

    /// Takes the next job, with its slot.
    func next(threads: Int) -> (job: RemoteJob, destination: RemoteDestination)? {
        self.threads = threads
        while active < threads, let sender = turn.popFirst() {
            sender.isInTurn = false
            guard let destination = sender.ready.popFirst() else { continue }
            defer { putInTurn(sender) }
            guard destination.lines[sender.sender] != nil else { continue }
            let health = destination.record.health
            if destination.active >= destination.record.limit {
                destination.blocked.append(sender)
            } else if activeByHealth[health, default: 0] >= budget(health) {
                destination.blocked.append(sender)
                if !destination.isHeld { held.append(destination) }
                destination.isHeld = true
            } else if let job = takeFirst(of: sender.sender, from: destination) {
                destination.active += 1
                active += 1
                job.health = health
                activeByHealth[health, default: 0] += 1
                if destination.lines[sender.sender] != nil { list(sender, destination) }
                return (job, destination)
            }
        }
        return nil
    }

    /// Slots that destinations of this health may hold together: what fails or was never heard of cannot take all.
    private func budget(_ health: DestinationRecord.Health) -> Int {
        switch health {
        case .good: threads
        case .unknown: threads <= 8 ? threads : threads * 3 / 4
        case .failing: max(1, threads / 4)
        }
    }

    private func takeFirst(of sender: ReversePath, from destination: RemoteDestination) -> RemoteJob? {
        guard let job = destination.lines[sender]?.jobs.popFirst() else { return nil }
        uncount(job, from: destination)
        return job
    }

    private func uncount(_ job: RemoteJob, from destination: RemoteDestination) {
        let path = job.message.sender
        if destination.lines[path]?.jobs.isEmpty == true { destination.lines[path] = nil }
        destination.flow.waiting -= job.recipients.count
        relax(destination.flow)
        guard let sender = senders[path] else { return }
        sender.waiting -= job.recipients.count
        relax(sender)
        if sender.waiting <= 0, sender.congestion == nil { senders[path] = nil }
    }

    private func relax(_ flow: Flow) {
        if let congestion = flow.congestion, flow.waiting < congestion.keep / 4 { flow.congestion = nil }
    }

    /// The slot of a job is free again.
    func release(_ job: RemoteJob, of destination: RemoteDestination) {
        destination.active -= 1
        active -= 1
        activeByHealth[job.health, default: 1] -= 1
        if !destination.isHeld { wake(destination) }
        wakeHeld()
    }

    /// Held destinations looked at after one slot was freed.
    private static let heldLooks = 32

    private func wakeHeld() {
        for _ in 0..<min(held.count, Self.heldLooks) {
            guard let other = held.popFirst() else { return }
            let health = other.record.health
            guard activeByHealth[health, default: 0] < budget(health) else {
                held.append(other)
                continue
            }
            other.isHeld = false
            if wake(other) > 0 { return }
        }
    }

    /// Senders that wait for the destination get their turn, as many as it has slots.
    @discardableResult
    private func wake(_ destination: RemoteDestination) -> Int {
        var woken = 0
        while destination.active + woken < destination.record.limit, let sender = destination.blocked.popFirst() {
            guard destination.lines[sender.sender] != nil else { continue }
            sender.ready.append(destination)
            putInTurn(sender)
            woken += 1
        }
        return woken
    }

    func settled(_ recipients: Int, of sender: ReversePath, at destination: RemoteDestination?) {
        senders[sender]?.settled(recipients)
        destination?.flow.settled(recipients)
    }

    // MARK: Taking out

    /// Everything that waits for a destination.
    func takeAll(from destination: RemoteDestination) -> [RemoteJob] {
        takeAll(from: destination) { _ in true }
    }

    func takeAll(from destination: RemoteDestination, where isWanted: (RemoteJob) -> Bool) -> [RemoteJob] {
        var taken: [RemoteJob] = []
        for (sender, line) in destination.lines {
            let wanted = line.jobs.filter(isWanted)
            guard !wanted.isEmpty else { continue }
            destination.lines[sender]?.jobs = CircularBuffer(line.jobs.filter { !isWanted($0) })
            for job in wanted { uncount(job, from: destination) }
            taken += wanted
        }
        return taken
    }

    // MARK: Too much

    /// Recipients of all flows together that stay in memory when there is no room.
    private static let kept = 6_000
    /// Recipients a second with which a flow makes its own room in time: a batch within the dispatcher's patience.
    private static let briskPace = 500.0

    /// There is no room for more: the broadest flow, of a destination or of a sender, is narrowed.
    /// - Returns: what must wait in the queue, and until when.
    func shed(among destinations: some Collection<RemoteDestination>, now: Int64) -> [(RemoteJob, until: Int64)] {
        let broadest = destinations.max { $0.flow.waiting < $1.flow.waiting }
        let greediest = senders.values.max { $0.waiting < $1.waiting }
        guard let broadest, let greediest else { return [] }
        let keep = max(50, Self.kept / max(2, min(destinations.count, senders.count)))
        let isBroad = broadest.flow.waiting * 2 >= greediest.waiting
        let flow = isBroad ? broadest.flow : greediest
        let pace = flow.pace(now: now)
        guard flow.waiting > keep, pace < Self.briskPace else { return [] }
        flow.measureAnew(now: now)
        var congestion = Congestion(keep: keep, pace: pace, now: now)
        var removed: [RemoteJob] = []
        while flow.waiting > keep {
            let place = isBroad ? broadest : destinations.max { weight($0, greediest) < weight($1, greediest) }
            let sender =
                isBroad ? broadest.lines.max { $0.value.jobs.count < $1.value.jobs.count }?.key : greediest.sender
            guard let place, let sender, let job = place.lines[sender]?.jobs.popLast() else { break }
            uncount(job, from: place)
            removed.append(job)
        }
        // Taken from the end; what came first comes back first.
        let out = removed.reversed().map { ($0, until: congestion.place($0.recipients.count, now: now)) }
        flow.congestion = congestion
        return out
    }

    private func weight(_ destination: RemoteDestination, _ sender: SenderFlow) -> Int {
        destination.lines[sender.sender]?.jobs.count ?? 0
    }

    /// Whether a job must wait in the queue because its flow is too broad already.
    /// - Returns: until when; `nil`: it may come.
    func place(_ job: RemoteJob, at destination: RemoteDestination, now: Int64) -> Int64? {
        let sender = senders[job.message.sender]
        if let sender, let until = Self.place(job, in: sender, now: now) { return until }
        // A sender with little here is not put off for those with much.
        let own = destination.lines[job.message.sender]?.jobs.count ?? 0
        if own < 4 { return nil }
        return Self.place(job, in: destination.flow, now: now)
    }

    private static func place(_ job: RemoteJob, in flow: Flow, now: Int64) -> Int64? {
        guard let keep = flow.congestion?.keep, flow.waiting >= keep else { return nil }
        return flow.congestion?.place(job.recipients.count, now: now)
    }
}
