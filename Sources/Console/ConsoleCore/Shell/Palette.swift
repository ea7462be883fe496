/// Go to any page, field or command: type a part of its name in either language, or its key.
struct Palette: Dialog {
    struct Entry: Hashable {
        var id: String
        var name: String
        var key: String
        /// Lower case: what is searched.
        var search: String
        /// Why it is off now.
        var off: String?
    }

    var title: Phrase { "Go to" }
    var form: Form
    var width: Int { 66 }
    var height: Int? { 14 }
    var okButton: String? { nil }
    var ignoresEarlyKeys: Bool { false }
    private let entries: [Entry]

    init(entries: [Entry]) {
        self.entries = entries
        let columns = [
            TableColumn("name", "Name", minimum: 20), TableColumn("key", "Key", minimum: 6, maximum: 12, priority: 20),
        ]
        form = Form(
            [
                FormRow("Search", "search", TextField(limit: 60)),
                FormRow(nil, "hits", Table(columns, empty: "Nothing has this name.")),
            ], focus: "search")
        find()
    }

    private mutating func find() {
        let words = form.text("search").lowercased().split(separator: " ")
        let found = entries.filter { entry in words.allSatisfy { entry.search.contains($0) } }
        // What begins with the word typed comes before what only contains it.
        let isStart: (Entry) -> Bool = { entry in
            words.first.map { entry.search.hasPrefix($0) || entry.search.contains(" " + $0) } ?? true
        }
        let hits = found.filter(isStart) + found.filter { !isStart($0) }
        form.update("hits", as: Table.self) { table in
            table.setRows(
                hits.map { entry in
                    let name = entry.off.map { entry.name + " - " + $0 } ?? entry.name
                    return TableRow(
                        id: entry.id, cells: [name, entry.key], role: entry.off == nil ? .normal : .disabled)
                })
            table.handleHome()
        }
    }

    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        switch key {
        case .up, .down, .pageUp, .pageDown:
            form.update("hits", as: Table.self) { _ = $0.handle(key) }
            return true
        case .enter:
            guard let choice = form.widget("hits", as: Table.self)?.current else { return true }
            context.finish(Answer("palette", button: "go", values: ["choice": choice.id]))
            return true
        case .tab, .backTab: return true
        default: return false
        }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if case .changed("search") = event { find() }
    }
}

extension Table {
    mutating func handleHome() { _ = handle(.home) }
}

/// The actions of a page, each with its key: the right-click menu of the original.
struct ActionMenu: Dialog {
    var title: Phrase { "Actions" }
    var form: Form
    let width: Int
    var okButton: String? { nil }
    var ignoresEarlyKeys: Bool { false }
    private let commands: [Command]

    init(_ commands: [Command], say: any Localizer, metrics: TextMetrics) {
        self.commands = commands
        let list = MenuList(
            commands.map { MenuList.Item(id: $0.id, name: $0.name, key: $0.keys.first, off: $0.off) })
        width = max(18, min(64, commands.map { metrics.width(say($0.name)) }.max() ?? 0) + 12)
        form = Form([FormRow(nil, "list", list)])
    }

    func hint(_ context: Context) -> Phrase? {
        form.widget("list", as: MenuList.self)?.current?.off
    }

    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        let isMove = [.up, .down, .home, .end, .enter, .escape].contains(key)
        if !isMove, let command = commands.first(where: { $0.matches(key) }) {
            context.finish(Answer("menu", button: "go", values: ["choice": "command:" + command.id]))
            return true
        }
        return false
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .activated = event, let item = form.widget("list", as: MenuList.self)?.current else { return }
        context.finish(Answer("menu", button: "go", values: ["choice": "command:" + item.id]))
    }
}

/// A list of commands with their keys at the right.
struct MenuList: Widget {
    struct Item: Hashable, Sendable {
        var id: String
        var name: Phrase
        var key: Key?
        var off: Phrase?
    }
    var items: [Item]
    private(set) var cursor = 0
    init(_ items: [Item]) { self.items = items }

    var fillsPage: Bool { true }
    var current: Item? { items.indices.contains(cursor) ? items[cursor] : nil }
    func idealHeight(width: Int, _ look: Look) -> Int { max(1, items.count) }

    mutating func handle(_ key: Key) -> Reaction {
        switch key {
        case .up: cursor = (cursor + items.count - 1) % max(1, items.count)
        case .down: cursor = (cursor + 1) % max(1, items.count)
        case .home: cursor = 0
        case .end: cursor = max(0, items.count - 1)
        case .enter: return .activated
        default: return .ignored
        }
        return .handled
    }

    mutating func draw(in region: Region, focused: Bool) {
        for (y, item) in items.enumerated() {
            let role: Role = y == cursor ? .focus : item.off == nil ? .normal : .disabled
            let line = region.row(y)
            if y == cursor { line.fill(role: .focus) }
            let key = item.key?.name(region.say) ?? ""
            line.put(item.name, x: 1, y: 0, role: role, limit: region.width - region.metrics.width(key) - 3)
            line.putRight(key, y: 0, role: y == cursor ? .focus : .keyName)
            if y == cursor {
                line.put(">", x: 0, y: 0, role: .focus)
                if focused { line.setCursor(x: 0, y: 0) }
            }
        }
    }
}
