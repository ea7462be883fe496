import Control

/// Monitor: what became of messages, from the connection to the last reply with the remote's exact words.
struct TraceScreen: Screen {
    var form: Form
    private var asking: RequestID?
    private var found = LogInterface.Trace.Output()
    private var shownID: String?
    private var asked = ""

    init() {
        let list = Table(
            [
                TableColumn("time", .text("trace.col.time"), minimum: 8, maximum: 11, priority: 70),
                TableColumn("id", .text("queue.col.id"), minimum: 13, maximum: 14, priority: 50),
                TableColumn("from", .text("queue.col.from"), minimum: 14, priority: 60),
                TableColumn("to", .text("queue.col.to"), minimum: 14, priority: 65),
                TableColumn("outcome", .text("trace.col.outcome"), minimum: 10, maximum: 14, priority: 80),
            ], empty: .text("trace.empty"), height: 7)
        let steps = Table(
            [
                TableColumn("time", .text("trace.col.time"), minimum: 8, maximum: 12, priority: 70),
                TableColumn("what", .text("trace.col.what"), minimum: 11, maximum: 12, priority: 80),
                TableColumn("text", .text("trace.col.text"), minimum: 30, priority: 90),
            ], empty: .verbatim(""))
        form = Form(
            [
                FormRow(
                    .text("trace.word"),
                    [
                        FormPart("word", TextField(limit: 320), width: .fill),
                        FormPart("", Label(.text("trace.since"), .label)),
                        FormPart("since", TextField(width: 6, limit: 20)),
                    ]),
                FormRow(nil, "list", list), .rule(), FormRow(nil, "steps", steps),
            ], focus: "word")
        form.update("list", as: Table.self) { $0.setRows([]) }
        form.update("steps", as: Table.self) { $0.setRows([]) }
    }

    func header(_ context: Context) -> PageHeader {
        var state: Phrase?
        if asking != nil {
            state = .text("trace.searching")
        } else if !asked.isEmpty {
            let cut = found.isCut ? "+" : ""
            state = .text("trace.count", String(found.messages.count) + cut, String(found.others.count))
        }
        return PageHeader(title: .text("page.trace"), state: state, hint: .text(hintKey))
    }

    private var hintKey: String {
        switch form.focus {
        case "steps": "trace.steps.hint"
        case "since": "trace.since.hint"
        case "list": "trace.list.hint"
        default: "trace.hint"
        }
    }

    func commands(_ context: Context) -> [Command] {
        let reference = currentLine?.reference
        return [
            Command(
                "apply", .text("trace.search"), keys: [.control("o"), .function(10), .control("s")],
                bar: .text("trace.search"), priority: 80, isAction: true),
            Command("find", .text("bar.find"), keys: [.character("/")], bar: .text("bar.find"), priority: 75),
            Command(
                "explain", .text("log.explain"), keys: [.character("x")], bar: .text("bar.explain"),
                off: reference == nil ? .text("log.no-reference") : nil, isAction: true),
            Command(
                "simulate", .text("explain.try"), keys: [.character("t")],
                off: currentLine == nil ? .text("trace.empty") : nil, isAction: true),
            Command(
                "copy", .text("log.copy"), keys: [.character("y")],
                off: currentLine == nil ? .text("log.empty") : nil, isAction: true),
        ]
    }

    // MARK: - Searching

    mutating func opened(_ context: inout Context) {
        guard let word = context.model.traceWord else { return }
        context.model.traceWord = nil
        form.setText("word", word)
        search(&context)
    }

    mutating func modelChanged(_ context: inout Context) { if !context.isConnected { asking = nil } }

    private mutating func search(_ context: inout Context) {
        let word = form.text("word").trimmedBlanks
        let since = form.text("since").trimmedBlanks
        // A time alone shows all that happened since.
        guard !word.isEmpty || !since.isEmpty else { return context.notice(.information, .text("trace.hint")) }
        guard since.isEmpty || Self.duration(since) != nil else {
            context.notice(.warning, .text("trace.since.bad", Visible.line(since)))
            _ = form.setFocus("since")
            return
        }
        let now = context.model.serverTime(context.now) ?? 0
        asked = word
        shownID = nil
        asking = context.send(
            LogInterface.Trace.self, .init(word: word, since: Self.duration(since).map { now - $0 }))
    }

