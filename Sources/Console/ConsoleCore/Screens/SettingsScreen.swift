import Control

/// A tab of Mail Control: a form over settings with OK, Cancel, Apply, Help (R-MC-03; console.md 6.1).
protocol SettingsScreen: Screen {
    var page: PageID { get }
    var binder: SettingBinder { get set }
    /// Set by OK until Apply has ended.
    var leavesAfterApply: Bool { get set }
    /// Parts of the page that are not settings: lists, buttons, live values.
    mutating func syncOthers(_ context: Context)
    mutating func otherEvent(_ event: FormEvent, _ context: inout Context)
    /// Right end of the title row.
    func state(_ context: Context) -> Phrase?
    /// The sentence of the message line about what is not a setting.
    func otherHint(_ context: Context) -> Phrase?
    /// Sends what is staged on the page.
    /// - Returns: whether something was sent.
    mutating func apply(_ context: inout Context) -> Bool
    var warnings: [Problem] { get }
}

extension SettingsScreen {
    mutating func syncOthers(_ context: Context) {}
    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {}
    func otherHint(_ context: Context) -> Phrase? { nil }

    static func pageButtons() -> ButtonRow {
        ButtonRow([
            .init("ok", .text("button.ok")), .init("cancel", .text("button.cancel")),
            .init("apply", .text("button.apply"), letter: "a"), .init("help", .text("button.help")),
        ])
    }

    package func header(_ context: Context) -> PageHeader {
        PageHeader(
            title: page.title, state: state(context), stateRole: stateRole(context),
            hint: binder.hint(form, context) ?? otherHint(context))
    }

    func state(_ context: Context) -> Phrase? { commonState(context) }

    func commonState(_ context: Context) -> Phrase? {
        if let lost = context.model.lostAt { return .text("state.asof", lost.fullText) }
        if context.model.apply != nil { return .text("state.applying") }
        let staged = context.model.staged(on: page)
        let conflicts = staged.filter(\.isConflict).count
        if conflicts > 0 { return .text("state.conflicts", String(conflicts)) }
        return staged.isEmpty ? nil : .text("state.staged", String(staged.count))
    }

    func stateRole(_ context: Context) -> Role {
        if context.model.lostAt != nil { return .problem }
        let staged = context.model.staged(on: page)
        return staged.contains(where: \.isConflict) ? .problem : staged.isEmpty ? .hint : .staged
    }

    mutating func sync(_ context: Context) {
        var edited = form
        binder.sync(&edited, context)
        form = edited
        syncOthers(context)
        let nothing: Phrase? = context.model.staged(on: page).isEmpty ? .text("notice.nothing-to-apply") : nil
        form.buttons?.items.indices.forEach { index in
            if form.buttons?.items[index].id == "apply" {
                form.buttons?.items[index].off = context.changeRefusal ?? nothing
            }
        }
    }

    package mutating func opened(_ context: inout Context) { sync(context) }
    package mutating func tick(_ context: inout Context) { sync(context) }

    package mutating func modelChanged(_ context: inout Context) { settingsChanged(&context) }

    /// What every settings page does when the model changed.
    mutating func settingsChanged(_ context: inout Context) {
        sync(context)
        guard let outcome = context.model.applyOutcome, context.model.apply == nil else { return }
        context.model.applyOutcome = nil
        let leaves = leavesAfterApply
        leavesAfterApply = false
        switch outcome {
        case .done where leaves: leavePage(&context)
        case .done: break
        case .refused(let found): focusFirst(of: found.map(\.path))
        }
    }

    package mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        var edited = form
        let isTaken = binder.handle(event, &edited, &context)
        form = edited
        if isTaken { return }
        switch event {
        case .button("ok"): ok(&context)
        case .button("cancel"): cancel(&context)
        case .button("apply"): perform("apply", &context)
        case .button("help"): context.command("help")
        default: otherEvent(event, &context)
        }
    }

    package mutating func perform(_ command: String, _ context: inout Context) {
        if command == "apply" { _ = apply(&context) }
    }

    /// R-MC-05: every field is right before anything is sent; the first faulty one gets the focus.
    mutating func apply(_ context: inout Context) -> Bool { applyStaged(context.model.staged(on: page), &context) }

    mutating func applyStaged(_ edits: [StagedEdit], _ context: inout Context) -> Bool {
        let faulty = edits.filter { edit in
            SettingParts.problem(edit.path, edit.new ?? []) != nil && edit.new != nil
        }
        guard faulty.isEmpty else {
            context.notice(.error, .text("error.fields", String(faulty.count)))
            focusFirst(of: faulty.map(\.path))
            return false
        }
        guard edits.contains(where: ReplayDialog.decides), context.changeRefusal == nil else {
            return context.startApply(edits.map(\.path))
        }
        context.open(ReplayDialog(edits, warnings: warnings))
        return true
    }

    /// What Apply says once more before it is done.
    var warnings: [Problem] { [] }

    mutating func focusFirst(of paths: [String]) {
        guard
            let id = form.rows.flatMap(\.parts).map(\.id).first(where: { id in
                paths.contains { id == $0 || id.hasPrefix($0 + ".") }
            })
        else { return }
        _ = form.setFocus(id)
    }

    private mutating func ok(_ context: inout Context) {
        if context.model.staged(on: page).isEmpty { return leavePage(&context) }
        leavesAfterApply = apply(&context)
    }

    /// Upwards; with the setting of R-SRV-18 the Account Manager opens instead.
    private func leavePage(_ context: inout Context) {
        if page == .server, context.model.isOn("console.launch_account_manager") {
            context.go(to: PageID.accounts.rawValue)
        } else {
            context.command("cancel")
        }
    }

    private mutating func cancel(_ context: inout Context) {
        let staged = context.model.staged(on: page)
        guard !staged.isEmpty else { return context.command("cancel") }
        context.open(
            Question(
                "cancel-page", title: .text("cancel.title"), lines: [.text("cancel.question", String(staged.count))],
                danger: .reversible, keep: .text("button.keep"), go: .text("button.discard"), letter: "d"))
    }

    /// - Returns: whether the answer belonged here.
    mutating func settingsAnswered(_ answer: Answer, _ context: inout Context) -> Bool {
        if answer.id == "replay" {
            let paths = context.model.staged(on: page).map(\.path)
            if answer.button != "go" || !context.startApply(paths) { leavesAfterApply = false }
            context.modelChanged()
            return true
        }
        guard answer.id == "cancel-page" else { return false }
        guard answer.button == "go" else { return true }
        let paths = context.model.staged(on: page).map(\.path)
        context.model.draft.drop(paths)
        for path in paths { context.model.problems[path] = nil }
        binder = SettingBinder(page, keys: binder.keys)
        context.announce()
        context.notice(.information, .text("notice.dropped", String(paths.count)))
        context.modelChanged()
        return true
    }

    package mutating func answered(_ answer: Answer, _ context: inout Context) {
        _ = settingsAnswered(answer, &context)
    }
}

extension Command {
    /// Pages that stage nothing say so, and the key bar leaves Apply out.
    static let nothingToApply = Command(
        "apply", .text("button.apply"), keys: [.control("o"), .function(10), .control("s")],
        off: .text("notice.nothing-to-apply"))

    /// Enter on a row of a list that is only read.
    static let open = Command("open", .text("bar.open"), keys: [.enter], bar: .text("bar.open"), priority: 78)
}
