import Control
import ControlServer
import Journal
import MailModel
import MessageFormat

/// org.epost.Log.Trace: one message's way, found by the index of the log.
struct TraceDesk: Sendable {
    private let reader: TraceReader
    private let offload: Offload

    /// Lines of one answer, so that a frame stays far below its limit.
    private static let lines = 1_500

    init(index: EventIndex, offload: Offload) {
        reader = TraceReader(index: index)
        self.offload = offload
    }

    func register(on server: ControlServer) {
        server.on(LogInterface.Trace.self) { input, _ throws(ControlError) in
            let query = TraceQuery(
                word: input.word, sender: input.sender, recipient: input.recipient, since: input.since.map(Int64.init),
                until: input.until.map(Int64.init),
                limit: min(200, max(1, input.limit)))
            let isAsked =
                !query.word.isEmpty || query.since != nil || query.until != nil || query.sender?.isEmpty == false
                || query.recipient?.isEmpty == false
            guard isAsked, query.word.utf8.count <= 1_000 else {
                throw ControlError(
                    .refused, code: "trace.no-word", "Give an address, a queue id, a Message-ID, a reference or a time."
                )
            }
            return try await offload.run { () throws(ControlError) in Self.output(reader.trace(query)) }
        }
    }

    static func output(_ result: TraceResult) -> LogInterface.Trace.Output {
        var output = LogInterface.Trace.Output(isCut: result.isCut)
        var room = lines
        for message in result.messages {
            guard room > 0 else {
                output.isCut = true
                break
            }
            let shown = message.events.prefix(room)
            if shown.count < message.events.count { output.isCut = true }
            room -= shown.count
            output.messages.append(
                TracedMail(
                    id: message.id.rawValue, lines: shown.map(LogDesk.line), children: message.children.map(\.rawValue),
                    parent: message.parent?.rawValue))
        }
        output.others = result.others.prefix(max(0, min(room, 200))).map(LogDesk.line)
        return output
    }
}
