import Control

/// All staged changes together: what each will do, conflicts settled, a note, and Apply (console.md 5.21).
struct ReviewScreen: Screen {
    var form: Form

    init(_ context: Context) {
        let list = Table(
            [
                TableColumn("where", .text("review.col.where"), minimum: 7, maximum: 9, priority: 50),
                TableColumn("setting", .text("review.col.setting"), minimum: 14, maximum: 26, priority: 90),
                TableColumn("now", .text("review.col.now"), minimum: 9, priority: 60),
                TableColumn("new", .text("review.col.new"), minimum: 9, priority: 80),
                TableColumn("state", .text("review.col.state"), minimum: 8, maximum: 9, priority: 70),
            ], features: [.edit], empty: .text("review.empty"))
        let values = ["began", "server", "yours"].map { name in
            FormRow(Phrase("review.\(name)"), [FormPart(name, Label(""), width: .fill)])
        }
        form = Form(
            [FormRow(nil, "list", list), .rule()] + values + [
                FormRow(
                    nil,
                    [
                        FormPart("mine", Button(.text("button.keep-mine"))),
                        FormPart("theirs", Button(.text("button.take-theirs"))),
                        FormPart("drop", Button(.text("button.drop"))),
                    ]),
                FormRow(nil, [FormPart("effect", Label("", .hint), width: .fill)]),
                FormRow(.text("review.note"), [FormPart("note", TextField(limit: 200), width: .fill)]),
            ],
            buttons: ButtonRow([
                .init("apply", .text("button.apply"), letter: "a"), .init("back", .text("button.close")),
                .init("drop-all", .text("button.drop-all"), letter: "d"),
            ]), focus: "list")
        sync(context)
    }

    func header(_ context: Context) -> PageHeader {
        let draft = context.model.draft
        var parts = [context.say(.text("review.ready", String(draft.ready.count)))]
        if !draft.conflicts.isEmpty {
            parts.append(context.say(.text("review.conflict", String(draft.conflicts.count))))
        }
        if context.model.apply != nil { parts = [context.say("state.applying")] }
        return PageHeader(
            title: .text("review.title", String(draft.count)), state: .verbatim(parts.joined(separator: "   ")),
            stateRole: draft.conflicts.isEmpty ? .staged : .problem,
            hint: draft.conflicts.isEmpty ? problem(context) : .text("review.settle"))
    }

    private func problem(_ context: Context) -> Phrase? {
        selected(context).flatMap { context.model.problems[$0.path]?.first?.phrase }
    }

    private func selected(_ context: Context) -> StagedEdit? {
        form.widget("list", as: Table.self)?.current.flatMap { context.model.draft[$0.id] }
    }

    func commands(_ context: Context) -> [Command] {
        let nothing: Phrase? = context.model.draft.isEmpty ? .text("review.empty") : nil
        return [
            Command(
                "apply", .text("button.apply"), keys: [.control("o"), .function(10), .control("s")],
                bar: .text("button.apply"),
                priority: 85, off: context.changeRefusal ?? nothing, isAction: true),
            Command(
                "drop", .text("button.drop"), keys: [.character("d"), .character("u")], bar: .text("bar.drop"),
                priority: 80, off: nothing, isAction: true),
            Command(
                "goto", .text("bar.goto"), keys: [.character("g")], bar: .text("bar.goto"), off: nothing, isAction: true
            ),
            Command("back", .text("bar.back"), keys: [.escape], bar: .text("bar.back"), priority: 84),
        ]
    }

    // MARK: - What it shows

    mutating func opened(_ context: inout Context) { sync(context) }

    mutating func modelChanged(_ context: inout Context) {
        sync(context)
        guard let outcome = context.model.applyOutcome, context.model.apply == nil else { return }
        context.model.applyOutcome = nil
        if case .done = outcome, context.model.draft.isEmpty { context.showFullPage(nil) }
    }

    private mutating func sync(_ context: Context) {
        let rows = context.model.draft.edits.map { row($0, context) }
        form.update("list", as: Table.self) { $0.setRows(rows) }
        form.setLabel("effect", Self.effect(context), .hint)
        prepare(context)
    }

    private func row(_ edit: StagedEdit, _ context: Context) -> TableRow {
        let say = context.say
        let isFaulty = context.model.problems[edit.path]?.contains { !$0.isWarning } == true
        let server = edit.theirs ?? edit.base
        if TableRecord.name(ofPath: edit.path) != nil { return tableRow(edit, context) }
        let new =
            edit.new == nil && !edit.isRecord
            ? say("word.default") : SettingText.value(edit.path, edit.new, say)
        let state = edit.isConflict ? "review.state.conflict" : isFaulty ? "review.state.problem" : "review.state.ready"
        return TableRow(
            id: edit.path,
            cells: [
                say(PageID.of(path: edit.path).name), SettingText.name(of: edit.path, say),
                SettingText.value(edit.path, server.values, say), new, say(Phrase(state)),
            ], mark: edit.isConflict || isFaulty ? .problem : .staged)
    }

