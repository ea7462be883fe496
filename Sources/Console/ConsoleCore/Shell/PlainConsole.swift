/// The console as an append-only dialogue (console.md 6.8, `--plain`): the same pages, dialogs and commands, each thing
/// that can be used under a number, for screen readers and for terminals that cannot place a cursor.
///
/// The loop feeds events and lines, performs effects, and prints what `takeOutput` gives when `isSettled`.
package struct PlainConsole {
    enum Item {
        case part(String), button(String), tab(String)
        case row(part: String, id: String)
        case node(part: String, id: String)
        case option(part: String, id: String)
        case command(Command)
    }
    enum Asking {
        case item
        case text(part: String)
        case lines(part: String, soFar: [String])
    }

    package var app: App
    var items: [Item] = []
    var asking = Asking.item
    var output: [String] = []
    private var noticesTold = 0
    private var needsPage = true

    /// A list of choices was read in place of the page.
    mutating func stopPage() { needsPage = false }
    /// Rows of a list that are read out at once.
    static let columns = 78

    package init(_ app: App) { self.app = app }

    /// No answer is awaited: what is said now is current.
    package var isSettled: Bool { !app.pending.values.contains { $0.lane != .stream } }

    /// The line to come is a password: it must not be echoed.
    package var wantsSecret: Bool {
        if app.lock != nil { return true }
        guard case .text(let part) = asking else { return false }
        return form?.widget(part, as: TextField.self)?.kind == .password
    }

    package mutating func handle(_ event: Event, now: Moment, clock: WallClock) -> [Effect] {
        app.handle(event, now: now, clock: clock) + app.frame().effects
    }

    /// What is to be printed now, the question for the next line last.
    package mutating func takeOutput() -> String {
        let news = app.notices.all.suffix(max(0, app.noticeCount - noticesTold))
        noticesTold = app.noticeCount
        for notice in news { output.append((notice.level == .information ? "- " : "! ") + say(notice.text)) }
        if needsPage {
            needsPage = false
            readPage()
        }
        guard !output.isEmpty else { return "" }
        defer { output = [] }
        return output.map { Visible.line($0) + "\n" }.joined() + prompt
    }

    private var prompt: String {
        if app.lock != nil { return say(.text("plain.unlock")) + " " }
        return switch asking {
        case .item: "> "
        case .text: say(.text("plain.new-value")) + " "
        case .lines: ". "
        }
    }

    // MARK: - Lines

    package mutating func line(_ typed: String, now: Moment, clock: WallClock) -> [Effect] {
        let text = typed.trimmedBlanks
        var effects = handle(.tick, now: now, clock: clock)
        if app.lock != nil {
            press(text.map { .character($0) } + [.enter])
        } else {
            switch asking {
            case .item: choose(text)
            case .text(let part): set(part, text)
            case .lines(let part, let soFar): add(text, to: part, soFar)
            }
        }
        effects += app.handle(.tick, now: now, clock: clock) + app.frame().effects
        return effects
    }

    private mutating func choose(_ text: String) {
        let word = text.prefix { $0 != " " }.lowercased()
        let rest = String(text.dropFirst(word.count)).trimmedBlanks
        if let number = Int(word) {
            guard items.indices.contains(number - 1) else { return output.append(say(.text("plain.no-number", word))) }
            return use(items[number - 1])
        }
        needsPage = true
        switch word {
        case "": break
        case "t": readTabs()
        case "m": readActions()
        case "a": run("apply")
        case "r": run("review")
        case "u": run("undo")
        case "b": press([.escape])
        case "n": page(.pageDown)
        case "p": page(.pageUp)
        case "f": filter(rest)
        case "?", "h": readHelp()
        case "q": app.effects.append(.exit(0))
        default: output.append(say(.text("plain.no-word", word)))
        }
    }

    private mutating func run(_ id: String) {
        if let command = app.allCommands().first(where: { $0.id == id }) { app.run(command) }
    }

    private mutating func use(_ item: Item) {
        needsPage = true
        switch item {
        case .part(let part): usePart(part)
        case .button(let id):
            if let off = form?.buttons?.items.first(where: { $0.id == id })?.off { return output.append(say(off)) }
            app.settleForm()
            app.dispatch([.button(id)], to: app.formOwner)
        case .tab(let id):
            app.go(to: id)
            app.level = .page
        case .row(let part, let id):
            app.focusForm(part)
            app.changeForm { $0.update(part, as: Table.self) { $0.select(id) } }
            readActions()
        case .node(let part, let id):
            app.focusForm(part)
            app.changeForm { $0.update(part, as: Tree.self) { $0.select(id) } }
            app.dispatch([.changed(part)], to: app.formOwner)
        case .option(let part, let id):
            app.changeForm { form in
                form.update(part, as: Select.self) { $0.selected = id }
                form.update(part, as: RadioGroup.self) { $0.selected = id }
            }
            app.dispatch([.changed(part), .left(part)], to: app.formOwner)
        case .command(let command): app.run(command)
        }
    }

    private mutating func usePart(_ part: String) {
        app.focusForm(part)
        guard let form else { return }
        if form.widget(part, as: TextField.self) != nil {
            needsPage = false
            asking = .text(part: part)
            output.append(say(.text("plain.text.how")))
        } else if form.widget(part, as: ListEditor.self) != nil || form.widget(part, as: TextArea.self) != nil {
            needsPage = false
            asking = .lines(part: part, soFar: [])
            output.append(say(.text("plain.lines.how")))
        } else if let select = form.widget(part, as: Select.self) {
            readOptions(part, select.options, select.selected)
        } else if let group = form.widget(part, as: RadioGroup.self) {
            readOptions(part, group.options, group.selected)
        } else if form.widget(part, as: Button.self) != nil {
            app.dispatch([.activated(part)], to: app.formOwner)
        } else {
            press([.character(" ")])
            app.settleForm()
        }
    }

    /// Nothing typed keeps the value, `-` empties it.
    private mutating func set(_ part: String, _ text: String) {
        asking = .item
        needsPage = true
        guard !text.isEmpty else { return }
        app.focusForm(part)
        press([.control("a"), .control("u")] + (text == "-" ? [] : text.map { .character($0) }))
        app.settleForm()
    }

    private mutating func add(_ text: String, to part: String, _ soFar: [String]) {
        guard text == "." else { return asking = .lines(part: part, soFar: soFar + [text]) }
        asking = .item
        needsPage = true
        app.changeForm { form in
            form.update(part, as: ListEditor.self) { $0.values = soFar.filter { !$0.isEmpty } }
            form.update(part, as: TextArea.self) { $0.text = soFar.joined(separator: "\n") }
        }
        app.dispatch([.changed(part), .left(part)], to: app.formOwner)
    }

    private var tablePart: String? {
        form?.rows.filter { !$0.isHidden }.flatMap(\.parts).first { $0.widget is Table }?.id
    }

    private mutating func page(_ key: Key) {
        guard let part = tablePart else { return }
        app.focusForm(part)
        press([key])
    }

    private mutating func filter(_ text: String) {
        guard let part = tablePart else { return }
        app.focusForm(part)
        press([.character("/"), .control("u")] + text.map { .character($0) } + [.enter])
    }

    /// Keys for what has the focus; a dialog that came up before this line was typed is not too young for them.
    private mutating func press(_ keys: [Key]) {
        for key in keys {
            for index in app.dialogs.indices { app.dialogs[index].openedAt = .min / 2 }
            app.handleKeys([key])
        }
    }

    // MARK: - What stands there

    var form: Form? { app.dialogs.last?.dialog.form ?? app.page?.form }
    func say(_ phrase: Phrase) -> String { app.context.say(phrase) }
}

extension App {
    /// Who owns the form that is used now: the topmost dialog, or the page.
    var formOwner: Owner { dialogs.last.map { .dialog($0.serial) } ?? pageOwner ?? .shell }

    mutating func changeForm(_ body: (inout Form) -> Void) {
        if let top = dialogs.last {
            callDialog(top.serial) { dialog, _ in body(&dialog.form) }
        } else if let owner = pageOwner {
            callScreen(owner) { screen, _ in body(&screen.form) }
        }
    }

    mutating func focusForm(_ part: String) {
        level = .page
        var events: [FormEvent] = []
        changeForm { events = $0.setFocus(part) }
        dispatch(events, to: formOwner)
    }

    /// What was typed counts now.
    mutating func settleForm() {
        var events: [FormEvent] = []
        changeForm { events = $0.leave() }
        dispatch(events, to: formOwner)
    }
}
