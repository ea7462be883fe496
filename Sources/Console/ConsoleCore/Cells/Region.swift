/// A rectangle of a buffer to draw in, in its own coordinates. What falls outside is clipped; half a wide character at
/// an edge becomes a space.
package struct Region {
    let buffer: Buffer
    /// In the buffer's coordinates.
    package let rect: Rect
    private let clip: Rect

    init(buffer: Buffer, rect: Rect, clip: Rect? = nil) {
        self.buffer = buffer
        self.rect = rect
        self.clip = rect.intersection(clip ?? Rect(buffer.size))
    }

    package var width: Int { rect.width }
    package var height: Int { rect.height }
    package var look: Look { buffer.look }
    package var say: any Localizer { buffer.look.say }
    package var metrics: TextMetrics { buffer.look.metrics }

    package func part(x: Int, y: Int, width: Int, height: Int) -> Region {
        Region(
            buffer: buffer, rect: Rect(x: rect.x + x, y: rect.y + y, width: width, height: height), clip: clip)
    }

    package func part(_ inner: Rect) -> Region {
        part(x: inner.x, y: inner.y, width: inner.width, height: inner.height)
    }

    package func row(_ y: Int) -> Region {
        part(x: 0, y: y, width: width, height: 1)
    }

    /// Draws `text` from (x, y) to the right.
    /// - Parameter limit: cells at most; the region's edge by default.
    /// - Returns: cells used.
    @discardableResult
    package func put(_ text: String, x: Int, y: Int, role: Role = .normal, limit: Int? = nil) -> Int {
        var end = width
        if let limit { end = min(end, x + max(0, limit)) }
        var column = x
        for character in text {
            if column >= end { break }
            column += put(character, x: column, y: y, role: role, end: end)
        }
        return column - x
    }

    @discardableResult
    package func put(_ phrase: Phrase, x: Int, y: Int, role: Role = .normal, limit: Int? = nil) -> Int {
        put(say(phrase), x: x, y: y, role: role, limit: limit)
    }

    /// Draws `text` so that it ends at the region's right edge.
    @discardableResult
    package func putRight(_ text: String, y: Int, role: Role = .normal, margin: Int = 0) -> Int {
        let start = max(0, width - margin - metrics.width(text))
        put(text, x: start, y: y, role: role, limit: width - margin - start)
        return start
    }

    private func put(_ character: Character, x: Int, y: Int, role: Role, end: Int) -> Int {
        if TextMetrics.isPlain(character) {
            cell(character, 1, x, y, role)
            return 1
        }
        if let replacement = metrics.replacement(for: character) {
            var used = 0
            for stand in replacement where x + used < end {
                let width = TextMetrics.drawnWidth(stand)
                guard width > 0, x + used + width <= end else {
                    cell(" ", 1, x + used, y, role)
                    return used + 1
                }
                cell(stand, width, x + used, y, role)
                used += width
            }
            return used
        }
        let width = TextMetrics.drawnWidth(character)
        if x + width > end {
            cell(" ", 1, x, y, role)
            return 1
        }
        cell(character, width, x, y, role)
        return width
    }

    private func cell(_ character: Character, _ width: Int, _ x: Int, _ y: Int, _ role: Role) {
        let column = rect.x + x
        let line = rect.y + y
        guard line >= clip.y, line < clip.bottom else { return }
        if column >= clip.x, column + width <= clip.right {
            buffer.set(character, width: width, role: role, x: column, y: line)
        } else if width == 2 {
            // Half of it lies outside: the half inside is a space.
            let inside = column < clip.x ? column + 1 : column
            if inside >= clip.x, inside < clip.right {
                buffer.set(" ", width: 1, role: role, x: inside, y: line)
            }
        }
    }

    package func fill(_ character: Character = " ", role: Role = .normal) {
        for y in 0..<height { fillRow(y, character, role: role) }
    }

    package func fillRow(_ y: Int, _ character: Character = " ", role: Role = .normal, from: Int = 0, to: Int? = nil) {
        guard from < (to ?? width) else { return }
        for x in from..<(to ?? width) { cell(character, 1, x, y, role) }
    }

    /// Changes the role of cells already drawn.
    package func paint(_ role: Role, x: Int, y: Int, width: Int) {
        guard width > 0, rect.y + y >= clip.y, rect.y + y < clip.bottom else { return }
        for column in x..<(x + width) where rect.x + column >= clip.x && rect.x + column < clip.right {
            buffer.setRole(role, x: rect.x + column, y: rect.y + y)
        }
    }

    /// Puts the hardware cursor here: the focus.
    package func setCursor(x: Int, y: Int) {
        let area = clip.width > 0 && clip.height > 0 ? clip : Rect(buffer.size)
        buffer.cursor = Point(
            x: min(max(rect.x + x, area.x), area.right - 1), y: min(max(rect.y + y, area.y), area.bottom - 1))
    }

    /// A frame with an optional title in its upper edge. ASCII: line characters are of ambiguous width.
    package func frame(title: String = "") {
        guard width >= 2, height >= 2 else { return }
        let narrow = metrics.ambiguousIsNarrow
        let horizontal: Character = narrow ? "─" : "-"
        for y in [0, height - 1] { fillRow(y, horizontal, role: .border, from: 1, to: width - 1) }
        for y in 1..<height - 1 {
            cell(narrow ? "│" : "|", 1, 0, y, .border)
            cell(narrow ? "│" : "|", 1, width - 1, y, .border)
        }
        let corners: [Character] = narrow ? ["┌", "┐", "└", "┘"] : ["+", "+", "+", "+"]
        cell(corners[0], 1, 0, 0, .border)
        cell(corners[1], 1, width - 1, 0, .border)
        cell(corners[2], 1, 0, height - 1, .border)
        cell(corners[3], 1, width - 1, height - 1, .border)
        if !title.isEmpty { put(" " + title + " ", x: 2, y: 0, role: .title, limit: width - 4) }
    }

    /// A horizontal rule over the whole width.
    package func rule(y: Int) {
        fillRow(y, metrics.ambiguousIsNarrow ? "─" : "-", role: .border)
    }
}
