import Control

/// Monitor: the newest lines of the log as they are written, filtered at the server.
struct LogScreen: Screen {
    var form: Form
    private var log = LogList()
    private var rows: [TableRow] = []
    private var lineNumber = 0
    private var tail: RequestID?
    private var applied: LogFilter?
    private var gotBacklog = false
    /// The search for older lines, part by part.
    private var older = OlderLines()
    /// What `n` and `N` look for in the lines that are here.
    private var words = ""

    init() {
        let lines = Table(
            [TableColumn("line", .verbatim(""), minimum: 20)], features: [.mark], empty: .text("log.empty"))
        form = Form(
            [
                FormRow(
                    .text("log.filter"),
                    [
                        FormPart("filter", TextField(width: 22, limit: 200)),
                        FormPart("kind", Select(Self.kinds, selected: "", width: 13)),
                        FormPart("level", Select(Self.levels, selected: "", width: 11)),
                    ]),
                FormRow(nil, "lines", lines),
            ],
            buttons: ButtonRow([
                .init("trace", .text("button.trace"), letter: "t"), .init("save", .text("log.save"), letter: "w"),
            ]), focus: "lines")
    }

    /// Which of the original's logs; nothing = all of them, and what stands in the structured log alone.
    private static let kinds =
        [Option("", .text("log.kind.all"))]
        + ["receive", "send", "local", "accept", "sender", "fail", "session", "system"].map {
            Option($0, .text("log.kind.\($0)"))
        }
    private static let levels = [
        Option("", .text("log.level.all")), Option("info", .text("log.level.info")),
        Option("warning", .text("log.level.warning")), Option("error", .text("log.level.error")),
    ]

    /// Lines that the page begins with.
    private static let backlog = 500

    /// What is typed and picked, as the server filters.
    private var filter: LogFilter {
        var filter = LogList.parse(form.text("filter").trimmedBlanks)
        let kind = form.selected("kind")
        let level = form.selected("level")
        if !kind.isEmpty { filter.kinds = [kind] }
        if !level.isEmpty { filter.level = level }
        return filter
    }

    private var table: Table? { form.widget("lines", as: Table.self) }
    private var isFollowing: Bool { table.map { $0.cursor + 1 >= $0.total } ?? true }

    func header(_ context: Context) -> PageHeader {
        var parts = [
            context.say(.text("log.rate", String(log.perMinute(now: context.now)))),
            context.say(.text("log.shown", String(log.lines.count))),
        ]
        if let marked = table?.marks.count, marked > 0 {
            parts.append(context.say(.text("queue.marked", String(marked))))
        }
        var role = Role.hint
        if let lost = context.model.lostAt {
            parts.append(context.say(.text("state.asof", lost.fullText)))
            role = .problem
        } else if let left = older.left {
            parts.append(context.say(.text("log.older", Bytes.text(left))))
        } else if log.isPaused {
            parts.append(context.say(.text("log.held", String(log.held.count))))
        } else {
            parts.append(context.say(.text(isFollowing ? "log.follow" : "log.no-follow")))
        }
        return PageHeader(
            title: .text("page.log"), state: .verbatim(parts.joined(separator: "   ")), stateRole: role,
            hint: .text(form.focus == "filter" ? "log.filter.hint" : "log.hint"))
    }

    func commands(_ context: Context) -> [Command] {
        let line = current
        return [
            .open, .nothingToApply,
            Command("find", .text("bar.find"), keys: [.character("/")], bar: .text("bar.find"), priority: 75),
            Command(
                "stop", .text("log.older.stop"), keys: [.character("c")],
                bar: older.left == nil ? nil : .text("log.older.stop"),
                off: older.left == nil ? .text("log.older.none") : nil, isAction: true),
            Command(
                "trace", .text("button.trace"), keys: [.character("t")], bar: .text("bar.trace"),
                off: line?.queueID == nil && line?.session == nil ? .text("log.no-id") : nil, isAction: true),
            Command("follow", .text("bar.follow"), keys: [.character("f")], bar: .text("bar.follow"), isAction: true),
            Command("pause", .text("state.paused"), keys: [.character("p")], bar: .text("bar.pause"), isAction: true),
            Command(
                "search", .text("log.search"), keys: [.control("f")], off: log.lines.isEmpty ? .text("log.empty") : nil,
                isAction: true),
            Command(
                "next", .text("log.next"), keys: [.character("n")], bar: .text("log.next.bar"), barKeys: "n/N",
                priority: 50, isAction: true),
            Command("previous", .text("log.previous"), keys: [.character("N")], isAction: true),
            Command(
                "save", .text("log.save"), keys: [.character("w")], off: log.lines.isEmpty ? .text("log.empty") : nil,
                isAction: true),
            Command(
                "explain", .text("log.explain"), keys: [.character("x")],
                off: line?.reference == nil ? .text("log.no-reference") : nil, isAction: true),
            Command(
                "copy", .text("log.copy"), keys: [.character("y")], off: line == nil ? .text("log.empty") : nil,
                isAction: true),
        ]
    }

