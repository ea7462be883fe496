/// The half hours of a day as marks, `#` and `.`, with a cursor on one of them: Left and Right move it, Space is for the
/// page, which knows what the marks stand for.
package struct HourBar: Widget, Sendable {
    /// One per half hour, from midnight on.
    package var marks: [Bool]
    package var cursor: Int
    package var role: Role

    package static let count = 48

    package init(_ marks: [Bool] = Array(repeating: false, count: HourBar.count), cursor: Int = 0) {
        self.marks = marks
        self.cursor = cursor
        role = .normal
    }

    package func idealWidth(_ look: Look) -> Int? { Self.count + 2 }

    package mutating func handle(_ key: Key) -> Reaction {
        switch key {
        case .left where cursor > 0: cursor -= 1
        case .right where cursor + 1 < Self.count: cursor += 1
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = Self.count - 1
        case .character(" "): return .changed
        case .enter: return .next
        default: return .ignored
        }
        return .handled
    }

    package mutating func draw(in region: Region, focused: Bool) {
        region.put("|" + String(marks.map { $0 ? "#" : "." }) + "|", x: 0, y: 0, role: role)
        guard focused else { return }
        let mark = marks.indices.contains(cursor) && marks[cursor] ? "#" : "."
        region.put(mark, x: cursor + 1, y: 0, role: .focus)
        region.setCursor(x: cursor + 1, y: 0)
    }
}
