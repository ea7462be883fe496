extension Form {
    /// Rows that a flexible part keeps however small the page is.
    static let flexibleMinimum = 4

    struct Placement {
        var row: Int
        var part: Int
        var rect: Rect
    }

    /// The label column: as wide as the widest label that takes at most two fifths of the page.
    func labelWidth(_ width: Int, _ look: Look) -> Int {
        rows.filter { !$0.isHidden }.compactMap(\.label).map { look.metrics.width(look.say($0)) }
            .filter { $0 <= width * 2 / 5 }.max() ?? 0
    }

    /// Pure: where each part stands, in rows from the top of the whole form.
    func layout(width: Int, height: Int, _ look: Look) -> (placements: [Placement], height: Int) {
        let fixed = measure(width: width, extra: [:], look)
        let flexible = rows.indices.filter { !rows[$0].isHidden && rows[$0].parts.contains { $0.widget.isFlexible } }
        guard !flexible.isEmpty, fixed.height < height else { return fixed }
        // What is left goes to the flexible rows in equal shares.
        var extra: [Int: Int] = [:]
        for (index, row) in flexible.enumerated() {
            let rest = height - fixed.height
            extra[row] = rest / flexible.count + (index < rest % flexible.count ? 1 : 0)
        }
        return measure(width: width, extra: extra, look)
    }

    private func measure(width: Int, extra: [Int: Int], _ look: Look) -> (placements: [Placement], height: Int) {
        let label = labelWidth(width, look)
        var placements: [Placement] = []
        var y = 0
        for (index, row) in rows.enumerated() where !row.isHidden {
            let isStacked = row.isStacked(label, look)
            let column = row.label != nil || row.isIndented ? 2 + label + (label > 0 ? 2 : 0) : row.fillsPage ? 0 : 2
            let start = isStacked ? 4 : column
            var line = LineBuilder(x: start, start: start, y: isStacked ? y + 1 : y, width: width)
            for (number, part) in row.parts.enumerated() {
                let wanted = part.wantedWidth(look)
                line.breakIfNeeded(for: wanted ?? min(12, width - start), gap: row.gap)
                let rest = width - line.x - row.widthAfter(number, look)
                let cells = max(1, min(wanted ?? rest, width - line.x))
                var rows = part.widget.idealHeight(width: cells, look)
                if part.widget.isFlexible { rows = min(rows, Form.flexibleMinimum) + (extra[index] ?? 0) }
                placements.append(
                    Placement(row: index, part: number, rect: Rect(x: line.x, y: line.y, width: cells, height: rows)))
                line.advance(cells, rows: rows, gap: row.gap)
            }
            y = line.bottom
        }
        return (placements, y)
    }

    package mutating func draw(in region: Region, hasFocus: Bool) {
        let (placements, total) = layout(width: region.width, height: region.height, region.look)
        frames = [:]
        for placement in placements {
            let part = rows[placement.row].parts[placement.part]
            if part.widget.isFocusable, !part.id.isEmpty { frames[part.id] = placement.rect }
        }
        scroll(total: total, height: region.height)
        drawLabels(placements, in: region, hasFocus: hasFocus)
        for placement in placements {
            let rect = placement.rect
            guard rect.bottom > scrollTop, rect.y < scrollTop + region.height else { continue }
            let isFocused = hasFocus && rows[placement.row].parts[placement.part].id == focus && focus != nil
            let area = region.part(x: rect.x, y: rect.y - scrollTop, width: rect.width, height: rect.height)
            rows[placement.row].parts[placement.part].widget.draw(in: area, focused: isFocused)
        }
        if scrollTop > 0 { region.put("^", x: region.width - 1, y: 0, role: .hint) }
        if scrollTop + region.height < total { region.put("v", x: region.width - 1, y: region.height - 1, role: .hint) }
    }

    /// The list that the focused part opened; drawn after everything else of the page.
    package func drawPopup(over region: Region) {
        guard let focus, let rect = frames[focus], let widget = focusedWidget, widget.hasPopup else { return }
        widget.drawPopup(
            over: region, anchor: Rect(x: rect.x, y: rect.y - scrollTop, width: rect.width, height: rect.height))
    }

    package mutating func drawButtons(in region: Region, hasFocus: Bool) {
        buttons?.draw(in: region, focused: hasFocus && focus == Form.buttonsID)
    }

    /// The focused part is always on screen; a label row just above it comes along when there is room.
    private mutating func scroll(total: Int, height: Int) {
        if let focus, let rect = frames[focus] {
            if rect.y <= scrollTop { scrollTop = max(0, rect.y - 1) }
            if rect.bottom > scrollTop + height { scrollTop = min(rect.y, rect.bottom - height) }
            // The text above the first part is read before it.
            if frames.values.allSatisfy({ $0.y >= rect.y }), rect.bottom <= height { scrollTop = 0 }
        }
        scrollTop = max(0, min(scrollTop, total - height))
    }

    private func drawLabels(_ placements: [Placement], in region: Region, hasFocus: Bool) {
        let label = labelWidth(region.width, region.look)
        var last = -1
        for placement in placements where placement.row != last {
            last = placement.row
            let row = rows[placement.row]
            let isStacked = row.isStacked(label, region.look)
            let y = placement.rect.y - scrollTop - (isStacked ? 1 : 0)
            guard y >= 0, y < region.height else { continue }
            if let text = row.label {
                let role: Role = row.mark == .none ? .label : row.mark.role
                region.put(text, x: 2, y: y, role: role, limit: isStacked ? nil : label)
            }
            guard !row.fillsPage else { continue }
            let isFocused = hasFocus && focus != nil && row.parts.contains { $0.id == focus }
            if isFocused { region.put(">", x: 0, y: y, role: .selection) }
            if row.mark != .none {
                region.put(String(row.mark.character), x: isFocused ? 1 : 0, y: y, role: row.mark.role)
            }
        }
    }
}

extension FormRow {
    var fillsPage: Bool {
        label == nil && parts.contains { $0.widget.fillsPage }
    }

    /// A label too long for its column gets a line of its own.
    func isStacked(_ column: Int, _ look: Look) -> Bool {
        label.map { look.metrics.width(look.say($0)) > column } ?? false
    }

    /// Cells that the parts after `number` want on the same line.
    func widthAfter(_ number: Int, _ look: Look) -> Int {
        parts.dropFirst(number + 1).reduce(0) { $0 + gap + ($1.wantedWidth(look) ?? 12) }
    }
}

extension FormPart {
    func wantedWidth(_ look: Look) -> Int? {
        switch width {
        case .cells(let cells): cells
        case .fill: nil
        case .ideal: widget.idealWidth(look)
        }
    }
}

/// Places parts from left to right and breaks the line when the next one does not fit.
private struct LineBuilder {
    var x: Int
    let start: Int
    var y: Int
    let width: Int
    private var tallest = 1

    init(x: Int, start: Int, y: Int, width: Int) {
        self.x = x
        self.start = start
        self.y = y
        self.width = width
    }

    var bottom: Int { y + tallest }

    mutating func breakIfNeeded(for wanted: Int, gap: Int) {
        guard x > start, x + wanted > width else { return }
        y += tallest
        x = start
        tallest = 1
    }

    mutating func advance(_ cells: Int, rows: Int, gap: Int) {
        x += cells + gap
        tallest = max(tallest, rows)
    }
}
