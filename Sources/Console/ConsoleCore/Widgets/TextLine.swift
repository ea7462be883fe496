/// An editable line: characters (graphemes) and a caret between them. The editing keys of every text are here.
package struct TextLine: Hashable, Sendable {
    package private(set) var characters: [Character]
    /// 0 … characters.count
    package private(set) var caret: Int
    /// Characters that it may hold at most.
    package var limit: Int

    package init(_ text: String = "", limit: Int = 4_096) {
        characters = Array(text)
        caret = characters.count
        self.limit = limit
    }

    package var text: String {
        get { String(characters) }
        set {
            characters = Array(newValue)
            caret = characters.count
        }
    }

    package mutating func moveCaret(to position: Int) {
        caret = min(max(0, position), characters.count)
    }

    /// - Returns: whether the key was an editing key; the text may be the same as before (Backspace at the start).
    package mutating func edit(_ key: Key) -> Bool {
        switch key {
        case .left: caret = max(0, caret - 1)
        case .right: caret = min(characters.count, caret + 1)
        case .home, .control("a"): caret = 0
        case .end, .control("e"): caret = characters.count
        case .backspace: removeBefore()
        case .delete, .control("d"):
            if caret < characters.count { characters.remove(at: caret) }
        case .control("k"): characters.removeSubrange(caret...)
        case .control("u"):
            characters.removeAll()
            caret = 0
        case .control("w"): removeWord()
        case .character(let character): insert(character)
        case .paste(let text): for character in text { insert(character) }
        default: return false
        }
        return true
    }

    /// A combining mark typed after its base joins it, as on screen.
    package mutating func insert(_ character: Character) {
        if caret > 0, !character.isASCII {
            let joined = String(characters[caret - 1]) + String(character)
            if joined.count == 1, let one = joined.first {
                // A pile of marks has no end; what is longer than any script needs is dropped.
                if one.unicodeScalars.count <= 16 { characters[caret - 1] = one }
                return
            }
        }
        guard characters.count < limit else { return }
        characters.insert(character, at: caret)
        caret += 1
    }

    private mutating func removeBefore() {
        guard caret > 0 else { return }
        caret -= 1
        characters.remove(at: caret)
    }

    private mutating func removeWord() {
        let end = caret
        while caret > 0, characters[caret - 1] == " " { caret -= 1 }
        while caret > 0, characters[caret - 1] != " " { caret -= 1 }
        characters.removeSubrange(caret..<end)
    }

    /// What to show in `width` cells so that the caret is seen, without stored scroll state: the view moves by half a
    /// width at a time, so the same text and caret always look the same.
    /// - Returns: index of the first character shown, and the caret's column.
    package func window(width: Int, _ metrics: TextMetrics) -> (first: Int, caretColumn: Int) {
        var widths = 0
        var before = 0
        for (index, character) in characters.enumerated() {
            if index == caret { before = widths }
            widths += metrics.width(character)
        }
        if caret == characters.count { before = widths }
        guard width > 1, before >= width else { return (0, min(before, max(0, width - 1))) }
        let step = max(1, width / 2)
        let skip = ((before - width) / step + 1) * step
        var column = 0
        var first = 0
        while first < caret, column < skip {
            column += metrics.width(characters[first])
            first += 1
        }
        return (first, min(before - column, width - 1))
    }
}
