/// One line to type in, drawn `[text      ]`.
package struct TextField: Widget, Sendable {
    package enum Kind: Hashable, Sendable {
        case text
        /// Whole number in a range; only digits are taken.
        case number(ClosedRange<Int>)
        /// Octets; the value is shown once more for people (`= 4.0 GB`).
        case bytes
        case ipAddress
        case mailAddress
        case path
        /// Drawn as stars.
        case password
    }

    package var kind: Kind
    package var line: TextLine
    /// The value that Ctrl-X brings back: the server's.
    package var original: String
    /// Cells between the brackets; `nil` = the rest of the row.
    package var fieldWidth: Int?
    /// Offered with Down on an empty or half-typed value.
    package var suggestions: [String]
    package var isEnabled: Bool
    private var popup: ChoiceList?
    private var isLiteral = false

    package init(
        _ text: String = "", kind: Kind = .text, width: Int? = nil, limit: Int = 4_096, suggestions: [String] = [],
        isEnabled: Bool = true
    ) {
        self.kind = kind
        line = TextLine(text, limit: limit)
        original = text
        fieldWidth = width
        self.suggestions = suggestions
        self.isEnabled = isEnabled
    }

    package var text: String {
        get { line.text }
        set { line.text = newValue }
    }

    package var isFocusable: Bool { isEnabled }
    package var takesText: Bool { true }
    package var takesNextKey: Bool { isLiteral }
    package var hasPopup: Bool { popup != nil }

    package func idealWidth(_ look: Look) -> Int? {
        fieldWidth.map { $0 + 2 + (note(look) == nil ? 0 : 12) }
    }

    package mutating func focusChanged(_ focused: Bool) {
        popup = nil
        isLiteral = false
    }

    package mutating func handle(_ key: Key) -> Reaction {
        if isLiteral {
            isLiteral = false
            if case .control(let letter) = key, let value = letter.asciiValue {
                return insert(Character(Unicode.Scalar(value & 0x1F)))
            }
            if key == .tab { return insert("\t") }
        }
        if popup != nil { return handlePopup(key) }
        switch key {
        case .enter: return .next
        case .control("v"):
            isLiteral = true
            return .handled
        case .control("x"):
            guard text != original else { return .handled }
            text = original
            return .changed
        case .down:
            let list = matching
            guard !list.isEmpty else { return .ignored }
            popup = ChoiceList(list)
            return .handled
        case .character(let character): return insert(character)
        case .paste(let pasted):
            let flat = pasted.split(separator: "\n").joined(separator: " ").filter { allows($0) }
            let before = line
            _ = line.edit(.paste(flat))
            return line.characters == before.characters ? .handled : .changed
        default:
            let before = line
            guard line.edit(key) else { return .ignored }
            return line.characters == before.characters ? .handled : .changed
        }
    }

    private mutating func insert(_ character: Character) -> Reaction {
        guard allows(character) else { return .refused(refusal(character)) }
        guard line.characters.count < line.limit else {
            return .refused(Phrase("No more than {limit} characters fit here.", ["limit": String(line.limit)]))
        }
        line.insert(character)
        return .changed
    }

    private mutating func handlePopup(_ key: Key) -> Reaction {
        switch popup?.handle(key) {
        case .chosen(let index)?:
            let list = matching
            popup = nil
            guard list.indices.contains(index) else { return .handled }
            text = list[index]
            return .changed
        case .closed?:
            popup = nil
            return .handled
        case .moved?: return .handled
        case .ignored?, nil:
            popup = nil
            return handle(key)
        }
    }

    private var matching: [String] {
        let typed = text
        return typed.isEmpty ? suggestions : suggestions.filter { $0.hasPrefix(typed) && $0 != typed }
    }

    /// Only characters that can never be right are refused while typing; the rest is checked on leaving.
    private func allows(_ character: Character) -> Bool {
        switch kind {
        case .text, .password, .path: return true
        case .number(let range):
            return character.isASCII && (character.isNumber || (character == "-" && range.lowerBound < 0))
        case .bytes: return character.isASCII && (character.isNumber || "kKmMgGtTbB. ".contains(character))
        case .ipAddress: return character.isASCII && (character.isHexDigit || ".:/%[]*".contains(character))
        case .mailAddress: return character != " " && !character.isNewline
        }
    }

    private func refusal(_ character: Character) -> Phrase {
        let shown = ["character": Visible.line(String(character))]
        return switch kind {
        case .number: Phrase("Only digits can stand here, not \"{character}\".", shown)
        case .bytes: Phrase("Only digits and k, M, G, T can stand here, not \"{character}\".", shown)
        case .ipAddress: Phrase("\"{character}\" cannot stand in an IP address.", shown)
        case .mailAddress, .text, .password, .path: Phrase("\"{character}\" cannot stand here.", shown)
        }
    }

    /// The number typed; `nil` when it is none or not in the range. Bytes may end in k, M, G, T (powers of 1,024).
    package var number: Int? {
        switch kind {
        case .number(let range): Int(text).flatMap { range.contains($0) ? $0 : nil }
        case .bytes: Bytes.parse(text)
        default: nil
        }
    }

    /// A form error that can be told without the server; `nil` = none. Empty is for the page to judge.
    package var problem: Phrase? {
        guard !text.isEmpty else { return nil }
        switch kind {
        case .number(let range):
            guard let value = Int(text) else { return Phrase("{value} is not a number.", ["value": text]) }
            if value > range.upperBound {
                return Phrase(
                    "{value} is too large; use {low} to {high}.",
                    ["value": text, "low": String(range.lowerBound), "high": String(range.upperBound)])
            }
            return value >= range.lowerBound
                ? nil
                : Phrase(
                    "{value} is too small; use {low} to {high}.",
                    ["value": text, "low": String(range.lowerBound), "high": String(range.upperBound)])
        case .bytes:
            return Bytes.parse(text) == nil
                ? Phrase("{value} is not a size; use digits, with k, M, G or T if you like.", ["value": text]) : nil
        case .text, .ipAddress, .mailAddress, .path, .password: return nil
        }
    }

    private func note(_ look: Look) -> String? {
        guard case .bytes = kind, let value = number, value >= 1_024 else { return nil }
        return "= " + Bytes.text(value)
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let inner = max(1, min(fieldWidth ?? region.width - 2, region.width - 2))
        let area = region.part(x: 1, y: 0, width: inner, height: 1)
        region.put("[", x: 0, y: 0, role: .border)
        region.put("]", x: inner + 1, y: 0, role: .border)
        area.fill(role: isEnabled ? .field : .disabled)
        let shown = kind == .password ? TextLine.stars(line) : line
        let window = shown.window(width: inner, region.metrics)
        let first = focused ? window.first : 0
        area.put(String(shown.characters[first...]), x: 0, y: 0, role: isEnabled ? .field : .disabled)
        if focused { area.setCursor(x: window.caretColumn, y: 0) }
        if let note = note(region.look) { region.put(note, x: inner + 3, y: 0, role: .hint) }
    }

    package func drawPopup(over page: Region, anchor: Rect) {
        popup?.draw(
            over: page, anchor: Rect(x: anchor.x + 1, y: anchor.y, width: anchor.width, height: 1), items: matching)
    }
}

extension TextLine {
    fileprivate static func stars(_ line: TextLine) -> TextLine {
        var stars = TextLine(String(repeating: "*", count: line.characters.count))
        stars.moveCaret(to: line.caret)
        return stars
    }
}
