import Control
import ControlServer
import MailModel
import MessageFormat
import Spool

/// org.epost.Queue. Reads the spool directly; what changes it goes through EPSTDS while that runs, because it alone knows
/// what is under way, and straight to the spool otherwise.
struct QueueDesk: Sendable {
    /// Answers `nil` when EPSTDS does not run.
    typealias Forward = @Sendable (QueueInterface.Act.Input) async throws(ControlError) -> QueueInterface.Act.Output?

    typealias Report =
        @Sendable (QueueInterface.Destinations.Input) async throws(ControlError) -> QueueInterface
        .Destinations.Output?

    private let queue: @Sendable () throws(SpoolError) -> any QueueOperations
    private let forward: Forward
    private let report: Report
    private let clock: @Sendable () -> Int64

    init(
        queue: @escaping @Sendable () throws(SpoolError) -> any QueueOperations, forward: @escaping Forward,
        report: @escaping Report,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.queue = queue
        self.forward = forward
        self.report = report
        self.clock = clock
    }

    func register(on server: ControlServer) {
        server.on(QueueInterface.List.self) { input, _ throws(ControlError) in try list(input) }
        server.on(QueueInterface.Show.self) { input, _ throws(ControlError) in try show(input) }
        server.on(QueueInterface.Act.self) { input, _ throws(ControlError) in try await act(input) }
        server.on(QueueInterface.Destinations.self) { input, _ throws(ControlError) in
            try await report(input) ?? .init()
        }
    }

    private func reading<Value>(_ body: (any QueueOperations) throws(SpoolError) -> Value) throws(ControlError) -> Value
    {
        do {
            return try body(try queue())
        } catch {
            if case .notFound = error.kind {
                throw ControlError(.notFound, code: "queue.not-found", "There is no such message in the queue.")
            }
            throw ControlError(
                .failed, code: "queue.failed", "The queue cannot be read or changed: \(error.detail)",
                arguments: [error.detail])
        }
    }

    private func list(_ input: QueueInterface.List.Input) throws(ControlError) -> QueueInterface.List.Output {
        let query = try Self.query(input)
        let window = try reading { queue throws(SpoolError) in try queue.list(query) }
        return .init(rows: window.rows.map(Self.row), total: window.matching, offset: query.offset)
    }

    static func query(_ input: QueueInterface.List.Input) throws(ControlError) -> QueueQuery {
        var query = QueueQuery(offset: max(0, input.offset), limit: min(1000, max(1, input.limit)))
        query.descending = input.descending ?? false
        if let sort = input.sort {
            guard let known = QueueQuery.Sort(rawValue: sort) else {
                throw unknownWord(sort, in: "sort", known: QueueQuery.Sort.allCases.map(\.rawValue))
            }
            query.sort = known
        }
        if let state = input.state {
            guard let known = states.first(where: { $0.word == state }) else {
                throw unknownWord(state, in: "state", known: states.map(\.word))
            }
            query.state = known.state
        }
        for word in (input.filter ?? "").split(separator: " ") {
            if word.hasPrefix("from:") {
                query.sender = String(word.dropFirst(5))
            } else if word.hasPrefix("to:") {
                query.recipient = String(word.dropFirst(3))
            } else if word.hasPrefix("state:"), let known = states.first(where: { $0.word == word.dropFirst(6) }) {
                query.state = known.state
            } else {
                query.text = [query.text, String(word)].compactMap { $0 }.joined(separator: " ")
            }
        }
        return query
    }

    private static let states: [(word: String, state: RecipientState)] = [
        ("queued", .queued), ("deferred", .deferred), ("held", .held),
    ]

    private static func unknownWord(_ word: String, in place: String, known: [String]) -> ControlError {
        ControlError(
            .refused, code: "queue.unknown-word",
            "\(place): \(DisplayText.clean(word, limit: 40)) is not known; known are \(known.joined(separator: ", ")).",
            arguments: [place, DisplayText.clean(word, limit: 40), known.joined(separator: ", ")])
    }

