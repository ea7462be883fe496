/// How many cells text takes on this terminal, and what is drawn in place of text that must not be drawn.
///
/// The one width function of the console. East Asian Wide and Fullwidth take two cells, marks and joiners none, emoji
/// sequences two. Ambiguous characters take one cell where the terminal proved that it draws them so; elsewhere a
/// stand-in of certain width is drawn (`→` becomes `->`). Whatever could move the cursor, change the direction of
/// writing or hide is drawn as visible text (`^[`, `<U+202E>`).
package struct TextMetrics: Hashable, Sendable {
    /// A start-up probe (or the administrator) says that ambiguous characters are one cell wide.
    package var ambiguousIsNarrow: Bool

    package init(ambiguousIsNarrow: Bool = false) {
        self.ambiguousIsNarrow = ambiguousIsNarrow
    }

    /// What is drawn for `character`: `nil` when it may be drawn as it is.
    package func replacement(for character: Character) -> String? {
        if TextMetrics.isPlain(character) { return nil }
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return "" }
        if scalars.count > 1 {
            if scalars.contains(where: TextMetrics.isDangerous) {
                return scalars.map { TextMetrics.isDangerous($0) ? TextMetrics.named($0) : String($0) }.joined()
            }
            // ncurses keeps a base and a handful of marks per cell; a longer pile is an attack on the layout.
            if scalars.count > TextMetrics.scalarsPerCell, !TextMetrics.isEmojiSequence(scalars) {
                return String(String.UnicodeScalarView(scalars.prefix(TextMetrics.scalarsPerCell)))
            }
        }
        if TextMetrics.isDangerous(first) || TextMetrics.scalarWidth(first) == 0 { return TextMetrics.named(first) }
        if !ambiguousIsNarrow, WidthTable.contains(WidthTable.ambiguous, first.value) {
            return TextMetrics.standIns[first] ?? "?"
        }
        return nil
    }

    /// Cells that `character` takes when drawn, stand-ins counted.
    package func width(_ character: Character) -> Int {
        if TextMetrics.isPlain(character) { return 1 }
        if let replacement = replacement(for: character) {
            return replacement.reduce(0) { $0 + TextMetrics.drawnWidth($1) }
        }
        return TextMetrics.drawnWidth(character)
    }

    package func width(_ text: String) -> Int {
        text.reduce(0) { $0 + width($1) }
    }

    /// The longest beginning of `text` that fits `width` cells, never half a character.
    package func clip(_ text: String, to width: Int) -> String {
        var used = 0
        var end = text.startIndex
        for index in text.indices {
            used += self.width(text[index])
            if used > width { return String(text[..<end]) }
            end = text.index(after: index)
        }
        return text
    }

    /// `text` in exactly `width` cells: clipped, then filled with spaces (after clipping, so that a character cut at
    /// the edge leaves a space and no half cell).
    package func fit(_ text: String, to width: Int, align: Alignment = .left) -> String {
        let clipped = clip(text, to: width)
        let space = String(repeating: " ", count: max(0, width - self.width(clipped)))
        return align == .left ? clipped + space : space + clipped
    }

    /// `text` broken into lines of at most `width` cells, at spaces and beside wide characters (Japanese has no spaces to
    /// break at; its marks stay with what they close or open), else anywhere. A line feed in `text` ends a line.
    package func wrap(_ text: String, to width: Int) -> [String] {
        guard width > 0 else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { wrapLine(Array($0), to: width) }
    }

    private func wrapLine(_ line: [Character], to width: Int) -> [String] {
        var lines: [String] = []
        var start = 0
        while start < line.count {
            var used = 0
            var end = start
            while end < line.count, used + self.width(line[end]) <= width {
                used += self.width(line[end])
                end += 1
            }
            if end < line.count, end > start {
                end = (start + 1...end).last { canBreak(line, before: $0) } ?? end
            }
            if end == start { end += 1 }
            lines.append(String(line[start..<end]))
            start = end
            while start < line.count, line[start] == " " { start += 1 }
        }
        return lines.isEmpty ? [""] : lines
    }

    private func canBreak(_ line: [Character], before index: Int) -> Bool {
        let (last, next) = (line[index - 1], line[index])
        if next == " " { return true }
        guard last != " ", width(last) == 2 || width(next) == 2 else { return false }
        return !Self.closing.contains(next) && !Self.opening.contains(last)
    }

    /// Never at the beginning, and never at the end of a line.
    private static let closing: Set<Character> = Set(
        "、。，．・：；？！）」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}>%")
    private static let opening: Set<Character> = Set("（「『【〈《〔([{<")
}

