import Control

/// Relay matrices in words.
enum RelayText {
    static func grid(_ id: String, _ grid: RelayGrid, isStaged: Bool, _ lines: [String]) -> Matrix.Grid {
        let title: Phrase
        switch id {
        case "client": title = .text(isStaged ? "relay.this-client.staged" : "relay.this-client")
        case "others6": title = .text("relay.others6")
        default: title = .text("relay.others")
        }
        let names = ["relay.row.known", "relay.row.unknown", "relay.row.external"]
        let rows = names.enumerated().map { row, name in
            Matrix.Line(.text(name), grid.cells.dropFirst(row * 3).prefix(3).map(cell))
        }
        return Matrix.Grid(id, title: title, note: note(grid, lines), lines: rows)
    }

    private static func note(_ grid: RelayGrid, _ lines: [String]) -> Phrase {
        guard let rule = grid.rule else { return .text("relay.no-rule") }
        let number = RelayRules(lines: lines).rows.firstIndex { $0.line == rule.line - 1 }
        return .text("relay.by-rule", number.map { String($0 + 1) } ?? "?")
    }

    private static func cell(_ cell: RelayGrid.Cell) -> Matrix.Cell {
        let opensRelay = cell.allowed && cell.from == "Ext" && cell.to == "Ext"
        let star = cell.exceptions.isEmpty ? "" : "+"
        if cell.allowed {
            return Matrix.Cell(.text("relay.yes" + star), opensRelay ? .problem : .good)
        }
        return cell.allowedWithAuthentication
            ? Matrix.Cell(.text("relay.auth" + star)) : Matrix.Cell(.text("relay.no" + star), .disabled)
    }

    /// Whether two subjects may do the same, with the same rules in front.
    static func isSame(_ one: RelayGrid, _ other: RelayGrid) -> Bool {
        one.cells.map { [$0.allowed, $0.allowedWithAuthentication] }
            == other.cells.map { [$0.allowed, $0.allowedWithAuthentication] }
    }

    static func name(_ word: String) -> Phrase {
        switch word {
        case "Int+": .text("relay.row.known")
        case "Int-": .text("relay.row.unknown")
        default: .text("relay.row.external")
        }
    }
}

/// One cell of the matrix: what it says, and the line that decided.
struct RelayCellDialog: Dialog {
    var title: Phrase { .text("relay.cell.title") }
    var form: Form
    var width: Int { 66 }
    var okButton: String? { "close" }
    private let line: Int?

    init(_ grid: RelayGrid, _ cell: RelayGrid.Cell, _ lines: [String]) {
        line = grid.rule.map { $0.line - 1 }
        let outcome = cell.allowed ? "allowed" : cell.allowedWithAuthentication ? "auth" : "refused"
        let who: Phrase = grid.client.isEmpty ? .text("relay.others") : .verbatim(Visible.line(grid.client))
        func value(_ name: String, _ text: Phrase, _ role: Role = .normal) -> FormRow {
            FormRow(.text("relay.cell.\(name)"), [FormPart("", Label(text, role, wraps: true), width: .fill)])
        }
        var rows = [
            value("client", who), value("from", RelayText.name(cell.from)), value("to", RelayText.name(cell.to)),
            value("outcome", .text("relay.cell.\(outcome)"), cell.allowed ? .good : .problem),
        ]
        if let rule = grid.rule {
            rows.append(value("line", .text("relay.cell.rule", String(rule.line), Visible.line(rule.text))))
        } else {
            rows.append(value("line", .text("relay.cell.no-rule")))
        }
        rows.append(value("matrix", .text("relay.matrix", grid.matrix == "V-others" ? "V" : grid.matrix)))
        if cell.allowed == false { rows.append(value("reason", .verbatim(Visible.line(cell.reason)), .hint)) }
        if !cell.exceptions.isEmpty {
            rows.append(.text(.text("relay.cell.exceptions"), .hint))
            rows += cell.exceptions.prefix(4).map {
                .text(.text("relay.cell.exception", String($0.line), Visible.line($0.text)))
            }
        }
        var buttons = [ButtonRow.Item("close", .text("button.close"))]
        if line != nil { buttons.append(.init("open", .text("relay.cell.open"), letter: "o")) }
        form = Form(rows, buttons: ButtonRow(buttons))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("open"):
            context.finish(Answer("relay-cell", button: "open", values: ["line": line.map(String.init) ?? ""]))
        case .button: context.closeDialog()
        default: break
        }
    }
}

