import MailModel
import Synchronization

/// A spool without a disk, for tests: the same answers as `DiskSpool`, durable for the life of the process.
/// Completions are called before `add` and `apply` return.
package final class MemorySpool: DeliverySpool, QueueOperations {
    private struct Entry {
        var message: NewMessage
        var octets: [UInt8]
        var recipients: [Int: QueuedMessage.Recipient]
    }
    private struct State {
        var generator: QueueIDGenerator
        var now: Int64 = 0
        var lastRow: Int64 = 0
        var entries: [Int64: Entry] = [:]
    }
    private let state: Mutex<State>
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: milliseconds since 1970, for ids.
    package init(node: String = "memory", clock: @escaping @Sendable () -> Int64 = { 1_700_000_000_000 }) {
        self.clock = clock
        state = Mutex(State(generator: QueueIDGenerator(node: QueueIDGenerator.node(named: node))))
    }

    // MARK: Spool

    package func makeID() -> QueueID {
        let now = clock()
        return state.withLock { $0.generator.next(now: now) }
    }

    package func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent { MemoryContent() }

    package func availableOctets() -> Int? { nil }

    package func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        state.withLock { Self.insert(message, into: &$0) }
        completion(.success(()))
    }

    private static func insert(_ message: NewMessage, into state: inout State) {
        state.lastRow += 1
        let octets: [UInt8]
        switch message.content {
        case .inline(let inline): octets = inline
        case .large(let large): octets = (large as? MemoryContent)?.octets ?? []
        }
        var recipients: [Int: QueuedMessage.Recipient] = [:]
        for (index, recipient) in message.envelope.recipients.enumerated() {
            recipients[index] = QueuedMessage.Recipient(
                index: index, recipient: recipient, state: message.hold == nil ? .queued : .held, isActive: false,
                nextAttempt: message.hold == nil ? 0 : nil, history: AttemptHistory(reply: message.hold),
                mustBounce: false)
        }
        state.entries[state.lastRow] = Entry(message: message, octets: octets, recipients: recipients)
    }

    // MARK: DeliverySpool

    package func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim {
        state.withLock { state in
            var claimed: [ClaimedMessage] = []
            var left = limit
            for row in state.entries.keys.sorted() where left > 0 {
                guard let message = Self.claim(row, limit: &left, now: now, from: &state) else { continue }
                claimed.append(message)
            }
            let waiting = state.entries.values.flatMap(\.recipients.values).filter { !$0.isActive }
            let nextDue = waiting.filter { $0.state == .deferred }.compactMap(\.nextAttempt).min()
            return Claim(messages: claimed, hasMore: left == 0, nextDue: nextDue)
        }
    }

    private static func claim(_ row: Int64, limit: inout Int, now: Int64, from state: inout State) -> ClaimedMessage? {
        guard let entry = state.entries[row] else { return nil }
        let due = entry.recipients.values.sorted { $0.index < $1.index }
            .filter { !$0.isActive && $0.state != .held && ($0.nextAttempt ?? .max) <= now }.prefix(limit)
        guard !due.isEmpty else { return nil }
        for recipient in due { state.entries[row]?.recipients[recipient.index]?.isActive = true }
        limit -= due.count
        return ClaimedMessage(
            key: MessageKey(row: row), id: entry.message.id, sender: entry.message.envelope.sender,
            notification: entry.message.envelope.notification,
            needsSMTPUTF8: entry.message.envelope.needsSMTPUTF8, is8BitMIME: entry.message.envelope.is8BitMIME,
            size: entry.octets.count, receivedAt: entry.message.receivedAt,
            authenticatedID: entry.message.authenticatedID, parent: entry.message.parent,
            recipients: due.map {
                ClaimedRecipient(
                    index: $0.index, recipient: $0.recipient, history: $0.history, mustBounce: $0.mustBounce)
            })
    }

    package func content(of message: MessageKey) throws(SpoolError) -> StoredContent {
        guard let octets = state.withLock({ $0.entries[message.row]?.octets }) else {
            throw SpoolError(.notFound, "row \(message.row)")
        }
        return .inline(octets)
    }

    package func apply(
        _ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void
    ) {
        state.withLock { state in
            let row = change.message.row
            let isLate = change.items.allSatisfy { state.entries[row]?.recipients[$0.index] == nil }
            for item in change.items { Self.apply(item, row: row, to: &state) }
            if state.entries[row]?.recipients.isEmpty == true { state.entries[row] = nil }
            if !isLate { for child in change.children { Self.insert(child, into: &state) } }
        }
        completion(.success(()))
    }

    private static func apply(_ item: DeliveryChange.Item, row: Int64, to state: inout State) {
        guard var recipient = state.entries[row]?.recipients[item.index] else { return }
        recipient.isActive = false
        switch item.outcome {
        case .finished:
            state.entries[row]?.recipients[item.index] = nil
            return
        case .deferred(let history, let until):
            recipient.history = history
            recipient.putOff(until: until)
        case .postponed(let until): recipient.putOff(until: until)
        case .released: break
        }
        state.entries[row]?.recipients[item.index] = recipient
    }

    // MARK: QueueOperations

    package func list(_ query: QueueQuery) throws(SpoolError) -> QueueWindow {
        state.withLock { state in
            var rows = state.entries.sorted { $0.key < $1.key }.compactMap { Self.row($0.value) }
                .filter { query.matches($0.row, $0.recipients) }.map(\.row)
            if query.sort != .age { rows.sort { query.sort.isAscending($0, $1) } }
            if query.descending { rows.reverse() }
            let window = rows.dropFirst(max(0, query.offset)).prefix(max(0, min(query.limit, 1_000)))
            return QueueWindow(rows: Array(window), matching: rows.count)
        }
    }

    package func show(_ id: QueueID) throws(SpoolError) -> QueuedMessage {
        let found = state.withLock { $0.entries.values.first { $0.message.id == id }.flatMap(Self.row) }
        guard let found else { throw SpoolError(.notFound, id.rawValue) }
        return found
    }

    package func content(of id: QueueID) throws(SpoolError) -> StoredContent {
        guard let octets = state.withLock({ $0.entries.values.first { $0.message.id == id }?.octets }) else {
            throw SpoolError(.notFound, id.rawValue)
        }
        return .inline(octets)
    }

    package func counts() throws(SpoolError) -> QueueCounts {
        state.withLock { state in
            let recipients = state.entries.values.flatMap(\.recipients.values)
            func number(_ wanted: RecipientState) -> Int { recipients.count { $0.state == wanted } }
            return QueueCounts(
                messages: state.entries.count, queued: number(.queued), deferred: number(.deferred),
                held: number(.held), active: recipients.count(where: \.isActive),
                oldest: state.entries.min { $0.key < $1.key }?.value.message.receivedAt)
        }
    }

    package func act(_ action: QueueAction, on ids: [QueueID], now: Int64) throws(SpoolError) -> [QueueID] {
        state.withLock { state in
            ids.filter { id in
                guard let row = state.entries.first(where: { $0.value.message.id == id })?.key else { return false }
                if action == .remove {
                    state.entries[row] = nil
                    return true
                }
                for index in state.entries[row].map({ Array($0.recipients.keys) }) ?? [] {
                    state.entries[row]?.recipients[index]?.act(action, now: now)
                }
                return true
            }
        }
    }

    private static func row(_ entry: Entry) -> QueuedMessage? {
        let recipients = entry.recipients.values.sorted { $0.index < $1.index }
        guard let first = recipients.first else { return nil }
        let message = entry.message
        let row = QueuedRow(
            id: message.id, receivedAt: message.receivedAt, size: entry.octets.count,
            sender: message.envelope.sender, recipient: first.recipient.address, recipientCount: recipients.count,
            state: recipients.map(\.state).min { $0.rawValue < $1.rawValue } ?? .queued,
            isActive: recipients.contains(where: \.isActive), tries: recipients.map(\.history.tries).max() ?? 0,
            nextAttempt: recipients.compactMap(\.nextAttempt).min(),
            reply: recipients.lazy.compactMap(\.history.reply).first)
        return QueuedMessage(
            row: row, notification: message.envelope.notification, needsSMTPUTF8: message.envelope.needsSMTPUTF8,
            is8BitMIME: message.envelope.is8BitMIME, clientAddress: message.clientAddress, hello: message.hello,
            authenticatedID: message.authenticatedID, protocolName: message.protocolName, parent: message.parent,
            recipients: recipients)
    }
}

