extension Table {
    /// Keys of tables; the features decide which of them there are.
    static let commandTable: [(feature: Features, command: Command)] = [
        (.filter, Command("table.filter", "Filter", keys: [.character("/")], bar: "Filter", priority: 75)),
        (
            .edit,
            Command(
                "table.edit", "Open, edit", keys: [.enter, .character("e"), .function(4)], bar: "Edit", priority: 78)
        ),
        (.add, Command("add", "Add", keys: [.character("a"), .function(3), .insert], bar: "Add", priority: 77)),
        (
            .delete,
            Command("delete", "Delete", keys: [.character("d"), .function(5), .delete], bar: "Delete", priority: 76)
        ),
        (.mark, Command("table.mark", "Mark", keys: [.character(" ")], bar: "Mark", priority: 55)),
        (.mark, Command("table.mark-all", "Mark all shown", keys: [.character("*")])),
        (.mark, Command("table.unmark", "Clear marks", keys: [.character("_")])),
        (
            .sort,
            Command(
                "table.sort", "Sort, then the letter of a column", keys: [.character("s")], bar: "Sort", priority: 45)
        ),
        (.order, Command("move-up", "Move up", keys: [.character("K")])),
        (
            .order,
            Command("move-down", "Move down", keys: [.character("J")], bar: "Order", barKeys: "K/J", priority: 44)
        ),
    ]

    package var commands: [Command] {
        Table.commandTable.filter { features.contains($0.feature) }.map(\.command)
    }

    package mutating func handle(_ key: Key) -> Reaction {
        if isFiltering { return handleFilter(key) }
        if isSorting { return pickSort(key) }
        if let reaction = handleMove(key) { return reaction }
        if key == .escape, !filter.isEmpty {
            filterLine.text = ""
            newQuestion()
            return .handled
        }
        guard let command = commands.first(where: { $0.matches(key) }) else {
            // Enter without the feature is for the page: it may open something.
            return key == .enter ? .activated : .ignored
        }
        return perform(command.id)
    }

    private mutating func perform(_ command: String) -> Reaction {
        switch command {
        case "table.filter":
            isFiltering = true
            return .handled
        case "table.edit": return current == nil ? .handled : .activated
        case "table.mark":
            if let id = current?.id {
                if marks.remove(id) == nil { marks.insert(id) }
                move(to: cursor + 1)
            }
            return .changed
        case "table.mark-all":
            marks.formUnion(window.map(\.id))
            return .changed
        case "table.unmark":
            marks.removeAll()
            return .changed
        case "table.sort":
            isSorting = true
            return .handled
        default: return .command(command)
        }
    }

    private mutating func handleMove(_ key: Key) -> Reaction? {
        switch key {
        case .up, .character("k"):
            if cursor == 0 { return key == .up ? .ignored : .handled }
            move(to: cursor - 1)
        case .down, .character("j"):
            if cursor + 1 >= total { return key == .down ? .ignored : .handled }
            move(to: cursor + 1)
        case .home, .character("g"): move(to: 0)
        case .end, .character("G"): move(to: total - 1)
        case .pageDown, .control("d"): page(1)
        case .pageUp, .control("u"), .character("-"): page(-1)
        case .character(" ") where !features.contains(.mark): page(1)
        case .character("n") where !filter.isEmpty: move(to: cursor + 1)
        case .character("N") where !filter.isEmpty: move(to: cursor - 1)
        default: return nil
        }
        return .handled
    }

    private mutating func page(_ direction: Int) {
        top = min(max(0, top + direction * page), max(0, total - page))
        move(to: cursor + direction * page)
    }

    private mutating func handleFilter(_ key: Key) -> Reaction {
        switch key {
        case .enter, .down, .tab: isFiltering = false
        case .escape:
            isFiltering = false
            guard !filter.isEmpty else { return .handled }
            filterLine.text = ""
            newQuestion()
        default:
            let before = filterLine.characters
            guard filterLine.edit(key) else { return .ignored }
            if filterLine.characters != before { newQuestion() }
        }
        return .handled
    }

    private mutating func pickSort(_ key: Key) -> Reaction {
        isSorting = false
        guard case .character(let letter) = key else { return .handled }
        guard let column = columns.first(where: { $0.sortLetter == letter }) else {
            return .refused(Phrase("No column is sorted by \"{letter}\".", ["letter": Visible.line(String(letter))]))
        }
        isDescending = sort == column.id ? !isDescending : false
        sort = column.id
        newQuestion()
        return .handled
    }

    package mutating func focusChanged(_ focused: Bool) {
        isFiltering = false
        isSorting = false
    }
}