/// One rule: a pattern and an action.
struct RuleDialog: Dialog {
    var title: Phrase { .text(line == nil ? "relay.rule.add" : "relay.rule.change") }
    var form: Form
    var width: Int { 62 }
    private let line: Int?
    private(set) var isDirty = false

    init(_ row: RelayRules.Row?) {
        line = row?.line
        let written = row.map { $0.action.isEmpty ? "true" : $0.action } ?? "norelay"
        let words = RelayRules.actions + (RelayRules.actions.contains(written) ? [] : [written])
        let options = words.map { word in
            Option(word, RelayRules.actions.contains(word) ? .text("relay.action.\(word)") : .verbatim(word))
        }
        form = Form(
            [
                FormRow(.text("relay.col.pattern"), "pattern", TextField(row?.pattern ?? "", width: 36, limit: 320)),
                FormRow(.text("relay.col.action"), "action", Select(options, selected: written)),
                .empty, .text(.text("relay.rule.help"), .hint),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "pattern")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed: isDirty = true
        case .button("ok"):
            let pattern = form.text("pattern").trimmedBlanks
            guard !pattern.isEmpty, !pattern.contains(" ") else {
                context.notice(.warning, .text("relay.rule.pattern"))
                _ = form.setFocus("pattern")
                return
            }
            var values = ["pattern": pattern, "action": form.selected("action")]
            if let line { values["line"] = String(line) }
            context.finish(Answer("rule", button: "ok", values: values))
        case .button: context.closeDialog()
        default: break
        }
    }
}

/// effect.dat as text, with the marks of the server's reading in the margin while it is typed.
struct EffectEditor: Dialog {
    var title: Phrase { .verbatim("effect.dat") }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 16 }
    private(set) var isDirty = false
    private var checking: RequestID?
    private var problems: [Problem]
    /// The text that the marks belong to is older than what stands there.
    private var isStale = false

    init(_ lines: [String], _ problems: [Problem]) {
        self.problems = problems
        var area = TextArea(lines.joined(separator: "\n"))
        area.tabRefusal = .text("table.effect.tab")
        form = Form(
            [
                FormRow(nil, "text", area),
                FormRow(nil, [FormPart("state", Label("", .hint), width: .fill)]),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "text")
        show()
    }

    private mutating func show() {
        var marks: [Int: Phrase] = [:]
        // A fault hides a doubt of the same line.
        for problem in problems.sorted(by: { $0.isWarning && !$1.isWarning }) {
            if let line = RelayRules.line(of: problem) { marks[line] = problem.phrase }
        }
        form.update("text", as: TextArea.self) { $0.problems = marks }
        let here = form.widget("text", as: TextArea.self)?.currentProblem
        let faults = problems.filter { !$0.isWarning }.count
        form.setLabel(
            "state", here ?? .text("relay.editor.state", String(faults), String(problems.count - faults)),
            here != nil || faults > 0 ? .problem : .hint)
    }

    func hint(_ context: Context) -> Phrase? { .text("relay.editor.hint") }

    mutating func requests(_ context: inout Context) {
        show()
        guard isStale, checking == nil, context.isConnected else { return }
        isStale = false
        let text = form.widget("text", as: TextArea.self)?.text ?? ""
        checking = context.send(TablesInterface.Check.self, .init(table: "effect", text: text))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: TablesInterface.Check.self, for: checking) else { return }
        checking = nil
        if case .success(let output) = result { problems = output.problems }
        show()
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("text"):
            isDirty = true
            isStale = true
        case .button("ok"):
            let text = form.widget("text", as: TextArea.self)?.text ?? ""
            context.finish(Answer("effect-text", button: "ok", values: ["text": text]))
        case .button: context.closeDialog()
        default: break
        }
    }
}
