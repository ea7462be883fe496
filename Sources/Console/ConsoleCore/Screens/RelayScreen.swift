import Control
import MailModel

/// Tab 中継の制限 (R-RTAB, R-RELAY): the rules of effect.dat beside the matrix that they come to, for a client typed in
/// and for everybody else, staged edits included; and the limits of reception.
struct RelayScreen: SettingsScreen {
    let page = PageID.relay
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(
        .relay, keys: ["receiver.max_message_size", "receiver.max_recipients", "receiver.mailbox_quota"])
    private var columns = 0
    private var shown: [String] = []
    private var problems: [Problem] = []
    private var view: PolicyInterface.Relay.Output?
    private var asked: PolicyInterface.Relay.Input?
    private var viewing: RequestID?
    private let empty: (rules: Table, matrix: Matrix)

    init() {
        let rules = Table(
            [
                TableColumn("n", "#", minimum: 3, maximum: 5, priority: 40, align: .right),
                TableColumn("pattern", .text("relay.col.pattern"), minimum: 16, priority: 90),
                TableColumn("action", .text("relay.col.action"), minimum: 10, maximum: 12, priority: 80),
            ], features: [.add, .delete, .edit, .order, .filter], empty: .text("table.loading"))
        let matrix = Matrix(
            corner: .text("relay.corner"),
            columns: [.text("relay.class.known"), .text("relay.class.unknown"), .text("relay.class.external")])
        empty = (rules, matrix)
        form = Form([], buttons: Self.pageButtons())
        form.rows = rows(rules, matrix, TextField(limit: 64), columns: 80)
        _ = form.setFocus("rules")
    }

    /// Beside each other, or below each other on a narrow screen.
    private func rows(_ rules: Table, _ matrix: Matrix, _ client: TextField, columns: Int) -> [FormRow] {
        let settings = [
            SettingParts.row("receiver.max_message_size", width: 12, unit: "relay.unit.octets"),
            SettingParts.row("receiver.max_recipients", width: 8),
            SettingParts.row("receiver.mailbox_quota", width: 12, unit: "relay.unit.octets"),
            FormRow(
                .text("setting.receiver.dnsbl_zones.label"),
                [
                    FormPart("lists", Button(.text("button.change"))),
                    FormPart("lists.state", Label("", .hint), width: .fill),
                ]),
        ]
        let head = Label("", .heading)
        let buttons = FormRow(
            nil,
            [
                FormPart("add", Button(.text("button.add"))), FormPart("text", Button(.text("relay.text"))),
                FormPart("simulate", Button(.text("relay.simulate"))),
            ])
        let clientName = FormPart("", Label(.text("relay.client"), .label))
        if columns < 72 {
            return [
                FormRow(nil, [FormPart("head", head, width: .fill)]), FormRow(nil, [FormPart("rules", rules)]),
                FormRow(nil, [clientName, FormPart("client", client, width: .fill)]),
                FormRow(nil, [FormPart("matrix", matrix)]), buttons,
            ] + settings
        }
        let left = max(39, columns * 45 / 100)
        return [
            FormRow(
                nil,
                [
                    FormPart("head", head, width: .cells(left - 2)), FormPart("", Label("|", .border)), clientName,
                    FormPart("client", client, width: .fill),
                ], gap: 1),
            FormRow(
                nil,
                [
                    FormPart("rules", rules, width: .cells(left)), FormPart("", Divider()),
                    FormPart("matrix", matrix, width: .fill),
                ], gap: 1),
            buttons, .rule(),
        ] + settings
    }

    mutating func prepare(_ context: Context) {
        guard columns != context.size.columns else { return }
        columns = context.size.columns
        let focus = form.focus
        let fields = binder.keys.map { ($0, SettingParts.values($0, in: form)) }
        form.rows = rows(
            form.widget("rules", as: Table.self) ?? empty.rules,
            form.widget("matrix", as: Matrix.self) ?? empty.matrix,
            form.widget("client", as: TextField.self) ?? TextField(limit: 64), columns: columns)
        for (key, values) in fields {
            SettingParts.show(key, values, original: context.model.server(key).values ?? [], in: &form)
            form.setMark(key, context.model.mark(key, now: context.now))
        }
        if let focus { _ = form.setFocus(focus) }
        showHead(context)
    }

    // MARK: - What it shows

    private func lines(_ context: Context) -> [String] { context.model.values(TableRecord.effect) }
    private func isLoaded(_ context: Context) -> Bool { context.model.tables["effect"] != nil }
    private var current: Int? { form.widget("rules", as: Table.self)?.current.flatMap { Int($0.id) } }

