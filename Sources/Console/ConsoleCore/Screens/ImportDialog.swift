import Control

/// Import of accounts from a tab-separated file (R-ACC-46 to R-ACC-49): file, what it would do, typed confirmation,
/// report. Nothing is done before the confirmation.
struct ImportDialog: Dialog {
    var title: Phrase { .text("import.title", Visible.line(domain)) }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private let domain: String
    private var run = TransferRun()
    private var problems: [Problem] = []
    private var path = ""
    private var keepsDomain = true

    init(_ domain: String) {
        self.domain = domain
        form = Form()
        ask()
    }

    // MARK: - What it shows

    private mutating func ask() {
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(path, kind: .path), width: .fill)]),
                FormRow(
                    nil,
                    [FormPart("domain", CheckBox(.text("import.domain", Visible.line(domain)), isOn: keepsDomain))],
                    isIndented: true),
                .empty, .text(.text("import.columns"), .hint),
            ],
            buttons: ButtonRow([
                .init("go", .text("import.next")), .init("cancel", .text("button.cancel")),
            ]), focus: "path")
    }

    private var counts: Phrase {
        .text(
            "import.counts", String(run.lines.count), String(run.report.added),
            String(run.report.changed + run.report.kept), String(run.report.faults))
    }

    /// Class 3: accounts of the same name are changed, so the number of lines is typed.
    private mutating func confirm() {
        problems = run.report.problems
        let count = String(run.lines.count)
        var rows =
            [FormRow.text(counts, run.report.faults == 0 ? .good : .problem)]
            + TransferProblems.formRows(problems, height: 5)
        rows += [
            .text(.text("import.overwrites"), .problem), .text(Phrase("Type {text} to confirm.", ["text": count])),
            FormRow(nil, "typed", TextField(width: 14)),
        ]
        form = Form(
            rows,
            buttons: ButtonRow([
                .init("cancel", .text("button.cancel")),
                .init("start", .text("import.start"), letter: "i", off: typeFirst),
            ]), focus: "typed")
    }

    private var typeFirst: Phrase { Phrase("Type {text} first.", ["text": String(run.lines.count)]) }

    mutating func requests(_ context: inout Context) { TransferProblems.fill(&form, problems, context.say) }

    // MARK: - What happens

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"):
            path = form.text("path").trimmedBlanks
            keepsDomain = form.isOn("domain")
            guard !path.isEmpty else {
                _ = form.setFocus("path")
                return context.notice(.warning, .text("file.name-needed"))
            }
            run.start(path, .init(kind: "import", domain: keepsDomain ? domain : nil), &context)
        case .changed("typed"):
            let isRight = form.text("typed") == String(run.lines.count)
            let off = isRight ? nil : typeFirst
            form.buttons?.items[1].off = off
        case .button("start"):
            run.finish(&context)
            form = run.runningForm(canStop: false)
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

    mutating func cancelled(_ context: inout Context) { run.stop(&context) }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let event = run.receive(message, &context) else { return }
        switch event {
        case .progress: form = run.runningForm(canStop: true)
        case .planned: confirm()
        case .done:
            problems = run.report.problems
            context.model.accountsVersion += 1
            context.notice(run.report.faults == 0 ? .information : .warning, counts)
            context.modelChanged()
            form = TransferProblems.report(counts, isGood: run.report.faults == 0, problems)
            run.stop(&context)
        case .failed(let phrase, let found):
            context.notice(.warning, phrase)
            if !found.isEmpty {
                problems = found
                form = TransferProblems.report(phrase, isGood: false, problems)
            } else if form.widget("path", as: TextField.self) == nil {
                ask()
            }
        }
    }
}
