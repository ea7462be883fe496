import Control

/// Editor of a text table (`gateway`, `header`): its lines, a field for the one under the cursor, check and save (R-MC-08).
struct TableDialog: Dialog {
    var title: Phrase { .verbatim("\(table).dat") }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 15 }
    var okButton: String? { "save" }
    private(set) var isDirty = false

    private let table: String
    private var lines: [String] = []
    private var etag: String?
    private var problems: [Problem] = []
    private var loading: RequestID?
    private var checking: RequestID?
    private var saving: RequestID?

    init(_ table: String) {
        self.table = table
        let list = Table(
            [TableColumn("n", "", minimum: 4, maximum: 4, align: .right), TableColumn("line", "", minimum: 20)],
            features: [.add, .delete, .edit, .order], empty: .text("table.loading"))
        form = Form(
            [
                FormRow(nil, "lines", list), FormRow(nil, "line", TextField(limit: 2000)),
                FormRow(nil, [FormPart("state", Label("", .hint, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([
                .init("save", .text("table.save"), letter: "s"), .init("check", .text("table.check"), letter: "c"),
                .init("cancel", .text("button.cancel")),
            ]), focus: "lines")
    }

    mutating func opened(_ context: inout Context) {
        loading = context.send(TablesInterface.Show.self, .init(table: table))
    }

    private var text: String { lines.map { $0 + "\n" }.joined() }

    private mutating func showLines() {
        let rows = lines.enumerated().map { index, line in
            let isFaulty = problems.contains { $0.path.hasSuffix(":\(index + 1)") && !$0.isWarning }
            return TableRow(
                id: String(index), cells: [String(index + 1), Visible.line(line)], mark: isFaulty ? .problem : .none)
        }
        form.update("lines", as: Table.self) {
            $0.emptyText = .text("word.none")
            $0.setRows(rows)
        }
        let text: Phrase =
            problems.first.map { $0.phrase } ?? (checking == nil ? .verbatim("") : .text("ssl.checking"))
        form.setLabel("state", text, problems.first.map { !$0.isWarning } == true ? .problem : .hint)
    }

    private var cursor: Int? {
        form.widget("lines", as: Table.self)?.current.flatMap { Int($0.id) }.flatMap {
            lines.indices.contains($0) ? $0 : nil
        }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("lines"):
            form.setText("line", cursor.map { lines[$0] } ?? "")
            _ = form.setFocus("line")
        case .left("line"):
            let typed = form.text("line")
            if let cursor { change { $0[cursor] = typed } }
        case .command("lines", "add"):
            let place = cursor.map { $0 + 1 } ?? lines.count
            change { $0.insert("", at: place) }
            form.update("lines", as: Table.self) { $0.select(String(place)) }
            form.setText("line", "")
            _ = form.setFocus("line")
        case .command("lines", "delete"):
            if let cursor { change { $0.remove(at: cursor) } }
        case .command("lines", let move):
            guard let cursor else { return }
            let other = move == "move-up" ? cursor - 1 : cursor + 1
            guard lines.indices.contains(other) else { return }
            change { $0.swapAt(cursor, other) }
            form.update("lines", as: Table.self) { $0.select(String(other)) }
        case .button("save"): save(&context)
        case .button("check"):
            checking = context.send(TablesInterface.Check.self, .init(table: table, text: text))
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func change(_ body: (inout [String]) -> Void) {
        body(&lines)
        isDirty = true
        showLines()
    }

    private mutating func save(_ context: inout Context) {
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        guard isDirty, saving == nil else { return context.closeDialog() }
        saving = context.send(TablesInterface.Set.self, .init(table: table, text: text, baseEtag: etag))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: TablesInterface.Show.self, for: loading) { took(result, &context) }
        if let result = message.result(of: TablesInterface.Check.self, for: checking) {
            checking = nil
            if case .success(let output) = result { problems = output.problems }
            if problems.isEmpty { context.notice(.information, .text("table.ok")) }
        }
        if let result = message.result(of: TablesInterface.Set.self, for: saving) {
            saving = nil
            switch result {
            case .success:
                context.notice(.information, .text("notice.table-saved", "\(table).dat"))
                return context.closeDialog()
            case .failure(let error):
                problems = error.detail.problems ?? []
                context.notice(.error, error.phrase)
            }
        }
        showLines()
    }

    private mutating func took(
        _ result: Result<TablesInterface.Show.Output, ControlError>, _ context: inout Context
    ) {
        loading = nil
        switch result {
        case .success(let output):
            lines = output.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            if lines.last == "" { lines.removeLast() }
            etag = output.etag
            problems = output.problems
        case .failure(let error): context.notice(.error, error.phrase)
        }
    }
}
