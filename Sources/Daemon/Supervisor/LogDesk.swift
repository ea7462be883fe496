import Control
import ControlServer
import Journal
import MailModel
import MessageFormat

/// org.epost.Log: search and tail of the structured log. Every text is made safe to show before it leaves.
struct LogDesk: Sendable {
    private let reader: JournalReader
    private let offload: Offload

    /// How often a tail looks for new lines.
    static let interval: Duration = .milliseconds(50)
    /// Lines in one reply, so that a frame stays far below its limit.
    static let portion = 200

    /// - Parameter folder: `log/`.
    init(folder: String, offload: Offload) {
        reader = JournalReader(folder: folder)
        self.offload = offload
    }

    func register(on server: ControlServer) {
        server.on(LogInterface.Search.self) { input, _ throws(ControlError) in
            let filter = try Self.filter(input.filter)
            return try await offload.run { () throws(ControlError) in
                let found = reader.search(filter, limit: min(1000, max(1, input.limit)), cursor: input.cursor)
                return .init(
                    lines: found.events.map(Self.line), cursor: found.cursor,
                    left: found.cursor.map { reader.octetsLeft(filter, cursor: $0) })
            }
        }
        server.stream(LogInterface.Tail.self) { input, _, replies throws(ControlError) in
            let filter = try Self.filter(input.filter)
            var tail = reader.follow()
            let first = try await offload.run { () throws(ControlError) in
                let limit = max(1, min(1000, input.backlog))
                let found = reader.search(filter, limit: limit)
                // What is older than a full backlog was not asked for.
                let cursor = found.events.count < limit ? found.cursor : nil
                return LogInterface.Tail.Output(
                    lines: found.events.reversed().suffix(max(0, input.backlog)).map(Self.line), cursor: cursor,
                    left: cursor.map { reader.octetsLeft(filter, cursor: $0) })
            }
            replies.send(first)
            while replies.isOpen, replies.wantsMore, !Task.isCancelled {
                var new = tail.next(filter).map(Self.line)[...]
                while !new.isEmpty {
                    replies.send(.init(lines: Array(new.prefix(Self.portion))))
                    new = new.dropFirst(Self.portion)
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    static func filter(_ filter: LogFilter) throws(ControlError) -> JournalFilter {
        var kinds: Set<LogEvent.Kind>?
        for word in filter.kinds ?? [] {
            guard let kind = LogEvent.Kind(rawValue: word) else {
                throw unknown("kind", word, LogEvent.Kind.allCases.map(\.rawValue))
            }
            kinds = (kinds ?? []).union([kind])
        }
        var level: LogEvent.Level?
        if let word = filter.level {
            level = LogEvent.Level(rawValue: word)
            if level == nil { throw unknown("level", word, LogEvent.Level.allCases.map(\.rawValue)) }
        }
        var id: QueueID?
        if let text = filter.queueID {
            id = QueueID(text)
            if id == nil {
                let shown = DisplayText.clean(text, limit: 40)
                throw ControlError(
                    .refused, code: "queue.bad-id",
                    "\(shown) is not a queue id; one has \(QueueID.length) letters and digits.", arguments: [shown])
            }
        }
        return JournalFilter(
            text: filter.text, kinds: kinds, level: level, queueID: id, sender: filter.sender,
            recipient: filter.recipient, since: filter.since.map(Int64.init), until: filter.until.map(Int64.init))
    }

    private static func unknown(_ place: String, _ word: String, _ known: [String]) -> ControlError {
        let shown = DisplayText.clean(word, limit: 40)
        let list = known.joined(separator: ", ")
        return ControlError(
            .refused, code: "log.unknown-word", "\(place): \(shown) is not known; known are \(list).",
            arguments: [place, shown, list])
    }

    static func line(_ event: LogEvent) -> LogLine {
        func safe(_ text: String?) -> String? { text.map { DisplayText.clean($0, limit: 2000) } }
        return LogLine(
            time: Int(event.time), service: event.service, kind: event.kind.rawValue, level: event.level.rawValue,
            queueID: event.queueID?.rawValue, address: safe(event.address), host: safe(event.host),
            sender: safe(event.sender), recipient: safe(event.recipient), reply: safe(event.reply),
            text: safe(event.text), size: event.size, reference: safe(event.reference),
            messageID: safe(event.messageID),
            tls: safe(event.tls), login: safe(event.login), session: safe(event.session),
            parent: event.parent?.rawValue)
    }
}