    /// A table shows the first line that differs, not all of it.
    private func tableRow(_ edit: StagedEdit, _ context: Context) -> TableRow {
        let say = context.say
        let change = TableRecord.difference((edit.theirs ?? edit.base).values ?? [], edit.new ?? [])
        func text(_ lines: ArraySlice<String>) -> String {
            guard let first = lines.first else { return "-" }
            return lines.count == 1 ? Visible.line(first) : Visible.line(first) + " (+\(lines.count - 1))"
        }
        let state = edit.isConflict ? "review.state.conflict" : "review.state.ready"
        return TableRow(
            id: edit.path,
            cells: [
                say(PageID.of(path: edit.path).name), SettingText.name(of: edit.path, say), text(change.old),
                text(change.new), say(Phrase(state)),
            ], mark: edit.isConflict ? .problem : .staged)
    }

    mutating func prepare(_ context: Context) {
        let say = context.say
        let edit = selected(context)
        let isConflict = edit?.isConflict == true
        form.setLabel("began", .verbatim(edit.map { SettingText.value($0.path, $0.base.values, say) } ?? ""))
        var server = edit.map { SettingText.value($0.path, ($0.theirs ?? $0.base).values, say) } ?? ""
        if let theirs = edit?.theirs, !theirs.author.isEmpty {
            let time = theirs.time > 0 ? Clock.time(theirs.time, utcOffset: context.model.utcOffset) : ""
            server += "   " + say(.text("review.by", Visible.line(theirs.author), Visible.line(theirs.origin), time))
        }
        form.setLabel("server", .verbatim(server), isConflict ? .foreign : .normal)
        form.setLabel("yours", .verbatim(edit.map { SettingText.value($0.path, $0.new, say) } ?? ""), .staged)
        for id in ["mine", "theirs"] { form.update(id, as: Button.self) { $0.isEnabled = isConflict } }
        form.update("drop", as: Button.self) { $0.isEnabled = edit != nil }
    }

    /// How the ready changes will take effect.
    private static func effect(_ context: Context) -> Phrase {
        var counts = [0, 0, 0]
        for edit in context.model.draft.ready { counts[SettingText.effect(of: edit.path)] += 1 }
        return .text("review.effect", String(counts[0]), String(counts[1]), String(counts[2]))
    }

    // MARK: - Actions

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("mine"): settle(&context) { $0.keepMine($1) }
        case .activated("theirs"): settle(&context) { $0.takeTheirs($1) }
        case .activated("drop"): perform("drop", &context)
        case .activated("list"):
            if selected(context)?.isConflict == true { _ = form.setFocus("mine") } else { perform("goto", &context) }
        case .button("apply"): perform("apply", &context)
        case .button("back"): context.showFullPage(nil)
        case .button("drop-all"): askToDropAll(&context)
        default: break
        }
    }

    private func settle(_ context: inout Context, _ body: (inout Draft, String) -> Void) {
        guard let path = selected(context)?.path else { return }
        body(&context.model.draft, path)
        context.announce()
        context.modelChanged()
    }

    private func askToDropAll(_ context: inout Context) {
        guard !context.model.draft.isEmpty else { return context.notice(.information, .text("review.empty")) }
        context.open(
            Question(
                "drop-all", title: .text("review.drop.title"),
                lines: [.text("review.drop.question", String(context.model.draft.count))], danger: .reversible,
                keep: .text("button.keep"), go: .text("review.drop.do"), letter: "d"))
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "apply":
            let paths = context.model.draft.ready.map(\.path)
            let faulty = paths.filter { path in
                context.model.draft[path]?.new.map { SettingParts.problem(path, $0) != nil } ?? false
            }
            guard faulty.isEmpty else {
                context.notice(.error, .text("error.fields", String(faulty.count)))
                form.update("list", as: Table.self) { $0.select(faulty[0]) }
                return
            }
            let deciding = context.model.draft.ready.filter(ReplayDialog.decides)
            guard deciding.isEmpty || context.changeRefusal != nil else {
                return context.open(ReplayDialog(context.model.draft.ready, warnings: []))
            }
            apply(paths, &context)
        case "drop": settle(&context) { $0.drop([$1]) }
        case "goto":
            guard let path = selected(context)?.path else { return }
            context.showFullPage(nil)
            context.go(to: PageID.of(path: path).rawValue)
        case "back", "cancel": context.showFullPage(nil)
        default: break
        }
    }

    private func apply(_ paths: [String], _ context: inout Context) {
        _ = context.startApply(paths, note: form.text("note").trimmedBlanks)
        context.modelChanged()
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if answer.id == "replay", answer.button == "go" { apply(context.model.draft.ready.map(\.path), &context) }
        guard answer.id == "drop-all", answer.button == "go" else { return }
        let paths = context.model.draft.edits.map(\.path)
        context.model.draft.drop(paths)
        context.model.problems = [:]
        context.announce()
        context.notice(.information, .text("notice.dropped", String(paths.count)))
        context.modelChanged()
    }
}