    static func row(_ row: QueuedRow) -> QueueRow {
        QueueRow(
            id: row.id.rawValue, received: Int(row.receivedAt), size: row.size,
            sender: DisplayText.clean(row.sender.text), recipient: DisplayText.clean(row.recipient.text),
            recipients: row.recipientCount, state: word(row.state, row.isActive), tries: row.tries,
            next: Int(row.nextAttempt ?? 0), reply: DisplayText.clean(row.reply ?? "", limit: 500))
    }

    private static func word(_ state: RecipientState, _ isActive: Bool) -> String {
        if isActive { return "active" }
        return states.first { $0.state == state }?.word ?? "queued"
    }

    private func id(_ text: String) throws(ControlError) -> QueueID {
        guard let id = QueueID(text) else {
            let shown = DisplayText.clean(text, limit: 40)
            throw ControlError(
                .refused, code: "queue.bad-id",
                "\(shown) is not a queue id; one has \(QueueID.length) letters and digits.",
                arguments: [shown])
        }
        return id
    }

    private func show(_ input: QueueInterface.Show.Input) throws(ControlError) -> QueueEntry {
        let id = try id(input.id)
        let message = try reading { queue throws(SpoolError) in try queue.show(id) }
        let wanted = min(512 * 1024, max(64 * 1024, input.source))
        let octets = try reading { queue throws(SpoolError) in
            switch try queue.content(of: id) {
            case .inline(let content): return Array(content.prefix(wanted))
            case .file(let file): return try file.read(at: 0, count: wanted)
            }
        }
        return Self.entry(message, octets: octets, source: input.source)
    }

    static func entry(_ message: QueuedMessage, octets: [UInt8], source: Int) -> QueueEntry {
        let facts = MessageFacts(scanning: octets)
        let header = octets.prefix(facts.bodyStart)
        return QueueEntry(
            row: row(message.row), client: message.clientAddress?.description ?? "",
            hello: DisplayText.clean(message.hello ?? "", limit: 255),
            authenticatedID: DisplayText.clean(message.authenticatedID ?? "", limit: 320),
            subject: facts.subjectText(in: octets.span) ?? "",
            messageID: DisplayText.clean(facts.messageIDText(in: octets.span) ?? "", limit: 998),
            parent: message.parent?.rawValue, recipients: message.recipients.map(recipient),
            // A tab in a header is a blank (RFC 5322 §2.2.3); the source shows every octet.
            header: lines(header.map { $0 == 9 ? 32 : $0 }), source: source > 0 ? lines(octets.prefix(source)) : [])
    }

    private static func recipient(_ one: QueuedMessage.Recipient) -> QueueEntry.Recipient {
        QueueEntry.Recipient(
            address: DisplayText.clean(one.recipient.address.text), state: word(one.state, one.isActive),
            tries: one.history.tries, next: Int(one.nextAttempt ?? 0),
            reply: DisplayText.clean(one.history.reply ?? "", limit: 1000),
            route: DisplayText.clean(one.history.route ?? "", limit: 300))
    }

    private static func lines(_ octets: some Collection<UInt8>) -> [String] {
        octets.split(separator: 10, omittingEmptySubsequences: false).map { DisplayText.clean(octets: $0, limit: 1000) }
    }

    private func act(_ input: QueueInterface.Act.Input) async throws(ControlError) -> QueueInterface.Act.Output {
        var ids: [QueueID] = []
        for text in input.ids { ids.append(try id(text)) }
        guard !ids.isEmpty else { throw ControlError(.refused, code: "queue.no-id", "No queue id was given.") }
        if let answer = try await forward(input) { return answer }
        let action = QueueAction(rawValue: input.action.rawValue) ?? .retry
        let now = clock()
        let done = Set(try reading { queue throws(SpoolError) in try queue.act(action, on: ids, now: now) })
        return Self.results(ids, done: done)
    }

    static func results(_ ids: [QueueID], done: Set<QueueID>) -> QueueInterface.Act.Output {
        .init(
            results: ids.map {
                .init(
                    id: $0.rawValue, done: done.contains($0),
                    message: done.contains($0) ? "" : "It is no longer in the queue.")
            })
    }
}
