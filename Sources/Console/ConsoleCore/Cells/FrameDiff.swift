/// What has to be written so that a terminal that shows `old` shows `new`. Pure, so that its size can be budgeted and
/// tested without a terminal.
package struct FrameDiff {
    /// Neighbouring cells of one role in one row.
    package struct Run: Hashable, Sendable {
        package var x: Int
        package var y: Int
        package var role: Role
        package var cells: ArraySlice<Cell>
    }

    package private(set) var runs: [Run] = []
    /// About what goes over the line: characters, and the moves between runs.
    package private(set) var estimatedOctets = 0
    package let isWhole: Bool
    package let movesCursor: Bool

    /// Octets that moving the cursor and changing attributes take for one run, roughly.
    static let runOverhead = 8

    package init(from old: Buffer?, to new: Buffer) {
        guard let old, old.size == new.size else {
            isWhole = true
            movesCursor = true
            for y in 0..<new.size.rows { add(row: y, from: 0, to: new.size.columns, of: new) }
            return
        }
        isWhole = false
        movesCursor = old.cursor != new.cursor
        let columns = new.size.columns
        for y in 0..<new.size.rows {
            let base = y * columns
            var x = 0
            while x < columns {
                guard old.cells[base + x] != new.cells[base + x] else {
                    x += 1
                    continue
                }
                var end = x + 1
                var same = 0
                // A short stretch of equal cells is cheaper written again than jumped over.
                while end + same < columns, same < FrameDiff.runOverhead / 2 {
                    if old.cells[base + end + same] == new.cells[base + end + same] {
                        same += 1
                    } else {
                        end += same + 1
                        same = 0
                    }
                }
                add(row: y, from: x, to: end, of: new)
                x = end + same
            }
        }
    }

    package var isEmpty: Bool { runs.isEmpty && !movesCursor }

    private mutating func add(row y: Int, from start: Int, to end: Int, of buffer: Buffer) {
        let base = y * buffer.size.columns
        // The second half of a wide character is written with its first.
        var x = buffer.cells[base + start].width == 0 ? start - 1 : start
        while x < end {
            let role = buffer.cells[base + x].role
            var stop = x + 1
            while stop < end, buffer.cells[base + stop].role == role { stop += 1 }
            if stop < buffer.size.columns, buffer.cells[base + stop].width == 0 { stop += 1 }
            runs.append(Run(x: x, y: y, role: role, cells: buffer.cells[(base + x)..<(base + stop)]))
            estimatedOctets += FrameDiff.runOverhead + (stop - x)
            x = stop
        }
    }
}
