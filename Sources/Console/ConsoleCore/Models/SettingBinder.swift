import Control

/// Joins the widgets of a form to settings: values in, edits out. What is being edited is never overwritten.
struct SettingBinder {
    let page: PageID
    let keys: [String]
    /// What each widget showed last: a widget that holds something else is being edited.
    private var shown: [String: [String]] = [:]
    /// The server's value when a text began to be typed: what somebody else writes meanwhile is a conflict.
    private var begun: [String: ServerValue] = [:]

    init(_ page: PageID, keys: [String]) {
        self.page = page
        self.keys = keys
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
    }

    /// - Returns: whether the event was about a setting.
    mutating func handle(_ event: FormEvent, _ form: inout Form, _ context: inout Context) -> Bool {
        switch event {
        case .changed(let id) where keys.contains(id):
            if form.widget(id, as: TextField.self) == nil {
                stage(id, &form, &context)
            } else if begun[id] == nil {
                begun[id] = context.model.server(id)
            }
        case .left(let id) where keys.contains(id): stage(id, &form, &context)
        default: return false
        }
        return true
    }

    private mutating func stage(_ key: String, _ form: inout Form, _ context: inout Context) {
        let typed = SettingParts.values(key, in: form)
        shown[key] = typed
        let problem = SettingParts.problem(key, typed)
        context.stage(
            key, problem == nil ? SettingParts.normalized(key, typed) : typed, begun: begun.removeValue(forKey: key))
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
        let changes = context.model.staged(on: page).filter { !$0.isRecord }
            .map { SettingChange(key: $0.path, values: $0.new) }
        guard !changes.isEmpty else { return }
        context.ask(SettingsInterface.Validate.self, .init(changes: changes), for: .validate(page))
    }

    /// The sentence about the focused setting: what is wrong with it, or what it is for.
    func hint(_ form: Form, _ context: Context) -> Phrase? {
        guard let key = form.focus else { return nil }
        if let problem = context.model.problems[key]?.first { return problem.phrase }
        if let theirs = context.model.draft[key]?.theirs {
            return .text("notice.conflict", theirs.author, SettingText.name(of: key, context.say))
        }
        guard keys.contains(key) else { return nil }
        return Phrase("setting.\(key).help")
    }
}