package enum Alignment: Sendable {
    case left, right
}

extension TextMetrics {
    /// Base, and the marks that ncurses keeps with it (CCHARW_MAX).
    static let scalarsPerCell = 5

    /// Printable ASCII: nearly everything that is drawn.
    @inline(__always)
    static func isPlain(_ character: Character) -> Bool {
        // CR LF is one Character whose asciiValue is LF: the range excludes it.
        if let ascii = character.asciiValue { return ascii >= 0x20 && ascii < 0x7F }
        return false
    }

    /// Width of a character that is drawn as it is.
    static func drawnWidth(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        if scalars.count > 1, isEmojiSequence(scalars) { return 2 }
        return scalarWidth(first)
    }

    static func scalarWidth(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return scalar.value == 0xAD ? 0 : 1 }
        if WidthTable.contains(WidthTable.wide, scalar.value) { return 2 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return (0x1160...0x11FF).contains(scalar.value) ? 0 : 1  // conjoining vowels and finals
        }
    }

    private static func isEmojiSequence(_ scalars: Character.UnicodeScalarView) -> Bool {
        guard let first = scalars.first else { return false }
        if (0x1F1E6...0x1F1FF).contains(first.value) { return true }
        return scalars.dropFirst().contains {
            $0.value == 0xFE0F || $0.value == 0x200D || $0.value == 0x20E3 || $0.properties.isEmojiModifier
        } && (first.properties.isEmoji)
    }

    /// What must never reach a terminal: controls, line separators, bidirectional controls, and what is not a
    /// character at all.
    static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 0x20 || (0x7F...0x9F).contains(value) { return true }
        if value < 0x600 { return false }
        if value == 0x61C || (0x200E...0x200F).contains(value) || (0x2028...0x202E).contains(value) { return true }
        if (0x2066...0x2069).contains(value) { return true }
        return scalar.properties.generalCategory == .unassigned
    }

    /// `^[` for controls, `<U+202E>` for the rest.
    static func named(_ scalar: Unicode.Scalar) -> String {
        if scalar.value < 0x20 || scalar.value == 0x7F {
            return "^" + String(Character(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) ^ 0x40)))
        }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "<U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ">"
    }

    /// What stands in for an ambiguous character whose width the terminal did not prove; the rest becomes `?`.
    private static let standIns: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [
            "─": "-", "━": "-", "│": "|", "┃": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+",
            "┬": "+", "┴": "+", "┼": "+", "○": "〇", "●": "*", "◎": "(o)", "×": "x", "÷": "/", "→": "->", "←": "<-",
            "↑": "^", "↓": "v", "⇒": "=>", "…": "...", "‥": "..", "■": "#", "□": "[]", "★": "*", "☆": "*",
            "‘": "'", "’": "'", "“": "\"", "”": "\"", "–": "-", "—": "--", "―": "--", "‐": "-", "·": ".", "•": "*",
            "°": "deg", "±": "+-", "§": "S", "¶": "P", "®": "(R)", "※": "*", "△": "^", "▽": "v", "▲": "^",
            "▼": "v", "◆": "*", "◇": "<>", "℃": "C", "№": "No", "℡": "TEL", "™": "TM", "∞": "oo", "≠": "/=", "≦": "<=",
            "≧": ">=", "√": "V", "∴": ":.", "á": "a", "à": "a", "é": "e", "è": "e", "ê": "e", "í": "i", "ì": "i",
            "ó": "o", "ò": "o", "ú": "u", "ù": "u", "ü": "u", "æ": "ae", "ø": "o", "ß": "ss", "ð": "d", "þ": "th",
            "¡": "!", "¿": "?", "ª": "a", "º": "o", "¤": "$", "¨": "\"", "´": "'", "¸": ",",
        ].reduce(into: [:]) { table, pair in
            if let scalar = pair.key.unicodeScalars.first, pair.key.unicodeScalars.count == 1 {
                table[scalar] = pair.value
            }
        }
        for number in 1...20 {
            if let scalar = Unicode.Scalar(UInt32(0x2460 + number - 1)) { table[scalar] = "(\(number))" }
        }
        for number in 1...12 {
            if let scalar = Unicode.Scalar(UInt32(0x2160 + number - 1)) {
                table[scalar] = TextMetrics.roman[number - 1]
            }
        }
        return table
    }()

    private static let roman = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
}