    private var current: LogLine? {
        table?.current.flatMap { line($0.id) }
    }

    private func line(_ id: String) -> LogLine? {
        guard let number = Int(id) else { return nil }
        let place = number - (lineNumber - log.lines.count)
        return log.lines.indices.contains(place) ? log.lines[place] : nil
    }

    /// The marked lines as texts, oldest first; `nil` when none is marked.
    private func marked(_ context: Context) -> [String]? {
        let ids = (table?.marks ?? []).compactMap { Int($0) }.sorted()
        if ids.isEmpty { return nil }
        return ids.compactMap { line(String($0)) }.map { LogText.line($0, utcOffset: context.model.utcOffset) }
    }

    // MARK: - The stream

    mutating func opened(_ context: inout Context) {
        if let filter = context.model.logFilter {
            context.model.logFilter = nil
            form.setText("filter", filter)
            restart(&context)
        } else if tail == nil {
            restart(&context)
        }
    }

    mutating func closed(_ context: inout Context) {
        if let tail { context.cancel(tail) }
        tail = nil
        older = OlderLines()
    }

    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            tail = nil
            older = OlderLines()
        } else if tail == nil, context.model.isReady {
            restart(&context)
        }
    }

    private mutating func restart(_ context: inout Context) {
        if let tail { context.cancel(tail) }
        tail = nil
        guard context.isConnected, context.model.isReady else { return }
        applied = filter
        log.clear()
        rows = []
        lineNumber = 0
        gotBacklog = false
        older = OlderLines()
        form.update("lines", as: Table.self) { $0.setRows([]) }
        tail = context.send(LogInterface.Tail.self, .init(filter: filter, backlog: Self.backlog), stream: true)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: LogInterface.Search.self, for: older.request) {
            switch result {
            case .success(let output):
                showOlder(output.lines.reversed(), context)
                goOnBack(output.cursor, output.left, &context)
            case .failure: older = OlderLines()
            }
        }
        guard let result = message.result(of: LogInterface.Tail.self, for: tail) else { return }
        switch result {
        case .success(let output):
            take(output.lines, context)
            if let cursor = output.cursor { goOnBack(cursor, output.left, &context) }
        case .failure(let error):
            tail = nil
            if error.kind != .noConnection { context.notice(.error, error.phrase) }
        }
    }

    private mutating func take(_ lines: [LogLine], _ context: Context) {
        let before = log.lines.count + log.dropped
        log.append(lines, now: context.now, isBacklog: !gotBacklog)
        gotBacklog = true
        showNew(before, context)
    }

    /// Rows for the lines that came since line number `before`; the cursor follows when it stood on the last one.
    private mutating func showNew(_ before: Int, _ context: Context) {
        let follows = isFollowing
        let count = log.lines.count + log.dropped - before
        for line in log.lines.suffix(max(0, count)) {
            rows.append(row(line, number: lineNumber, context))
            lineNumber += 1
        }
        if rows.count > log.lines.count { rows.removeFirst(rows.count - log.lines.count) }
        let shown = rows
        form.update("lines", as: Table.self) { table in
            table.setRows(shown)
            if follows { _ = table.handle(.end) }
        }
    }

    /// Asks for the next older part while there is one and the page is not full.
    private mutating func goOnBack(_ cursor: String?, _ left: Int?, _ context: inout Context) {
        let room = Self.backlog - log.lines.count
        guard let cursor, let applied, room > 0 else { return older = OlderLines() }
        older = OlderLines(
            request: context.send(LogInterface.Search.self, .init(filter: applied, limit: room, cursor: cursor)),
            left: left ?? 0)
    }

    private mutating func showOlder(_ lines: [LogLine], _ context: Context) {
        guard !lines.isEmpty else { return }
        let first = lineNumber - log.lines.count
        log.prepend(lines)
        let new = lines.enumerated().map { row($0.element, number: first - lines.count + $0.offset, context) }
        rows = new + rows
        let shown = rows
        let cursor = table?.cursor ?? 0
        form.update("lines", as: Table.self) { table in
            table.setRows(shown)
            table.move(to: cursor + new.count)
        }
    }

    private func row(_ line: LogLine, number: Int, _ context: Context) -> TableRow {
        let isBad = line.level == "error" || line.level == "warning"
        let text = LogText.line(line, utcOffset: context.model.utcOffset)
        return TableRow(
            id: String(number), cells: [text], mark: isBad ? .problem : .none,
            role: isHit(text) ? .hit : isBad ? .problem : .normal)
    }

    // MARK: - Searching in what is here

    private func isHit(_ text: String) -> Bool { !words.isEmpty && text.lowercased().contains(words) }

    private mutating func look(for text: String, _ context: inout Context) {
        words = text.lowercased()
        for index in rows.indices {
            let isBad = rows[index].mark == .problem
            rows[index].role = isHit(rows[index].cells.first ?? "") ? .hit : isBad ? .problem : .normal
        }
        let shown = rows
        form.update("lines", as: Table.self) { $0.setRows(shown) }
        goOn(-1, isFirst: true, &context)
    }

    /// - Parameter isFirst: the line under the cursor counts.
    private mutating func goOn(_ step: Int, isFirst: Bool = false, _ context: inout Context) {
        guard !words.isEmpty else { return context.open(LogSearchDialog()) }
        var place = (table?.cursor ?? 0) + (isFirst ? 0 : step)
        while rows.indices.contains(place), !isHit(rows[place].cells.first ?? "") { place += step }
        guard rows.indices.contains(place) else {
            return context.notice(.information, .text("log.search.none", Visible.line(words)))
        }
        form.update("lines", as: Table.self) { $0.move(to: place) }
        _ = form.setFocus("lines")
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if answer.id == LogSearchDialog.id { look(for: answer.button, &context) }
    }

    // MARK: - Keys

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .left("filter"), .focused("lines"):
            if filter != applied { restart(&context) }
        case .changed("kind"), .changed("level"): restart(&context)
        case .activated("lines"):
            if let line = current { context.open(LogText.dialog(line, utcOffset: context.model.utcOffset)) }
        case .button("trace"): perform("trace", &context)
        case .button("save"): perform("save", &context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "open": formEvent(.activated("lines"), &context)
        case "find": _ = form.setFocus("filter")
        case "stop": older = OlderLines()
        case "follow": form.update("lines", as: Table.self) { _ = $0.handle(.end) }
        case "pause":
            let before = log.lines.count + log.dropped
            log.setPaused(!log.isPaused)
            showNew(before, context)
        case "trace":
            guard let word = current?.queueID ?? current?.session else {
                return context.notice(.information, .text("log.no-id"))
            }
            context.model.traceWord = word
            context.go(to: PageID.trace.rawValue)
        case "explain": if let reference = current?.reference { context.open(ExplainDialog(reference)) }
        case "copy":
            if let lines = marked(context) {
                context.copy(lines.joined(separator: "\n"))
            } else if let line = current {
                context.copy(LogText.line(line, utcOffset: context.model.utcOffset))
            }
        case "search": context.open(LogSearchDialog(words))
        case "next": goOn(1, &context)
        case "previous": goOn(-1, &context)
        case "save":
            let lines = marked(context) ?? rows.compactMap(\.cells.first)
            if !lines.isEmpty { context.open(SaveLinesDialog(lines)) }
        default: break
        }
    }
}