    func state(_ context: Context) -> Phrase? {
        let common = commonState(context).map(context.say.callAsFunction) ?? ""
        let faults = problems.filter { !$0.isWarning }.count
        let parts = [
            common, faults > 0 ? context.say(.text("relay.faults", String(faults))) : "",
            problems.count > faults ? context.say(.text("relay.warnings", String(problems.count - faults))) : "",
        ]
        let text = parts.filter { !$0.isEmpty }.joined(separator: "   ")
        return text.isEmpty ? nil : .verbatim(text)
    }

    func stateRole(_ context: Context) -> Role {
        if context.model.lostAt != nil || !problems.isEmpty { return .problem }
        return context.model.staged(on: page).isEmpty ? .hint : .staged
    }

    func otherHint(_ context: Context) -> Phrase? {
        if form.focus == "rules", let line = current, let problem = problem(at: line) { return problem.phrase }
        if form.focus == "matrix" { return .text("relay.cell.hint") }
        if let view, view.others.exposure != "none" || view.othersIPv6.exposure != "none" {
            let worst = [view.others, view.othersIPv6].contains { $0.exposure == "everybody" }
            return .text(worst ? "relay.exposure.everybody" : "relay.exposure.forged-senders")
        }
        return form.focus == "rules"
            ? .text("relay.rules.hint") : form.focus == "client" ? .text("relay.client.hint") : nil
    }

    private func problem(at line: Int) -> Problem? {
        let here = problems.filter { RelayRules.line(of: $0) == line }
        return here.first { !$0.isWarning } ?? here.first
    }

    var warnings: [Problem] { problems.filter { $0.isWarning && $0.code.hasSuffix("-relay") } }

    func commands(_ context: Context) -> [Command] {
        [
            Command("text", .text("relay.text"), keys: [.character("x")], bar: .text("relay.text"), isAction: true),
            Command("simulate", .text("relay.simulate"), keys: [.character("t")], isAction: true),
        ]
    }

    mutating func opened(_ context: inout Context) {
        if form.text("client").isEmpty {
            form.setText("client", context.model.origin.flatMap { IPAddress($0) }?.description ?? "192.0.2.1")
        }
        sync(context)
    }

    mutating func syncOthers(_ context: Context) {
        let lines = lines(context)
        let staged = context.model.draft[TableRecord.effect]
        let new = staged.map { TableRecord.difference($0.base.values ?? [], $0.new ?? []).new.indices } ?? 0..<0
        shown = lines
        let isReady = isLoaded(context)
        let rows = RelayRules(lines: lines).rows.enumerated().map { number, row in
            let problem = problem(at: row.line)
            let isDead = problem?.code == "table.effect.behind-only" || problem?.code == "table.effect.covered"
            let mark: Mark = problem != nil ? .problem : new.contains(row.line) ? .staged : .none
            return TableRow(
                id: String(row.line),
                cells: [
                    String(number + 1), Visible.line(row.pattern),
                    row.action.isEmpty ? "(true)" : Visible.line(row.action),
                ], mark: mark, role: isDead ? .disabled : .normal)
        }
        form.update("rules", as: Table.self) { table in
            if isReady { table.emptyText = .text("relay.no-rules") }
            table.setRows(rows)
        }
        showHead(context)
        showMatrix(context)
    }

    private mutating func showHead(_ context: Context) {
        let count = RelayRules(lines: lines(context)).rows.count
        form.setLabel("head", .text("relay.head", String(count)), .heading)
        let lists = context.model.values("receiver.dnsbl_zones").count
        let exempt = context.model.values("receiver.dnsbl_exempt").count
        let isStaged = ["receiver.dnsbl_zones", "receiver.dnsbl_exempt"].contains { context.model.draft[$0] != nil }
        form.setLabel(
            "lists.state", .text("relay.lists.state", String(lists), String(exempt)), isStaged ? .staged : .hint)
    }

    private mutating func showMatrix(_ context: Context) {
        guard let view else { return }
        let isStaged = context.model.draft[TableRecord.effect] != nil
        var grids: [Matrix.Grid] = []
        if let client = view.client { grids.append(RelayText.grid("client", client, isStaged: isStaged, shown)) }
        grids.append(RelayText.grid("others", view.others, isStaged: isStaged, shown))
        if !RelayText.isSame(view.others, view.othersIPv6) {
            grids.append(RelayText.grid("others6", view.othersIPv6, isStaged: isStaged, shown))
        }
        form.update("matrix", as: Matrix.self) { if $0.grids != grids { $0.grids = grids } }
    }

    // MARK: - The server computes it

