/// One cell of the screen. A wide character lies in its first cell (`width` 2); the cell after it has `width` 0.
package struct Cell: Hashable, Sendable {
    package var grapheme: Character
    package var width: UInt8
    package var role: Role

    package static let blank = Cell(grapheme: " ", width: 1, role: .normal)
}

/// How things are drawn: language, widths, and whether lines may be line-drawing characters.
package struct Look: Sendable {
    package var say: any Localizer
    package var metrics: TextMetrics
    package init(say: any Localizer = English(), metrics: TextMetrics = TextMetrics()) {
        self.say = say
        self.metrics = metrics
    }
}

/// A frame: a grid of cells and the place of the hardware cursor. Drawing goes through `Region`.
///
/// A class so that the regions of one frame share it; it lives on one thread and never outlives the next frame.
package final class Buffer {
    static let columnsAtMost = 1_000
    static let rowsAtMost = 500

    package let size: Size
    package var look: Look
    package private(set) var cells: [Cell]
    /// Where the hardware cursor stands: always on the caret or the focused item.
    package var cursor = Point(x: 0, y: 0)

    package init(size: Size, look: Look) {
        // A size comes from outside (the terminal): a frame is never larger than any real screen.
        let size = Size(
            columns: min(max(1, size.columns), Buffer.columnsAtMost), rows: min(max(1, size.rows), Buffer.rowsAtMost))
        self.size = size
        self.look = look
        cells = Array(repeating: .blank, count: size.columns * size.rows)
    }

    package subscript(x: Int, y: Int) -> Cell {
        guard x >= 0, y >= 0, x < size.columns, y < size.rows else { return .blank }
        return cells[y * size.columns + x]
    }

    package var whole: Region { Region(buffer: self, rect: Rect(size)) }

    /// Puts one drawable character. Overwriting half of a wide character blanks its other half.
    func set(_ grapheme: Character, width: Int, role: Role, x: Int, y: Int) {
        guard y >= 0, y < size.rows, x >= 0, x + width <= size.columns, width > 0 else { return }
        let index = y * size.columns + x
        detach(index, x: x)
        cells[index] = Cell(grapheme: grapheme, width: UInt8(truncatingIfNeeded: width), role: role)
        if width == 2 {
            detach(index + 1, x: x + 1)
            cells[index + 1] = Cell(grapheme: " ", width: 0, role: role)
        }
    }

    private func detach(_ index: Int, x: Int) {
        if cells[index].width == 0, x > 0, cells[index - 1].width == 2 {
            cells[index - 1] = Cell(grapheme: " ", width: 1, role: cells[index - 1].role)
        }
        if cells[index].width == 2, x + 1 < size.columns {
            cells[index + 1] = Cell(grapheme: " ", width: 1, role: cells[index + 1].role)
        }
    }

    func setRole(_ role: Role, x: Int, y: Int) {
        guard x >= 0, y >= 0, x < size.columns, y < size.rows else { return }
        cells[y * size.columns + x].role = role
    }
}
