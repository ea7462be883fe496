/// A frame as text, for tests and for `--plain`: what it shows, and what each cell means.
extension Buffer {
    /// One line per row, spaces at its end cut off.
    package var text: String {
        lines { $0.width == 0 ? nil : $0.grapheme }
    }

    /// One role letter per cell (`Role.letter`), `.` at a line's end cut off.
    package var attributeText: String {
        lines({ $0.role.letter }, trim: ".")
    }

    /// The form of the files in Tests/Fixtures/Screens: text, attributes, cursor.
    package var snapshot: String {
        let separator = String(repeating: "=", count: size.columns)
        return text + separator + "\n" + attributeText + separator + "\ncursor \(cursor.x),\(cursor.y)\n"
    }

    private func lines(_ value: (Cell) -> Character?, trim: Character = " ") -> String {
        var result = ""
        for y in 0..<size.rows {
            var line = (0..<size.columns).compactMap { value(self[$0, y]) }
            while line.last == trim { line.removeLast() }
            result += String(line) + "\n"
        }
        return result
    }
}
