import Control

/// Monitor: one mail judged as the receiver would, step by step, with the staged rules when there are any; nothing is
/// sent or stored (console.md 5.9).
struct SimulateScreen: Screen {
    var form: Form
    private var asking: RequestID?
    private var found: Explanation?
    private var shownWidth = 0

    init() {
        let steps = Table(
            [
                TableColumn("mark", "", minimum: 2, maximum: 2, priority: 60),
                TableColumn("check", .text("simulate.col.check"), minimum: 14, maximum: 16, priority: 50),
                TableColumn("finding", .text("simulate.col.finding"), minimum: 24, priority: 90),
                TableColumn("source", .text("simulate.col.source"), minimum: 12, maximum: 18, priority: 70),
            ], empty: .text("simulate.empty"))
        func field(_ name: String, _ width: Int?) -> FormPart {
            FormPart(name, TextField(width: width, limit: 320), width: width == nil ? .fill : .ideal)
        }
        func word(_ name: String) -> FormPart { FormPart("", Label(.text("simulate.\(name)"), .label)) }
        form = Form(
            [
                FormRow(.text("simulate.client"), [field("client", 22), word("hello"), field("hello", 22)]),
                FormRow(
                    .text("simulate.local"),
                    [field("local", 22), FormPart("lists", CheckBox(.text("simulate.lists"), isOn: true))]),
                FormRow(
                    .text("simulate.login"),
                    [
                        field("login", 22), FormPart("tls", CheckBox(.text("simulate.tls"))), word("size"),
                        field("size", 10),
                    ]),
                FormRow(.text("simulate.from"), [field("from", nil)]),
                FormRow(.text("simulate.to"), [field("to", nil)]),
                FormRow(
                    nil,
                    [
                        FormPart("run", Button(.text("simulate.run"))),
                        FormPart("draft", CheckBox(.text("simulate.draft"))),
                    ], isIndented: true),
                FormRow(nil, [FormPart("result", Label("", .heading, wraps: true), width: .fill)]),
                FormRow(nil, "steps", steps),
                FormRow(nil, [FormPart("remedy", Label("", .staged, wraps: true), width: .fill)]),
            ], focus: "client")
        form.setText("client", "192.0.2.1")
        clear()
    }

    func header(_ context: Context) -> PageHeader {
        PageHeader(title: .text("page.simulate"), state: .text("simulate.state"), hint: hint)
    }

    private var hint: Phrase? {
        switch form.focus {
        case "steps": .text("simulate.steps.hint")
        case "from": .text("simulate.from.hint")
        case "local": .text("simulate.local.hint")
        case "lists": .text("simulate.lists.hint")
        default: .text("simulate.hint")
        }
    }

    func commands(_ context: Context) -> [Command] {
        [
            Command(
                "apply", .text("simulate.run"), keys: [.control("o"), .function(10), .control("s")],
                bar: .text("simulate.run"), priority: 80, isAction: true)
        ]
    }

    // MARK: - Asking

    mutating func opened(_ context: inout Context) {
        form.setOn("draft", context.model.draft[TableRecord.effect] != nil)
        guard let wish = context.model.simulation else { return }
        context.model.simulation = nil
        form.setText("client", wish.client)
        form.setText("hello", wish.hello)
        form.setText("login", wish.login)
        form.setText("from", wish.sender)
        form.setText("to", wish.recipient)
        form.setText("size", wish.size)
        form.setOn("tls", wish.isTLS)
        clear()
        if wish.recipient.isEmpty {
            _ = form.setFocus(wish.sender.isEmpty ? "from" : "to")
        } else {
            run(&context)
        }
    }

    mutating func modelChanged(_ context: inout Context) { if !context.isConnected { asking = nil } }

    private mutating func clear() {
        found = nil
        form.setLabel("result", "")
        form.setLabel("remedy", "")
        form.update("steps", as: Table.self) { $0.setRows([]) }
    }

    private mutating func run(_ context: inout Context) {
        let text: (String) -> String = { [form] in form.text($0).trimmedBlanks }
        for name in ["client", "to"] where text(name).isEmpty {
            context.notice(.warning, .text("simulate.missing.\(name)"))
            _ = form.setFocus(name)
            return
        }
        guard text("size").isEmpty || Int(text("size")) != nil else {
            context.notice(.warning, .text("simulate.bad-size", Visible.line(text("size"))))
            _ = form.setFocus("size")
            return
        }
        let staged = form.isOn("draft") ? context.model.draft[TableRecord.effect]?.new : nil
        asking = context.send(
            PolicyInterface.Evaluate.self,
            .init(
                client: text("client"), sender: text("from"), recipient: text("to"),
                authenticatedID: text("login").isEmpty ? nil : text("login"), isTLS: form.isOn("tls"),
                effect: (staged ?? nil).map(TableRecord.text(of:)), hello: text("hello").isEmpty ? nil : text("hello"),
                size: Int(text("size")), local: text("local").isEmpty ? nil : text("local"),
                asksLists: form.isOn("lists")))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("run"): run(&context)
        case .activated("steps"): openStep(&context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        if command == "apply" { run(&context) }
    }

    // MARK: - The answer

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: PolicyInterface.Evaluate.self, for: asking) else { return }
        asking = nil
        clear()
        switch result {
        case .success(let explanation):
            found = explanation
            show(explanation, context)
            _ = form.setFocus("steps")
        case .failure(let error): context.notice(.error, error.phrase)
        }
    }

    private mutating func show(_ found: Explanation, _ context: Context) {
        form.setLabel(
            "result",
            found.reply.isEmpty
                ? .text("simulate.silent")
                : .text(
                    found.isAccepted ? "simulate.accepted" : "simulate.refused", found.moment,
                    Visible.line(found.reply)),
            found.isAccepted ? .good : .problem)
        form.update("result", as: Label.self) { $0.wraps = true }
        form.setLabel(
            "remedy", found.remedy.map { .text("simulate.remedy", Visible.line(context.say(.sentence($0)))) } ?? "",
            .staged)
        let rows = found.steps.enumerated().map { index, step in
            TableRow(
                id: String(index),
                cells: [
                    step.decided ? "=>" : "", Visible.line(step.check),
                    Visible.line(context.say(.sentence(step.finding))), Visible.line(step.source),
                ], role: step.decided && !found.isAccepted ? .problem : .normal)
        }
        form.update("steps", as: Table.self) { table in
            table.setRows(rows)
            if let decided = found.steps.firstIndex(where: \.decided) { table.select(String(decided)) }
        }
    }

    /// The whole of a step, and the way to what it names.
    private func openStep(_ context: inout Context) {
        guard let id = form.widget("steps", as: Table.self)?.current.flatMap({ Int($0.id) }),
            let steps = found?.steps, steps.indices.contains(id)
        else { return }
        let step = steps[id]
        context.open(
            Information(
                title: .verbatim(Visible.line(step.check)),
                lines: [
                    .verbatim(Visible.line(context.say(.sentence(step.finding)))), .verbatim(Visible.line(step.source)),
                ], width: 68))
    }
}
