import Control

/// Editor of a text table (`gateway`, `header`, …): the whole text, with the marks of the server's reading in the margin
/// while it is typed (R-MC-08; console.md 4.7). Its OK stages the lines; they are sent with the page they belong to.
struct TableDialog: Dialog {
    var title: Phrase { .verbatim("\(table).dat") }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 16 }
    private(set) var isDirty = false

    private let table: String
    /// The server's lines when the text was taken over; `nil` while they are on their way.
    private var begun: [String]?
    private var problems: [Problem] = []
    private var checking: RequestID?
    /// The marks belong to an older text.
    private var isStale = false
    private var path: String { "table/\(table)" }

    init(_ table: String) {
        self.table = table
        form = Form(
            [
                FormRow(nil, "text", TextArea("", isReadOnly: true)),
                FormRow(nil, [FormPart("state", Label(.text("table.loading"), .hint), width: .fill)]),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "text")
    }

    mutating func opened(_ context: inout Context) {
        context.model.tables[table] = context.model.draft[path] == nil ? nil : context.model.tables[table]
        context.refresh(TablesInterface.Show.self, .init(table: table), for: .table(table))
        take(context)
    }

    mutating func modelChanged(_ context: inout Context) { take(context) }

    /// The server's lines, or the staged ones; what is being typed is never overwritten.
    private mutating func take(_ context: Context) {
        guard !isDirty, let known = context.model.tables[table], begun != known.lines else { return }
        begun = known.lines
        let lines = context.model.draft[path]?.new ?? known.lines
        let off = context.changeRefusal
        form.update("text", as: TextArea.self) { area in
            area.isReadOnly = off != nil
            area.text = lines.joined(separator: "\n")
        }
        isStale = true
    }

    private var text: String { form.widget("text", as: TextArea.self)?.text ?? "" }

    private mutating func show(_ context: Context) {
        var marks: [Int: Phrase] = [:]
        // A fault hides a doubt of the same line.
        for problem in problems.sorted(by: { $0.isWarning && !$1.isWarning }) {
            if let line = Self.line(of: problem) { marks[line] = problem.phrase }
        }
        form.update("text", as: TextArea.self) { $0.problems = marks }
        guard begun != nil else { return }
        let here = form.widget("text", as: TextArea.self)?.currentProblem
        let faults = problems.filter { !$0.isWarning }.count
        let state: Phrase =
            if let here {
                here
            } else if problems.isEmpty {
                .text("table.ok")
            } else {
                .text("relay.editor.state", String(faults), String(problems.count - faults))
            }
        form.setLabel("state", state, here != nil || faults > 0 ? .problem : .hint)
    }

    /// Line (0-based) of `gateway.dat:3`.
    private static func line(of problem: Problem) -> Int? {
        problem.path.lastIndex(of: ":").flatMap { Int(problem.path[problem.path.index(after: $0)...]) }.map { $0 - 1 }
    }

    func hint(_ context: Context) -> Phrase? {
        guard isDirty, let known = context.model.tables[table], known.lines != begun else {
            return .text("relay.editor.hint")
        }
        return .text("table.changed-meanwhile", "\(table).dat")
    }

    mutating func requests(_ context: inout Context) {
        show(context)
        guard isStale, checking == nil, context.isConnected else { return }
        isStale = false
        checking = context.send(TablesInterface.Check.self, .init(table: table, text: text))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: TablesInterface.Check.self, for: checking) else { return }
        checking = nil
        if case .success(let output) = result { problems = output.problems }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("text"):
            isDirty = true
            isStale = true
        case .button("ok"): stage(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private func stage(_ context: inout Context) {
        guard isDirty, let begun else { return context.closeDialog() }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        let base = context.model.draft[path]?.base ?? ServerValue(values: begun, revision: 0)
        context.stage(path, TableRecord.lines(of: text), begun: base)
        let faults = problems.filter { !$0.isWarning }
        if let first = faults.first {
            context.notice(.warning, first.phrase)
        } else if context.model.draft[path] != nil {
            context.notice(.information, .text("notice.table-staged", "\(table).dat"))
        }
        context.closeDialog()
        context.modelChanged()
    }
}
