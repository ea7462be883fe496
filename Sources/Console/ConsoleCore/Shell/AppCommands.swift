extension App {
    /// Runs a command of the table after asking whether it may be used now.
    mutating func run(_ command: Command) {
        if let off = command.off { return say(.information, off) }
        if context.isReadOnly, command.danger != .reversible || command.id == "apply" {
            return say(.information, "This console was started to look only.")
        }
        run(command.id)
    }

    mutating func run(_ id: String) {
        switch id {
        case "help": openHelp()
        case "palette": open(Palette(entries: paletteEntries()), owner: .shell)
        case "menu": openMenu()
        case "tab.next": stepTab(1)
        case "tab.previous": stepTab(-1)
        case "cancel": cancelPage()
        case "redraw": effects.append(.redraw)
        case "suspend": effects.append(.suspend)
        case "emergency": effects.append(.exit(0))
        case "lock": lockOnCommand()
        case "leave": askToLeave()
        case "language": switchLanguage()
        case "theme": nextTheme()
        case "messages": open(MessageList(notices.all), owner: .shell)
        case "key-test": open(KeyTest(), owner: .shell)
        case "field.next": toForm(.tab)
        case "field.previous": toForm(.backTab)
        default: runElsewhere(id)
        }
    }

    private mutating func runElsewhere(_ id: String) {
        // What is being typed is staged before a command looks at the draft.
        if let owner = pageOwner {
            var events: [FormEvent] = []
            callScreen(owner) { screen, _ in events = screen.form.settle() }
            dispatch(events, to: owner)
        }
        var isDone = false
        call(.model) { content, _, context in isDone = content.perform(id, &context) }
        guard !isDone, let owner = pageOwner else { return }
        if let command = page?.form.focusedWidget?.commands.first(where: { $0.id == id }), let key = command.keys.first
        {
            return toForm(key)
        }
        callScreen(owner) { $0.perform(id, &$1) }
    }

    private mutating func toForm(_ key: Key) {
        guard let owner = pageOwner else { return }
        var events: [FormEvent]?
        callScreen(owner) { screen, _ in events = screen.form.handle(key) }
        dispatch(events ?? [], to: owner)
    }

    private mutating func cancelPage() {
        if fullPage != nil { return runElsewhere("cancel") }
        handleKeys([.escape])
    }

    mutating func askToLeave() {
        let staged = content.header(context).staged
        let line: Phrase =
            staged == 0
            ? "Nothing is staged."
            : Phrase("{count} staged changes are kept as a draft.", ["count": String(staged)])
        open(
            Question(
                "leave", title: "Leave", lines: ["Leave the console? The server goes on.", line], danger: .reversible,
                keep: "Stay", go: "Leave", letter: "l"), owner: .shell)
    }

    mutating func shellAnswered(_ answer: Answer) {
        switch (answer.id, answer.button) {
        case ("leave", "go"):
            saveDraftIfChanged(force: true)
            effects.append(.exit(0))
        case ("discard", "go"):
            if let top = dialogs.last { discard(top.serial) }
        case ("palette", "go"), ("menu", "go"): choose(answer.values["choice"] ?? "")
        default: break
        }
    }

    /// `tab:ID`, `field:ID`, `command:ID`
    private mutating func choose(_ choice: String) {
        let parts = choice.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return }
        switch parts[0] {
        case "tab":
            go(to: parts[1])
            level = .page
        case "field":
            guard let owner = pageOwner else { return }
            level = .page
            var events: [FormEvent] = []
            callScreen(owner) { screen, _ in events = screen.form.setFocus(parts[1]) }
            dispatch(events, to: owner)
        default:
            if let command = allCommands().first(where: { $0.id == parts[1] }) { run(command) }
        }
    }

    mutating func switchLanguage() {
        let next: Language = language == .english ? .japanese : .english
        guard let catalogue = catalogues[next] else {
            return say(.warning, "The other language is not installed here.")
        }
        context.say = catalogue
        modelChanged()
    }

    private mutating func nextTheme() {
        let index = Theme.all.firstIndex { $0.name == theme.name } ?? 0
        theme = Theme.all[(index + 1) % Theme.all.count]
        say(.information, Phrase("Colours: {name}", ["name": theme.name]))
        effects.append(.redraw)
    }

    // MARK: The command table, as it is now

    /// Commands of the focused widget and of the page, in the order of the actions menu.
    func pageCommands() -> [Command] {
        guard let page else { return [] }
        let own = page.commands(context)
        let widget = page.form.focusedWidget?.commands ?? []
        return own + widget.filter { command in !own.contains { $0.id == command.id } }
    }

    func allCommands() -> [Command] {
        var commands = pageCommands()
        for command in content.commands(context) + GlobalCommand.all
        where !commands.contains(where: { $0.id == command.id }) {
            commands.append(command)
        }
        return commands
    }

    private func paletteEntries() -> [Palette.Entry] {
        var entries: [Palette.Entry] = []
        for area in content.areas {
            for tab in area.tabs {
                entries.append(
                    entry("tab:" + tab.id, area.name, tab.title, also: tab.name, key: hint(for: tab, in: area)))
            }
        }
        for command in allCommands() {
            entries.append(
                entry(
                    "command:" + command.id, nil, command.name, key: command.keys.first?.name(context.say),
                    off: command.off))
        }
        for row in page?.form.rows ?? [] {
            guard let label = row.label, let part = row.parts.first(where: { $0.widget.isFocusable }) else { continue }
            entries.append(entry("field:" + part.id, "Field", label, key: nil))
        }
        return entries
    }

    private func hint(for tab: Tab, in area: Area) -> String? {
        area.id == self.area()?.id && area.tabs.count > 1
            ? "Esc " + String(tab.digit)
            : "Esc " + String(area.letter) + (area.tabs.count > 1 ? " Esc \(tab.digit)" : "")
    }

    /// Found by its name, the name of its area, and what the bar calls it, in either language.
    private func entry(
        _ id: String, _ group: Phrase?, _ name: Phrase, also other: Phrase? = nil, key: String?, off: Phrase? = nil
    ) -> Palette.Entry {
        let names = [name] + [group, other].compactMap { $0 }
        let words = names.flatMap { name in catalogues.values.map { $0(name) } + [name.source] } + [key ?? ""]
        let title = (group.map { context.say($0) + " > " } ?? "") + context.say(name)
        return Palette.Entry(
            id: id, name: title, key: key ?? "", search: words.joined(separator: " ").lowercased(),
            off: off.map { context.say($0) })
    }

    mutating func openHelp() {
        let own = pageCommands()
        let global = GlobalCommand.all.filter { command in !own.contains { $0.id == command.id } }
        open(Help(commands: own + global, say: context.say, facts: terminalFacts), owner: .shell)
    }

    private mutating func openMenu() {
        let commands = menuCommands()
        guard !commands.isEmpty else { return say(.information, "There are no actions here.") }
        open(ActionMenu(commands, say: context.say, metrics: context.metrics), owner: .shell)
    }

    /// What can be done here, each thing once.
    func menuCommands() -> [Command] {
        let own = page?.commands(context).filter(\.isAction) ?? []
        // Of the widget only what can be done with the thing under the cursor, and not what the page calls by its name.
        let more = (page?.form.focusedWidget?.commands ?? []).filter { command in
            command.id == "table.edit" && !own.contains { !Set($0.keys).isDisjoint(with: command.keys) }
        }
        return own + more
    }
}

extension Form {
    /// Announces a change that is still being typed, without moving the focus.
    mutating func settle() -> [FormEvent] {
        let events = leave()
        return events
    }
}
