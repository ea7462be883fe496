import Control
import Glibc
import Locale
import Testing

@testable import ConsoleCore

/// The whole console with a fake server and a clock of its own.
struct Driver {
    var app: App
    var server: FakeServer
    var now: Moment = 1_000_000
    var isUp = true
    /// Streams that are open: which request each method's stream belongs to.
    var streams: [String: RequestID] = [:]
    var drafts: [String] = []
    var files: [String: String] = [:]
    var exitCode: Int32?
    private var queue: [(RequestID, [[UInt8]])] = []

    static let texts: [ConsoleCore.Language: any Localizer] = {
        let folder = repository + "/assets/locale"
        var all: [ConsoleCore.Language: any Localizer] = [:]
        for (language, mine) in [(Locale.Language.english, ConsoleCore.Language.english), (.japanese, .japanese)] {
            if let texts = CatalogueFiles.load(language, from: [folder]) { all[mine] = CatalogueLocalizer(texts) }
        }
        return all
    }()

    /// The top folder of the source tree: three levels above this file.
    static let repository: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + parts.dropLast(3).joined(separator: "/")
    }()

    init(
        _ language: ConsoleCore.Language = .english, columns: Int = 80, rows: Int = 24,
        server: FakeServer = FakeServer(),
        draft: String? = nil, connects: Bool = true
    ) {
        self.server = server
        app = App(
            content: ConsoleContent.content, catalogues: Self.texts, language: language,
            size: Size(columns: columns, rows: rows))
        perform(app.start(now: now, clock: clock, draft: draft))
        frame()
        if connects { connect() }
    }

    var clock: WallClock {
        WallClock(hour: 12, minute: 3, second: 20, unixMilliseconds: FakeServer.now + now - 1_000_000)
    }
    var context: Context { app.context }
    var model: Model { app.context.model }
    var text: String { var copy = app; return copy.frame().buffer.text }

    mutating func connect() {
        isUp = true
        send(.link(.connected))
    }

    mutating func lose() {
        isUp = false
        streams = [:]
        queue = []
        send(.link(.lost(ControlError(.noConnection, code: "control.lost", "the connection to epostd was lost"))))
    }

    /// One event, and everything that follows from it.
    mutating func send(_ event: Event) {
        now += 200
        perform(app.handle(event, now: now, clock: clock))
        settle()
    }

    mutating func settle() {
        for _ in 0..<20 {
            frame()
            guard !queue.isEmpty else { return }
            let replies = queue
            queue = []
            for (id, frames) in replies {
                for reply in frames {
                    perform(app.handle(.link(.reply(LinkReply(id: id, frame: reply))), now: now, clock: clock))
                }
            }
        }
    }

    /// Effects of somebody who drives the app beside this.
    mutating func take(_ effects: [Effect]) {
        perform(effects)
        settle()
    }

    private mutating func frame() {
        perform(app.frame().effects)
    }

    mutating func keys(_ keys: Key...) {
        for key in keys { send(.keys([key])) }
    }

    mutating func type(_ text: String) {
        for character in text { send(.keys([.character(character)])) }
    }

    /// To a page by the keys of the bars: Esc, area letter, Esc, digit.
    mutating func go(_ page: PageID) {
        for area in ConsoleContent.areas {
            guard let tab = area.tabs.first(where: { $0.id == page.rawValue }) else { continue }
            keys(.alt(.character(area.letter)))
            if area.tabs.count > 1 { keys(.alt(.character(tab.digit))) }
        }
    }

    mutating func wait(_ milliseconds: Int) {
        now += milliseconds
        send(.tick)
    }

    mutating func push(_ event: ServerEvent) {
        guard let id = streams[ServerInterface.Watch.name] else { return }
        let frame = Array(Varlink.reply(event, continues: true).dropLast())
        send(.link(.reply(LinkReply(id: id, frame: frame))))
    }

    /// Somebody else changes a setting at the server.
    mutating func other(_ key: String, _ values: [String]) {
        server.revision += 1
        let old = server.settings[key]?.values
        server.settings[key] = SettingEntry(key: key, values: values, isDefault: false, revision: server.revision)
        push(
            ServerEvent(
                kind: .changed, changes: [ChangeRecord(path: key, old: old, new: values)], revision: server.revision,
                author: "sato", origin: "192.168.0.20", time: FakeServer.now))
    }

    /// Files by path.
    private mutating func answer(_ request: FileRequest) -> FileOutcome {
        switch request {
        case .read(let path, _): return files[path].map { .contents($0) } ?? .failed("No such file or directory")
        case .write(let path, let text, let overwrites):
            if files[path] != nil, !overwrites { return .exists }
            files[path] = text
            return .written
        }
    }

    private mutating func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .send(let id, let frame, let lane):
                guard isUp else {
                    let error = ControlError(.noConnection, code: "control.lost", "the connection to epostd was lost")
                    perform(app.handle(.link(.failed(id, error)), now: now, clock: clock))
                    continue
                }
                let frames = (try? server.replies(to: frame)) ?? []
                if lane == .stream, let method = server.calls.last { streams[method] = id }
                queue.append((id, frames))
            case .file(let id, let request):
                perform(app.handle(.link(.file(id, answer(request))), now: now, clock: clock))
            case .cancel(let id): streams = streams.filter { $0.value != id }
            case .exit(let code): exitCode = code
            case .saveDraft(let text): drafts.append(text)
            case .suspend, .redraw, .copy: break
            }
        }
    }
}
