import Glibc
import Synchronization

/// Maildirs that were used a moment ago, open: a delivery into one of them costs a look at their paths instead of a walk
/// through all of its folders.
final class MaildirCache: Sendable {
    private struct Entry {
        var folder: Maildir
        /// Milliseconds.
        var openedAt: Int64
        var usedAt: UInt64
    }
    private struct State {
        var entries: [MailboxLocation: Entry] = [:]
        var uses: UInt64 = 0
    }
    /// Milliseconds after which it is opened anew, with a look at all of its folders.
    static let lifetime: Int64 = 60_000

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: mailboxes that stay open, three descriptors each.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// As many as a quarter of this process's descriptors allows, at most two thousand.
    static var reasonable: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 32 }
        return Int(clamping: min(limit.rlim_cur, 24_000)) / 12
    }

    /// - Parameter now: milliseconds.
    func open(_ location: MailboxLocation, now: Int64) throws(MailboxError) -> Maildir {
        let known = state.withLock { state -> Maildir? in
            guard let entry = state.entries[location], (0..<Self.lifetime).contains(now - entry.openedAt) else {
                return nil
            }
            state.uses += 1
            state.entries[location]?.usedAt = state.uses
            return entry.folder
        }
        // A mailbox that was moved away, or removed and made again, is another one now.
        if let known, known.isInPlace { return known }
        let folder = try Maildir(location)
        state.withLock { state in
            if state.entries.count >= capacity, state.entries[location] == nil { evict(&state) }
            state.uses += 1
            state.entries[location] = Entry(folder: folder, openedAt: now, usedAt: state.uses)
        }
        return folder
    }

    /// The next use opens it again.
    func forget(_ location: MailboxLocation) { state.withLock { $0.entries[location] = nil } }

    /// The eighth that was not used for the longest time.
    private func evict(_ state: inout State) {
        let order = state.entries.sorted { $0.value.usedAt < $1.value.usedAt }
        for (location, _) in order.prefix(max(1, capacity / 8)) { state.entries[location] = nil }
    }
}