    /// `30m`, `2h`, `3d` in milliseconds.
    static func duration(_ text: String) -> Int? {
        let units: [Character: Int] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
            (1...100_000).contains(number)
        else { return nil }
        return number * unit
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: LogInterface.Trace.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output):
            found = output
            let offset = context.model.utcOffset
            var rows = output.messages.map { TraceText.row($0, offset, context.say) }
            rows += output.others.enumerated().map { TraceText.row($0.element, number: $0.offset, offset, context.say) }
            form.update("list", as: Table.self) { table in
                table.emptyText = .text("trace.nothing", Visible.line(asked))
                table.setRows(rows)
            }
            form.update("steps", as: Table.self) { $0.setRows([]) }
            if !rows.isEmpty { _ = form.setFocus("list") }
        case .failure(let error): context.notice(.error, error.phrase)
        }
    }

    mutating func prepare(_ context: Context) {
        let id = form.widget("list", as: Table.self)?.current?.id
        guard id != shownID else { return }
        shownID = id
        let rows = TraceText.steps(lines, message, context.model.utcOffset, context.say)
        form.update("steps", as: Table.self) { $0.setRows(rows) }
    }

    private var message: TracedMail? { found.messages.first { $0.id == shownID } }

    /// The lines of what the list stands on.
    private var lines: [LogLine] {
        if let message { return message.lines }
        guard let number = shownID.flatMap({ $0.hasPrefix("#") ? Int($0.dropFirst()) : nil }),
            found.others.indices.contains(number)
        else { return [] }
        return [found.others[number]]
    }

    private var currentLine: LogLine? {
        if form.focus != "steps" { return lines.last { $0.reference != nil } ?? lines.first }
        let id = form.widget("steps", as: Table.self)?.current?.id
        return id.flatMap { Int($0) }.flatMap { lines.indices.contains($0) ? lines[$0] : nil }
    }

    // MARK: - Keys

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .left("word"): if form.text("word").trimmedBlanks != asked { search(&context) }
        case .left("since"): search(&context)
        case .activated("list"): _ = form.setFocus("steps")
        case .activated("steps"):
            let id = form.widget("steps", as: Table.self)?.current?.id ?? ""
            if id.hasPrefix("@") {
                form.setText("word", String(id.dropFirst()))
                search(&context)
            } else if let line = currentLine {
                context.open(LogText.dialog(line, utcOffset: context.model.utcOffset))
            }
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "apply": search(&context)
        case "find": _ = form.setFocus("word")
        case "explain": if let reference = currentLine?.reference { context.open(ExplainDialog(reference)) }
        case "simulate":
            guard let line = currentLine else { return }
            context.model.simulation = SimulationWish(line)
            context.go(to: PageID.simulate.rawValue)
        case "copy":
            if let line = currentLine { context.copy(LogText.line(line, utcOffset: context.model.utcOffset)) }
        default: break
        }
    }
}

/// Traces in words.
enum TraceText {
    static func row(_ mail: TracedMail, _ offset: Int, _ say: any Localizer) -> TableRow {
        let first = mail.lines.first
        let recipients = Set(mail.lines.compactMap(\.recipient)).sorted()
        let to = recipients.first.map { recipients.count > 1 ? "\($0) +\(recipients.count - 1)" : $0 } ?? ""
        let outcome = outcome(mail.lines)
        let isBad = outcome == "failed"
        return TableRow(
            id: mail.id,
            cells: [
                first.map { date($0, offset) } ?? "", mail.id,
                Visible.line(mail.lines.compactMap(\.sender).first.map { $0.isEmpty ? "<>" : $0 } ?? ""),
                Visible.line(to), say(.text("trace.outcome.\(outcome)")),
            ], mark: isBad ? .problem : .none, role: isBad ? .problem : .normal)
    }

    /// A refusal: a row of its own.
    static func row(_ line: LogLine, number: Int, _ offset: Int, _ say: any Localizer) -> TableRow {
        TableRow(
            id: "#\(number)",
            cells: [
                date(line, offset), line.reference ?? "",
                Visible.line(line.sender.map { $0.isEmpty ? "<>" : $0 } ?? ""), Visible.line(line.recipient ?? ""),
                say(.text(line.reference == nil ? "trace.outcome.session" : "trace.outcome.refused")),
            ], mark: line.reference == nil ? .none : .problem)
    }

    /// `11-24 12:03`
    private static func date(_ line: LogLine, _ offset: Int) -> String {
        String(Clock.date(line.time, utcOffset: offset).dropFirst(5))
    }

    /// What became of the message: the worst of its recipients.
    static func outcome(_ lines: [LogLine]) -> String {
        var states: [String: String] = [:]
        for line in lines {
            let recipient = line.recipient ?? ""
            switch line.kind {
            case "receive": states[recipient] = "waiting"
            case "sender": if !recipient.isEmpty { states[recipient] = "deferred" }
            case "send", "local": states[recipient] = "delivered"
            case "fail": states[recipient] = "failed"
            default: break
            }
        }
        for state in ["failed", "deferred", "waiting", "delivered"] where states.values.contains(state) { return state }
        return "session"
    }

    static func steps(_ lines: [LogLine], _ mail: TracedMail?, _ offset: Int, _ say: any Localizer) -> [TableRow] {
        var rows = lines.enumerated().map { index, line in
            let isBad = line.level == "warning" || line.level == "error" || line.reference != nil
            return TableRow(
                id: String(index),
                cells: [
                    Clock.precise(line.time, utcOffset: offset), say(.text("trace.kind.\(line.kind)")),
                    Visible.line(text(line)),
                ], mark: isBad ? .problem : .none)
        }
        let sprang = [("trace.parent", mail?.parent.map { [$0] } ?? []), ("trace.child", mail?.children ?? [])]
        for (key, ids) in sprang {
            rows += ids.map { TableRow(id: "@\($0)", cells: ["", say(.text(key)), $0], role: .hint) }
        }
        return rows
    }

    /// Who, the exact words, where, how well protected.
    static func text(_ line: LogLine) -> String {
        var parts: [String] = []
        if let recipient = line.recipient, !recipient.isEmpty { parts.append(recipient) }
        if line.recipient == nil, let sender = line.sender { parts.append("MAIL FROM:<\(sender)>") }
        if let reply = line.reply { parts.append(reply) }
        if let host = line.host, !host.isEmpty {
            parts.append(line.address.map { $0 == host ? host : "\(host) [\($0)]" } ?? host)
        } else if let address = line.address {
            parts.append("[\(address)]")
        }
        if let tls = line.tls { parts.append(tls) }
        if let login = line.login { parts.append("auth=\(login)") }
        if let size = line.size, line.kind == "receive" { parts.append("\(size) B") }
        if let text = line.text { parts.append(text) }
        return parts.joined(separator: "  ")
    }
}
