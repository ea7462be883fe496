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
        let message: Int
        let position: Int
        let target: MailboxDelivery.Target
        let folder: Maildir
        let name: String
    }
    /// A file in `tmp` of its first place, and the places that it is linked to already.
    private struct Stored {
        let file: MaildirFile
        let size: Int
        let first: Place
        var links: [Place] = []
        var isGood = true
        var isPublished = false
        var places: [Place] { [first] + links }
    }
    private struct Batch {
        var results: [[Result<MailboxOutcome, MailboxError>]]
        var files: [Stored] = []

        mutating func fail(_ index: Int, _ error: MailboxError) {
            files[index].isGood = false
            for place in files[index].places { results[place.message][place.position] = .failure(error) }
        }
    }
    private let state: Mutex<State>
    private let reservations = Reservations()
    private let mailboxes = MaildirCache(capacity: MaildirCache.reasonable)
    private let clock: @Sendable () -> Int64

    private static let uncertainLimit = 10_000

    init(clock: @escaping @Sendable () -> Int64) {
        self.clock = clock
        state = Mutex(State(repeatedUntil: clock()))
    }

    /// Stores the messages of a batch together: they share the waits for the disk.
    /// - Returns: for each message one result for each of its targets.
    func store(_ deliveries: [MailboxDelivery]) -> [[Result<MailboxOutcome, MailboxError>]] {
        var batch = Batch(results: deliveries.map { $0.targets.map { _ in .success(.stored) } })
        for (message, delivery) in deliveries.enumerated() { write(delivery, message, &batch) }
        settle(&batch)
        publish(&batch)
        commit(&batch)
        for (results, delivery) in zip(batch.results, deliveries) { note(results, delivery, Self.size(delivery)) }
        return batch.results
    }

    private static func size(_ delivery: MailboxDelivery) -> Int { delivery.header.count + delivery.content.size }

    // MARK: Content

    /// Writes one message into `tmp` of the first of its mailboxes that takes it.
    private func write(_ delivery: MailboxDelivery, _ message: Int, _ batch: inout Batch) {
        let size = Self.size(delivery)
        let first = batch.files.count
        for (position, target) in delivery.targets.enumerated() {
            let result = attempt(delivery, size, message, position, target, &batch.files, from: first)
            if case .failure(let error) = result, error.kind == .notWritable {
                // Folders that were open from an earlier delivery may be gone since.
                mailboxes.forget(target.mailbox)
                batch.results[message][position] = attempt(
                    delivery, size, message, position, target, &batch.files, from: first)
            } else {
                batch.results[message][position] = result
            }
        }
    }

    private func attempt(
        _ delivery: MailboxDelivery, _ size: Int, _ message: Int, _ position: Int, _ target: MailboxDelivery.Target,
        _ files: inout [Stored], from first: Int
    ) -> Result<MailboxOutcome, MailboxError> {
        do throws(MailboxError) {
            let name = Maildir.name(id: delivery.id, index: target.index, size: size)
            guard let folder = try open(target, name, size, delivery.id) else { return .success(.alreadyThere) }
            let place = Place(message: message, position: position, target: target, folder: folder, name: name)
            do throws(MailboxError) {
                try put(delivery, size, in: place, &files, from: first)
            } catch {
                reservations.release(size, target)
                throw error
            }
            return .success(.stored)
        } catch {
            return .failure(error)
        }
    }

    /// Opens the mailbox and reserves room in it.
    /// - Returns: `nil` when the message is there already.
    private func open(
        _ target: MailboxDelivery.Target, _ name: String, _ size: Int, _ id: QueueID
    ) throws(MailboxError) -> Maildir? {
        let folder = try mailboxes.open(target.mailbox, now: clock())
        if try folder.holds(name, size: size, looksInCurrent: mayBeRepeated(id, name)) {
            // The attempt that put it there may not have come so far as to sync it.
            try folder.sync()
            return nil
        }
        try reservations.reserve(size, target, MaildirQuota(root: folder.root, limit: target.limit))
        return folder
    }

    /// Writes the content, or links it to where it was written before. The first name comes last, in `publish`: until
    /// then `tmp` holds what the others are linked to.
    private func put(
        _ delivery: MailboxDelivery, _ size: Int, in place: Place, _ files: inout [Stored], from first: Int
    ) throws(MailboxError) {
        for index in first..<files.count {
            if files[index].links.isEmpty { try files[index].file.settle() }
            let isLinked = try reservations.settle(size, place.target, place.folder) { () throws(MailboxError) in
                try place.folder.link(place.name, to: files[index].file)
            }
            if isLinked {
                files[index].links.append(place)
                return
            }
        }
        files.append(Stored(file: try place.folder.write(place.name, delivery), size: size, first: place))
    }

    // MARK: Names

    /// Waits for the content of all files; the device works on them at the same time.
    private func settle(_ batch: inout Batch) {
        for index in batch.files.indices {
            do throws(MailboxError) {
                try batch.files[index].file.settle()
            } catch {
                let place = batch.files[index].first
                place.folder.discard(place.name)
                reservations.release(batch.files[index].size, place.target)
                batch.fail(index, error)
            }
        }
    }

    private func publish(_ batch: inout Batch) {
        for index in batch.files.indices where batch.files[index].isGood {
            let (place, size) = (batch.files[index].first, batch.files[index].size)
            do throws(MailboxError) {
                _ = try reservations.settle(size, place.target, place.folder) { () throws(MailboxError) in
                    try place.folder.publish(place.name)
                    return true
                }
                batch.files[index].isPublished = true
            } catch {
                reservations.release(size, place.target)
                mailboxes.forget(place.target.mailbox)
                batch.fail(index, error)
            }
        }
    }

    /// Makes the names durable: one sync for all on a file system where that is enough, else one for each.
    private func commit(_ batch: inout Batch) {
        // Of each journal the file that got its name last; its sync speaks for those before it.
        var last: [UInt: Int] = [:]
        for index in batch.files.indices where batch.files[index].isGood {
            let file = batch.files[index].file
            if file.folder.nameSync == .journal { last[file.folder.root.identity.device] = index }
        }
        var failures: [UInt: MailboxError] = [:]
        for (device, index) in last {
            do throws(MailboxError) { try batch.files[index].file.commit(in: []) } catch { failures[device] = error }
        }
        for index in batch.files.indices where batch.files[index].isGood {
            let stored = batch.files[index]
            do throws(MailboxError) {
                if stored.file.folder.nameSync != .journal {
                    try stored.file.commit(in: stored.places.map(\.folder))
                } else if let error = failures[stored.file.folder.root.identity.device] {
                    throw error
                }
            } catch { batch.fail(index, error) }
        }
        for stored in batch.files where !stored.isGood { withdraw(stored) }
    }

    /// A name whose content or sync failed is taken back; the message is tried again under the same name.
    private func withdraw(_ stored: Stored) {
        for place in stored.isPublished ? stored.places : stored.links {
            place.folder.withdraw(place.name)
            MaildirQuota(root: place.folder.root, limit: 0).add(octets: -stored.size, messages: -1)
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
