import Control

/// What happens to the console from outside.
package enum Event: Sendable {
    /// Keys of one read: a dialog that one of them opens throws the rest away.
    case keys([Key])
    case resize(Size)
    case link(LinkMessage)
    case tick
}

/// What the console wants done outside.
package enum Effect: Hashable, Sendable {
    case send(RequestID, frame: [UInt8], lane: Lane)
    /// The outcome comes back as `LinkMessage.file`.
    case file(RequestID, FileRequest)
    case cancel(RequestID)
    case exit(Int32)
    case suspend
    /// Forget what the terminal shows and paint everything.
    case redraw
    case copy(String)
    /// Keep this text for the next session; empty = there is nothing to keep any more.
    case saveDraft(String)
}

/// The whole console as a value: events in, effects and frames out. No clock, no socket, no terminal.
///
/// The loop calls `handle` for each event and `frame` when something may have changed. Tests do the same with a fake
/// link and a clock of their own.
package struct App {
    enum Level: Hashable { case page, tabs, areas }
    enum Owner: Hashable { case screen(String), fullPage, dialog(Int), model, shell }
    struct Pending {
        var owner: Owner
        var since: Moment
        var lane: Lane
    }
    struct OpenDialog {
        var dialog: any Dialog
        var owner: Owner
        var serial: Int
        var openedAt: Moment
    }

    /// Minutes without a key before the screen is locked; without a password the session ends.
    static let lockAfter = 15 * 60_000
    static let endAfter = 60 * 60_000
    static let dialogsAtMost = 3

    package internal(set) var context: Context
    package var theme: Theme
    let content: Content
    let catalogues: [Language: any Localizer]
    var areaIndex = 0
    var tabIndex: [Int]
    var level = Level.page
    var screens: [String: any Screen] = [:]
    var fullPage: (any Screen)?
    var dialogs: [OpenDialog] = []
    var notices = NoticeBoard()
    var lock: Lock?
    var pending: [RequestID: Pending] = [:]
    var lastKey: Moment = 0
    var lastTick: Moment = 0
    var lastDraft = ""
    var draftCheckedAt: Moment = 0
    var effects: [Effect] = []
    var caller = Owner.shell
    var dialogCount = 0
    /// Set when something visible may have changed since the last frame.
    package internal(set) var needsFrame = true
    package var terminalFacts: [String] = []

    package init(
        content: Content, catalogues: [Language: any Localizer] = [:], language: Language = .english, size: Size,
        metrics: TextMetrics = TextMetrics(), theme: Theme = .colour, isReadOnly: Bool = false, model: Model = Model()
    ) {
        self.content = content
        var all: [Language: any Localizer] = [.english: English()]
        all.merge(catalogues) { $1 }
        self.catalogues = all
        context = Context(model: model, say: all[language] ?? English(), size: size, metrics: metrics)
        context.isReadOnly = isReadOnly
        self.theme = theme
        tabIndex = content.areas.map { _ in 0 }
    }

    /// Shows the first page. `draft`: what an earlier session kept.
    package mutating func start(now: Moment, clock: WallClock, draft: String? = nil) -> [Effect] {
        context.now = now
        context.clock = clock
        lastKey = now
        if let draft {
            lastDraft = draft
            call(.model) { content, _, context in content.restore(draft, &context) }
        }
        openScreen()
        return takeEffects()
    }

    /// - Parameter now: a steady clock; never goes back.
    package mutating func handle(_ event: Event, now: Moment, clock: WallClock) -> [Effect] {
        context.now = max(context.now, now)
        context.clock = clock
        switch event {
        case .keys(let keys): handleKeys(keys)
        case .resize(let size):
            context.size = size
            needsFrame = true
        case .link(let message): receive(message)
        case .tick: tick()
        }
        return takeEffects()
    }

    func area() -> Area? { content.areas.indices.contains(areaIndex) ? content.areas[areaIndex] : nil }
    func tab() -> Tab? {
        guard let area = area(), area.tabs.indices.contains(tabIndex[areaIndex]) else { return nil }
        return area.tabs[tabIndex[areaIndex]]
    }
    /// The page that has the keys: the one over the tabs, or the current tab's.
    var page: (any Screen)? { fullPage ?? tab().flatMap { screens[$0.id] } }
    var hasTabs: Bool { (area()?.tabs.count ?? 0) > 1 }

    // MARK: Calls into pages

    /// Runs `body` on what belongs to `owner`, then does what it wished for.
    mutating func call(
        _ owner: Owner, _ body: (Content, _ target: inout CallTarget, inout Context) -> Void
    ) {
        let outer = caller
        caller = owner
        defer { caller = outer }
        var target = CallTarget.none
        switch owner {
        case .screen(let id):
            guard let screen = screens.removeValue(forKey: id) else { return }
            target = .screen(screen)
        case .fullPage:
            guard let screen = fullPage else { return }
            fullPage = nil
            target = .screen(screen)
        case .dialog(let serial):
            guard let index = dialogs.firstIndex(where: { $0.serial == serial }) else { return }
            target = .dialog(dialogs[index].dialog)
            dialogs[index].dialog = Placeholder()
        case .model, .shell: break
        }
        body(content, &target, &context)
        switch (owner, target) {
        case (.screen(let id), .screen(let screen)): screens[id] = screen
        case (.fullPage, .screen(let screen)): fullPage = screen
        case (.dialog(let serial), .dialog(let dialog)):
            if let index = dialogs.firstIndex(where: { $0.serial == serial }) { dialogs[index].dialog = dialog }
        default: break
        }
        needsFrame = true
        grantWishes(of: owner)
    }

    mutating func callScreen(_ owner: Owner, _ body: (inout any Screen, inout Context) -> Void) {
        call(owner) { _, target, context in
            guard case .screen(var screen) = target else { return }
            target = .none
            body(&screen, &context)
            target = .screen(screen)
        }
    }

    mutating func callDialog(_ serial: Int, _ body: (inout any Dialog, inout Context) -> Void) {
        call(.dialog(serial)) { _, target, context in
            guard case .dialog(var dialog) = target else { return }
            target = .none
            body(&dialog, &context)
            target = .dialog(dialog)
        }
    }

    /// The page that has the keys.
    var pageOwner: Owner? {
        if fullPage != nil { return .fullPage }
        return tab().map { .screen($0.id) }
    }

    private mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    // MARK: Frames

    /// Draws the current state and asks for the rows that are missing in it.
    package mutating func frame() -> (buffer: Buffer, effects: [Effect]) {
        if lock == nil, let owner = pageOwner { callScreen(owner) { $0.prepare($1) } }
        needsFrame = false
        let buffer = Buffer(size: context.size, look: Look(say: context.say, metrics: context.metrics))
        draw(into: buffer)
        if lock == nil {
            let before = needsFrame
            if let owner = pageOwner { callScreen(owner) { $0.requests(&$1) } }
            for entry in dialogs { callDialog(entry.serial) { $0.requests(&$1) } }
            needsFrame = before
        }
        return (buffer, takeEffects())
    }

    /// The frame just drawn could not be shown (slow line): it has to be drawn again later.
    package mutating func postponeFrame() { needsFrame = true }

    var noticeCount: Int { notices.count }
    package var language: Language { context.say.language }
}

enum CallTarget {
    case none
    case screen(any Screen)
    case dialog(any Dialog)
}

/// Stands in the place of a dialog while its own code runs.
private struct Placeholder: Dialog {
    var title: Phrase { "" }
    var form = Form()
}
