import MailModel
import Synchronization

/// Stores deliveries, on any number of threads at once; each call waits for the disk.
final class MaildirWriter: Sendable {
    private struct State {
        /// Names that may be in place although their delivery failed.
        var uncertain: Set<String> = []
        /// Ids up to this millisecond may have been stored before.
        var repeatedUntil: Int64
    }
    /// A target that has room for the message.
    private struct Place {
        let position: Int
        let target: MailboxDelivery.Target
        let folder: Maildir
        let name: String
    }
    /// A file and the places that have it, the first one under its own name.
    private struct Stored {
        let file: MaildirFile
        var places: [Place]
    }
    private let state: Mutex<State>
    private let reservations = Reservations()
    private let clock: @Sendable () -> Int64

    private static let uncertainLimit = 10_000

    init(clock: @escaping @Sendable () -> Int64) {
        self.clock = clock
        state = Mutex(State(repeatedUntil: clock()))
    }

    /// - Returns: one result for each target.
    func store(_ delivery: MailboxDelivery) -> [Result<MailboxOutcome, MailboxError>] {
        let size = delivery.header.count + delivery.content.size
        var results: [Result<MailboxOutcome, MailboxError>] = []
        var places: [Place] = []
        for (position, target) in delivery.targets.enumerated() {
            do throws(MailboxError) {
                let place = try place(for: delivery, target, position, size)
                if let place { places.append(place) }
                results.append(.success(place == nil ? .alreadyThere : .stored))
            } catch {
                results.append(.failure(error))
            }
        }
        var stored: [Stored] = []
        for place in places {
            do throws(MailboxError) {
                try put(delivery, size, in: place, &stored)
            } catch {
                reservations.release(size, place.target)
                results[place.position] = .failure(error)
            }
        }
        for one in stored {
            guard let error = commit(one, size) else { continue }
            for place in one.places { results[place.position] = .failure(error) }
        }
        note(results, delivery, size)
        return results
    }

    /// Opens the mailbox and reserves room in it.
    /// - Returns: `nil` when the message is there already.
    private func place(
        for delivery: MailboxDelivery, _ target: MailboxDelivery.Target, _ position: Int, _ size: Int
    ) throws(MailboxError) -> Place? {
        let name = Maildir.name(id: delivery.id, index: target.index, size: size)
        let folder = try Maildir(target.mailbox)
        if try folder.holds(name, size: size, looksInCurrent: mayBeRepeated(delivery.id, name)) {
            // The attempt that put it there may not have come so far as to sync it.
            try folder.sync()
            return nil
        }
        try reservations.reserve(size, target, MaildirQuota(root: folder.root, limit: target.limit))
        return Place(position: position, target: target, folder: folder, name: name)
    }

    /// Writes the content, or links it to where it was written before. The first name comes last, in `commit`: until
    /// then `tmp` holds what the others are linked to.
    private func put(
        _ delivery: MailboxDelivery, _ size: Int, in place: Place, _ stored: inout [Stored]
    ) throws(MailboxError) {
        for index in stored.indices {
            let isLinked = try reservations.settle(size, place.target, place.folder) { () throws(MailboxError) in
                try place.folder.link(place.name, to: stored[index].file)
            }
            if isLinked {
                stored[index].places.append(place)
                return
            }
        }
        stored.append(Stored(file: try place.folder.write(place.name, delivery), places: [place]))
    }

    private func commit(_ stored: Stored, _ size: Int) -> MailboxError? {
        var published = stored.places.dropFirst()
        do throws(MailboxError) {
            if let first = stored.places.first {
                do throws(MailboxError) {
                    _ = try reservations.settle(size, first.target, first.folder) { () throws(MailboxError) in
                        try first.folder.publish(first.name)
                        return true
                    }
                } catch {
                    reservations.release(size, first.target)
                    throw error
                }
                published = stored.places[...]
            }
            try stored.file.commit(in: stored.places.map(\.folder))
            return nil
        } catch {
            for place in published {
                place.folder.withdraw(place.name)
                MaildirQuota(root: place.folder.root, limit: 0).add(octets: -size, messages: -1)
            }
            return error
        }
    }

