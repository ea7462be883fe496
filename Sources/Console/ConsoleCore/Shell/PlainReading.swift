/// Reading pages out, top to bottom: a line for each thing, a number for each that can be used.
extension PlainConsole {
    mutating func readPage() {
        items = []
        output.append("")
        readTitle()
        guard let form else { return }
        for row in form.rows where !row.isHidden { read(row) }
        for button in form.buttons?.items ?? [] {
            number(.button(button.id), "[ \(say(button.name)) ]" + (button.off.map { " - " + say($0) } ?? ""))
        }
        let staged = app.content.header(app.context).staged
        if staged > 0 { output.append(say(.text("plain.staged", String(staged)))) }
        output.append(say(.text("plain.words")))
    }

    private mutating func readTitle() {
        if let top = app.dialogs.last { return output.append("== " + say(top.dialog.title) + " ==") }
        guard let header = app.page?.header(app.context) else { return }
        let facts = app.content.header(app.context)
        var title = "== " + say(header.title)
        if let state = header.state { title += ", " + say(state) }
        output.append(title + " ==")
        output.append([facts.host, say(facts.services), facts.others].filter { !$0.isEmpty }.joined(separator: "  "))
    }

    private mutating func number(_ item: Item, _ text: String) {
        items.append(item)
        output.append("\(items.count)) \(text)")
    }

    private mutating func read(_ row: FormRow) {
        var label = row.label.map { say($0) } ?? ""
        let mark = row.mark == .none ? "" : "\(row.mark.character) "
        var loose: [String] = []
        for part in row.parts {
            let lead = mark + (label.isEmpty ? "" : label + ": ")
            switch part.widget {
            case let table as Table:
                read(table, part.id)
            case let tree as Tree:
                for node in tree.plainNodes {
                    number(.node(part: part.id, id: node.id), (node.id == tree.cursorID ? "> " : "") + node.text)
                }
            case let widget where widget.isFocusable && !part.id.isEmpty:
                let lines = texts(of: widget)
                number(.part(part.id), lead + (lines.first ?? ""))
                for line in lines.dropFirst() { output.append("   " + line) }
                label = ""
            default:
                loose += texts(of: part.widget)
            }
        }
        guard !loose.isEmpty else { return }
        output.append(mark + (label.isEmpty ? "" : label + ": ") + loose.joined(separator: "  "))
    }

    private mutating func read(_ table: Table, _ part: String) {
        output.append(table.columns.map { say($0.title) }.filter { !$0.isEmpty }.joined(separator: " | "))
        let ids = table.visibleIDs
        for id in ids {
            guard let row = table.window.first(where: { $0.id == id }) else { continue }
            let mark = row.mark == .none ? "" : "\(row.mark.character) "
            let cells = row.cells.filter { !$0.isEmpty }.joined(separator: " | ")
            number(.row(part: part, id: id), mark + cells + (id == table.cursorID ? "  <" : ""))
        }
        output.append(
            ids.isEmpty ? say(table.emptyText) : say(.text("plain.rows", String(ids.count), String(table.total))))
    }

    /// A value as it is read: a password only says whether it is there.
    private func texts(of widget: any Widget) -> [String] {
        switch widget {
        case let field as TextField:
            return [field.kind == .password ? (field.text.isEmpty ? "" : "********") : field.text]
        case let box as CheckBox: return [(box.isOn ? "[x] " : "[ ] ") + say(box.label)]
        case let select as Select: return [name(select.selected, select.options)]
        case let group as RadioGroup: return [name(group.selected, group.options)]
        case let button as Button: return ["[ \(say(button.name)) ]"]
        case let list as ListEditor: return list.values.isEmpty ? [say(.text("word.none"))] : list.values
        case let area as TextArea:
            return [""] + area.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        case let label as Label:
            let text = label.spans.map { say($0.text) }.joined().trimmedBlanks
            return text.isEmpty ? [] : [text]
        case is Rule: return []
        default: return drawn(widget)
        }
    }

    private func name(_ id: String, _ options: [Option]) -> String {
        options.first { $0.id == id }.map { say($0.name) } ?? id
    }

    /// Whatever else there is, as it looks.
    private func drawn(_ widget: any Widget) -> [String] {
        var widget = widget
        let look = Look(say: app.context.say, metrics: app.context.metrics)
        let height = min(40, max(1, widget.idealHeight(width: Self.columns, look)))
        let size = Size(columns: Self.columns, rows: height)
        let buffer = Buffer(size: size, look: look)
        widget.draw(in: Region(buffer: buffer, rect: Rect(size)), focused: false)
        return buffer.text.split(separator: "\n").map(String.init)
    }

    // MARK: - Lists of choices

    mutating func readOptions(_ part: String, _ options: [Option], _ selected: String) {
        begin(.text("plain.choose"))
        for option in options {
            number(.option(part: part, id: option.id), (option.id == selected ? "(*) " : "( ) ") + say(option.name))
        }
    }

    mutating func readTabs() {
        begin(.text("plain.pages"))
        for area in app.content.areas {
            for tab in area.tabs { number(.tab(tab.id), say(area.name) + " > " + say(tab.title)) }
        }
    }

    mutating func readActions() {
        let commands = app.menuCommands()
        guard !commands.isEmpty else { return }
        begin(.text("plain.actions"))
        for command in commands {
            number(.command(command), say(command.name) + (command.off.map { " - " + say($0) } ?? ""))
        }
    }

    mutating func readHelp() {
        stopPage()
        output += ["", say(.text("plain.help")), say(.text("plain.words"))]
    }

    private mutating func begin(_ title: Phrase) {
        stopPage()
        items = []
        output += ["", "== " + say(title) + " =="]
    }
}