    mutating func requests(_ context: inout Context) {
        guard context.isConnected, context.model.isReady, isLoaded(context) else { return }
        let typed = form.text("client").trimmedBlanks
        let isStaged = context.model.draft[TableRecord.effect] != nil
        let wanted = PolicyInterface.Relay.Input(
            client: IPAddress(typed) == nil ? nil : typed,
            effect: isStaged ? TableRecord.text(of: lines(context)) : nil)
        let isNew = wanted != asked || (effectRead != context.model.tables["effect"] && !isStaged)
        guard isNew else { return }
        asked = wanted
        effectRead = context.model.tables["effect"]
        viewing = context.send(PolicyInterface.Relay.self, wanted)
    }
    private var effectRead: TableState?

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: PolicyInterface.Relay.self, for: viewing) else { return }
        viewing = nil
        switch result {
        case .success(let output):
            view = output
            problems = output.problems
            context.model.problems[TableRecord.effect] = problems.filter { !$0.isWarning }
            sync(context)
        case .failure(let error):
            asked = nil
            if error.kind != .noConnection { context.notice(.error, error.phrase) }
        }
    }

    // MARK: - Edits

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("rules"): editRule(&context)
        case .command("rules", "add"), .activated("add"): addRule(&context)
        case .command("rules", "delete"):
            if let line = current { change(&context) { $0.lines.remove(at: line) } }
        case .command("rules", "move-up"): move(-1, &context)
        case .command("rules", "move-down"): move(1, &context)
        case .activated("matrix"): openCell(&context)
        case .activated("lists"): context.open(SettingsDialog.blocklists)
        case .activated("text"): perform("text", &context)
        case .activated("simulate"): perform("simulate", &context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "apply": _ = apply(&context)
        case "text":
            guard isLoaded(context) else { return }
            context.open(EffectEditor(lines(context), problems))
        case "simulate": simulate(&context)
        default: break
        }
    }

    private mutating func simulate(_ context: inout Context) {
        context.model.simulation = SimulationWish(client: form.text("client").trimmedBlanks)
        context.go(to: PageID.simulate.rawValue)
    }

    private func mayChange(_ context: inout Context) -> Bool {
        guard isLoaded(context) else { return false }
        if let refusal = context.changeRefusal {
            context.notice(.warning, refusal)
            return false
        }
        return true
    }

    private mutating func editRule(_ context: inout Context) {
        guard mayChange(&context), let line = current,
            let row = RelayRules(lines: lines(context)).rows.first(where: { $0.line == line })
        else { return }
        context.open(RuleDialog(row))
    }

    private mutating func addRule(_ context: inout Context) {
        guard mayChange(&context) else { return }
        context.open(RuleDialog(nil))
    }

    private mutating func move(_ offset: Int, _ context: inout Context) {
        guard let line = current else { return }
        var place: Int?
        change(&context) { place = $0.move(line, by: offset) }
        if let place { form.update("rules", as: Table.self) { $0.select(String(place)) } }
    }

    private mutating func change(_ context: inout Context, _ body: (inout RelayRules) -> Void) {
        guard mayChange(&context) else { return }
        var rules = RelayRules(lines: lines(context))
        guard rules.lines.indices.contains(current ?? 0) || rules.lines.isEmpty else { return }
        body(&rules)
        context.stage(TableRecord.effect, rules.lines)
        context.modelChanged()
        sync(context)
    }

    private func openCell(_ context: inout Context) {
        guard let place = form.widget("matrix", as: Matrix.self)?.current, let view else { return }
        let grid = place.grid == "client" ? view.client : place.grid == "others" ? view.others : view.othersIPv6
        let index = place.line * 3 + place.column
        guard let grid, grid.cells.indices.contains(index) else { return }
        context.open(RelayCellDialog(grid, grid.cells[index], shown))
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        switch (answer.id, answer.button) {
        case ("rule", "ok"):
            let text = RelayRules.text(answer.values["pattern"] ?? "", answer.values["action"] ?? "")
            if let line = answer.values["line"].flatMap({ Int($0) }) {
                change(&context) { rules in if rules.lines.indices.contains(line) { rules.lines[line] = text } }
            } else {
                var place = 0
                let behind = current
                change(&context) { place = $0.insert(text, behind: behind) }
                form.update("rules", as: Table.self) { $0.select(String(place)) }
            }
        case ("effect-text", "ok"):
            guard mayChange(&context) else { return }
            context.stage(TableRecord.effect, TableRecord.lines(of: answer.values["text"] ?? ""))
            context.modelChanged()
        case ("relay-cell", "open"):
            _ = form.setFocus("rules")
            form.update("rules", as: Table.self) { $0.select(answer.values["line"] ?? "") }
        default: break
        }
    }

    mutating func apply(_ context: inout Context) -> Bool {
        let edits = context.model.staged(on: page)
        if edits.contains(where: { $0.path == TableRecord.effect }),
            let fault = problems.first(where: { !$0.isWarning })
        {
            context.notice(.error, fault.phrase)
            _ = form.setFocus("rules")
            if let line = RelayRules.line(of: fault) {
                form.update("rules", as: Table.self) { $0.select(String(line)) }
            }
            return false
        }
        return applyStaged(edits, &context)
    }
}
