extension Table {
    /// Cells before the first column: `x` marked, `>` cursor, state.
    static let prefix = 3

    /// Columns that fit, with their widths: first all minima, dropping the least important, then what is left up to
    /// the maxima, then to the columns without one.
    func layoutColumns(_ width: Int) -> [(index: Int, width: Int)] {
        var shown = Array(columns.indices)
        let available = width - Table.prefix
        func needed(_ indices: [Int]) -> Int { indices.reduce(0) { $0 + columns[$1].minimum + 1 } - 1 }
        while shown.count > 1, needed(shown) > available {
            guard let least = shown.min(by: { columns[$0].priority < columns[$1].priority }) else { break }
            shown.removeAll { $0 == least }
        }
        var widths = shown.map { (index: $0, width: columns[$0].minimum) }
        var rest = max(0, available - needed(shown))
        for place in widths.indices {
            guard let maximum = columns[widths[place].index].maximum else { continue }
            let more = min(rest, max(0, maximum - widths[place].width))
            widths[place].width += more
            rest -= more
        }
        let open = widths.indices.filter { columns[widths[$0].index].maximum == nil }
        for (number, place) in open.enumerated() {
            widths[place].width += rest / open.count + (number < rest % open.count ? 1 : 0)
        }
        if let only = widths.first, widths.count == 1 { widths[0].width = min(only.width, max(1, available)) }
        return widths
    }

    package mutating func draw(in region: Region, focused: Bool) {
        let hasFilterLine = isFiltering || isSorting || !filter.isEmpty
        // Columns without titles have no heading.
        let hasTitles = columns.contains { !region.say($0.title).isEmpty }
        let head = (hasFilterLine ? 1 : 0) + (!hasTitles ? 0 : region.height >= 4 ? 2 : region.height >= 3 ? 1 : 0)
        let rows = max(1, region.height - head)
        if rows != page {
            page = rows
            clamp()
        }
        let layout = layoutColumns(region.width)
        var y = 0
        if hasFilterLine {
            drawFilterLine(in: region.row(0), focused: focused)
            y = 1
        }
        if head > y { drawHeading(layout, in: region.part(x: 0, y: y, width: region.width, height: head - y)) }
        let body = region.part(x: 0, y: head, width: region.width, height: rows)
        guard total > 0 else {
            body.put(requested == nil && !isStale || all != nil ? emptyText : "...", x: Table.prefix, y: 0, role: .hint)
            if focused, !isFiltering { body.setCursor(x: 0, y: 0) }
            return
        }
        for line in 0..<min(rows, total - top) {
            drawRow(top + line, layout, in: body.row(line), focused: focused)
        }
        if top > 0 { body.put("^", x: region.width - 1, y: 0, role: .hint) }
        if top + rows < total { body.put("v", x: region.width - 1, y: rows - 1, role: .hint) }
    }

    private func drawHeading(_ layout: [(index: Int, width: Int)], in region: Region) {
        var x = Table.prefix
        for (index, width) in layout {
            let column = columns[index]
            var title = region.say(column.title)
            if sort == column.id { title += isDescending ? " v" : " ^" }
            region.put(region.metrics.fit(title, to: width, align: column.align), x: x, y: 0, role: .heading)
            if region.height > 1 { region.fillRow(1, "-", role: .border, from: x, to: x + width) }
            x += width + 1
        }
    }

    private func drawRow(_ index: Int, _ layout: [(index: Int, width: Int)], in region: Region, focused: Bool) {
        let isCurrent = index == cursor
        guard let row = row(at: index) else {
            region.put("...", x: Table.prefix, y: 0, role: .hint)
            if isCurrent {
                region.put(">", x: 1, y: 0, role: .selection)
                if focused, !isFiltering { region.setCursor(x: 1, y: 0) }
            }
            return
        }
        let role: Role = isCurrent && focused ? .focus : isCurrent ? .selection : row.role
        if isCurrent, focused { region.fillRow(0, role: .focus, from: Table.prefix) }
        var x = Table.prefix
        for (index, width) in layout {
            let text = row.cells.indices.contains(index) ? row.cells[index] : ""
            region.put(region.metrics.fit(text, to: width, align: columns[index].align), x: x, y: 0, role: role)
            x += width + 1
        }
        if marks.contains(row.id) { region.put("x", x: 0, y: 0, role: .mark) }
        if isCurrent {
            region.put(">", x: 1, y: 0, role: .selection)
            if focused, !isFiltering { region.setCursor(x: 1, y: 0) }
        }
        if row.mark != .none { region.put(String(row.mark.character), x: 2, y: 0, role: row.mark.role) }
    }

    private func drawFilterLine(in region: Region, focused: Bool) {
        if isSorting {
            let letters = columns.compactMap { column in
                column.sortLetter.map { "\($0) " + region.say(column.title) }
            }
            region.put(region.say("Sort by") + "  " + letters.joined(separator: "  "), x: 1, y: 0, role: .hint)
            if focused { region.setCursor(x: 1, y: 0) }
            return
        }
        let start = 1 + region.put(region.say("Filter") + " /", x: 1, y: 0, role: .label)
        let count = region.say("{count} shown", ["count": Numbers.grouped(total)])
        let room = max(4, region.width - start - region.metrics.width(count) - 3)
        let view = filterLine.window(width: room, region.metrics)
        region.put(String(filterLine.characters[view.first...]), x: start, y: 0, role: .field, limit: room)
        region.putRight(count, y: 0, role: .hint, margin: 1)
        if focused, isFiltering { region.setCursor(x: start + view.caretColumn, y: 0) }
    }
}

/// Numbers for people: `1,208`.
package enum Numbers {
    package static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
