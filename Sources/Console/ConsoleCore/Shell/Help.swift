/// All keys that work here, searchable; Enter on one runs the command.
struct Help: Dialog {
    var title: Phrase { "Help - keys" }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 15 }
    var okButton: String? { "close" }
    var ignoresEarlyKeys: Bool { false }
    private let rows: [TableRow]
    private let search: [String]

    init(commands: [Command], say: any Localizer, facts: [String]) {
        rows = commands.map { command in
            let name = command.off.map { say(command.name) + " - " + say($0) } ?? say(command.name)
            return TableRow(id: command.id, cells: [name, command.keyNames(say)])
        }
        search = zip(commands, rows).map { ($0.name.source + " " + $1.cells.joined(separator: " ")).lowercased() }
        let columns = [
            TableColumn("name", "Command", minimum: 20), TableColumn("keys", "Keys", minimum: 12, maximum: 26),
        ]
        var content = [
            FormRow("Type to search", "search", TextField(width: 24, limit: 60)),
            FormRow(nil, "list", Table(columns, empty: "No command has this name.")),
        ]
        if !facts.isEmpty { content.append(.text(.verbatim(facts.joined(separator: ", ")), .hint)) }
        form = Form(
            content,
            buttons: ButtonRow(
                [.init("key-test", "Key test", letter: "k"), .init("close", "Close", letter: "c")], first: "close"),
            focus: "search")
        find()
    }

    private mutating func find() {
        let words = form.text("search").lowercased().split(separator: " ")
        let hits = zip(rows, search).filter { _, text in words.allSatisfy { text.contains($0) } }.map(\.0)
        form.update("list", as: Table.self) { table in
            table.setRows(hits)
            table.handleHome()
        }
    }

    func hint(_ context: Context) -> Phrase? {
        Phrase(
            "{count} of {all} keys. Enter runs the command.",
            [
                "count": String(form.widget("list", as: Table.self)?.total ?? 0), "all": String(rows.count),
            ])
    }

    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        guard form.focus == "search" else { return false }
        switch key {
        case .up, .down, .pageUp, .pageDown:
            form.update("list", as: Table.self) { _ = $0.handle(key) }
        case .enter: run(&context)
        default: return false
        }
        return true
    }

    private func run(_ context: inout Context) {
        guard let row = form.widget("list", as: Table.self)?.current else { return }
        context.finish(Answer("menu", button: "go", values: ["choice": "command:" + row.id]))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("search"): find()
        case .activated("list"): run(&context)
        case .button("key-test"):
            context.closeDialog()
            context.command("key-test")
        case .button: context.closeDialog()
        default: break
        }
    }
}

/// Shows what reaches us of the keys pressed: the answer to "my F keys do nothing".
struct KeyTest: Dialog {
    var title: Phrase { "Key test" }
    var form = Form([
        .text("Press any keys; their names appear below. Esc twice, or Ctrl-C, closes."), .empty,
        FormRow(nil, [FormPart("keys", Label(.verbatim("")), width: .fill)]),
    ])
    var okButton: String? { nil }
    var ignoresEarlyKeys: Bool { false }
    private var seen: [String] = []
    private var lastWasEscape = false

    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        if key == .control("c") || (key == .escape && lastWasEscape) {
            context.closeDialog()
            return true
        }
        lastWasEscape = key == .escape
        seen.append(key.name(context.say))
        while context.metrics.width(seen.joined(separator: "  ")) > width - 4, !seen.isEmpty { seen.removeFirst() }
        form.setLabel("keys", .verbatim(seen.joined(separator: "  ")), .keyName)
        return true
    }
}

/// All notices of this session, the newest first.
struct MessageList: Dialog {
    var title: Phrase { "Messages so far" }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 14 }
    var okButton: String? { "close" }
    var ignoresEarlyKeys: Bool { false }
    private let notices: [Notice]

    init(_ notices: [Notice]) {
        self.notices = notices.reversed()
        let columns = [
            TableColumn("time", "Time", minimum: 5, maximum: 8), TableColumn("text", "Message", minimum: 20),
        ]
        form = Form(
            [FormRow(nil, "list", Table(columns, empty: "There are no messages yet."))],
            buttons: ButtonRow([.init("close", "Close")]))
    }

    mutating func opened(_ context: inout Context) {
        let say = context.say
        let rows = notices.enumerated().map { index, notice in
            let time = notice.clock.text + ":" + WallClock.two(notice.clock.second)
            return TableRow(
                id: String(index), cells: [time, say(notice.text)],
                mark: notice.level == .information ? .none : .problem)
        }
        form.update("list", as: Table.self) { $0.setRows(rows) }
    }

    func hint(_ context: Context) -> Phrase? {
        guard let row = form.widget("list", as: Table.self)?.current else { return nil }
        return .verbatim(row.cells.last ?? "")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button, .activated: context.closeDialog()
        default: break
        }
    }
}
