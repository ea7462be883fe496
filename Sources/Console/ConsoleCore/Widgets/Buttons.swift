/// `[ Name ]` in a row of a form.
package struct Button: Widget, Sendable {
    package var name: Phrase
    package var isEnabled: Bool
    package init(_ name: Phrase, isEnabled: Bool = true) {
        self.name = name
        self.isEnabled = isEnabled
    }

    package var isFocusable: Bool { isEnabled }
    package func idealWidth(_ look: Look) -> Int? { look.metrics.width(look.say(name)) + 4 }

    package mutating func handle(_ key: Key) -> Reaction {
        key == .enter || key == .character(" ") ? .activated : .ignored
    }

    package mutating func draw(in region: Region, focused: Bool) {
        region.put(
            "[ " + region.say(name) + " ]", x: 0, y: 0, role: focused ? .focus : isEnabled ? .button : .disabled)
        if focused { region.setCursor(x: 2, y: 0) }
    }
}

/// The buttons of a page or dialog: laid out before everything else, so they are always there. While the focus is on
/// them, the letter of a button presses it.
package struct ButtonRow: Widget, Sendable {
    package struct Item: Hashable, Sendable {
        package var id: String
        package var name: Phrase
        /// Presses it while the focus is on the row; shown as `(A)` where the name does not contain it.
        package var letter: Character?
        /// Why it is off; `nil` = it can be pressed.
        package var off: Phrase?
        /// Never by Enter, only by its letter: what cannot be undone is not one key away.
        package var isLetterOnly: Bool

        package init(
            _ id: String, _ name: Phrase, letter: Character? = nil, off: Phrase? = nil, isLetterOnly: Bool = false
        ) {
            self.id = id
            self.name = name
            self.letter = letter
            self.off = off
            self.isLetterOnly = isLetterOnly
        }
    }

    package var items: [Item]
    /// The button that the focus comes to first: the safe one.
    package var cursor: Int
    /// The button pressed last, read after `.activated`.
    package private(set) var pressed: String?

    package init(_ items: [Item], first: String? = nil) {
        self.items = items
        cursor = first.flatMap { id in items.firstIndex { $0.id == id } } ?? 0
    }

    package var isFocusable: Bool { !items.isEmpty }

    package mutating func select(_ id: String) {
        if let index = items.firstIndex(where: { $0.id == id }) { cursor = index }
    }

    package mutating func handle(_ key: Key) -> Reaction {
        switch key {
        case .left where cursor > 0: cursor -= 1
        case .right where cursor + 1 < items.count: cursor += 1
        case .enter, .character(" "):
            guard items.indices.contains(cursor) else { return .ignored }
            if items[cursor].isLetterOnly, let letter = items[cursor].letter {
                return .refused(Phrase("Press {letter} to do it.", ["letter": String(letter).uppercased()]))
            }
            return press(cursor)
        case .character(let letter):
            let wanted = letter.lowercased()
            guard let index = items.firstIndex(where: { $0.letter?.lowercased() == wanted }) else { return .ignored }
            cursor = index
            return press(index)
        default: return .ignored
        }
        return .handled
    }

    private mutating func press(_ index: Int) -> Reaction {
        if let off = items[index].off { return .refused(off) }
        pressed = items[index].id
        return .activated
    }

    /// Drawn right-aligned; too many for the width are drawn from the one with the focus on.
    package mutating func draw(in region: Region, focused: Bool) {
        let texts = items.map { text($0, region.say) }
        let widths = texts.map { region.metrics.width($0) + 4 }
        var first = 0
        var total = widths.reduce(0) { $0 + $1 + 2 } - 2
        while total > region.width, first < cursor {
            total -= widths[first] + 2
            first += 1
        }
        var x = max(0, region.width - total - 1)
        for index in items.indices.dropFirst(first) {
            let isCurrent = focused && index == cursor
            let role: Role = isCurrent ? .focus : items[index].off == nil ? .button : .disabled
            region.put("[ " + texts[index] + " ]", x: x, y: 0, role: role)
            if isCurrent {
                if x >= 2 { region.put(">", x: x - 1, y: 0, role: .focus) }
                region.setCursor(x: x + 2, y: 0)
            }
            x += widths[index] + 2
        }
    }

    private func text(_ item: Item, _ say: any Localizer) -> String {
        let name = say(item.name)
        guard let letter = item.letter else { return name }
        let marked = "(" + letter.uppercased() + ")"
        if item.isLetterOnly { return name + " " + marked }
        // `< Back` begins with its letter, and `次へ(N) >` holds it already.
        let begins = name.lowercased().drop { !$0.isLetter }.hasPrefix(letter.lowercased())
        return begins || name.contains(marked) ? name : name + marked
    }

    package func idealWidth(_ look: Look) -> Int? {
        items.map { look.metrics.width(text($0, look.say)) + 6 }.reduce(0, +)
    }
}
