import Control

/// Import of accounts from a tab-separated file (R-ACC-46 to R-ACC-49): file, typed confirmation, progress, report.
struct ImportDialog: Dialog {
    var title: Phrase { .text("import.title", Visible.line(domain)) }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private enum Phase { case asking, confirming, running, ended }
    private let domain: String
    private var phase = Phase.asking
    private var path = ""
    private var keepsDomain = true
    private var lines: [String] = []
    private var next = 0
    private var counts = (added: 0, updated: 0, skipped: 0)
    private var problems: [Problem] = []
    private var reading: RequestID?
    private var sending: RequestID?

    /// Octets of a file that is taken.
    static let fileLimit = 64 << 20
    /// Faulty lines that the report keeps.
    private static let problemLimit = 1_000

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

    /// Class 3: accounts of the same name are changed, so the number of lines is typed.
    private mutating func confirm() {
        phase = .confirming
        let count = String(lines.count)
        form = Form(
            [
                .text(.text("import.question", count, Visible.line(path))), .text(.text("import.overwrites"), .problem),
                .empty, .text(Phrase("Type {text} to confirm.", ["text": count])),
                FormRow(nil, "typed", TextField(width: 14)),
            ],
            buttons: ButtonRow([
                .init("cancel", .text("button.cancel")),
                .init("start", .text("import.start"), letter: "i", off: typeFirst),
            ]), focus: "typed")
    }

    private var typeFirst: Phrase { Phrase("Type {text} first.", ["text": String(lines.count)]) }

    private var progress: Phrase {
        .text(
            "import.progress", String(min(next, lines.count)), String(lines.count), String(counts.added),
            String(counts.updated), String(counts.skipped))
    }

    private mutating func showRunning() {
        form = Form(
            [
                FormRow(nil, [FormPart("progress", Label(progress, wraps: true), width: .fill)]),
                .text(.text("import.stop"), .hint),
            ],
            buttons: ButtonRow([.init("stop", .text("button.cancel"))]))
    }

    private mutating func showReport() {
        phase = .ended
        var rows = [FormRow.text(progress, counts.skipped == 0 ? .good : .problem)]
        if !problems.isEmpty {
            var list = Table(
                [
                    TableColumn("line", .text("import.line"), minimum: 6, maximum: 7, align: .right),
                    TableColumn("problem", .text("import.problem"), minimum: 20),
                ], height: 8)
            list.setRows(
                problems.enumerated().map { index, problem in
                    TableRow(
                        id: String(index), cells: [String(problem.path.drop { $0 != "/" }.dropFirst()), ""],
                        mark: problem.isWarning ? .none : .problem)
                })
            rows.append(FormRow(nil, "problems", list))
            rows.append(FormRow(nil, [FormPart("detail", Label("", .problem, wraps: true), width: .fill)]))
        }
        form = Form(rows, buttons: ButtonRow([.init("close", .text("button.close"))]))
    }

    /// Sentences are put in when the reader's language is known.
    mutating func requests(_ context: inout Context) {
        guard phase == .ended, !problems.isEmpty else { return }
        let rows = problems.enumerated().map { index, problem in
            TableRow(
                id: String(index),
                cells: [String(problem.path.drop { $0 != "/" }.dropFirst()), context.say(problem.phrase)],
                mark: problem.isWarning ? .none : .problem)
        }
        form.update("problems", as: Table.self) { $0.setRows(rows) }
        let current = form.widget("problems", as: Table.self)?.current.flatMap { Int($0.id) }
        form.setLabel("detail", current.map { problems[$0].phrase } ?? .verbatim(""), .problem)
    }

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
            reading = context.file(.read(path: path, limit: Self.fileLimit))
        case .changed("typed"):
            let isRight = form.text("typed") == String(lines.count)
            let off = isRight ? nil : typeFirst
            form.buttons?.items[1].off = off
        case .button("start"):
            phase = .running
            sendNext(&context)
        case .button("stop"):
            stop(&context)
            showReport()
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func sendNext(_ context: inout Context) {
        guard next < lines.count else { return finish(&context) }
        let piece = lines[next..<min(lines.count, next + DirectoryInterface.ImportAccounts.maximumLines)]
        sending = context.send(
            DirectoryInterface.ImportAccounts.self,
            .init(
                domain: keepsDomain ? domain : nil, text: piece.map { $0 + "\n" }.joined(), firstLine: next + 1,
                note: "import of \(path.split(separator: "/").last.map(String.init) ?? path)"))
        next += piece.count
        showRunning()
    }

    private mutating func finish(_ context: inout Context) {
        context.model.accountsVersion += 1
        context.notice(counts.skipped == 0 ? .information : .warning, progress)
        context.modelChanged()
        showReport()
    }

    private mutating func stop(_ context: inout Context) {
        if let sending { context.cancel(sending) }
        sending = nil
        context.model.accountsVersion += 1
        context.notice(.warning, .text("import.stopped", String(next), String(lines.count)))
        context.modelChanged()
    }

    mutating func cancelled(_ context: inout Context) { if phase == .running { stop(&context) } }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let outcome = message.file(for: reading) { took(outcome, &context) }
        guard let result = message.result(of: DirectoryInterface.ImportAccounts.self, for: sending) else { return }
        sending = nil
        switch result {
        case .success(let output):
            counts.added += output.added
            counts.updated += output.updated
            counts.skipped += output.skipped
            problems += output.problems.prefix(max(0, Self.problemLimit - problems.count))
            sendNext(&context)
        case .failure(let error):
            context.notice(.error, error.phrase)
            stop(&context)
            showReport()
        }
    }

    private mutating func took(_ outcome: FileOutcome, _ context: inout Context) {
        reading = nil
        switch outcome {
        case .contents(let text):
            lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
            if lines.last == "" { lines.removeLast() }
            guard !lines.isEmpty else { return context.notice(.warning, .text("import.empty", Visible.line(path))) }
            confirm()
        case .failed(let reason):
            context.notice(.warning, .text("file.cannot-read", Visible.line(path), Visible.line(reason)))
        case .written, .exists: break
        }
    }
}
