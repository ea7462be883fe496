import Control

/// "Make the accounts equal to this file": file and rules, a list of what that would do, typed confirmation, report. The
/// server changes all of it or nothing, and only what was previewed.
struct SyncDialog: Dialog {
    var title: Phrase { .text("sync.title") }
    var form: Form
    var width: Int { 74 }
    var okButton: String? { "go" }
    private let domain: String
    private var run = TransferRun()
    private var problems: [Problem] = []
    private var choices = DirectoryInterface.BeginTransfer.Input(kind: "synchronize")
    private var path = ""
    private var isPlanned = false
    private var window = (generation: 0, offset: 0)
    private var listing: RequestID?

    init(_ domain: String) {
        self.domain = domain
        choices.domain = domain
        form = Form()
        ask()
    }

    // MARK: - What it shows

    private mutating func ask() {
        isPlanned = false
        problems = []
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(path, kind: .path), width: .fill)]),
                FormRow(
                    nil,
                    [
                        FormPart(
                            "domain",
                            CheckBox(.text("import.domain", Visible.line(domain)), isOn: choices.domain != nil))
                    ], isIndented: true),
                FormRow(.text("sync.absent"), "absent", select("absent", choices.absent ?? "disable")),
                FormRow(.text("sync.passwords"), "passwords", select("passwords", choices.passwords ?? "compare")),
                FormRow(
                    nil, [FormPart("enable", CheckBox(.text("sync.enable"), isOn: choices.enable ?? false))],
                    isIndented: true),
                .empty, .text(.text("sync.hint"), .hint),
            ],
            buttons: ButtonRow([.init("go", .text("sync.preview")), .init("cancel", .text("button.cancel"))]),
            focus: "path")
    }

    private func select(_ field: String, _ selected: String) -> Select {
        let words = field == "absent" ? ["disable", "keep", "remove"] : ["compare", "set", "keep"]
        return Select(words.map { Option($0, Phrase("sync.\(field).\($0)")) }, selected: selected)
    }

    private var counts: Phrase {
        let report = run.report
        return .text(
            "sync.counts", String(report.added), String(report.changed), String(report.disabled),
            String(report.removed), String(report.kept))
    }

    private var changes: Int {
        run.report.added + run.report.changed + run.report.disabled + run.report.removed
    }

    private static let actions = ["added", "changed", "disabled", "removed", "kept"]

    /// Class 3: the number of changes is typed. A faulty file can only be closed.
    private mutating func preview() {
        problems = run.report.problems
        let faults = run.report.faults
        isPlanned = true
        var rows = [FormRow.text(counts)]
        if faults > 0 {
            rows +=
                [.text(.text("sync.faults", String(faults)), .problem)] + TransferProblems.formRows(problems, height: 8)
            form = Form(
                rows,
                buttons: ButtonRow([
                    .init("again", .text("button.back")), .init("close", .text("button.close")),
                ]))
            return
        }
        let numbers = [run.report.added, run.report.changed, run.report.disabled, run.report.removed, run.report.kept]
        let options = zip(Self.actions, numbers).map { Option($0, Phrase("sync.action.\($0)", ["0": String($1)])) }
        let first = zip(Self.actions, numbers).first { $0.1 > 0 }?.0 ?? "kept"
        rows += [
            FormRow(.text("sync.show"), "action", Select(options, selected: first)),
            FormRow(nil, "rows", Self.table),
        ]
        if changes > 0 {
            rows += [
                .text(Phrase("Type {text} to confirm.", ["text": String(changes)])),
                FormRow(nil, "typed", TextField(width: 14)),
            ]
        }
        let go = ButtonRow.Item(
            "start", .text("sync.start"), letter: "s", off: changes > 0 ? typeFirst : .text("sync.equal"))
        form = Form(
            rows, buttons: ButtonRow([.init("cancel", .text("button.cancel")), go]),
            focus: changes > 0 ? "typed" : "rows")
    }

    private static var table: Table {
        Table(
            [
                TableColumn("address", .text("accounts.col.account"), minimum: 20, maximum: 40, priority: 90),
                TableColumn("fields", .text("sync.col.fields"), minimum: 12, priority: 60),
                TableColumn("line", .text("import.line"), minimum: 5, maximum: 8, priority: 40, align: .right),
            ], empty: .text("sync.none"), height: 8)
    }

    private var typeFirst: Phrase { Phrase("Type {text} first.", ["text": String(changes)]) }

    private mutating func showReport(_ said: Phrase, isGood: Bool) {
        isPlanned = false
        form = TransferProblems.report(said, isGood: isGood, problems)
    }

    mutating func requests(_ context: inout Context) {
        TransferProblems.fill(&form, problems, context.say)
        guard isPlanned, context.isConnected, !run.name.isEmpty,
            let wanted = form.update("rows", as: Table.self, { $0.windowWanted() }) ?? nil
        else { return }
        window = (wanted.generation, wanted.offset)
        listing = context.send(
            DirectoryInterface.ListTransfer.self,
            .init(transfer: run.name, action: form.selected("action"), offset: wanted.offset, limit: wanted.limit))
    }

    // MARK: - What happens

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"): start(&context)
        case .changed("action"): form.update("rows", as: Table.self) { $0.restart() }
        case .changed("typed"):
            let off = form.text("typed") == String(changes) ? nil : typeFirst
            form.buttons?.items[1].off = off
        case .button("start"):
            run.finish(&context)
            form = run.runningForm(canStop: false)
        case .button("again"):
            run.stop(&context)
            ask()
        case .button("stop"):
            run.stop(&context)
            context.notice(.information, .text("transfer.stopped"))
            ask()
        case .button:
            run.stop(&context)
            context.closeDialog()
        default: break
        }
    }

    private mutating func start(_ context: inout Context) {
        path = form.text("path").trimmedBlanks
        choices = .init(
            kind: "synchronize", domain: form.isOn("domain") ? domain : nil, passwords: form.selected("passwords"),
            absent: form.selected("absent"), enable: form.isOn("enable"))
        guard !path.isEmpty else {
            _ = form.setFocus("path")
            return context.notice(.warning, .text("file.name-needed"))
        }
        run.start(path, choices, &context)
    }

    mutating func cancelled(_ context: inout Context) { run.stop(&context) }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.ListTransfer.self, for: listing) { took(result, context) }
        guard let event = run.receive(message, &context) else { return }
        switch event {
        case .progress: form = run.runningForm(canStop: true)
        case .planned: preview()
        case .done:
            problems = []
            context.model.accountsVersion += 1
            context.notice(.information, counts)
            context.modelChanged()
            showReport(counts, isGood: true)
            run.stop(&context)
        case .failed(let phrase, let found):
            context.notice(.warning, phrase)
            if !found.isEmpty {
                problems = found
                showReport(phrase, isGood: false)
            } else if form.widget("path", as: TextField.self) == nil {
                ask()
            }
        }
    }

    private mutating func took(
        _ result: Result<DirectoryInterface.ListTransfer.Output, ControlError>, _ context: Context
    ) {
        listing = nil
        guard case .success(let output) = result else {
            form.update("rows", as: Table.self) { $0.requestFailed() }
            return
        }
        let (generation, offset) = window
        let rows = output.rows.map { row in
            TableRow(
                id: row.address,
                cells: [
                    Visible.line(row.address),
                    row.fields.map { context.say(Phrase("sync.field.\($0)")) }.joined(separator: ", "),
                    row.line == 0 ? "" : String(row.line),
                ])
        }
        form.update("rows", as: Table.self) {
            $0.supply(RowWindow(generation: generation, offset: offset, rows: rows, total: output.total))
        }
    }
}
