import Control

/// Monitor: what waits in the queue, live or paused, and what may be done with it.
struct QueueScreen: Screen {
    var form: Form
    private var version = -1
    private var listing: RequestID?
    private var generation = 0
    private var known: [String: QueueRow] = [:]
    private var total = 0
    private var totalAtPause: Int?
    private var detail: QueueEntry?
    private var showing: (id: RequestID, queueID: String)?
    private var acting: (id: RequestID, action: QueueInterface.Act.Action)?

    init() {
        let list = Table(
            [
                TableColumn("id", .text("queue.col.id"), minimum: 14, maximum: 14, priority: 90),
                TableColumn(
                    "age", .text("queue.col.age"), minimum: 5, maximum: 8, priority: 70, align: .right, sortLetter: "a"),
                TableColumn(
                    "size", .text("queue.col.size"), minimum: 8, maximum: 9, priority: 40, align: .right,
                    sortLetter: "s"),
                TableColumn("from", .text("queue.col.from"), minimum: 14, priority: 60, sortLetter: "f"),
                TableColumn("to", .text("queue.col.to"), minimum: 14, priority: 65, sortLetter: "t"),
                TableColumn(
                    "tries", .text("queue.col.tries"), minimum: 5, maximum: 5, priority: 30, align: .right,
                    sortLetter: "n"),
                TableColumn("state", .text("queue.col.state"), minimum: 8, maximum: 8, priority: 50),
            ], features: [.mark, .filter, .sort], empty: .text("queue.empty"))
        let lines = (0..<4).map { FormRow(nil, [FormPart("detail\($0)", Label(""), width: .fill)]) }
        form = Form(
            [FormRow(nil, "list", list), .rule()] + lines,
            buttons: ButtonRow([
                .init("retry", .text("button.retry")), .init("hold", .text("button.hold")),
                .init("release", .text("button.release")), .init("bounce", .text("button.bounce")),
                .init("remove", .text("button.remove")),
            ]), focus: "list")
    }

    private var table: Table? { form.widget("list", as: Table.self) }

    func header(_ context: Context) -> PageHeader {
        let all = context.model.status?.queue.messages ?? total
        let isFiltered = table?.filter.isEmpty == false
        var parts = [
            context.say(
                isFiltered ? .text("queue.count-of", String(total), String(all)) : .text("queue.count", String(total)))
        ]
        if let marked = table?.marks.count, marked > 0 {
            parts.append(context.say(.text("queue.marked", String(marked))))
        }
        if let totalAtPause {
            let new = max(0, (context.model.status?.queue.messages ?? 0) - totalAtPause)
            parts.append(context.say(.text("queue.new", String(new))))
        }
        var role = Role.hint
        if let lost = context.model.lostAt {
            parts.append(context.say(.text("state.asof", lost.fullText)))
            role = .problem
        } else {
            parts.append(context.say(.text(totalAtPause == nil ? "state.live" : "state.paused")))
        }
        return PageHeader(
            title: .text("page.queue"), state: .verbatim(parts.joined(separator: "   ")), stateRole: role,
            hint: table?.current.flatMap { known[$0.id] }.map { QueueText.sentence($0, context) })
    }

    func commands(_ context: Context) -> [Command] {
        let off: Phrase? = context.changeRefusal ?? (targets.isEmpty ? .text("notice.queue.nothing") : nil)
        func action(_ id: String, _ key: Character, danger: Danger, bar: Bool = false) -> Command {
            Command(
                id, Phrase("queue.act.\(id).title"), keys: [.character(key)],
                bar: bar ? Phrase("bar.\(id)") : nil, off: off, danger: danger, isAction: true)
        }
        return [
            .open, .nothingToApply, action("retry", "r", danger: .reversible, bar: true),
            action("hold", "h", danger: .felt, bar: true),
            action("release", "l", danger: .reversible), action("bounce", "b", danger: .final),
            action("remove", "d", danger: .wide),
            Command(
                "trace", .text("button.trace"), keys: [.character("t")],
                off: targets.isEmpty ? .text("notice.queue.nothing") : nil,
                isAction: true),
            Command("pause", .text("state.paused"), keys: [.character("p")], bar: .text("bar.pause"), priority: 60),
        ]
    }

    private var targets: [String] { table?.chosen ?? [] }

    // MARK: - Rows

