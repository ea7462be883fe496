import Control

/// Editor of one control file of an account, with the server's marks in the margin (console.md 4.7). Its OK writes the
/// file, or gives the text back to the dialog that opened it.
struct AccountFileDialog: Dialog {
    var title: Phrase { .text("account-file.title", name, Visible.line(address)) }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 16 }
    private(set) var isDirty = false

    private let address: String
    private let file: String
    /// Its name in the mailbox.
    private var name: String
    /// A text that is not the server's, to go on with.
    private let given: String?
    /// The file as the edit began with it.
    private var etag: String?
    private let returnsText: Bool
    private var isLoaded = false
    private var problems: [Problem] = []
    private var isStale = true
    private var reading: RequestID?
    private var checking: RequestID?
    private var saving: RequestID?

    /// - Parameters:
    ///   - text: begun elsewhere; `nil` = the server's.
    ///   - etag: of the file that `text` began with.
    ///   - returnsText: OK answers `account-text` with `file`, `text` and `etag`, and writes nothing.
    init(_ address: String, _ file: String, text: String? = nil, etag: String? = nil, returnsText: Bool = false) {
        self.address = address
        self.file = file
        self.etag = etag
        self.returnsText = returnsText
        given = text
        name = Self.names[file] ?? file
        form = Form(
            [
                FormRow(nil, "text", TextArea("", isReadOnly: true)),
                FormRow(nil, [FormPart("encoding", Label("", .hint))]),
                FormRow(nil, [FormPart("state", Label(.text("table.loading"), .hint, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "text")
    }

    private static let names = [
        "control": "IMS.CTL", "permitfrom": "PERMITFROM.TXT", "reply": "AUTORPLY.TXT", "noreply": "NOREPLY.TXT",
        "filter": "mail.dat", "recipients": "sender.dat", "hours": "usetime.dat",
    ]

    mutating func opened(_ context: inout Context) {
        reading = context.send(DirectoryInterface.GetAccountFile.self, .init(address: address, file: file))
    }

    private var text: String { form.widget("text", as: TextArea.self)?.text ?? "" }

    func hint(_ context: Context) -> Phrase? { Phrase("account-file.hint.\(file)") }

    // MARK: - What the server says

    mutating func requests(_ context: inout Context) {
        guard isLoaded, isStale, checking == nil, context.isConnected else { return }
        isStale = false
        checking = context.send(
            DirectoryInterface.CheckAccountFile.self, .init(address: address, file: file, text: text))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.GetAccountFile.self, for: reading) {
            reading = nil
            switch result {
            case .success(let output): take(output, context)
            case .failure(let error): form.setLabel("state", error.phrase, .problem)
            }
        }
        if let result = message.result(of: DirectoryInterface.CheckAccountFile.self, for: checking) {
            checking = nil
            if case .success(let output) = result { problems = output.problems }
        }
        if let result = message.result(of: DirectoryInterface.SetAccountFile.self, for: saving) {
            saving = nil
            saved(result, &context)
        }
        show()
    }

    private mutating func take(_ output: DirectoryInterface.GetAccountFile.Output, _ context: Context) {
        name = output.name
        if etag == nil { etag = output.etag }
        form.setLabel("encoding", .text("account-file.encoding", Visible.line(output.encoding)), .hint)
        guard !isLoaded else { return }
        isLoaded = true
        isDirty = given != nil && given != output.text && !returnsText
        let text = given ?? output.text
        let off = context.changeRefusal
        form.update("text", as: TextArea.self) { area in
            area.isReadOnly = off != nil
            area.text = TableRecord.lines(of: text).joined(separator: "\n")
        }
    }

    private mutating func show() {
        guard isLoaded else { return }
        var marks: [Int: Phrase] = [:]
        // A fault hides a doubt of the same line.
        for problem in problems.sorted(by: { $0.isWarning && !$1.isWarning }) {
            if problem.path.hasPrefix("line/"), let line = Int(problem.path.dropFirst(5)) {
                marks[line - 1] = problem.phrase
            }
        }
        form.update("text", as: TextArea.self) { $0.problems = marks }
        let here = form.widget("text", as: TextArea.self)?.currentProblem
        let first = here ?? problems.first(where: { !$0.isWarning })?.phrase ?? problems.first?.phrase
        form.setLabel("state", first ?? Phrase("account-file.about.\(file)"), first == nil ? .hint : .problem)
    }

    // MARK: - What happens

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("text"):
            isDirty = true
            isStale = true
        case .button("ok"): ok(&context)
        case .button: context.closeDialog()
        default: break
        }
        show()
    }

    /// The sentence below follows the caret.
    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        show()
        return false
    }

    private mutating func ok(_ context: inout Context) {
        guard saving == nil, isLoaded else { return }
        guard isDirty else { return context.closeDialog() }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        if let fault = problems.first(where: { !$0.isWarning }) { return context.notice(.warning, fault.phrase) }
        let lines = TableRecord.lines(of: text)
        let whole = lines.allSatisfy(\.isEmpty) ? "" : TableRecord.text(of: lines)
        if returnsText {
            return context.finish(
                Answer(
                    "account-text", button: "ok", values: ["file": file, "text": whole, "etag": etag ?? "-"]))
        }
        saving = context.send(
            DirectoryInterface.SetAccountFile.self,
            .init(address: address, file: file, text: whole, baseEtag: etag))
    }

    private mutating func saved(_ result: Result<Applied, ControlError>, _ context: inout Context) {
        switch result {
        case .success(let applied):
            context.model.ownChanges.formUnion(applied.changes.map(\.path))
            context.model.historyVersion += 1
            let warning = applied.warnings.first?.phrase
            context.notice(
                warning == nil ? .information : .warning,
                warning ?? .text("notice.account-file.saved", name, Visible.line(address)))
            context.modelChanged()
            context.finish(Answer("account-file", button: "ok", values: ["file": file]))
        case .failure(let error):
            context.notice(.error, error.phrase)
            guard error.kind == .conflict else { return }
            // The next OK overwrites knowingly what stands there now.
            etag = nil
            reading = context.send(DirectoryInterface.GetAccountFile.self, .init(address: address, file: file))
        }
    }
}
