/// The end of a log: a ring of lines with a cursor, following the newest until somebody looks closer.
///
/// The page appends lines as they come and carries out `.command("trace")`, `.command("copy")`; `f` or End follow,
/// `p` pauses, `/` searches in what is here, `n` and `N` go from hit to hit.
package struct LogView: Widget, Sendable {
    package struct Line: Hashable, Sendable {
        /// Ascending; the position in the server's log.
        package var id: Int
        /// Foreign text may come as it is: it is made visible here.
        package var text: String
        package var role: Role
        package init(id: Int, text: String, role: Role = .normal) {
            self.id = id
            self.text = Visible.line(text)
            self.role = role
        }
    }

    package static let keptLines = 2_000

    package private(set) var lines: [Line] = []
    package private(set) var isFollowing = true
    /// New lines wait uncounted until the pause ends.
    package private(set) var isPaused = false
    private var waiting: [Line] = []
    private var cursor = 0
    private var top = 0
    private var page = 10
    private var column = 0
    private var search = TextLine()
    private var isSearching = false

    package init() {}

    package var isFlexible: Bool { true }
    package func idealHeight(width: Int, _ look: Look) -> Int { 8 }
    package var takesText: Bool { isSearching }
    package var current: Line? { lines.indices.contains(cursor) ? lines[cursor] : nil }
    /// Lines that came since the pause began.
    package var waitingCount: Int { waiting.count }

    package var commands: [Command] {
        [
            Command("log.search", "Find", keys: [.character("/")], bar: "Find", priority: 75),
            Command("log.next", "Next hit", keys: [.character("n")], bar: "Next", barKeys: "n/N", priority: 50),
            Command("log.previous", "Previous hit", keys: [.character("N")]),
            Command(
                "log.follow", "Follow the end", keys: [.character("f"), .end, .character("G")], bar: "Follow",
                priority: 60),
            Command("log.pause", "Pause", keys: [.character("p")], bar: "Pause", priority: 62),
            Command("copy", "Copy the line", keys: [.character("y")], bar: "Copy line", priority: 45),
        ]
    }

    package mutating func clear() {
        lines = []
        waiting = []
        cursor = 0
        top = 0
    }

    package mutating func append(_ new: [Line]) {
        guard !isPaused else {
            waiting = Array((waiting + new).suffix(LogView.keptLines))
            return
        }
        lines.append(contentsOf: new)
        let surplus = lines.count - LogView.keptLines
        if surplus > 0 {
            lines.removeFirst(surplus)
            cursor = max(0, cursor - surplus)
            top = max(0, top - surplus)
        }
        if isFollowing { cursor = max(0, lines.count - 1) }
    }

    /// Older lines, read when the view is at its top.
    package mutating func prepend(_ old: [Line]) {
        let room = max(0, LogView.keptLines - lines.count)
        let added = old.suffix(room)
        lines.insert(contentsOf: added, at: 0)
        cursor += added.count
        top += added.count
    }

    package mutating func handle(_ key: Key) -> Reaction {
        if isSearching { return handleSearch(key) }
        switch key {
        case .up, .character("k"): move(cursor - 1)
        case .down, .character("j"): move(cursor + 1)
        case .pageUp, .control("u"), .character("-"): move(cursor - page)
        case .pageDown, .control("d"), .character(" "): move(cursor + page)
        case .home, .character("g"):
            move(0)
            return .command("older")
        case .end, .character("G"), .character("f"): follow()
        case .left: column = max(0, column - 16)
        case .right: column += 16
        case .character("p"): togglePause()
        case .character("/"):
            isSearching = true
            search.text = ""
        case .character("n"): findNext(1)
        case .character("N"): findNext(-1)
        case .character("y"): return .command("copy")
        case .enter: return .activated
        case .escape where !search.characters.isEmpty: search.text = ""
        default: return .ignored
        }
        return cursor == 0 && key == .up ? .command("older") : .handled
    }

    private mutating func move(_ index: Int) {
        cursor = min(max(0, index), max(0, lines.count - 1))
        isFollowing = cursor == lines.count - 1
    }

    private mutating func follow() {
        if isPaused { togglePause() }
        isFollowing = true
        cursor = max(0, lines.count - 1)
    }

    private mutating func togglePause() {
        isPaused.toggle()
        guard !isPaused else { return }
        let held = waiting
        waiting = []
        append(held)
    }

    private mutating func handleSearch(_ key: Key) -> Reaction {
        switch key {
        case .enter:
            isSearching = false
            findNext(-1, from: cursor + 1)
        case .escape:
            isSearching = false
            search.text = ""
        default: return search.edit(key) ? .handled : .ignored
        }
        return .handled
    }

    private mutating func findNext(_ step: Int, from start: Int? = nil) {
        let wanted = search.text.lowercased()
        guard !wanted.isEmpty else { return }
        var index = (start ?? cursor) + step
        while lines.indices.contains(index) {
            if lines[index].text.lowercased().contains(wanted) { return move(index) }
            index += step
        }
    }

    package mutating func draw(in region: Region, focused: Bool) {
        page = max(1, region.height - (isSearching ? 1 : 0))
        if cursor < top { top = cursor }
        if cursor >= top + page { top = cursor - page + 1 }
        if isFollowing { top = lines.count - page }
        top = max(0, min(top, lines.count - page))
        let wanted = search.text.lowercased()
        for y in 0..<page where lines.indices.contains(top + y) {
            let line = lines[top + y]
            let isCurrent = top + y == cursor
            let isHit = !wanted.isEmpty && line.text.lowercased().contains(wanted)
            let role: Role = isCurrent && focused ? .focus : isHit ? .hit : line.role
            let row = region.row(y)
            if isCurrent, focused { row.fill(role: .focus) }
            row.put(String(line.text.dropFirst(column)), x: 0, y: 0, role: role)
            if isCurrent, focused, !isSearching { row.setCursor(x: 0, y: 0) }
        }
        if lines.isEmpty { region.put("Nothing here yet.", x: 1, y: 0, role: .hint) }
        if isSearching {
            let row = region.row(region.height - 1)
            let start = row.put("/", x: 0, y: 0, role: .label)
            let view = search.window(width: max(4, row.width - 2), row.metrics)
            row.put(String(search.characters[view.first...]), x: start, y: 0, role: .field)
            if focused { row.setCursor(x: start + view.caretColumn, y: 0) }
        }
    }
}