    mutating func opened(_ context: inout Context) {
        if let filter = context.model.queueFilter {
            context.model.queueFilter = nil
            form.update("list", as: Table.self) { $0.setFilter(filter) }
        }
        refresh(context)
    }
    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            listing = nil
            showing = nil
        }
        refresh(context)
    }
    mutating func prepare(_ context: Context) { showDetail(context) }

    private mutating func refresh(_ context: Context) {
        guard version != context.model.queueVersion, totalAtPause == nil || version < 0 else { return }
        version = context.model.queueVersion
        form.update("list", as: Table.self) { table in
            if listing == nil { table.requestFailed() }
            table.invalidate()
        }
    }

    mutating func requests(_ context: inout Context) {
        guard context.isConnected, context.model.isReady else { return }
        if let wanted = form.update("list", as: Table.self, { $0.windowWanted() }) ?? nil {
            generation = wanted.generation
            listing = context.send(
                QueueInterface.List.self,
                .init(
                    filter: wanted.filter.isEmpty ? nil : wanted.filter, sort: wanted.sort ?? "age",
                    descending: wanted.isDescending, offset: wanted.offset, limit: wanted.limit))
        }
        guard let id = table?.current?.id, detail?.row.id != id, showing?.queueID != id else { return }
        showing = (context.send(QueueInterface.Show.self, .init(id: id)), id)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: QueueInterface.List.self, for: listing) { took(result, &context) }
        if let asked = showing, let result = message.result(of: QueueInterface.Show.self, for: asked.id) {
            if case .success(let entry) = result { detail = entry }
        }
        if let asked = acting, let result = message.result(of: QueueInterface.Act.self, for: asked.id) {
            acting = nil
            acted(result, asked.action, &context)
        }
    }

    private mutating func took(_ result: Result<QueueInterface.List.Output, ControlError>, _ context: inout Context) {
        listing = nil
        switch result {
        case .success(let output):
            known = Dictionary(output.rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            total = output.total
            if let id = detail?.row.id, let row = known[id], row != detail?.row { detail = nil }
            let rows = output.rows.map { QueueText.row($0, context) }
            form.update("list", as: Table.self) {
                $0.supply(RowWindow(generation: generation, offset: output.offset, rows: rows, total: output.total))
            }
        case .failure(let error):
            form.update("list", as: Table.self) { $0.requestFailed() }
            if error.kind != .noConnection { context.notice(.error, error.phrase) }
        }
    }

    private mutating func showDetail(_ context: Context) {
        let id = table?.current?.id
        var lines: [Phrase] = []
        if let id, let detail, detail.row.id == id {
            lines = QueueText.detail(detail, context)
        } else if let id, let row = known[id] {
            lines = [QueueText.sentence(row, context)]
        }
        for index in 0..<4 {
            form.setLabel("detail\(index)", lines.indices.contains(index) ? lines[index] : .verbatim(""))
        }
    }

    // MARK: - Actions

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("list"):
            if let id = table?.current?.id { context.open(QueueDialog(id)) }
        case .button(let action): perform(action, &context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "open": formEvent(.activated("list"), &context)
        case "pause": togglePause(context)
        case "trace":
            guard let id = targets.first else { return }
            context.model.traceWord = id
            context.go(to: PageID.trace.rawValue)
        case "retry", "release": act(command, &context)
        case "hold", "bounce", "remove":
            guard !targets.isEmpty else { return context.notice(.information, .text("notice.queue.nothing")) }
            if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
            form.update("list", as: Table.self) { $0.isFrozen = true }
            context.open(QueueText.question(command, targets.count))
        default: break
        }
    }

    private mutating func togglePause(_ context: Context) {
        if totalAtPause == nil {
            totalAtPause = context.model.status?.queue.messages ?? total
        } else {
            totalAtPause = nil
            version = -1
            refresh(context)
        }
    }

    private mutating func act(_ command: String, _ context: inout Context) {
        guard let action = QueueInterface.Act.Action(rawValue: command), !targets.isEmpty, acting == nil else { return }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        acting = (context.send(QueueInterface.Act.self, .init(ids: targets, action: action)), action)
    }

    private mutating func acted(
        _ result: Result<QueueInterface.Act.Output, ControlError>, _ action: QueueInterface.Act.Action,
        _ context: inout Context
    ) {
        switch result {
        case .success(let output):
            let failed = output.results.filter { !$0.done }
            let done = Set(output.results.filter(\.done).map(\.id))
            form.update("list", as: Table.self) { table in
                table.marks.subtract(done)
                table.invalidate()
            }
            detail = nil
            if let first = failed.first {
                context.notice(
                    .error,
                    .text("notice.queue.failed", String(failed.count), first.id, Visible.line(first.message)))
            } else {
                context.notice(.information, .text("notice.queue.\(action.rawValue)", String(done.count)))
            }
        case .failure(let error): context.notice(.error, error.phrase)
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        form.update("list", as: Table.self) { $0.isFrozen = false }
        guard answer.id.hasPrefix("queue-"), answer.button == "go" else { return }
        act(String(answer.id.dropFirst("queue-".count)), &context)
    }
}

