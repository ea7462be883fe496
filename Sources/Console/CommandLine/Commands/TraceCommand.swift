import ArgumentParser
import Control

/// What became of messages: everything that the log knows of each, message by message.
struct TraceCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Show what became of messages, from the log.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var reading: ReadingOptions
    @Argument(help: "An address, domain, queue id, Message-ID, client address or reference.")
    var word: String?
    @Option(help: ArgumentHelp("Part of the envelope sender.", valueName: "address"))
    var from: String?
    @Option(help: ArgumentHelp("Part of the envelope recipient.", valueName: "address"))
    var to: String?
    @Option(help: ArgumentHelp("Queue id.", valueName: "id"))
    var id: String?
    @Option(help: "From then on: 2h, 3d, 10:30, 2026-11-24.")
    var since: String?
    @Option(help: "Until then.")
    var until: String?
    @Option(name: [.customShort("n"), .long], help: "The newest so many messages.")
    var limit = 50

    private struct Trace: Encodable {
        var messages: [Message]
        /// Lines that belong to no queued message: refusals.
        var others: [LogLine]
        /// There is more: older messages, or a part of the log that was not looked through.
        var isCut: Bool
    }
    private struct Message: Encodable {
        var id: String
        var lines: [LogLine]
        var children: [String] = []
        var parent: String?
    }

    func validate() throws {
        if word != nil {
            if id != nil { throw ValidationError("Give a word or --id.") }
        } else if from == nil, to == nil, id == nil, since == nil, until == nil {
            throw ValidationError("Give a word, or at least one of --from, --to, --id, --since and --until.")
        }
    }

    func execute(_ session: Session) throws {
        let output = try session.call(
            LogInterface.Trace.self,
            .init(
                word: word ?? id ?? "", sender: from, recipient: to, since: try since.map { try session.moment($0) },
                until: try until.map { try session.moment($0) }, limit: min(200, max(1, limit))))
        let trace = Trace(
            messages: output.messages.reversed().map {
                Message(id: $0.id, lines: $0.lines, children: $0.children, parent: $0.parent)
            }, others: output.others.reversed(), isCut: output.isCut)
        try show(trace, session)
    }

    private func show(_ trace: Trace, _ session: Session) throws {
        if reading.json { return session.show(json: trace) }
        if trace.messages.isEmpty, trace.others.isEmpty {
            throw CommandFailure.failed(session.word(.nothingFound))
        }
        let calendar = try session.calendar()
        for message in trace.messages {
            session.say(message.id)
            for line in message.lines { session.say("  " + line.withoutID.text(calendar)) }
            if let parent = message.parent { session.say("  \(session.word(.parent)): \(parent)") }
            for child in message.children { session.say("  \(session.word(.child)): \(child)") }
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
