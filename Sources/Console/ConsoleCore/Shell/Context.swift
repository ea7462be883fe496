import Control

/// Milliseconds on a clock that only goes forward.
package typealias Moment = Int

/// Time of day where the console runs, for the clock in the corner.
package struct WallClock: Hashable, Sendable {
    package var hour: Int
    package var minute: Int
    package var second: Int
    /// Milliseconds since 1970, to say how old something is.
    package var unixMilliseconds: Int
    package init(hour: Int = 0, minute: Int = 0, second: Int = 0, unixMilliseconds: Int = 0) {
        self.hour = hour
        self.minute = minute
        self.second = second
        self.unixMilliseconds = unixMilliseconds
    }
    package var text: String { WallClock.two(hour) + ":" + WallClock.two(minute) }
    package static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}

/// Names a request until its answer has come.
package struct RequestID: Hashable, Sendable {
    package let rawValue: Int
    package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// On which connection a request goes: one answers in order, so what may wait would hold up what follows it.
package enum Lane: Hashable, Sendable {
    /// Short look-ups, one after the other.
    case shared
    /// One answer that may take a while: a connection of its own.
    case apart
    /// Answers until it is cancelled: a connection of its own.
    case stream
}

/// What the control socket said.
package enum LinkMessage: Sendable {
    /// A connection is there, the first or a new one. What was sent before is lost: ask again.
    case connected
    /// There is none; it is being tried again.
    case lost(ControlError)
    case reply(LinkReply)
    /// A request will get no answer.
    case failed(RequestID, ControlError)
    /// What became of a file that was asked for.
    case file(RequestID, FileOutcome)
}

package struct LinkReply: Sendable {
    package let id: RequestID
    package let frame: [UInt8]
    package init(id: RequestID, frame: [UInt8]) {
        self.id = id
        self.frame = frame
    }
    /// - Returns: the result, and whether more will follow.
    package func result<M: ControlMethod>(of method: M.Type) throws(ControlError) -> (M.Output, continues: Bool) {
        try Varlink.result(method, in: frame)
    }
}

extension LinkMessage {
    /// The outcome of the request `id`, if this message brings it: a result or the reason why there is none.
    package func result<M: ControlMethod>(of method: M.Type, for id: RequestID?) -> Result<M.Output, ControlError>? {
        switch self {
        case .reply(let reply) where reply.id == id:
            do throws(ControlError) { return .success(try reply.result(of: method).0) } catch { return .failure(error) }
        case .failed(let failed, let error) where failed == id: return .failure(error)
        default: return nil
        }
    }
}

package struct Notice: Hashable, Sendable {
    package enum Level: Int, Sendable { case information, warning, error }
    package var level: Level
    package var text: Phrase
    package var at: Moment
    package var clock: WallClock
}

/// What pages and dialogs see of the rest, and how they ask the shell for things.
package struct Context {
    /// The pages' shared state: the server as we know it, and the draft.
    package var model: Model
    package internal(set) var say: any Localizer
    package internal(set) var now: Moment = 0
    package internal(set) var clock = WallClock()
    package internal(set) var size: Size
    package internal(set) var metrics: TextMetrics
    package internal(set) var isConnected = false
    /// Started with `--read-only`; the server's own rights are in the model.
    package internal(set) var isReadOnly = false

    enum Wish {
        case send(RequestID, frame: [UInt8], lane: Lane)
        /// The answer goes to `Content.receive`, whoever asked.
        case sendForModel(RequestID, frame: [UInt8], lane: Lane)
        case file(RequestID, FileRequest)
        case cancel(RequestID)
        case notice(Notice.Level, Phrase)
        case open(any Dialog)
        case close
        case finish(Answer)
        case go(String)
        case fullPage((any Screen)?)
        case exit(Int32)
        case copy(String)
        case modelChanged
        case command(String)
    }
    var wishes: [Wish] = []
    private var lastRequest = 0

    package init(
        model: Model = Model(), say: any Localizer = English(), size: Size = Size(columns: 80, rows: 24),
        metrics: TextMetrics = TextMetrics()
    ) {
        self.model = model
        self.say = say
        self.size = size
        self.metrics = metrics
    }

    /// Sends a call; the answer comes to the sender's `receive`. A stream (`more`) goes on until `cancel`.
    @discardableResult
    package mutating func send<M: ControlMethod>(_ method: M.Type, _ input: M.Input, stream: Bool = false) -> RequestID
    {
        lastRequest += 1
        let id = RequestID(lastRequest)
        let frame = Varlink.call(method, input, more: stream)
        wishes.append(.send(id, frame: frame, lane: stream ? .stream : M.mayWait ? .apart : .shared))
        return id
    }

    /// As `send`, but the answer comes to `Content.receive`: it outlives the page or dialog that asks.
    package mutating func sendForModel<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, stream: Bool = false
    ) -> RequestID {
        lastRequest += 1
        let id = RequestID(lastRequest)
        let frame = Varlink.call(method, input, more: stream)
        wishes.append(.sendForModel(id, frame: frame, lane: stream ? .stream : M.mayWait ? .apart : .shared))
        return id
    }

    /// Has a file of the person at the console read or written; the outcome comes to `receive`.
    package mutating func file(_ request: FileRequest) -> RequestID {
        lastRequest += 1
        let id = RequestID(lastRequest)
        wishes.append(.file(id, request))
        return id
    }

    /// Ends a stream, or forgets a request.
    package mutating func cancel(_ id: RequestID) { wishes.append(.cancel(id)) }

    package mutating func notice(_ level: Notice.Level, _ text: Phrase) { wishes.append(.notice(level, text)) }

    /// The message for an error of the server, in the user's language where the catalogue has it.
    package mutating func report(_ error: ControlError) {
        notice(
            .error,
            Phrase(code: error.detail.code, english: error.detail.message, arguments: error.detail.arguments ?? []))
    }

    package mutating func open(_ dialog: any Dialog) { wishes.append(.open(dialog)) }
    /// Closes the topmost dialog.
    package mutating func closeDialog() { wishes.append(.close) }
    /// Closes the topmost dialog and gives the answer to whoever opened it.
    package mutating func finish(_ answer: Answer) { wishes.append(.finish(answer)) }
    /// Shows the tab of this id.
    package mutating func go(to tab: String) { wishes.append(.go(tab)) }
    /// A page over everything (wizard, review); `nil` = back to the tabs.
    package mutating func showFullPage(_ screen: (any Screen)?) { wishes.append(.fullPage(screen)) }
    package mutating func exit(_ code: Int32 = 0) { wishes.append(.exit(code)) }
    /// Copies text to the user's clipboard (OSC 52), only ever on an explicit key.
    package mutating func copy(_ text: String) { wishes.append(.copy(text)) }
    /// Tells the other pages that the model changed (the sender's own `modelChanged` is called too).
    package mutating func modelChanged() { wishes.append(.modelChanged) }
    /// Runs a command as if its key had been pressed.
    package mutating func command(_ id: String) { wishes.append(.command(id)) }
}
