import Control

/// What to look for in the lines that are shown; the answer's button is the text.
struct LogSearchDialog: Dialog {
    static let id = "log-search"

    var title: Phrase { .text("log.search") }
    var form: Form
    var width: Int { 50 }
    var okButton: String? { "go" }

    init(_ words: String = "") {
        form = Form(
            [FormRow(.text("log.search.words"), [FormPart("words", TextField(limit: 200), width: .fill)])],
            buttons: ButtonRow([.init("go", .text("bar.find")), .init("cancel", .text("button.cancel"))]),
            focus: "words")
        form.setText("words", words)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .button(let button) = event else { return }
        let words = form.text("words").trimmedBlanks
        if button == "go", !words.isEmpty {
            context.finish(Answer(Self.id, button: words))
        } else {
            context.closeDialog()
        }
    }
}

/// Saves lines in a file of the person who looks.
struct SaveLinesDialog: Dialog {
    var title: Phrase { .text("log.save.title", String(lines.count)) }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private let lines: [String]
    private var path = ""
    private var writing: RequestID?

    init(_ lines: [String]) {
        self.lines = lines
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(kind: .path), width: .fill)]),
                FormRow(nil, [FormPart("progress", Label("", .normal, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("log.save.do")), .init("cancel", .text("button.cancel"))]),
            focus: "path")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"):
            guard writing == nil else { return }
            path = form.text("path").trimmedBlanks
            guard !path.isEmpty else {
                _ = form.setFocus("path")
                return context.notice(.warning, .text("file.name-needed"))
            }
            write(&context, overwrites: false)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func write(_ context: inout Context, overwrites: Bool) {
        let text = lines.map { $0 + "\n" }.joined()
        writing = context.file(.write(path: path, text: text, overwrites: overwrites))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let outcome = message.file(for: writing) else { return }
        writing = nil
        switch outcome {
        case .written:
            context.notice(.information, .text("log.saved", String(lines.count), Visible.line(path)))
            context.closeDialog()
        case .exists:
            context.open(
                Question(
                    "save-over", title: .text("export.over.title"),
                    lines: [.text("export.over.question", Visible.line(path))], danger: .felt,
                    keep: .text("button.keep"), go: .text("export.over.do"), letter: "o"))
        case .failed(let reason):
            let trouble: Phrase = .text("file.cannot-write", Visible.line(path), Visible.line(reason))
            form.setLabel("progress", trouble, .problem)
            context.notice(.warning, trouble)
        case .contents: break
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if answer.id == "save-over", answer.button == "go" { write(&context, overwrites: true) }
    }
}
