/// A column of a table. When the width does not suffice, columns of low priority go first.
package struct TableColumn: Hashable, Sendable {
    package var id: String
    package var title: Phrase
    /// Cells that it needs at least, and at most likes to have; `nil` = takes what is left.
    package var minimum: Int
    package var maximum: Int?
    package var priority: Int
    package var align: Alignment
    /// The letter after `s` that sorts by it; `nil` = it cannot be sorted by.
    package var sortLetter: Character?

    package init(
        _ id: String, _ title: Phrase, minimum: Int, maximum: Int? = nil, priority: Int = 50, align: Alignment = .left,
        sortLetter: Character? = nil
    ) {
        self.id = id
        self.title = title
        self.minimum = minimum
        self.maximum = maximum
        self.priority = priority
        self.align = align
        self.sortLetter = sortLetter
    }
}

/// A row: known by its id, whatever its place.
package struct TableRow: Hashable, Sendable {
    package var id: String
    /// One text per column, in the order of the columns. Foreign text may come as it is.
    package var cells: [String]
    package var mark: Mark
    package var role: Role

    package init(id: String, cells: [String], mark: Mark = .none, role: Role = .normal) {
        self.id = id
        self.cells = cells
        self.mark = mark
        self.role = role
    }
}

/// Rows that a table wants from the server.
package struct WindowRequest: Hashable, Sendable {
    /// Goes back with the rows: an answer to an older question is dropped.
    package var generation: Int
    package var filter: String
    /// Column id; `nil` = the server's order.
    package var sort: String?
    package var isDescending: Bool
    package var offset: Int
    package var limit: Int
    /// The answer should say where this row is now.
    package var locate: String?
}

/// The answer to a `WindowRequest`.
package struct RowWindow: Hashable, Sendable {
    package var generation: Int
    package var offset: Int
    package var rows: [TableRow]
    package var total: Int
    package var position: Int?
    package init(generation: Int, offset: Int, rows: [TableRow], total: Int, position: Int? = nil) {
        self.generation = generation
        self.offset = offset
        self.rows = rows
        self.total = total
        self.position = position
    }
}

