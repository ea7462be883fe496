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
    private var file = FileSaving()

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
            guard !file.isWriting, file.takePath(&form, &context) else { return }
            file.write(lines.map { $0 + "\n" }.joined(), &context)
        case .button: context.closeDialog()
        default: break
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        switch file.receive(message, &context) {
        case .written:
            context.notice(.information, .text("log.saved", String(lines.count), Visible.line(file.path)))
            context.closeDialog()
        case .failed(let trouble):
            form.setLabel("progress", trouble, .problem)
            context.notice(.warning, trouble)
        case nil: break
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) { file.answered(answer, &context) }
}
