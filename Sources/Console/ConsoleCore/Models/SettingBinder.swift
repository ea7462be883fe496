import Control

/// Joins the widgets of a form to settings: values in, edits out. What is being edited is never overwritten.
struct SettingBinder {
    let page: PageID
    let keys: [String]
    /// Settings edited as a list with its own rows (`KEY.list`, `KEY.new`, `KEY.add`, `KEY.delete`).
    let lists: [String]
    /// What each widget showed last: a widget that holds something else is being edited.
    private var shown: [String: [String]] = [:]

    init(_ page: PageID, keys: [String], lists: [String] = []) {
        self.page = page
        self.keys = keys
        self.lists = lists
    }

    /// Rows of a list editor: the entries, and below them a field with Add.
    static func listRows(_ key: String, label: Phrase, hint: Phrase?, height: Int, width: Int) -> [FormRow] {
        let table = Table(
            [TableColumn("value", "", minimum: 10)], features: [.delete, .order], empty: .text("word.none"),
            height: height)
        var rows = [
            FormRow(
                label,
                [
                    FormPart(key + ".list", table, width: .cells(width)),
                    FormPart(key + ".delete", Button(.text("button.delete"))),
                ]),
            FormRow(
                nil,
                [
                    FormPart(key + ".new", TextField(width: width - 2)),
                    FormPart(key + ".add", Button(.text("button.add"))),
                ], isIndented: true),
        ]
        if let hint {
            rows.append(FormRow(nil, [FormPart("", Label(hint, .hint, wraps: true), width: .fill)], isIndented: true))
        }
        return rows
    }

    mutating func sync(_ form: inout Form, _ context: Context) {
        for key in keys {
            let current = SettingParts.values(key, in: form)
            let wanted = context.model.values(key)
            if shown[key] == nil || (current == shown[key] && current != wanted) {
                SettingParts.show(key, wanted, original: context.model.server(key).values ?? [], in: &form)
                shown[key] = SettingParts.values(key, in: form)
            }
            form.setMark(key, context.model.mark(key, now: context.now))
        }
        for key in lists {
            let values = context.model.values(key)
            form.update(key + ".list", as: Table.self) { table in
                table.setRows(values.map { TableRow(id: $0, cells: [Visible.line($0)]) })
            }
            form.setMark(key + ".list", context.model.mark(key, now: context.now))
        }
    }

    /// - Returns: whether the event was about a setting.
    mutating func handle(_ event: FormEvent, _ form: inout Form, _ context: inout Context) -> Bool {
        switch event {
        case .changed(let id) where keys.contains(id):
            if form.widget(id, as: TextField.self) == nil { stage(id, &form, &context) }
        case .left(let id) where keys.contains(id): stage(id, &form, &context)
        case .activated(let id), .command(let id, _):
            guard let key = lists.first(where: { id.hasPrefix($0 + ".") }) else { return false }
            editList(key, event, &form, &context)
        default: return false
        }
        return true
    }

    private mutating func stage(_ key: String, _ form: inout Form, _ context: inout Context) {
        let typed = SettingParts.values(key, in: form)
        shown[key] = typed
        let problem = SettingParts.problem(key, typed)
        context.stage(key, problem == nil ? SettingParts.normalized(key, typed) : typed)
        if let problem {
            context.model.problems[key] = [problem]
            context.notice(.warning, problem.phrase)
        } else {
            validate(&context)
        }
        context.modelChanged()
    }

    /// The server looks at what is staged on the page: does the folder exist, does the key fit.
    func validate(_ context: inout Context) {
        guard context.isConnected else { return }
        let changes = context.model.staged(on: page).filter { DomainRecord.name(ofPath: $0.path) == nil }
            .map { SettingChange(key: $0.path, values: $0.new) }
        guard !changes.isEmpty else { return }
        context.ask(SettingsInterface.Validate.self, .init(changes: changes), for: .validate(page))
    }

    private mutating func editList(
        _ key: String, _ event: FormEvent, _ form: inout Form, _ context: inout Context
    ) {
        var values = context.model.values(key)
        let selected = form.widget(key + ".list", as: Table.self)?.current?.id
        let place = selected.flatMap { values.firstIndex(of: $0) }
        switch event {
        case .activated(key + ".add"):
            let typed = form.text(key + ".new").trimmedBlanks
            guard !typed.isEmpty else { return }
            let wanted = values + typed.split(separator: " ").map(String.init)
            if let problem = SettingParts.problem(key, wanted) { return context.notice(.warning, problem.phrase) }
            values = SettingParts.normalized(key, wanted)
            form.setText(key + ".new", "")
            _ = form.setFocus(key + ".new")
        case .activated(key + ".delete"), .command(_, "delete"):
            guard let place else { return }
            values.remove(at: place)
        case .command(_, "move-up"):
            guard let place, place > 0 else { return }
            values.swapAt(place, place - 1)
        case .command(_, "move-down"):
            guard let place, place + 1 < values.count else { return }
            values.swapAt(place, place + 1)
        default: return
        }
        context.stage(key, values)
        validate(&context)
        context.modelChanged()
    }

    /// The sentence about the focused setting: what is wrong with it, or what it is for.
    func hint(_ form: Form, _ context: Context) -> Phrase? {
        guard let focus = form.focus else { return nil }
        let key = lists.first { focus.hasPrefix($0 + ".") } ?? focus
        if let problem = context.model.problems[key]?.first { return problem.phrase }
        if let theirs = context.model.draft[key]?.theirs {
            return .text("notice.conflict", theirs.author, SettingText.name(of: key, context.say))
        }
        guard keys.contains(key) || lists.contains(key) else { return nil }
        return Phrase("setting.\(key).help")
    }
}
