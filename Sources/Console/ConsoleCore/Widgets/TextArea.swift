/// An editor for small text files, with a margin for marks and a checker of the page's own.
///
/// After `.changed` the page sets `problems`; a mark appears in the left margin and the sentence of the line under the
/// caret is in `currentProblem`. Ctrl-K and Ctrl-U kill, Ctrl-Y yanks, Ctrl-X undoes, Ctrl-F finds; Tab writes spaces,
/// Ctrl-V Tab a tab unless the format forbids it.
package struct TextArea: Widget, Sendable {
    private struct Snapshot: Hashable, Sendable {
        var lines: [[Character]]
        var row: Int
        var column: Int
    }

    package static let undoSteps = 50
    package static let charactersPerLine = 10_000
    package static let linesAtMost = 20_000

    private var lines: [[Character]]
    private var row = 0
    private var column = 0
    private var top = 0
    private var page = 10
    private var undo: [Snapshot] = []
    private var lastWasTyping = false
    private var killed = ""
    private var lastWasKill = false
    private var isLiteral = false
    private var isFinding = false
    private var find = TextLine()
    /// Line (0-based) → what is wrong with it.
    package var problems: [Int: Phrase] = [:]
    /// Why no tab may be written here; `nil` = it may.
    package var tabRefusal: Phrase?
    package var isReadOnly: Bool

    package init(_ text: String = "", isReadOnly: Bool = false) {
        lines = TextArea.split(text)
        self.isReadOnly = isReadOnly
    }

    private static func split(_ text: String) -> [[Character]] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.prefix(linesAtMost).map {
            Array($0)
        }
    }

    package var text: String {
        get { lines.map { String($0) }.joined(separator: "\n") }
        set {
            lines = TextArea.split(newValue)
            undo = []
            moveCaret(row: 0, column: 0)
        }
    }

    package var isFlexible: Bool { true }
    package func idealHeight(width: Int, _ look: Look) -> Int { 8 }
    package var takesText: Bool { true }
    package var takesNextKey: Bool { isLiteral }
    package var caret: (line: Int, column: Int) { (row, column) }
    package var currentProblem: Phrase? { problems[row] }

    package var commands: [Command] {
        [
            Command("editor.find", "Find", keys: [.control("f")], bar: "Find", priority: 70),
            Command("editor.undo", "Undo", keys: [.control("x")], bar: "Undo", priority: 68),
            Command("editor.kill", "Cut to the end of the line", keys: [.control("k")], bar: "Cut", priority: 50),
            Command("editor.yank", "Paste what was cut", keys: [.control("y")], bar: "Paste", priority: 49),
            Command("editor.literal", "Next key literally (a tab)", keys: [.control("v")]),
        ]
    }

    package mutating func moveCaret(row: Int, column: Int) {
        self.row = min(max(0, row), lines.count - 1)
        self.column = min(max(0, column), lines[self.row].count)
    }

    package mutating func handle(_ key: Key) -> Reaction {
        if isFinding { return handleFind(key) }
        if isLiteral {
            isLiteral = false
            guard key == .tab else { return .handled }
            if let tabRefusal { return .refused(tabRefusal) }
            return edit { $0.insert("\t") }
        }
        if let reaction = handleMove(key) { return reaction }
        if key == .control("f") {
            isFinding = true
            find.text = ""
            return .handled
        }
        guard !isReadOnly else { return .ignored }
        return handleEdit(key)
    }

    private mutating func handleMove(_ key: Key) -> Reaction? {
        switch key {
        case .up: moveCaret(row: row - 1, column: column)
        case .down: moveCaret(row: row + 1, column: column)
        case .left:
            if column == 0, row > 0 {
                moveCaret(row: row - 1, column: Int.max)
            } else {
                moveCaret(row: row, column: column - 1)
            }
        case .right:
            if column == lines[row].count, row + 1 < lines.count {
                moveCaret(row: row + 1, column: 0)
            } else {
                moveCaret(row: row, column: column + 1)
            }
        case .home, .control("a"): column = 0
        case .end, .control("e"): column = lines[row].count
        case .pageUp: moveCaret(row: row - page, column: column)
        case .control("d") where isReadOnly: moveCaret(row: row + page, column: column)
        case .pageDown: moveCaret(row: row + page, column: column)
        default: return nil
        }
        lastWasTyping = false
        lastWasKill = false
        return .handled
    }

    private mutating func handleEdit(_ key: Key) -> Reaction {
        let wasKill = lastWasKill
        lastWasKill = false
        switch key {
        case .character(let character): return edit(typing: true) { $0.insert(character) }
        case .tab: return edit { area in (0..<4).forEach { _ in area.insert(" ") } }
        case .enter:
            guard lines.count < TextArea.linesAtMost else {
                return .refused(Phrase("No more than {count} lines.", ["count": String(TextArea.linesAtMost)]))
            }
            return edit { $0.breakLine() }
        case .paste(let text):
            return edit { area in
                for character in text where area.lines.count < TextArea.linesAtMost {
                    character == "\n" ? area.breakLine() : area.insert(character)
                }
            }
        case .backspace: return edit { $0.removeBefore() }
        case .delete, .control("d"): return edit { $0.removeAfter() }
        case .control("k"): return kill(after: wasKill, from: column)
        case .control("u"): return kill(after: wasKill, from: 0)
        case .control("y"):
            let text = killed
            return edit { area in
                for character in text { character == "\n" ? area.breakLine() : area.insert(character) }
            }
        case .control("v"):
            isLiteral = true
            return .handled
        case .control("x"):
            guard let last = undo.popLast() else { return .handled }
            lines = last.lines
            moveCaret(row: last.row, column: last.column)
            lastWasTyping = false
            return .changed
        default: return .ignored
        }
    }

    /// One undo step; letters typed one after another are one step.
    private mutating func edit(typing: Bool = false, _ body: (inout TextArea) -> Void) -> Reaction {
        if !typing || !lastWasTyping {
            undo.append(Snapshot(lines: lines, row: row, column: column))
            if undo.count > TextArea.undoSteps { undo.removeFirst() }
        }
        lastWasTyping = typing
        body(&self)
        return .changed
    }

    private mutating func insert(_ character: Character) {
        if character.isASCII {
            guard lines[row].count < TextArea.charactersPerLine else { return }
            lines[row].insert(character, at: column)
            column += 1
            return
        }
        var line = TextLine(String(lines[row]), limit: TextArea.charactersPerLine)
        line.moveCaret(to: column)
        line.insert(character)
        lines[row] = line.characters
        column = line.caret
    }

    private mutating func breakLine() {
        let rest = Array(lines[row][column...])
        lines[row].removeSubrange(column...)
        lines.insert(rest, at: row + 1)
        row += 1
        column = 0
    }

    private mutating func removeBefore() {
        if column > 0 {
            column -= 1
            lines[row].remove(at: column)
        } else if row > 0 {
            column = lines[row - 1].count
            lines[row - 1] += lines.remove(at: row)
            row -= 1
        }
    }

    private mutating func removeAfter() {
        if column < lines[row].count {
            lines[row].remove(at: column)
        } else if row + 1 < lines.count {
            lines[row] += lines.remove(at: row + 1)
        }
    }

    /// Cuts from `start` to the end of the line; at its end the line break. Cuts in a row are one text to yank.
    private mutating func kill(after wasKill: Bool, from start: Int) -> Reaction {
        var cut = String(lines[row][start...])
        let reaction = edit { area in
            if cut.isEmpty, area.row + 1 < area.lines.count {
                cut = "\n"
                area.removeAfter()
            } else {
                area.lines[area.row].removeSubrange(start...)
                area.column = start
            }
        }
        killed = wasKill ? killed + cut : cut
        lastWasKill = true
        return reaction
    }

    private mutating func handleFind(_ key: Key) -> Reaction {
        switch key {
        case .enter, .control("f"):
            let wanted = find.text.lowercased()
            let order = (1...lines.count).map { (row + $0) % lines.count }
            guard !wanted.isEmpty, let hit = order.first(where: { String(lines[$0]).lowercased().contains(wanted) })
            else {
                isFinding = key == .control("f")
                return wanted.isEmpty ? .handled : .refused(Phrase("\"{text}\" is not here.", ["text": find.text]))
            }
            if key == .enter { isFinding = false }
            moveCaret(row: hit, column: 0)
        case .escape: isFinding = false
        default: _ = find.edit(key)
        }
        return .handled
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let digits = max(2, String(lines.count).count)
        let margin = digits + 2
        page = max(1, region.height - (isFinding ? 1 : 0))
        if row < top { top = row }
        if row >= top + page { top = row - page + 1 }
        for y in 0..<page where lines.indices.contains(top + y) {
            let index = top + y
            let number = region.metrics.fit(String(index + 1), to: digits, align: .right)
            region.put(number, x: 1, y: y, role: .hint)
            if problems[index] != nil { region.put("!", x: 0, y: y, role: .problem) }
            let area = region.part(x: margin, y: y, width: region.width - margin, height: 1)
            var line = TextLine(String(lines[index]), limit: Int.max)
            line.moveCaret(to: index == row ? column : 0)
            let view = line.window(width: area.width, region.metrics)
            area.put(String(line.characters[view.first...]), x: 0, y: 0)
            if focused, index == row, !isFinding { area.setCursor(x: view.caretColumn, y: 0) }
        }
        if isFinding {
            let line = region.row(region.height - 1)
            let start = 1 + line.put(line.say("Find") + " ", x: 1, y: 0, role: .label)
            line.put(find.text, x: start, y: 0, role: .field)
            if focused {
                line.setCursor(x: start + find.window(width: line.width - start, line.metrics).caretColumn, y: 0)
            }
        }
    }
}
