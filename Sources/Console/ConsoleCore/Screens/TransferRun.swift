import Control

/// A file of accounts on its way to the server: read, sent in pieces, planned (a dry run), carried out. The server does
/// nothing before the last step, so that a run can be broken off at any time before it.
struct TransferRun {
    enum Event {
        /// More lines are there.
        case progress
        /// The dry run has been told.
        case planned
        case done
        /// It is over, and nothing was done.
        case failed(Phrase, [Problem])
    }
    private(set) var path = ""
    private(set) var lines: [String] = []
    private(set) var sent = 0
    private(set) var report = TransferReport(revision: 0)
    private(set) var name = ""
    private var kind = DirectoryInterface.BeginTransfer.Input(kind: "import")
    private var isStrict = false
    private var isDry = true
    private enum Step { case begin, send, finish }
    private var step = Step.begin
    private var reading: RequestID?
    private var request: RequestID?

    /// Octets of a file that is taken.
    static let fileLimit = 64 << 20
    /// A frame is 1 MiB, and JSON may write an octet as six.
    private static let octetsPerCall = 150_000

    var isRunning: Bool { reading != nil || request != nil }
    var progress: Phrase { .text("transfer.progress", String(sent), String(lines.count)) }
    /// Kept in the history.
    private var note: String {
        "\(kind.kind) of \(path.split(separator: "/").last.map(String.init) ?? path)"
    }

    /// What is shown while it goes on.
    func runningForm(canStop: Bool) -> Form {
        Form(
            [
                FormRow(
                    nil,
                    [
                        FormPart(
                            "progress", Label(canStop ? progress : .text("transfer.finishing"), wraps: true),
                            width: .fill)
                    ]),
                .text(.text("transfer.stop"), .hint),
            ],
            buttons: ButtonRow(canStop ? [.init("stop", .text("button.cancel"))] : []))
    }

    mutating func start(_ path: String, _ kind: DirectoryInterface.BeginTransfer.Input, _ context: inout Context) {
        stop(&context)
        self = TransferRun()
        self.path = path
        self.kind = kind
        isStrict = kind.kind != "import"
        reading = context.file(.read(path: path, limit: Self.fileLimit))
    }

    /// Carries out what was planned, unless somebody changed the accounts since.
    mutating func finish(_ context: inout Context) {
        ask(dryRun: false, base: report.revision, &context)
    }

    mutating func stop(_ context: inout Context) {
        if let request { context.cancel(request) }
        request = nil
        reading = nil
        if !name.isEmpty { _ = context.send(DirectoryInterface.EndTransfer.self, .init(transfer: name)) }
        name = ""
    }

    private mutating func ask(dryRun: Bool, base: Int? = nil, _ context: inout Context) {
        isDry = dryRun
        step = .finish
        request = context.send(
            DirectoryInterface.FinishTransfer.self,
            .init(transfer: name, dryRun: dryRun, strict: isStrict && !dryRun, baseRevision: base, note: note))
    }

    private mutating func sendNext(_ context: inout Context) {
        guard sent < lines.count else { return ask(dryRun: true, &context) }
        let compares = kind.kind != "import" && kind.passwords ?? "compare" == "compare"
        let limit = compares ? DirectoryInterface.SendAccounts.maximumCompared : .max
        var text = ""
        var clear = 0
        let first = sent
        while sent < lines.count, sent - first < DirectoryInterface.SendAccounts.maximumLines, clear < limit,
            text.utf8.count < Self.octetsPerCall
        {
            text += lines[sent] + "\n"
            clear += DirectoryInterface.SendAccounts.isHashed(lines[sent]) ? 0 : 1
            sent += 1
        }
        step = .send
        request = context.send(
            DirectoryInterface.SendAccounts.self, .init(transfer: name, text: text, firstLine: first + 1))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) -> Event? {
        if let outcome = message.file(for: reading) { return took(outcome, &context) }
        switch step {
        case .begin:
            return message.result(of: DirectoryInterface.BeginTransfer.self, for: request).flatMap {
                goOn($0, &context) { $0.name = $1.transfer }
            }
        case .send:
            return message.result(of: DirectoryInterface.SendAccounts.self, for: request).flatMap {
                goOn($0, &context) { _, _ in }
            }
        case .finish:
            return message.result(of: DirectoryInterface.FinishTransfer.self, for: request).map {
                finished($0, &context)
            }
        }
    }

