import ConsoleCore

/// Columns aligned by display width, for people; scripts use `--json`.
struct TextTable {
    struct Column {
        let title: String
        let align: Alignment
        init(_ title: String, _ align: Alignment = .left) {
            self.title = title
            self.align = align
        }
    }
    private let columns: [Column]
    private var rows: [[String]] = []
    private let hasTitles: Bool
    /// A pipe or terminal of unknown habits: nothing is replaced except what could steer a terminal.
    private static let metrics = TextMetrics(ambiguousIsNarrow: true)

    init(_ columns: [Column]) {
        self.columns = columns
        hasTitles = true
    }

    /// Names and values, without a line of titles.
    init(pairs: [(String, String)]) {
        columns = [Column(""), Column("")]
        hasTitles = false
        rows = pairs.map { [Visible.line($0.0), Visible.line($0.1)] }
    }

    var isEmpty: Bool { rows.isEmpty }

    /// Missing cells are empty, further ones are left out.
    mutating func add(_ cells: String...) {
        rows.append(columns.indices.map { $0 < cells.count ? Visible.line(cells[$0]) : "" })
    }

    /// Lines with their ends; empty without rows.
    var text: String {
        guard !rows.isEmpty else { return "" }
        let all = hasTitles ? [columns.map(\.title)] + rows : rows
        let widths = columns.indices.map { column in
            all.reduce(0) { max($0, Self.metrics.width($1[column])) }
        }
        var text = ""
        for row in all {
            var line = ""
            for (index, cell) in row.enumerated() {
                if index > 0 { line += "  " }
                line += Self.metrics.fit(cell, to: widths[index], align: columns[index].align)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}