/// A search through older parts of the log, which may be long.
private struct OlderLines {
    var request: RequestID?
    /// Octets of log that are left; `nil`: nothing is searched.
    var left: Int?
}

/// Log lines in words: the same for screen and clipboard. The server's texts are safe, and made safe once more.
enum LogText {
    static func line(_ line: LogLine, utcOffset: Int) -> String {
        var parts = [Clock.time(line.time, utcOffset: utcOffset), pad(line.service, 6), pad(line.kind, 7)]
        if let id = line.queueID { parts.append(id) }
        if line.sender != nil || line.recipient != nil {
            let sender = line.sender.map { $0.isEmpty ? "<>" : $0 }
            parts.append([sender, line.recipient].compactMap(\.self).joined(separator: " -> "))
        }
        if let reply = line.reply { parts.append(reply) }
        if let text = line.text { parts.append(text) }
        if let size = line.size { parts.append("\(size) B") }
        if let address = line.address { parts.append(address) }
        if let host = line.host, host != line.address { parts.append(host) }
        return Visible.line(parts.joined(separator: " "))
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }

    static func dialog(_ line: LogLine, utcOffset: Int) -> Information {
        let fields: [(String, String?)] = [
            (
                "time",
                Clock.date(line.time, utcOffset: utcOffset) + " (" + Clock.precise(line.time, utcOffset: utcOffset)
                    + ")"
            ),
            ("service", line.service), ("kind", line.kind), ("level", line.level), ("queue id", line.queueID),
            ("address", line.address), ("host", line.host), ("from", line.sender), ("to", line.recipient),
            ("reply", line.reply), ("text", line.text), ("size", line.size.map(String.init)),
            ("reference", line.reference), ("message-id", line.messageID),
        ]
        let lines = fields.compactMap { name, value in
            value.map { Phrase.verbatim(pad(name, 12) + Visible.line($0)) }
        }
        return Information(title: .text("page.log"), lines: lines, width: 72)
    }
}