/// Content of `MemorySpool`.
final class MemoryContent: LargeContent {
    private let content = Mutex<[UInt8]>([])

    var octets: [UInt8] { content.withLock { $0 } }
    var size: Int { content.withLock { $0.count } }
    func append(_ octets: UnsafeRawBufferPointer) throws(SpoolError) {
        let copy = [UInt8](octets)
        content.withLock { $0.append(contentsOf: copy) }
    }
    func finish() throws(SpoolError) {}
    func discard() { content.withLock { $0.removeAll() } }
}

extension QueuedMessage.Recipient {
    /// What a deferral does; a recipient that was held meanwhile stays held.
    fileprivate mutating func putOff(until: Int64) {
        guard state != .held else { return }
        state = .deferred
        nextAttempt = until
    }

    fileprivate mutating func act(_ action: QueueAction, now: Int64) {
        switch (action, state) {
        case (.hold, _):
            state = .held
            nextAttempt = nil
        case (.retry, .deferred), (.release, .held): dueNow(now)
        case (.retry, _), (.release, _), (.remove, _): break
        case (.bounce, _):
            mustBounce = true
            dueNow(now)
        }
    }

    private mutating func dueNow(_ now: Int64) {
        state = .deferred
        nextAttempt = now
    }
}

extension QueueQuery {
    fileprivate func matches(_ row: QueuedRow, _ recipients: [QueuedMessage.Recipient]) -> Bool {
        func holds(_ text: String, _ part: String) -> Bool { text.lowercased().contains(part.lowercased()) }
        if let state, !recipients.contains(where: { $0.state == state }) { return false }
        if let receivedBefore, row.receivedAt >= receivedBefore { return false }
        if let sender, !holds(row.sender.text, sender) { return false }
        let addresses = recipients.map(\.recipient.address.text)
        if let recipient, !addresses.contains(where: { holds($0, recipient) }) { return false }
        guard let text else { return true }
        return ([row.id.rawValue, row.sender.text] + addresses).contains { holds($0, text) }
    }
}

extension QueueQuery.Sort {
    fileprivate func isAscending(_ left: QueuedRow, _ right: QueuedRow) -> Bool {
        switch self {
        case .age: left.receivedAt < right.receivedAt
        case .id: left.id < right.id
        case .size: left.size < right.size
        case .from: left.sender.text.lowercased() < right.sender.text.lowercased()
        case .to: left.recipient.text.lowercased() < right.recipient.text.lowercased()
        case .tries: left.tries < right.tries
        case .next: (left.nextAttempt ?? .max) < (right.nextAttempt ?? .max)
        }
    }
}