/// A table over any number of rows, of which it holds only a window. The cursor belongs to a row id: rows that come,
/// go or move never take it to another row. Keys never wait: rows under way show as `...`.
///
/// Rows of the page itself: `setRows`. Rows of the server: after each turn ask `windowWanted()`, send it, and give
/// the answer to `supply`; call `invalidate()` when the server says that something changed.
package struct Table: Widget, Sendable {
    package struct Features: OptionSet, Hashable, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static let add = Features(rawValue: 1)
        package static let delete = Features(rawValue: 2)
        package static let edit = Features(rawValue: 4)
        package static let mark = Features(rawValue: 8)
        package static let order = Features(rawValue: 16)
        package static let filter = Features(rawValue: 32)
        package static let sort = Features(rawValue: 64)
    }

    /// More rows than any list has.
    static let rowsAtMost = 1 << 40

    package var columns: [TableColumn]
    package var features: Features
    package var marks: Set<String> = []
    /// Shown in place of rows when there are none.
    package var emptyText: Phrase
    package var height: Int?
    package internal(set) var total = 0
    package internal(set) var cursor = 0
    package internal(set) var cursorID: String?
    package internal(set) var sort: String?
    package internal(set) var isDescending = false
    /// While set (a menu is open, a row is being acted on) nothing moves; rows that come wait.
    package var isFrozen = false { didSet { if !isFrozen, let waiting { supply(waiting) } } }

    var all: [TableRow]?
    var window: [TableRow] = []
    var windowStart = 0
    var top = 0
    var page = 10
    var generation = 1
    var requested: WindowRequest?
    var isStale = true
    var waiting: RowWindow?
    var filterLine = TextLine()
    var isFiltering = false
    var isSorting = false

    package init(
        _ columns: [TableColumn], features: Features = [], empty: Phrase = "Nothing here yet.", height: Int? = nil
    ) {
        self.columns = columns
        self.features = features
        emptyText = empty
        self.height = height
    }

    package var isFlexible: Bool { height == nil }
    package func idealHeight(width: Int, _ look: Look) -> Int { height ?? 8 }
    package var takesText: Bool { isFiltering || isSorting }
    package var filter: String { filterLine.text }

    /// The row under the cursor, if it is here already.
    package var current: TableRow? { row(at: cursor) }

    /// Ids to act on: the marked rows, or else the one under the cursor.
    package var chosen: [String] {
        marks.isEmpty ? current.map { [$0.id] } ?? [] : marks.sorted()
    }

    func row(at index: Int) -> TableRow? {
        let place = index - windowStart
        return window.indices.contains(place) ? window[place] : nil
    }

    // MARK: Rows

    /// All rows, filtered and sorted here (for lists that are whole on the page).
    package mutating func setRows(_ rows: [TableRow]) {
        all = rows
        if !isFrozen { arrangeLocal() }
    }

    mutating func arrangeLocal() {
        guard let all else { return }
        let wanted = filter.lowercased()
        var shown = wanted.isEmpty ? all : all.filter { $0.cells.contains { $0.lowercased().contains(wanted) } }
        if let sort, let column = columns.firstIndex(where: { $0.id == sort }) {
            shown.sort { Table.isBefore($0, $1, column, descending: isDescending) }
        }
        let position = cursorID.flatMap { id in shown.firstIndex { $0.id == id } }
        supply(RowWindow(generation: generation, offset: 0, rows: shown, total: shown.count, position: position))
    }

    private static func isBefore(_ a: TableRow, _ b: TableRow, _ column: Int, descending: Bool) -> Bool {
        let left = a.cells.indices.contains(column) ? a.cells[column] : ""
        let right = b.cells.indices.contains(column) ? b.cells[column] : ""
        if left == right { return a.id < b.id }
        if let x = Int(left), let y = Int(right) { return descending ? x > y : x < y }
        return descending ? left > right : left < right
    }

    /// Rows to ask the server for now; `nil` when what is shown is here or on its way.
    package mutating func windowWanted() -> WindowRequest? {
        guard all == nil, requested == nil, !isFrozen else { return nil }
        let needed = max(0, top - page / 2)..<min(max(total, 1), top + page + page / 2)
        let held = windowStart..<(windowStart + window.count)
        let isHeld = total == 0 ? !isStale : held.contains(needed.lowerBound) && held.upperBound >= needed.upperBound
        guard isStale || !isHeld else { return nil }
        let offset = max(0, top - 2 * page)
        let request = WindowRequest(
            generation: generation, filter: filter, sort: sort, isDescending: isDescending, offset: offset,
            limit: min(1_000, max(50, 5 * page)), locate: isStale ? cursorID : nil)
        isStale = false
        requested = request
        return request
    }

    /// The server said that rows changed: ask again, keep what is shown until the answer comes.
    package mutating func invalidate() {
        isStale = true
    }

    /// Ids of the rows on the screen that are here.
    package var visibleIDs: [String] {
        (top..<min(top + page, max(top, total))).compactMap { row(at: $0)?.id }
    }

    /// Rows that are held look different now; their places stay.
    package mutating func update(_ rows: [TableRow]) {
        let fresh = Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for index in window.indices { if let row = fresh[window[index].id] { window[index] = row } }
    }

    /// A request failed or its connection went: it may be asked again.
    package mutating func requestFailed() {
        requested = nil
        isStale = true
    }

    package mutating func supply(_ rows: RowWindow) {
        if rows.generation == requested?.generation { requested = nil }
        guard rows.generation == generation else { return }
        if isFrozen {
            waiting = rows
            return
        }
        waiting = nil
        let line = cursor - top
        window = rows.rows
        // Numbers from outside: kept where sums of them cannot overflow.
        windowStart = min(max(0, rows.offset), Table.rowsAtMost)
        total = min(max(rows.total, 0), Table.rowsAtMost)
        if let id = cursorID {
            let told = rows.position.map { min(max(0, $0), Table.rowsAtMost) }
            let found = window.firstIndex { $0.id == id }.map { $0 + windowStart } ?? told
            if let found, found != cursor {
                cursor = found
                top = max(0, cursor - line)
            }
        }
        clamp()
        cursorID = row(at: cursor)?.id ?? (total == 0 ? nil : cursorID)
        if let all { marks.formIntersection(Set(all.map(\.id))) }
    }

    /// Another list altogether (another domain): nothing of the old one stays, filter and order do.
    package mutating func restart() {
        window = []
        windowStart = 0
        total = 0
        cursor = 0
        top = 0
        cursorID = nil
        marks = []
        newQuestion()
    }

    mutating func clamp() {
        cursor = min(max(0, cursor), max(0, total - 1))
        if cursor < top { top = cursor }
        if cursor >= top + page { top = cursor - page + 1 }
        top = min(max(0, top), max(0, total - page))
    }

    mutating func move(to index: Int) {
        cursor = index
        clamp()
        cursorID = row(at: cursor)?.id
    }

    /// Puts the cursor on a row of this page's own rows.
    package mutating func select(_ id: String) {
        guard let place = window.firstIndex(where: { $0.id == id }) else { return }
        move(to: place + windowStart)
    }

    /// Shows what holds `text`, as if it had been typed.
    package mutating func setFilter(_ text: String) {
        filterLine.text = text
        newQuestion()
    }

    /// The order or the choice of rows changed: the window is of no use any more, the cursor's row is.
    mutating func newQuestion() {
        generation += 1
        requested = nil
        isStale = true
        if all != nil { arrangeLocal() }
    }
}
