import MailModel
import Synchronization

/// Stores deliveries, on any number of threads at once; each call waits for the disk.
final class MaildirWriter: Sendable {
    private struct State {
        /// Octets of deliveries under way, by mailbox: quota is checked before they are in `maildirsize`.
        var reserved: [MailboxLocation: Int] = [:]
        /// Names that may be in place although their delivery failed.
        var uncertain: Set<String> = []
        /// Ids up to this millisecond may have been stored before.
        var repeatedUntil: Int64
    }
    /// What holds the content for the targets of one delivery, in `tmp` until all are linked to it.
    private struct Original {
        let folder: Maildir
        let name: String
        let position: Int
    }
    private let state: Mutex<State>
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
        var original: Original?
        var folders: [(position: Int, folder: Maildir)] = []
        for (position, target) in delivery.targets.enumerated() {
            let name = Maildir.name(id: delivery.id, index: target.index, size: size)
            do throws(MailboxError) {
                let folder = try Maildir(target.mailbox)
                // Synced also when it is there: the attempt that put it there may not have come so far.
                folders.append((position, folder))
                if try folder.holds(name, looksInCurrent: mayBeRepeated(delivery.id, name)) {
                    results.append(.success(.alreadyThere))
                    continue
                }
                try reserving(size, target) { () throws(MailboxError) in
                    try checkQuota(folder, target, size)
                    if try place(delivery, name, in: folder, linkedTo: original) {
                        original = Original(folder: folder, name: name, position: position)
                    }
                    MaildirQuota(root: folder.root, limit: target.limit).add(octets: size, messages: 1)
                }
                results.append(.success(.stored))
            } catch {
                results.append(.failure(error))
            }
        }
        if let original, let error = publish(original, size) { results[original.position] = .failure(error) }
        for (position, folder) in folders {
            guard case .success = results[position] else { continue }
            do throws(MailboxError) { try folder.sync() } catch { results[position] = .failure(error) }
        }
        note(results, delivery, size)
        return results
    }

    /// Writes the content, or links it when it was written before.
    /// - Returns: whether it lies in `tmp` now, for others to be linked to it, and waits for its name in `new`.
    private func place(
        _ delivery: MailboxDelivery, _ name: String, in folder: Maildir, linkedTo original: Original?
    ) throws(MailboxError) -> Bool {
        if let original, try folder.link(name, to: original.name, writtenIn: original.folder) { return false }
        try folder.write(name, header: delivery.header, content: delivery.content)
        if original == nil { return true }
        // On another file system than the first: a copy of its own.
        try folder.publish(name)
        return false
    }

    private func publish(_ original: Original, _ size: Int) -> MailboxError? {
        do throws(MailboxError) {
            try original.folder.publish(original.name)
            return nil
        } catch {
            MaildirQuota(root: original.folder.root, limit: 0).add(octets: -size, messages: -1)
            return error
        }
    }

    private func checkQuota(_ folder: Maildir, _ target: MailboxDelivery.Target, _ size: Int) throws(MailboxError) {
        if target.ignoresLimit || target.limit <= 0 { return }
        let others = state.withLock { $0.reserved[target.mailbox, default: 0] } - size
        let quota = MaildirQuota(root: folder.root, limit: target.limit)
        if let used = try quota.isFull(adding: size, reserved: max(0, others)) {
            let path = target.mailbox.path
            throw MailboxError(.full, "\(path): \(used.octets) of \(target.limit) octets used, \(size) more do not fit")
        }
    }

    private func reserving<Value>(
        _ size: Int, _ target: MailboxDelivery.Target, _ body: () throws(MailboxError) -> Value
    ) throws(MailboxError) -> Value {
        guard target.limit > 0 else { return try body() }
        state.withLock { $0.reserved[target.mailbox, default: 0] += size }
        defer {
            state.withLock { state in
                let left = state.reserved[target.mailbox, default: 0] - size
                state.reserved[target.mailbox] = left > 0 ? left : nil
            }
        }
        return try body()
    }

    // MARK: Repetitions

    private func mayBeRepeated(_ id: QueueID, _ name: String) -> Bool {
        state.withLock { id.milliseconds <= $0.repeatedUntil || $0.uncertain.contains(name) }
    }

    /// What failed may be in place all the same (a sync that failed after the rename): the next attempt looks closer.
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