/// Why a mail was refused: the record behind the reference of a refusal.
struct ExplainDialog: Dialog {
    var title: Phrase { .text("explain.title", reference) }
    var form: Form
    var width: Int { 74 }
    var height: Int? { 15 }
    var okButton: String? { "close" }
    private let reference: String
    private var request: RequestID?
    private var record: Explanation?

    init(_ reference: String) {
        self.reference = Visible.line(reference)
        let lines = Table([TableColumn("line", .verbatim(""), minimum: 20)], empty: .text("table.loading"))
        form = Form(
            [FormRow(nil, "lines", lines)],
            buttons: ButtonRow([
                .init("close", .text("button.close")), .init("try", .text("explain.try"), letter: "t"),
            ]), focus: "lines")
    }

    func commands(_ context: Context) -> [Command] {
        [Command("try", .text("explain.try"), keys: [.character("t")], bar: .text("explain.try"))]
    }

    /// The same mail once more, with the rules of now.
    mutating func perform(_ command: String, _ context: inout Context) {
        guard command == "try", let record else { return }
        context.model.simulation = SimulationWish(record)
        context.closeDialog()
        context.go(to: PageID.simulate.rawValue)
    }

    mutating func opened(_ context: inout Context) {
        request = context.send(PolicyInterface.Explain.self, .init(reference: reference))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("try"): perform("try", &context)
        case .button: context.closeDialog()
        default: break
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: PolicyInterface.Explain.self, for: request) else { return }
        switch result {
        case .success(let found):
            record = found
            var lines = [found.reply, "", "\(found.moment)  \(found.client)  \(found.hello ?? "")"]
            lines.append("<\(found.sender ?? "")> -> <\(found.recipient ?? "")>")
            lines.append("")
            lines += found.steps.map {
                ($0.decided ? "* " : "  ") + context.say(.sentence($0.finding))
                    + ($0.source.isEmpty ? "" : "  (\($0.source))")
            }
            if let remedy = found.remedy { lines += ["", context.say(.sentence(remedy))] }
            lines = lines.flatMap { context.metrics.wrap(Visible.line($0), to: width - 4) }
            form.update("lines", as: Table.self) { table in
                table.setRows(
                    lines.enumerated().map { TableRow(id: String($0.offset), cells: [Visible.line($0.element)]) })
            }
        case .failure(let error):
            context.notice(.error, error.phrase)
            context.closeDialog()
        }
    }
}
