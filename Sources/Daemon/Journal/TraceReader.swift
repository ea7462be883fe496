import MailModel

/// What `trace` looks for: one word, an address, domain, queue id, Message-ID, client address or reference; without one
/// all that happened in a time, or parts of sender and recipient.
package struct TraceQuery: Hashable, Sendable {
    /// Empty: any.
    package var word: String
    /// Part of the sender, of the recipient; looked for without the index.
    package var sender: String?
    package var recipient: String?
    /// Milliseconds since 1970, both inclusive; `nil` = no limit.
    package var since: Int64?
    package var until: Int64?
    /// Messages at most, the newest.
    package var limit: Int

    package init(
        word: String = "", sender: String? = nil, recipient: String? = nil, since: Int64? = nil, until: Int64? = nil,
        limit: Int = 50
    ) {
        self.word = word
        self.sender = sender
        self.recipient = recipient
        self.since = since
        self.until = until
        self.limit = limit
    }
}

/// The way of one message through the system, oldest first.
package struct TracedMessage: Hashable, Sendable {
    package var id: QueueID
    package var events: [LogEvent]
    /// What became of it beside its own way: reports, forwards, copies made from it.
    package var children: [QueueID]
    /// What it was made from.
    package var parent: QueueID?
}

package struct TraceResult: Hashable, Sendable {
    /// Newest first.
    package var messages: [TracedMessage] = []
    /// Lines that belong to no message (refusals), newest first.
    package var others: [LogEvent] = []
    /// There is more than was asked for.
    package var isCut = false
}

/// Looks into the log through the index. A value; any thread.
package struct TraceReader: Sendable {
    private let index: EventIndex

    package init(index: EventIndex) { self.index = index }

    /// Octets of log that one search reads at most.
    private static let budget = 64 << 20
    /// Lines of one message at most.
    private static let linesOfMessage = 5_000

    package func trace(_ query: TraceQuery) -> TraceResult {
        var found = Found(limit: query.limit)
        if query.word.isEmpty {
            look(query, &found)
        } else {
            let word = Self.folded(query.word)
            let filter = JournalFilter(sender: query.sender, recipient: query.recipient)
            var window = KeyWindow(index: index, since: query.since, until: query.until, budget: Self.budget)
            window.forEach(IndexKeys.hash(typed: query.word)) { event in
                guard Self.isAbout(event, word), filter.matches(event) else { return true }
                return found.take(event)
            }
            if window.isExhausted { found.result.isCut = true }
        }
        found.result.messages = found.ids.map { message($0) }
        return found.result
    }

    /// Without a word the log itself is read, from the newest line of the time on.
    private func look(_ query: TraceQuery, _ found: inout Found) {
        let filter = JournalFilter(
            sender: query.sender, recipient: query.recipient, since: query.since, until: query.until)
        let reader = JournalReader(folder: index.folder)
        var cursor: String?
        repeat {
            let page = reader.search(filter, limit: 500, cursor: cursor)
            cursor = page.cursor
            for event in page.events where !found.take(event) { return }
            // One search reads as much as a moment allows: when it found little, there is more.
            if page.events.count < 500, cursor != nil {
                found.result.isCut = true
                return
            }
        } while cursor != nil
    }

    /// What a search comes to: messages, and lines of none.
    private struct Found {
        let limit: Int
        var result = TraceResult()
        var ids: [QueueID] = []
        private var known = Set<QueueID>()

        init(limit: Int) { self.limit = limit }

        /// - Returns: whether there is room for more.
        mutating func take(_ event: LogEvent) -> Bool {
            if let id = event.queueID {
                if known.insert(id).inserted { ids.append(id) }
            } else {
                result.others.append(event)
            }
            result.isCut = ids.count + result.others.count >= limit
            return !result.isCut
        }
    }

    /// Everything about one message, with what its session did before.
    package func message(_ id: QueueID) -> TracedMessage {
        // Nothing is said of a message before it has its id; a day of room for a clock that was set back.
        var window = KeyWindow(
            index: index, since: id.milliseconds - 86_400_000, until: nil, budget: Self.budget, needle: id.rawValue)
        var traced = TracedMessage(id: id, events: [], children: [])
        var session: (name: String, time: Int64)?
        window.forEach(IndexKeys.hash(id.rawValue.utf8), isNarrow: false) { event in
            if event.queueID == id {
                traced.events.append(event)
                traced.parent = traced.parent ?? event.parent
                if event.kind == .receive, let name = event.session { session = (name, event.time) }
            } else if event.parent == id, let child = event.queueID, !traced.children.contains(child) {
                traced.children.append(child)
            }
            return traced.events.count < Self.linesOfMessage
        }
        if let session { traced.events += before(id, session) }
        traced.events = traced.events.flatMap(Self.steps)
        // Found newest first; lines of one moment stay in the order in which they were written.
        traced.events = traced.events.reversed().enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return traced
    }

    /// What the session did for this message: its lines since the message before it.
    private func before(_ id: QueueID, _ session: (name: String, time: Int64)) -> [LogEvent] {
        var window = KeyWindow(
            index: index, since: session.time - 3_600_000, until: session.time, budget: Self.budget,
            needle: session.name)
        var found: [LogEvent] = []
        var isReached = false
        window.forEach(IndexKeys.hash(session.name.utf8), isNarrow: false) { event in
            guard event.session == session.name else { return true }
            if let other = event.queueID {
                // An earlier message of the same session ends what belongs to this one.
                if isReached, other != id { return false }
                isReached = isReached || other == id
            } else if isReached {
                found.append(event)
            }
            return found.count < 200
        }
        return found
    }

    /// The first line of a connection tells what came before it: a line each, the events being newest first.
    private static func steps(_ event: LogEvent) -> [LogEvent] {
        guard event.kind == .accept, let steps = event.text.flatMap({ ConnectionSteps($0) }) else { return [event] }
        var first = event
        first.text = nil
        func step(_ before: Int64, _ text: String, tls: String?) -> LogEvent {
            LogEvent(
                time: event.time - before, service: event.service, kind: .session, address: event.address, text: text,
                tls: tls, session: event.session)
        }
        let secured = steps.secured.map { [step($0, "TLS established", tls: event.tls)] } ?? []
        return [first] + secured + [step(steps.connected, "connected to \(steps.listener)", tls: nil)]
    }

    private static func folded(_ word: String) -> String {
        var word = word.lowercased()[...]
        if word.hasPrefix("<"), word.hasSuffix(">"), word.count > 2 { word = word.dropFirst().dropLast() }
        return String(word)
    }

    private static func isAbout(_ event: LogEvent, _ word: String) -> Bool {
        let fields = [
            event.queueID?.rawValue, event.messageID, event.sender, event.recipient, event.address, event.reference,
            event.session, event.parent?.rawValue,
        ]
        return fields.contains { field in
            guard let field else { return false }
            let text = folded(field)
            return text == word || text.hasSuffix("@" + word)
        }
    }
}
