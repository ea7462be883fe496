/// Small grids of words, one under the other, with the cursor on a cell. Enter opens the cell.
package struct Matrix: Widget, Sendable {
    package struct Cell: Hashable, Sendable {
        package var text: Phrase
        package var role: Role
        package init(_ text: Phrase, _ role: Role = .normal) {
            self.text = text
            self.role = role
        }
    }
    package struct Line: Hashable, Sendable {
        package var name: Phrase
        package var cells: [Cell]
        package init(_ name: Phrase, _ cells: [Cell]) {
            self.name = name
            self.cells = cells
        }
    }
    package struct Grid: Hashable, Sendable {
        package var id: String
        package var title: Phrase
        /// At the right end of the title.
        package var note: Phrase?
        package var lines: [Line]
        package init(_ id: String, title: Phrase, note: Phrase? = nil, lines: [Line]) {
            self.id = id
            self.title = title
            self.note = note
            self.lines = lines
        }
    }

    /// Over the names of the lines, and over each column.
    package var corner: Phrase
    package var columns: [Phrase]
    package var grids: [Grid] { didSet { clamp() } }
    package private(set) var grid = 0
    package private(set) var line = 0
    package private(set) var column = 0
    private var top = 0

    package init(corner: Phrase, columns: [Phrase], grids: [Grid] = []) {
        self.corner = corner
        self.columns = columns
        self.grids = grids
    }

    package var isFocusable: Bool { grids.contains { !$0.lines.isEmpty } }
    package var isFlexible: Bool { true }
    package var fillsPage: Bool { true }
    package func idealHeight(width: Int, _ look: Look) -> Int { max(4, height) }
    private var height: Int { grids.reduce(0) { $0 + $1.lines.count + 2 } }

    /// The grid under the cursor and the place in it.
    package var current: (grid: String, line: Int, column: Int)? {
        grids.indices.contains(grid) && grids[grid].lines.indices.contains(line)
            ? (grids[grid].id, line, column) : nil
    }

    private mutating func clamp() {
        grid = min(max(0, grid), max(0, grids.count - 1))
        let lines = grids.indices.contains(grid) ? grids[grid].lines.count : 0
        line = min(max(0, line), max(0, lines - 1))
        column = min(max(0, column), max(0, columns.count - 1))
    }

    package mutating func handle(_ key: Key) -> Reaction {
        switch key {
        case .left, .character("h"):
            guard column > 0 else { return .ignored }
            column -= 1
        case .right, .character("l"):
            guard column + 1 < columns.count else { return .ignored }
            column += 1
        case .up, .character("k"):
            if line > 0 {
                line -= 1
            } else if grid > 0 {
                grid -= 1
                line = max(0, grids[grid].lines.count - 1)
            } else {
                return .ignored
            }
        case .down, .character("j"):
            if grids.indices.contains(grid), line + 1 < grids[grid].lines.count {
                line += 1
            } else if grid + 1 < grids.count {
                grid += 1
                line = 0
            } else {
                return .ignored
            }
        case .enter: return current == nil ? .ignored : .activated
        default: return .ignored
        }
        return .handled
    }

    /// Rows above the cursor's grid line, titles and headings included.
    private var cursorRow: Int { grids.prefix(grid).reduce(0) { $0 + $1.lines.count + 2 } + 2 + line }

    package mutating func draw(in region: Region, focused: Bool) {
        let names = grids.flatMap(\.lines).map(\.name) + [corner]
        let label = min(
            region.width / 3, (names.map { region.metrics.width(region.say($0)) }.max() ?? 0))
        let width = max(4, min(10, (region.width - label - 3) / max(1, columns.count)))
        top = min(max(0, top), max(0, height - region.height))
        if focused {
            if cursorRow >= top + region.height { top = cursorRow - region.height + 1 }
            if cursorRow - 2 < top { top = max(0, cursorRow - line - 2) }
        }
        var y = -top
        for (number, shown) in grids.enumerated() {
            let used = put(shown.title, 1, y, .heading, region)
            if let note = shown.note { put(note, used + 3, y, .hint, region) }
            put(corner, 2, y + 1, .label, region, limit: label)
            for (place, name) in columns.enumerated() {
                put(name, 3 + label + place * width, y + 1, .label, region, limit: width - 1)
            }
            y += 2
            for (row, line) in shown.lines.enumerated() {
                put(line.name, 2, y, .label, region, limit: label)
                for (place, cell) in line.cells.enumerated() {
                    let isHere = focused && number == grid && row == self.line && place == column
                    let x = 3 + label + place * width
                    put(cell.text, x, y, isHere ? .focus : cell.role, region, limit: width - 1)
                    if isHere { region.setCursor(x: x, y: y) }
                }
                y += 1
            }
        }
    }

    @discardableResult
    private func put(_ text: Phrase, _ x: Int, _ y: Int, _ role: Role, _ region: Region, limit: Int? = nil) -> Int {
        guard y >= 0, y < region.height else { return x }
        return x + region.put(text, x: x, y: y, role: role, limit: limit)
    }
}