/// Queue entries in words.
enum QueueText {
    static func row(_ row: QueueRow, _ context: Context) -> TableRow {
        let age = context.model.serverTime(context.now).map { Clock.age($0 - row.received, context.say) } ?? ""
        let more =
            row.recipients > 1
            ? context.say(.text("queue.more", Visible.line(row.recipient), String(row.recipients - 1)))
            : Visible.line(row.recipient)
        return TableRow(
            id: row.id,
            cells: [
                row.id, age, Bytes.text(row.size), row.sender.isEmpty ? "<>" : Visible.line(row.sender), more,
                String(row.tries), context.say(state(row.state)),
            ], role: row.state == "held" ? .disabled : .normal)
    }

    static func state(_ state: String) -> Phrase { Phrase(code: "queue.state.\(state)", english: Visible.line(state)) }

    static func sentence(_ row: QueueRow, _ context: Context) -> Phrase {
        let state = context.say(state(row.state))
        return row.reply.isEmpty
            ? .text("queue.detail-state", row.id, state) : .text("queue.detail", row.id, state, Visible.line(row.reply))
    }

    static func next(_ row: QueueRow, _ context: Context) -> Phrase {
        row.next <= (context.model.serverTime(context.now) ?? 0)
            ? .text("queue.next-now", String(row.tries))
            : .text("queue.next", Clock.time(row.next, utcOffset: context.model.utcOffset), String(row.tries))
    }

    static func detail(_ entry: QueueEntry, _ context: Context) -> [Phrase] {
        let route = entry.recipients.first { !$0.route.isEmpty }?.route ?? "-"
        return [
            sentence(entry.row, context), next(entry.row, context), .text("queue.subject", Visible.line(entry.subject)),
            .text("queue.route", Visible.line(route)),
        ]
    }

    /// Holding is felt by others; what cannot be undone for several messages wants their number typed.
    static func question(_ action: String, _ count: Int) -> Question {
        let isFinal = action != "hold"
        return Question(
            "queue-\(action)", title: Phrase("queue.act.\(action).title"),
            lines: [.text("queue.act.\(action).question", String(count))],
            danger: isFinal ? (count > 1 ? .wide : .final) : .felt, keep: .text("button.keep"),
            go: .text("queue.act.do"),
            letter: "d", typed: isFinal && count > 1 ? String(count) : nil)
    }
}

/// One message: envelope, recipients, header, and its source on request.
struct QueueDialog: Dialog {
    var title: Phrase { .text("queue.message", id) }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 17 }
    var okButton: String? { "close" }
    private let id: String
    private var request: RequestID?
    private var hasSource = false
    private var entry: QueueEntry?

    init(_ id: String) {
        self.id = id
        let lines = Table([TableColumn("line", .verbatim(""), minimum: 20)], empty: .text("table.loading"))
        form = Form(
            [FormRow(nil, "lines", lines)],
            buttons: ButtonRow([
                .init("source", .text("queue.source"), letter: "v"), .init("close", .text("button.close")),
            ]), focus: "lines")
    }

    mutating func opened(_ context: inout Context) {
        request = context.send(QueueInterface.Show.self, .init(id: id))
    }

    func commands(_ context: Context) -> [Command] {
        [Command("source", .text("queue.source"), keys: [.character("v")], bar: .text("queue.source"))]
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        guard command == "source" else { return }
        hasSource.toggle()
        if hasSource, entry?.source.isEmpty != false {
            request = context.send(QueueInterface.Show.self, .init(id: id, source: 65536))
        }
        show(context)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("source"): perform("source", &context)
        case .button: context.closeDialog()
        default: break
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: QueueInterface.Show.self, for: request) else { return }
        switch result {
        case .success(let found): entry = found
        case .failure(let error):
            context.notice(.error, error.phrase)
            return context.closeDialog()
        }
        show(context)
    }

    private mutating func show(_ context: Context) {
        guard let entry else { return }
        let lines = (hasSource && !entry.source.isEmpty ? entry.source : Self.lines(entry, context))
            .flatMap { context.metrics.wrap(Visible.line($0), to: width - 4) }
        form.update("lines", as: Table.self) { table in
            table.setRows(lines.enumerated().map { TableRow(id: String($0.offset), cells: [Visible.line($0.element)]) })
        }
    }

    private static func lines(_ entry: QueueEntry, _ context: Context) -> [String] {
        let say = context.say
        var lines = [
            say(QueueText.sentence(entry.row, context)), say(QueueText.next(entry.row, context)),
            say(.text("queue.client", Visible.line(entry.client), Visible.line(entry.hello))),
            say(.text("queue.subject", Visible.line(entry.subject))), "", say("queue.recipients"),
        ]
        for recipient in entry.recipients {
            lines.append(
                "  \(recipient.address)  \(say(QueueText.state(recipient.state)))  \(recipient.route)")
            if !recipient.reply.isEmpty { lines.append("    " + recipient.reply) }
        }
        return lines + ["", say("queue.header")] + entry.header.map { "  " + $0 }
    }
}
