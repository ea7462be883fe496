import Database
import MailModel
import Synchronization

/// Which recipients delivery has taken, and where it looks for the next. In memory only: after a crash everything that
/// is in the table is due again.
final class DeliveryClaims: Sendable {
    private struct State {
        /// Keys of recipients under way.
        var active: Set<Int64> = []
        /// Fresh recipients up to this key were seen.
        var cursor: Int64 = -1
        /// Fresh recipients that were given back untried.
        var returned: [Int64] = []
        /// No deferred recipient is due before this time, as far as known.
        var nextDue: Int64 = .min
        /// When the deferred recipients were last looked at.
        var lastLook: Int64 = .min
        var generation = 0
    }
    private let state = Mutex(State())

    var activeCount: Int { state.withLock { $0.active.count } }
    func isActive(_ key: Int64) -> Bool { state.withLock { $0.active.contains(key) } }

    /// The change is durable: its recipients may be claimed again.
    func settle(_ change: DeliveryChange) {
        state.withLock { state in
            for item in change.items {
                let key = Schema.key(row: change.message.row, index: item.index)
                guard state.active.remove(key) != nil else { continue }
                switch item.outcome {
                case .finished: break
                case .released:
                    state.returned.append(key)
                    state.nextDue = .min
                case .deferred(_, let until), .postponed(let until): state.nextDue = min(state.nextDue, until)
                }
            }
        }
    }

    /// The table was changed by somebody else.
    func lookAgain() { state.withLock { $0.nextDue = .min } }

    /// Milliseconds after which deferred recipients are looked at again without a reason: another process may have
    /// changed them.
    private static let lookInterval: Int64 = 1_000

    /// See `DeliverySpool.claim`. The lock is held while the database is read, so that a recipient whose change is
    /// committed in between is still active, and not claimed by what was read before.
    func claim(limit: Int, now: Int64, from readers: ReaderPool) throws(SpoolError) -> Claim {
        let result: Result<Claim, SpoolError> = state.withLock { state in
            Result { () throws(SpoolError) -> Claim in
                try readers.read { connection, generation in
                    if generation != state.generation {
                        state.cursor = -1
                        state.returned = []
                        state.nextDue = .min
                        state.generation = generation
                    }
                    return try Self.claim(limit: limit, now: now, connection, &state)
                }
            }
        }
        return try result.get()
    }

    private static func claim(limit: Int, now: Int64, _ connection: Connection, _ state: inout State) throws -> Claim {
        var taken = Taken(limit: max(1, limit), connection: connection)
        let looks = now >= state.nextDue || now >= state.lastLook + lookInterval || now < state.lastLook
        var hasMoreDeferred = false
        // A part is kept for what waits longer, so that a stream of arrivals cannot starve it.
        if looks { hasMoreDeferred = try takeDeferred(upTo: max(1, limit / 4), now, &taken, &state) }
        try takeReturned(&taken, &state)
        try takeFresh(&taken, &state)
        if hasMoreDeferred { hasMoreDeferred = try takeDeferred(upTo: .max, now, &taken, &state) }
        for message in taken.messages {
            for recipient in message.recipients {
                state.active.insert(Schema.key(row: message.key.row, index: recipient.index))
            }
        }
        return Claim(
            messages: taken.messages, hasMore: taken.isFull || hasMoreDeferred,
            nextDue: state.nextDue == .max ? nil : max(state.nextDue, 0))
    }

    /// - Returns: whether there are more that are due.
    private static func takeDeferred(
        upTo limit: Int, _ now: Int64, _ taken: inout Taken, _ state: inout State
    ) throws -> Bool {
        let due = try taken.connection.statement("SELECT key, due FROM recipient WHERE state = 1 ORDER BY due")
        defer { due.reset() }
        var left = limit
        state.nextDue = .max
        state.lastLook = now
        while try due.step() {
            let key = due.integer(0)
            if state.active.contains(key) || taken.keys.contains(key) { continue }
            if due.integer(1) > now || left == 0 || taken.isFull {
                state.nextDue = due.integer(1)
                return state.nextDue <= now
            }
            if try taken.take(key) { left -= 1 }
        }
        return false
    }

    private static func takeReturned(_ taken: inout Taken, _ state: inout State) throws {
        let waiting = state.returned
        state.returned = []
        for key in waiting {
            if taken.isFull { state.returned.append(key) } else { _ = try taken.take(key, onlyIf: .queued) }
        }
    }

    private static func takeFresh(_ taken: inout Taken, _ state: inout State) throws {
        if taken.isFull { return }
        let fresh = try taken.connection.statement(
            "SELECT key, state FROM recipient WHERE key > ? ORDER BY key")
        defer { fresh.reset() }
        try fresh.bind(state.cursor, at: 1)
        while !taken.isFull, try fresh.step() {
            let key = fresh.integer(0)
            state.cursor = key
            if fresh.int(1) != RecipientState.queued.rawValue || state.active.contains(key) { continue }
            _ = try taken.take(key)
        }
    }
}

/// The recipients taken by one claim, with their messages.
private struct Taken {
    let limit: Int
    let connection: Connection
    var messages: [ClaimedMessage] = []
    var keys: Set<Int64> = []
    private var positions: [Int64: Int] = [:]

    init(limit: Int, connection: Connection) {
        self.limit = limit
        self.connection = connection
    }

    var isFull: Bool { keys.count >= limit }

    /// - Returns: whether the recipient was there (in that state) and is taken now.
    mutating func take(_ key: Int64, onlyIf wanted: RecipientState? = nil) throws -> Bool {
        let statement = try connection.statement(RecipientColumns.select + " WHERE key = ?")
        try statement.bind(key, at: 1)
        defer { statement.reset() }
        guard try statement.step(), wanted == nil || RecipientColumns.state(statement) == wanted else { return false }
        let recipient = RecipientColumns.claimed(statement)
        let row = Schema.row(of: key)
        if let position = positions[row] {
            messages[position].recipients.append(recipient)
        } else {
            guard var message = try message(row) else { return false }
            message.recipients = [recipient]
            positions[row] = messages.count
            messages.append(message)
        }
        keys.insert(key)
        return true
    }

    private func message(_ row: Int64) throws -> ClaimedMessage? {
        let statement = try connection.statement(MessageColumns.select + " WHERE row = ?")
        try statement.bind(row, at: 1)
        defer { statement.reset() }
        return try statement.step() ? MessageColumns.claimed(statement) : nil
    }
}