    // MARK: Repetitions

    private func mayBeRepeated(_ id: QueueID, _ name: String) -> Bool {
        state.withLock { id.milliseconds <= $0.repeatedUntil || $0.uncertain.contains(name) }
    }

    /// What failed may be in place all the same (its name could not be taken back): the next attempt looks closer.
    private func note(_ results: [Result<MailboxOutcome, MailboxError>], _ delivery: MailboxDelivery, _ size: Int) {
        for (result, target) in zip(results, delivery.targets) {
            guard case .failure(let error) = result, error.kind != .full else { continue }
            let name = Maildir.name(id: delivery.id, index: target.index, size: size)
            let now = clock()
            state.withLock { state in
                state.uncertain.insert(name)
                guard state.uncertain.count > Self.uncertainLimit else { return }
                state.uncertain.removeAll()
                state.repeatedUntil = max(state.repeatedUntil, now)
            }
        }
    }
}

/// Room in mailboxes with a limit for messages that are being written: without it, deliveries at the same time would
/// go over the limit together. A message changes from reserved to counted under the same lock as its name appears, so
/// that nobody sees it twice or not at all.
private final class Reservations: Sendable {
    /// Locks are shared by mailboxes of the same hash: a slow count in one holds up few others.
    private final class Stripe: Sendable {
        let octets = Mutex<[MailboxLocation: Int]>([:])
    }
    private let stripes = (0..<64).map { _ in Stripe() }

    private func stripe(_ mailbox: MailboxLocation) -> Stripe {
        stripes[Int(UInt(bitPattern: mailbox.hashValue) % UInt(stripes.count))]
    }

    /// - Throws: `full`.
    func reserve(_ size: Int, _ target: MailboxDelivery.Target, _ quota: MaildirQuota) throws(MailboxError) {
        guard target.limit > 0 else { return }
        let result: Result<Void, MailboxError> = stripe(target.mailbox).octets.withLock { reserved in
            Result { () throws(MailboxError) in
                let others = reserved[target.mailbox, default: 0]
                if !target.ignoresLimit, let used = try quota.isFull(adding: size, reserved: others) {
                    let numbers = "\(used.octets) of \(target.limit) octets used, \(size) more do not fit"
                    throw MailboxError(.full, "\(target.mailbox.path): \(numbers)")
                }
                reserved[target.mailbox] = others + size
            }
        }
        try result.get()
    }

    /// Gives the message its name with `appear`; when that returns `true`, it counts and is no longer reserved.
    func settle(
        _ size: Int, _ target: MailboxDelivery.Target, _ folder: Maildir, _ appear: () throws(MailboxError) -> Bool
    ) throws(MailboxError) -> Bool {
        let quota = MaildirQuota(root: folder.root, limit: target.limit)
        guard target.limit > 0 else {
            let isThere = try appear()
            if isThere { quota.add(octets: size, messages: 1) }
            return isThere
        }
        let result: Result<Bool, MailboxError> = stripe(target.mailbox).octets.withLock { reserved in
            Result { () throws(MailboxError) -> Bool in
                guard try appear() else { return false }
                quota.add(octets: size, messages: 1)
                Self.take(size, target.mailbox, from: &reserved)
                return true
            }
        }
        return try result.get()
    }

    func release(_ size: Int, _ target: MailboxDelivery.Target) {
        guard target.limit > 0 else { return }
        stripe(target.mailbox).octets.withLock { Self.take(size, target.mailbox, from: &$0) }
    }

    private static func take(_ size: Int, _ mailbox: MailboxLocation, from reserved: inout [MailboxLocation: Int]) {
        let left = reserved[mailbox, default: 0] - size
        reserved[mailbox] = left > 0 ? left : nil
    }
}
