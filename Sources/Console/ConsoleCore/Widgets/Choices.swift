/// `[x] label`. Space toggles.
package struct CheckBox: Widget, Sendable {
    package var label: Phrase
    package var isOn: Bool
    package var isEnabled: Bool

    package init(_ label: Phrase, isOn: Bool = false, isEnabled: Bool = true) {
        self.label = label
        self.isOn = isOn
        self.isEnabled = isEnabled
    }

    package var isFocusable: Bool { isEnabled }
    package func idealWidth(_ look: Look) -> Int? { 4 + look.metrics.width(look.say(label)) }

    package mutating func handle(_ key: Key) -> Reaction {
        switch key {
        case .character(" "):
            isOn.toggle()
            return .changed
        case .enter: return .next
        default: return .ignored
        }
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let role: Role = focused ? .focus : isEnabled ? .normal : .disabled
        region.put(isOn ? "[x]" : "[ ]", x: 0, y: 0, role: role)
        region.put(label, x: 4, y: 0, role: isEnabled ? .normal : .disabled)
        if focused { region.setCursor(x: 1, y: 0) }
    }
}

/// A named value of a choice. `id` is what is stored, `name` what is shown.
package struct Option: Hashable, Sendable {
    package var id: String
    package var name: Phrase
    package init(_ id: String, _ name: Phrase) {
        self.id = id
        self.name = name
    }
}

/// `(*) one ( ) two`, in a row or a column. Space picks; Left and Right (Up and Down in a column) move and pick.
package struct RadioGroup: Widget, Sendable {
    package var options: [Option]
    package var selected: String
    package var isColumn: Bool
    private var cursor: Int

    package init(_ options: [Option], selected: String, isColumn: Bool = false) {
        self.options = options
        self.selected = selected
        self.isColumn = isColumn
        cursor = options.firstIndex { $0.id == selected } ?? 0
    }

    package func idealHeight(width: Int, _ look: Look) -> Int {
        isColumn ? max(1, options.count) : (places(width: width, look).last?.y ?? 0) + 1
    }

    /// Where each option stands; a row that is too narrow breaks.
    private func places(width: Int, _ look: Look) -> [(x: Int, y: Int)] {
        var places: [(x: Int, y: Int)] = []
        var (x, y) = (0, 0)
        for (index, option) in options.enumerated() {
            let cells = 4 + look.metrics.width(look.say(option.name))
            if isColumn {
                (x, y) = (0, index)
            } else if x > 0, x + cells > width {
                (x, y) = (0, y + 1)
            }
            places.append((x, y))
            x += cells + 2
        }
        return places
    }

    package func idealWidth(_ look: Look) -> Int? {
        let widths = options.map { 4 + look.metrics.width(look.say($0.name)) }
        return isColumn ? widths.max() ?? 4 : widths.reduce(0) { $0 + $1 + 2 }
    }

    package mutating func focusChanged(_ focused: Bool) {
        cursor = options.firstIndex { $0.id == selected } ?? 0
    }

    package mutating func handle(_ key: Key) -> Reaction {
        switch (key, isColumn) {
        case (.left, false), (.up, true): return pick(cursor - 1)
        case (.right, false), (.down, true): return pick(cursor + 1)
        case (.character(" "), _): return pick(cursor)
        case (.enter, _): return .next
        default: return .ignored
        }
    }

    private mutating func pick(_ index: Int) -> Reaction {
        guard options.indices.contains(index) else { return .ignored }
        cursor = index
        guard selected != options[index].id else { return .handled }
        selected = options[index].id
        return .changed
    }

    package mutating func draw(in region: Region, focused: Bool) {
        for (index, (option, (x, y))) in zip(options, places(width: region.width, region.look)).enumerated() {
            let isCurrent = focused && index == cursor
            region.put(option.id == selected ? "(*)" : "( )", x: x, y: y, role: isCurrent ? .focus : .normal)
            region.put(option.name, x: x + 4, y: y)
            if isCurrent { region.setCursor(x: x + 1, y: y) }
        }
    }
}

/// `<value      v>`: opens a list of values with Enter, Space or Down; letters jump.
package struct Select: Widget, Sendable {
    package var options: [Option]
    package var selected: String
    /// Cells for the value; `nil` = the widest one.
    package var valueWidth: Int?
    package var isEnabled: Bool
    private var popup: ChoiceList?

    package init(_ options: [Option], selected: String, width: Int? = nil, isEnabled: Bool = true) {
        self.options = options
        self.selected = selected
        valueWidth = width
        self.isEnabled = isEnabled
    }

    package var isFocusable: Bool { isEnabled }
    package var hasPopup: Bool { popup != nil }
    package func idealWidth(_ look: Look) -> Int? { width(look) + 4 }

    private func width(_ look: Look) -> Int {
        valueWidth ?? options.map { look.metrics.width(look.say($0.name)) }.max() ?? 4
    }

    package mutating func focusChanged(_ focused: Bool) { popup = nil }

    package mutating func handle(_ key: Key) -> Reaction {
        guard popup != nil else {
            switch key {
            case .enter, .down, .character(" "):
                popup = ChoiceList(
                    options.map { $0.name.isVerbatim ? $0.name.source : $0.id },
                    cursor: options.firstIndex { $0.id == selected } ?? 0)
                return .handled
            default: return .ignored
            }
        }
        switch popup?.handle(key) {
        case .chosen(let index)?:
            popup = nil
            guard options.indices.contains(index), options[index].id != selected else { return .handled }
            selected = options[index].id
            return .changed
        case .closed?, .ignored?, nil: popup = nil
        case .moved?: break
        }
        return .handled
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let role: Role = focused ? .focus : isEnabled ? .field : .disabled
        let inner = max(1, min(width(region.look), region.width - 4))
        let name = options.first { $0.id == selected }.map { region.say($0.name) } ?? selected
        region.put("<", x: 0, y: 0, role: .border)
        region.put(region.metrics.fit(name, to: inner), x: 1, y: 0, role: role)
        region.put(" v>", x: inner + 1, y: 0, role: .border)
        if focused { region.setCursor(x: 1, y: 0) }
    }

    package func drawPopup(over page: Region, anchor: Rect) {
        popup?.draw(over: page, anchor: anchor, items: options.map { page.say($0.name) })
    }
}
