/// A short list of values with a field to add one and buttons: DNS servers, addresses, copies.
///
/// Tab goes list, field, Add, Delete, on. In the list `d` removes, `K` and `J` move, Enter takes the value into the
/// field to change it. Several lines pasted into the field become several values.
package struct ListEditor: Widget, Sendable {
    private enum Stop: Int { case list, field, add, delete }

    package var values: [String]
    /// Shown right of a value: an answer time, a state.
    package var notes: [String: String]
    package var maximum: Int
    package var rows: Int
    package var boxWidth: Int
    package var canReorder: Bool
    private var stop = Stop.list
    private var cursor = 0
    private var field: TextField
    /// The value that the field replaces when it is added; `nil` = a new one.
    private var replaced: Int?

    package init(
        _ values: [String], kind: TextField.Kind = .text, maximum: Int = 1_000, rows: Int = 3, width: Int = 28,
        suggestions: [String] = [], canReorder: Bool = true
    ) {
        self.values = values
        notes = [:]
        self.maximum = maximum
        self.rows = max(1, rows)
        boxWidth = max(8, width)
        self.canReorder = canReorder
        field = TextField("", kind: kind, suggestions: suggestions)
    }

    package func idealHeight(width: Int, _ look: Look) -> Int { rows + 3 }
    package func idealWidth(_ look: Look) -> Int? {
        boxWidth + 4 + max(look.metrics.width(look.say("Add")), look.metrics.width(look.say("Delete"))) + 4
    }
    package var takesText: Bool { stop == .field }
    package var takesNextKey: Bool { stop == .field && field.takesNextKey }
    package var hasPopup: Bool { field.hasPopup }

    package var commands: [Command] {
        guard stop == .list else { return [] }
        return [
            Command(
                "list.delete", "Delete", keys: [.character("d"), .function(5), .delete], bar: "Delete", priority: 70),
            Command("list.add", "Add", keys: [.character("a"), .function(3), .insert], bar: "Add", priority: 72),
        ]
    }

    package mutating func focusChanged(_ focused: Bool) {
        field.focusChanged(focused)
        stop = .list
    }

    package mutating func handle(_ key: Key) -> Reaction {
        switch (key, stop) {
        case (.tab, .delete), (.backTab, .list): return .ignored
        case (.tab, _):
            stop = Stop(rawValue: stop.rawValue + 1) ?? .delete
            return .handled
        case (.backTab, _):
            stop = Stop(rawValue: stop.rawValue - 1) ?? .list
            return .handled
        default: break
        }
        switch stop {
        case .list: return handleList(key)
        case .field: return handleField(key)
        case .add: return handleButton(key) { $0.add() }
        case .delete: return handleButton(key) { $0.remove() }
        }
    }

    private mutating func handleList(_ key: Key) -> Reaction {
        switch key {
        case .up, .character("k"):
            guard cursor > 0 else { return key == .up ? .ignored : .handled }
            cursor -= 1
        case .down, .character("j"):
            if cursor + 1 >= values.count { stop = .field } else { cursor += 1 }
        case .character("d"), .delete, .function(5): return remove()
        case .character("a"), .insert, .function(3):
            replaced = nil
            stop = .field
        case .enter, .character("e"), .function(4):
            guard values.indices.contains(cursor) else {
                stop = .field
                return .handled
            }
            field.text = values[cursor]
            replaced = cursor
            stop = .field
        case .character("K") where canReorder: return swap(with: cursor - 1)
        case .character("J") where canReorder: return swap(with: cursor + 1)
        case .right: stop = .add
        default: return .ignored
        }
        return .handled
    }

    private mutating func handleField(_ key: Key) -> Reaction {
        if !field.hasPopup {
            switch key {
            case .enter:
                if field.text.isEmpty {
                    stop = .list
                    return .next
                }
                return add()
            case .up:
                stop = .list
                return .handled
            case .paste(let text) where text.contains("\n"): return add(lines: text)
            case .escape where !field.text.isEmpty:
                field.text = ""
                replaced = nil
                return .handled
            default: break
            }
        }
        switch field.handle(key) {
        case .changed: return .handled  // the list itself did not change yet
        case let other: return other
        }
    }

    private mutating func handleButton(_ key: Key, _ press: (inout ListEditor) -> Reaction) -> Reaction {
        switch key {
        case .enter, .character(" "): return press(&self)
        case .left:
            stop = .list
            return .handled
        case .up:
            stop = stop == .delete ? .add : .list
            return .handled
        case .down where stop == .add:
            stop = .delete
            return .handled
        default: return .ignored
        }
    }

    private mutating func add() -> Reaction {
        let value = field.text
        guard !value.isEmpty else {
            stop = .field
            return .handled
        }
        if let problem = field.problem { return .refused(problem) }
        if let index = values.firstIndex(of: value), index != replaced {
            cursor = index
            return .refused(Phrase("{value} is already in the list.", ["value": Visible.line(value)]))
        }
        if let index = replaced, values.indices.contains(index) {
            values[index] = value
            cursor = index
        } else {
            guard values.count < maximum else { return full }
            values.append(value)
            cursor = values.count - 1
        }
        field.text = ""
        replaced = nil
        return .changed
    }

    private var full: Reaction {
        .refused(Phrase("The list takes {count} values at most.", ["count": String(maximum)]))
    }

    /// New values only; what is in the list already is passed over.
    private mutating func add(lines text: String) -> Reaction {
        var isChanged = false
        for line in text.split(separator: "\n") {
            let value = String(line.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard !value.isEmpty, !values.contains(value) else { continue }
            guard values.count < maximum else { return isChanged ? .changed : full }
            values.append(value)
            isChanged = true
        }
        return isChanged ? .changed : .handled
    }

    private mutating func remove() -> Reaction {
        guard values.indices.contains(cursor) else { return .handled }
        values.remove(at: cursor)
        cursor = max(0, min(cursor, values.count - 1))
        replaced = nil
        return .changed
    }

    private mutating func swap(with other: Int) -> Reaction {
        guard values.indices.contains(other), values.indices.contains(cursor) else { return .handled }
        values.swapAt(cursor, other)
        cursor = other
        return .changed
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let width = min(boxWidth + 2, region.width)
        let box = region.part(x: 0, y: 0, width: width, height: rows + 2)
        box.frame()
        let top = max(0, min(cursor - rows + 1, values.count - rows))
        for y in 0..<rows where values.indices.contains(top + y) {
            let value = values[top + y]
            let line = box.part(x: 1, y: 1 + y, width: width - 2, height: 1)
            let isCurrent = focused && stop == .list && top + y == cursor
            if isCurrent { line.fill(role: .focus) }
            let note = notes[value] ?? ""
            let noteWidth = line.metrics.width(note)
            line.put(value, x: 1, y: 0, role: isCurrent ? .focus : .normal, limit: line.width - noteWidth - 3)
            line.putRight(note, y: 0, role: isCurrent ? .focus : .hint, margin: 1)
            if isCurrent { line.setCursor(x: 1, y: 0) }
        }
        if focused, stop == .list, values.isEmpty { box.setCursor(x: 2, y: 1) }
        field.draw(in: region.part(x: 0, y: rows + 2, width: width, height: 1), focused: focused && stop == .field)
        drawButton("Add", .add, y: 0, in: region, x: width + 2, focused: focused)
        drawButton("Delete", .delete, y: 1, in: region, x: width + 2, focused: focused)
    }

    private func drawButton(_ name: Phrase, _ at: Stop, y: Int, in region: Region, x: Int, focused: Bool) {
        let isCurrent = focused && stop == at
        region.put("[ " + region.say(name) + " ]", x: x, y: y, role: isCurrent ? .focus : .button)
        if isCurrent { region.setCursor(x: x + 2, y: y) }
    }

    package func drawPopup(over page: Region, anchor: Rect) {
        field.drawPopup(
            over: page, anchor: Rect(x: anchor.x, y: anchor.y + rows + 2, width: boxWidth + 2, height: 1))
    }
}
