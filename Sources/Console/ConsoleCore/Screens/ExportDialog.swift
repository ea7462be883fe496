import Control

/// Export of accounts as a tab-separated file that import takes (R-ACC-46, R-ACC-50), with progress.
struct ExportDialog: Dialog {
    var title: Phrase { .text("export.title") }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private let domain: String
    private let all: [String]
    /// Domains still to be asked for.
    private var domains: [String] = []
    private var file = FileSaving()
    private var text = ""
    private var offset = 0
    private var count = 0
    private var asking: RequestID?

    init(_ domain: String, of all: [String]) {
        self.domain = domain
        self.all = all
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(kind: .path), width: .fill)]),
                FormRow(
                    nil,
                    [
                        FormPart(
                            "domains",
                            RadioGroup(
                                [
                                    Option("one", .text("export.one", Visible.line(domain))),
                                    Option("all", .text("export.all", String(all.count))),
                                ], selected: "one", isColumn: true))
                    ], isIndented: true),
                .empty, .text(.text("export.hashes"), .hint),
                FormRow(nil, [FormPart("progress", Label("", .normal, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("export.start")), .init("cancel", .text("button.cancel"))]),
            focus: "path")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"): start(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func start(_ context: inout Context) {
        guard asking == nil, !file.isWriting, file.takePath(&form, &context) else { return }
        domains = form.selected("domains") == "all" ? all : [domain]
        (text, offset, count) = ("", 0, 0)
        askNext(&context)
    }

    private mutating func askNext(_ context: inout Context) {
        form.setLabel("progress", .text("export.progress", String(count)), .hint)
        guard let first = domains.first else {
            file.write(text, &context)
            return
        }
        asking = context.send(DirectoryInterface.ExportAccounts.self, .init(domain: first, offset: offset))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let outcome = file.receive(message, &context) { wrote(outcome, &context) }
        guard let result = message.result(of: DirectoryInterface.ExportAccounts.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output):
            text += output.text
            offset += output.count
            count += output.count
            if output.count == 0 || offset >= output.total {
                domains.removeFirst()
                offset = 0
            }
            askNext(&context)
        case .failure(let error):
            form.setLabel("progress", error.phrase, .problem)
            context.notice(.error, error.phrase)
        }
    }

    private mutating func wrote(_ outcome: FileSaving.Outcome, _ context: inout Context) {
        switch outcome {
        case .written:
            context.notice(.information, .text("export.done", String(count), Visible.line(file.path)))
            context.closeDialog()
        case .failed(let trouble):
            form.setLabel("progress", trouble, .problem)
            context.notice(.warning, trouble)
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) { file.answered(answer, &context) }
}
