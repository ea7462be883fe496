import Control

/// What the staged changes would have done to the mail of the last days, before they are applied.
struct ReplayDialog: Dialog {
    var title: Phrase { .text("replay.title") }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 16 }
    var okButton: String? { nil }
    private let input: PolicyInterface.Replay.Input
    private var asking: RequestID?
    private var found: PolicyInterface.Replay.Output?

    /// The settings that take part in accepting mail.
    static let settings: Set<String> = [
        "receiver.auth_methods", "receiver.security_level", "receiver.sender_trust", "receiver.max_message_size",
        "receiver.max_recipients", "receiver.mailbox_quota", "receiver.max_sessions",
        "receiver.max_sessions_per_client", "receiver.dnsbl_zones", "receiver.dnsbl_exempt",
    ]
    static let days = 7

    static func decides(_ edit: StagedEdit) -> Bool { edit.path == TableRecord.effect || settings.contains(edit.path) }

    /// - Parameter warnings: of the staged table, said once more here.
    init(_ edits: [StagedEdit], warnings: [Problem]) {
        let effect = edits.first { $0.path == TableRecord.effect }?.new ?? nil
        input = .init(
            days: Self.days, effect: effect.map(TableRecord.text(of:)),
            settings: edits.filter { Self.settings.contains($0.path) }.map {
                SettingChange(key: $0.path, values: $0.new)
            }, limit: 500)
        let list = Table(
            [
                TableColumn("what", .text("replay.col.what"), minimum: 12, maximum: 12, priority: 90),
                TableColumn("count", .text("replay.col.count"), minimum: 5, maximum: 6, priority: 70, align: .right),
                TableColumn("client", .text("replay.col.client"), minimum: 13, maximum: 24, priority: 60),
                TableColumn("mail", .text("replay.col.mail"), minimum: 20, priority: 80),
                TableColumn("source", .text("replay.col.source"), minimum: 12, maximum: 14, priority: 30),
            ], empty: .text("replay.running"))
        var rows = warnings.prefix(2).map { FormRow.text($0.phrase, .problem) }
        rows.append(FormRow(nil, [FormPart("state", Label("", .heading, wraps: true), width: .fill)]))
        rows.append(FormRow(nil, "list", list))
        rows.append(FormRow(nil, [FormPart("detail", Label("", .hint), width: .fill)]))
        form = Form(
            rows,
            buttons: ButtonRow([
                .init("keep", .text("replay.keep")),
                .init("go", .text("button.apply"), letter: "a", isLetterOnly: true),
            ]), focus: Form.buttonsID)
        form.update("list", as: Table.self) { $0.setRows([]) }
    }

    mutating func opened(_ context: inout Context) {
        asking = context.send(PolicyInterface.Replay.self, input, stream: true)
        form.setLabel("state", .text("replay.state.running", "0"), .heading)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: PolicyInterface.Replay.self, for: asking) else { return }
        switch result {
        case .success(let output):
            found = output
            show(output, context)
            if output.isDone { asking = nil }
        case .failure(let error):
            asking = nil
            form.setLabel("state", .text("replay.failed", context.say(error.phrase)), .problem)
            form.update("list", as: Table.self) { $0.emptyText = .verbatim("") }
        }
    }

    private mutating func show(_ output: PolicyInterface.Replay.Output, _ context: Context) {
        guard output.isDone else {
            form.setLabel("state", .text("replay.state.running", String(output.examined)), .heading)
            return
        }
        let numbers = [output.newlyRelayed, output.newlyRefused, output.newlyAccepted, output.otherReply].map(
            String.init)
        let state: Phrase =
            output.changed == 0
            ? .text("replay.state.none", String(output.examined), String(input.days))
            : .text(
                "replay.state.done", String(output.changed), String(output.examined), String(input.days), numbers[0],
                numbers[1], numbers[2], numbers[3])
        form.setLabel("state", state, output.newlyRelayed > 0 ? .problem : .heading)
        form.update("state", as: Label.self) { $0.wraps = true }
        let rows = output.changes.enumerated().map { index, change in
            let isWorst = change.kind == "newly-relayed"
            return TableRow(
                id: String(index),
                cells: [
                    context.say(.text("replay.kind.\(change.kind)")), String(change.count), Visible.line(change.client),
                    Self.mail(change), Visible.line(change.source),
                ], mark: isWorst ? .problem : .none, role: isWorst ? .problem : .normal)
        }
        form.update("list", as: Table.self) { table in
            table.emptyText = .text("replay.empty")
            table.setRows(rows)
        }
    }

    private static func mail(_ change: ReplayChange) -> String {
        let login = change.authenticatedID.map { " [\($0)]" } ?? ""
        return Visible.line("\(change.sender.isEmpty ? "<>" : change.sender) -> \(change.recipient)\(login)")
    }

    mutating func requests(_ context: inout Context) {
        guard let id = form.widget("list", as: Table.self)?.current.flatMap({ Int($0.id) }),
            let changes = found?.changes, changes.indices.contains(id)
        else { return }
        let change = changes[id]
        form.setLabel("detail", .text("replay.detail", Visible.line(change.before), Visible.line(change.after)), .hint)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button(let button): end(button, &context)
        case .activated("list"):
            guard let id = form.widget("list", as: Table.self)?.current.flatMap({ Int($0.id) }),
                let change = found?.changes[id]
            else { return }
            let title = Phrase.text("replay.kind.\(change.kind)")
            let lines: [Phrase] = [
                .verbatim(Self.mail(change)), .text("replay.before", Visible.line(change.before)),
                .text("replay.after", Visible.line(change.after)), .verbatim(Visible.line(change.source)),
            ]
            context.open(Information(title: title, lines: lines, width: 70))
        default: break
        }
    }

    private mutating func end(_ button: String, _ context: inout Context) {
        if let asking { context.cancel(asking) }
        asking = nil
        context.finish(Answer("replay", button: button))
    }

    mutating func cancelled(_ context: inout Context) { end("cancel", &context) }
}