    private mutating func finished(
        _ result: Result<TransferReport, ControlError>, _ context: inout Context
    ) -> Event {
        request = nil
        switch result {
        case .success(let output):
            report = output
            return isDry ? .planned : .done
        case .failure(let error): return failed(error, &context)
        }
    }

    private mutating func goOn<Output>(
        _ result: Result<Output, ControlError>, _ context: inout Context, _ take: (inout TransferRun, Output) -> Void
    ) -> Event? {
        request = nil
        switch result {
        case .success(let output):
            take(&self, output)
            sendNext(&context)
            return .progress
        case .failure(let error): return failed(error, &context)
        }
    }

    private mutating func failed(_ error: ControlError, _ context: inout Context) -> Event {
        stop(&context)
        return .failed(error.phrase, error.detail.problems ?? [])
    }

    private mutating func took(_ outcome: FileOutcome, _ context: inout Context) -> Event? {
        reading = nil
        switch outcome {
        case .contents(let text):
            lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
            if lines.last == "" { lines.removeLast() }
            guard !lines.isEmpty else { return .failed(.text("import.empty", Visible.line(path)), []) }
            step = .begin
            request = context.send(DirectoryInterface.BeginTransfer.self, kind)
            return .progress
        case .failed(let reason):
            return .failed(.text("file.cannot-read", Visible.line(path), Visible.line(reason)), [])
        case .written, .exists: return nil
        }
    }
}

/// Faulty lines as a table: line, column, what is wrong.
enum TransferProblems {
    static func table(height: Int) -> Table {
        Table(
            [
                TableColumn("line", .text("import.line"), minimum: 5, maximum: 8, align: .right),
                TableColumn("column", .text("import.column"), minimum: 4, maximum: 6, align: .right),
                TableColumn("problem", .text("import.problem"), minimum: 20),
            ], height: height)
    }

    static func rows(_ problems: [Problem], _ say: any Localizer) -> [TableRow] {
        problems.enumerated().map { index, problem in
            let parts = problem.path.split(separator: "/").map(String.init)
            return TableRow(
                id: String(index),
                cells: [parts.count > 1 ? parts[1] : "", parts.count > 3 ? parts[3] : "", say(problem.phrase)],
                mark: problem.isWarning ? .none : .problem)
        }
    }

    /// The table and below it the sentence under the cursor; nothing when all is well.
    static func formRows(_ problems: [Problem], height: Int) -> [FormRow] {
        guard !problems.isEmpty else { return [] }
        return [
            FormRow(nil, "problems", table(height: height)),
            FormRow(nil, [FormPart("detail", Label("", .problem, wraps: true), width: .fill)]),
        ]
    }

    /// What is left to read when it is over.
    static func report(_ said: Phrase, isGood: Bool, _ problems: [Problem]) -> Form {
        Form(
            [FormRow.text(said, isGood ? .good : .problem)] + formRows(problems, height: 8),
            buttons: ButtonRow([.init("close", .text("button.close"))]))
    }

    /// Puts the sentences in when the reader's language is known, and the one under the cursor in full below.
    static func fill(_ form: inout Form, _ problems: [Problem], _ say: any Localizer) {
        guard !problems.isEmpty, form.widget("problems", as: Table.self) != nil else { return }
        let rows = rows(problems, say)
        form.update("problems", as: Table.self) { $0.setRows(rows) }
        let current = form.widget("problems", as: Table.self)?.current.flatMap { Int($0.id) }
        form.setLabel("detail", current.map { problems[$0].phrase } ?? .verbatim(""), .problem)
    }
}
