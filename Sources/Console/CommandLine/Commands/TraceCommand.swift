import ArgumentParser
import Control

/// What became of messages: everything that the log knows of each, message by message.
struct TraceCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Show what became of messages, from the log.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var reading: ReadingOptions
    @Option(help: ArgumentHelp("Envelope sender.", valueName: "address"))
    var from: String?
    @Option(help: ArgumentHelp("Envelope recipient.", valueName: "address"))
    var to: String?
    @Option(help: ArgumentHelp("Queue id.", valueName: "id"))
    var id: String?
    @Option(help: "From then on: 2h, 3d, 10:30, 2026-11-24.")
    var since: String?
    @Option(name: [.customShort("n"), .long], help: "The newest so many messages.")
    var limit = 50

    private struct Trace: Encodable {
        var messages: [Message]
        /// Lines that belong to no queued message: refusals.
        var others: [LogLine]
    }
    private struct Message: Encodable {
        var id: String
        var lines: [LogLine]
    }

    func validate() throws {
        if from == nil, to == nil, id == nil, since == nil {
            throw ValidationError("Give at least one of --from, --to, --id and --since.")
        }
    }

    func execute(_ session: Session) throws {
        let filter = LogFilter(
            queueID: id, sender: from, recipient: to, since: try since.map { try session.moment($0) })
        let found = try session.search(filter, limit: 10_000)
        var ids: [String] = []
        var known = Set<String>()
        for line in found.lines {
            if let id = line.queueID, ids.count < limit, known.insert(id).inserted { ids.append(id) }
        }
        var trace = Trace(messages: [], others: found.lines.filter { $0.queueID == nil }.reversed())
        for id in ids.reversed() {
            // A filter by sender or recipient shows some lines of a message only; its whole way is asked for by id.
            let lines = try session.search(LogFilter(queueID: id), limit: 10_000).lines
            trace.messages.append(Message(id: id, lines: lines.reversed()))
        }
        if reading.json { return session.show(json: trace) }
        if trace.messages.isEmpty, trace.others.isEmpty {
            throw CommandFailure.failed(session.word(.nothingFound))
        }
        let calendar = try session.calendar()
        for message in trace.messages {
            session.say(message.id)
            for line in message.lines { session.say("  " + line.withoutID.text(calendar)) }
        }
        if !trace.others.isEmpty {
            session.say(session.word(.notQueued))
            for line in trace.others { session.say("  " + line.text(calendar)) }
        }
    }
}

extension LogLine {
    fileprivate var withoutID: LogLine {
        var line = self
        line.queueID = nil
        return line
    }
}
