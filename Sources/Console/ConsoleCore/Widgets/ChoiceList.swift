/// A short list opened under or over a field: drop-downs and suggestions.
package struct ChoiceList: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable { case moved, chosen(Int), closed, ignored }

    private(set) var cursor: Int
    private let count: Int
    /// First letters of the items: a letter jumps.
    private let initials: [Character]

    package init(_ items: [String], cursor: Int = 0) {
        count = items.count
        initials = items.map { $0.first.map { Character($0.lowercased().prefix(1).description) } ?? " " }
        self.cursor = min(max(0, cursor), max(0, count - 1))
    }

    package mutating func handle(_ key: Key) -> Outcome {
        switch key {
        case .up: cursor = max(0, cursor - 1)
        case .down: cursor = min(max(0, count - 1), cursor + 1)
        case .home: cursor = 0
        case .end: cursor = max(0, count - 1)
        case .pageUp: cursor = max(0, cursor - 8)
        case .pageDown: cursor = min(max(0, count - 1), cursor + 8)
        case .enter, .character(" "): return .chosen(cursor)
        case .escape: return .closed
        case .character(let letter):
            let wanted = Character(letter.lowercased().prefix(1).description)
            let order = (0..<count).map { (cursor + 1 + $0) % count }
            guard let found = order.first(where: { initials[$0] == wanted }) else { return .moved }
            cursor = found
        default: return .ignored
        }
        return .moved
    }

    /// Draws under `anchor`, or over it when there is more room above. Puts the cursor on the item.
    func draw(over page: Region, anchor: Rect, items: [String]) {
        let below = page.height - anchor.bottom
        let rows = min(items.count, max(1, max(below, anchor.y) - 2))
        let widest = items.map { page.metrics.width($0) }.max() ?? 1
        let width = min(page.width, max(widest, min(anchor.width - 2, 12)) + 4)
        let isBelow = below >= rows + 2 || below >= anchor.y
        let y = isBelow ? min(anchor.bottom, page.height - rows - 2) : max(0, anchor.y - rows - 2)
        let box = page.part(x: min(anchor.x, max(0, page.width - width)), y: max(0, y), width: width, height: rows + 2)
        box.fill()
        box.frame()
        let top = min(max(0, cursor - rows + 1), max(0, items.count - rows))
        for row in 0..<rows where items.indices.contains(top + row) {
            let isCurrent = top + row == cursor
            let line = box.part(x: 1, y: 1 + row, width: width - 2, height: 1)
            if isCurrent {
                line.fill(role: .focus)
                line.put(">", x: 0, y: 0, role: .focus)
                line.setCursor(x: 1, y: 0)
            }
            line.put(items[top + row], x: 1, y: 0, role: isCurrent ? .focus : .normal)
        }
        if top > 0 { box.put("^", x: width - 1, y: 1, role: .border) }
        if top + rows < items.count { box.put("v", x: width - 1, y: rows, role: .border) }
    }
}
