import Control

/// Monitor: every change of the configuration, newest first, and the way back (console.md 6.3).
struct HistoryScreen: Screen {
    var form: Form
    private var version = -1
    private var revisions: [Revision] = []
    private var isComplete = false
    private var request: RequestID?
    private var older: RequestID?
    private var reverting: RequestID?
    private var revertOf = 0
    private static let batch = 100

    init() {
        let list = Table(
            [
                TableColumn(
                    "revision", .text("history.col.revision"), minimum: 5, maximum: 7, priority: 90, align: .right),
                TableColumn("time", .text("history.col.time"), minimum: 16, maximum: 16, priority: 70),
                TableColumn("author", .text("history.col.author"), minimum: 8, maximum: 16, priority: 60),
                TableColumn("what", .text("history.col.what"), minimum: 16, priority: 80),
                TableColumn("note", .text("history.col.note"), minimum: 8, maximum: 14, priority: 30),
            ], empty: .text("history.empty"))
        let lines = (0..<5).map { FormRow(nil, [FormPart("detail\($0)", Label(""), width: .fill)]) }
        form = Form(
            [FormRow(nil, "list", list), .rule()] + lines,
            buttons: ButtonRow([.init("revert", .text("button.revert"), letter: "r")]), focus: "list")
    }

    private var current: Revision? {
        form.widget("list", as: Table.self)?.current.flatMap { row in revisions.first { String($0.revision) == row.id }
        }
    }

    func header(_ context: Context) -> PageHeader {
        let state: Phrase? = context.model.lostAt.map { .text("state.asof", $0.fullText) }
        return PageHeader(title: .text("page.history"), state: state, stateRole: .problem)
    }

    func commands(_ context: Context) -> [Command] {
        let off: Phrase? = context.changeRefusal ?? (current == nil ? .text("history.empty") : nil)
        return [
            .open, .nothingToApply,
            Command(
                "revert", .text("button.revert"), keys: [.character("r")], bar: .text("bar.revert"), off: off,
                danger: .felt,
                isAction: true),
            Command(
                "older", .text("history.more"), keys: [.character("o")], off: isComplete ? .text("history.all") : nil,
                isAction: true),
        ]
    }

    mutating func opened(_ context: inout Context) { refresh(&context) }
    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected { request = nil }
        refresh(&context)
    }

    private mutating func refresh(_ context: inout Context) {
        guard version != context.model.historyVersion, context.isConnected, context.model.isReady, request == nil else {
            return
        }
        version = context.model.historyVersion
        request = context.send(SettingsInterface.History.self, .init(limit: Self.batch))
    }

    /// The lines below the list follow the cursor.
    mutating func requests(_ context: inout Context) {
        guard let table = form.widget("list", as: Table.self) else { return }
        if !isComplete, older == nil, request == nil, !revisions.isEmpty, table.cursor + 20 >= revisions.count {
            askOlder(&context)
        }
    }

    private mutating func askOlder(_ context: inout Context) {
        guard let last = revisions.last?.revision, !isComplete, older == nil else { return }
        older = context.send(SettingsInterface.History.self, .init(before: last, limit: Self.batch))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: SettingsInterface.History.self, for: request) {
            request = nil
            take(result, isOlder: false, &context)
        }
        if let result = message.result(of: SettingsInterface.History.self, for: older) {
            older = nil
            take(result, isOlder: true, &context)
        }
        if let result = message.result(of: SettingsInterface.Revert.self, for: reverting) {
            reverting = nil
            switch result {
            case .success(let plan): stage(plan, &context)
            case .failure(let error): context.notice(.error, error.phrase)
            }
        }
    }

    private mutating func take(
        _ result: Result<SettingsInterface.History.Output, ControlError>, isOlder: Bool, _ context: inout Context
    ) {
        switch result {
        case .success(let output):
            revisions = isOlder ? revisions + output.revisions : output.revisions
            isComplete = output.revisions.count < Self.batch
            let rows = revisions.map { HistoryText.row($0, context) }
            form.update("list", as: Table.self) { $0.setRows(rows) }
        case .failure(let error):
            if error.kind != .noConnection { context.notice(.error, error.phrase) }
        }
    }

    mutating func prepare(_ context: Context) { showDetail(context) }

    private mutating func showDetail(_ context: Context) {
        let lines = current.map { HistoryText.detail($0, context) } ?? []
        for index in 0..<5 {
            form.setLabel("detail\(index)", lines.indices.contains(index) ? lines[index] : .verbatim(""))
        }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("list"):
            if let current {
                let lines = HistoryText.lines(current, context)
                context.open(
                    Information(
                        title: .text(
                            "history.diff", String(current.revision), Visible.line(current.author),
                            Visible.line(current.origin)),
                        lines: lines.map { .verbatim($0) }, width: 72))
            }
        case .button("revert"): perform("revert", &context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "open": formEvent(.activated("list"), &context)
        case "older": askOlder(&context)
        case "revert":
            guard let current else { return }
            if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
            context.open(
                Question(
                    "revert:\(current.revision)", title: .text("history.revert.title"),
                    lines: [
                        .text(
                            "history.revert.question", String(current.revision),
                            String(current.count ?? current.changes.count)),
                        .text("history.revert.staged"),
                    ], danger: .reversible, keep: .text("history.revert.keep"), go: .text("history.revert.do"),
                    letter: "u"))
        default: break
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        guard answer.button == "go", answer.id.hasPrefix("revert:"),
            let revision = revisions.first(where: { answer.id == "revert:\($0.revision)" })
        else { return }
        guard let edits = RevertRecord.edits(undoing: revision) else {
            // Only the server knows all of it: it says what would be, and does it at Apply.
            revertOf = revision.revision
            reverting = context.send(
                SettingsInterface.Revert.self, .init(revision: revision.revision, dryRun: true))
            return
        }
        for (path, values) in edits { context.stage(path, values) }
        review(revision.revision, &context)
    }

    private func stage(_ plan: Applied, _ context: inout Context) {
        let record = RevertRecord.values(of: plan)
        context.stage(
            RevertRecord.path(revertOf), record.new, begun: ServerValue(values: record.now, revision: plan.revision))
        review(revertOf, &context)
    }

    private func review(_ revision: Int, _ context: inout Context) {
        context.notice(.information, .text("notice.reverted", String(revision)))
        context.modelChanged()
        context.showFullPage(ReviewScreen(context))
    }
}

/// Revisions in words.
enum HistoryText {
    static func row(_ revision: Revision, _ context: Context) -> TableRow {
        let names = revision.changes.map { SettingText.name(of: $0.path, context.say) }
        return TableRow(
            id: String(revision.revision),
            cells: [
                String(revision.revision), Clock.date(revision.time, utcOffset: context.model.utcOffset),
                Visible.line(revision.author), names.joined(separator: ", "), Visible.line(revision.note),
            ])
    }

    static func lines(_ revision: Revision, _ context: Context) -> [String] {
        let say = context.say
        return revision.changes.flatMap { change in
            [
                SettingText.name(of: change.path, say) + "  (\(Visible.line(change.path)))",
                "  - " + text(change.old, change.path, "history.created", context),
                "  + " + text(change.new, change.path, "history.deleted", context),
            ]
        }
    }

    private static func text(_ values: [String]?, _ path: String, _ none: String, _ context: Context) -> String {
        guard let values else { return context.say(Phrase(none)) }
        return path.contains("/")
            ? Visible.line(values.joined(separator: ", ")) : SettingText.value(path, values, context.say)
    }

    static func detail(_ revision: Revision, _ context: Context) -> [Phrase] {
        lines(revision, context).map { .verbatim($0) }
    }
}
