/// Where the parts of the screen are: a pure function of its size. Buttons, message and keys come first.
struct ShellLayout {
    let size: Size
    let isCompact: Bool
    let showsBars: Bool

    init(size: Size, showsBars: Bool) {
        self.size = size
        self.showsBars = showsBars
        isCompact = size.columns < 72 || size.rows < 20
    }

    /// Rows above the body: areas, tabs, title; compact: status and page; without bars: title and rule.
    var head: Int {
        if !showsBars { return isCompact ? 1 : 2 }
        return isCompact ? 2 : 3
    }
    private var foot: Int { !showsBars && !isCompact ? 4 : 3 }

    var body: Rect { Rect(x: 0, y: head, width: size.columns, height: size.rows - head - foot) }
    var buttons: Rect { Rect(x: 0, y: size.rows - foot, width: size.columns, height: size.rows > foot ? 1 : 0) }
    var message: Int { size.rows - 2 }
    var keys: Int { size.rows - 1 }
}

extension App {
    mutating func draw(into buffer: Buffer) {
        let screen = buffer.whole
        if let lock { return drawLock(lock, in: screen) }
        let layout = ShellLayout(size: buffer.size, showsBars: page?.showsBars ?? true)
        let header = page?.header(context) ?? PageHeader(title: "")
        let facts = content.header(context)
        if layout.showsBars {
            if layout.isCompact {
                drawCompactHead(header, facts, in: screen)
            } else {
                drawAreas(facts, in: screen.row(0))
                drawTabs(header, facts, in: screen.row(1))
                drawTitle(header, in: screen.row(2))
            }
        } else {
            drawTitle(header, in: screen.row(0))
            if !layout.isCompact {
                screen.rule(y: 1)
                screen.rule(y: layout.message - 1)
            }
        }
        drawBody(layout, in: screen)
        drawMessage(header, in: screen.row(layout.message))
        KeyBar.draw(keyBarCommands(), takesText: currentForm?.takesText ?? false, in: screen.row(layout.keys))
    }

    private var currentForm: Form? { dialogs.last?.dialog.form ?? page?.form }

    private mutating func drawBody(_ layout: ShellLayout, in screen: Region) {
        let hasFocus = dialogs.isEmpty && level == .page
        if let tab = tab(), fullPage == nil {
            screens[tab.id]?.form.draw(in: screen.part(layout.body), hasFocus: hasFocus)
            screens[tab.id]?.form.drawButtons(in: screen.part(layout.buttons), hasFocus: hasFocus)
            if hasFocus { screens[tab.id]?.form.drawPopup(over: screen.part(layout.body)) }
        } else if fullPage != nil {
            fullPage?.form.draw(in: screen.part(layout.body), hasFocus: hasFocus)
            fullPage?.form.drawButtons(in: screen.part(layout.buttons), hasFocus: hasFocus)
            if hasFocus { fullPage?.form.drawPopup(over: screen.part(layout.body)) }
        }
        let room = Rect(
            x: 0, y: min(layout.head, 1), width: layout.size.columns, height: layout.size.rows - min(layout.head, 1) - 2
        )
        for index in dialogs.indices {
            dialogs[index].dialog.draw(in: screen.part(room), hasFocus: index == dialogs.count - 1)
        }
    }

    // MARK: Rows 0 to 2

    private func drawAreas(_ facts: HeaderFacts, in row: Region) {
        var x = 0
        for (index, area) in content.areas.enumerated() {
            let isCurrent = index == areaIndex
            let name = isCurrent ? "[" + row.say(area.name) + "]" : " " + row.say(area.name) + " "
            let isFocused = isCurrent && level == .areas && dialogs.isEmpty
            if isFocused { row.setCursor(x: x + 1, y: 0) }
            x += row.put(name, x: x, y: 0, role: isFocused ? .focus : isCurrent ? .currentTab : .tab) + 1
        }
        drawStatus(facts, in: row, after: x)
    }

    /// Right-aligned; when it does not fit, the least important words go first.
    private func drawStatus(_ facts: HeaderFacts, in row: Region, after start: Int) {
        let staged = "*" + String(facts.staged)
        let services = row.say(facts.services) + (facts.isTrouble ? "!" : "")
        let clock = context.clock.text
        let candidates: [[String]] = [
            [facts.host, services, staged, facts.others, facts.user, clock],
            [facts.host, services, staged, facts.user, clock], [facts.host, services, staged, clock],
            [services, staged, clock], [services, staged], [services],
        ].map { $0.filter { !$0.isEmpty } }
        func text(_ parts: [String]) -> String {
            // Two spaces between the parts, one before the clock, as in a line of a log.
            parts.count > 1 && parts.last == clock
                ? parts.dropLast().joined(separator: "  ") + " " + clock : parts.joined(separator: "  ")
        }
        let fitting = candidates.map(text).first { row.metrics.width($0) + 1 <= row.width - start } ?? ""
        let x = row.putRight(fitting, y: 0, role: .bar, margin: 1)
        mark(services, facts.isTrouble ? .bad : .good, in: fitting, at: x, row)
        if facts.staged > 0 { mark(staged, .staged, in: fitting, at: x, row) }
        if !context.isConnected { mark(services, .problem, in: fitting, at: x, row) }
    }

    private func mark(_ part: String, _ role: Role, in text: String, at x: Int, _ row: Region) {
        guard !part.isEmpty, let range = text.firstRange(of: part) else { return }
        let before = row.metrics.width(String(text[..<range.lowerBound]))
        row.paint(role, x: x + before, y: 0, width: row.metrics.width(part))
    }

    private func drawTabs(_ header: PageHeader, _ facts: HeaderFacts, in row: Region) {
        guard hasTabs, let area = area() else {
            if let path = header.path { row.put(path, x: 1, y: 0, role: .tab) }
            return
        }
        let current = tabIndex[areaIndex]
        let labels = area.tabs.map { String($0.digit) + row.say($0.name) }
        let widths = labels.map { row.metrics.width($0) }
        // One cell before and after each label; neighbours share it. Too many: scroll to the current one.
        var first = 0
        func end(of last: Int) -> Int { widths[first...last].reduce(1) { $0 + $1 + 1 } }
        while first < current, end(of: current) > row.width - 1 { first += 1 }
        var x = 0
        for index in area.tabs.indices.dropFirst(first) {
            guard x + widths[index] + 2 <= row.width else {
                row.put(">", x: row.width - 1, y: 0, role: .hint)
                break
            }
            let isCurrent = index == current
            let isStaged = facts.stagedTabs.contains(area.tabs[index].id)
            let isFocused = isCurrent && level == .tabs && dialogs.isEmpty
            if isCurrent {
                row.put("[", x: x, y: 0, role: .currentTab)
                row.put("]", x: x + widths[index] + 1, y: 0, role: .currentTab)
            } else if isStaged {
                // Right of the current tab it takes the place of the bracket: news before ornament.
                row.put("*", x: x, y: 0, role: .staged)
            }
            row.put(labels[index], x: x + 1, y: 0, role: isFocused ? .focus : isCurrent ? .currentTab : .tab)
            if isFocused { row.setCursor(x: x + 1, y: 0) }
            x += widths[index] + 1
        }
        if first > 0 { row.put("<", x: 0, y: 0, role: .hint) }
    }

    private func drawTitle(_ header: PageHeader, in row: Region) {
        let title = row.put(header.title, x: 1, y: 0, role: .title)
        guard let state = header.state else { return }
        let text = row.metrics.clip(row.say(state), to: max(0, row.width - title - 4))
        row.putRight(text, y: 0, role: header.stateRole, margin: 1)
    }

    private func drawCompactHead(_ header: PageHeader, _ facts: HeaderFacts, in screen: Region) {
        let host = facts.host.split(separator: ".").first.map(String.init) ?? ""
        let services = screen.say(facts.services) + (facts.isTrouble ? "!" : "")
        var x = 1 + screen.put(host, x: 1, y: 0, role: .bar) + 2
        x += screen.put(services, x: x, y: 0, role: facts.isTrouble ? .bad : .good) + 2
        screen.put("*\(facts.staged)", x: x, y: 0, role: facts.staged > 0 ? .staged : .bar)
        screen.putRight(context.clock.text, y: 0, role: .bar, margin: 1)
        guard let area = area() else { return }
        let place = hasTabs ? "\(tabIndex[areaIndex] + 1)/\(area.tabs.count) " : ""
        let isFocused = level != .page && dialogs.isEmpty
        screen.put(
            "< " + place + screen.say(header.title) + " >", x: 1, y: 1, role: isFocused ? .focus : .currentTab)
        if isFocused { screen.setCursor(x: 1, y: 1) }
    }

    // MARK: Last rows

    private func drawMessage(_ header: PageHeader, in row: Region) {
        if let notice = notices.shown {
            let role: Role = notice.level == .information ? .message : .problem
            let mark = notice.level == .information ? "" : "! "
            row.put(mark + row.say(notice.text), x: 1, y: 0, role: role, limit: row.width - 2)
        } else if let wait = longestWait, context.now - wait >= 300 {
            let seconds = (context.now - wait) / 1_000
            row.put(
                seconds < 2
                    ? "Waiting for epostd." : Phrase("Waiting for epostd: {seconds} s", ["seconds": String(seconds)]),
                x: 1, y: 0, role: .hint)
        } else if let hint = dialogs.last.map({ $0.dialog.hint(context) }) ?? header.hint {
            row.put(hint, x: 1, y: 0, role: .message, limit: row.width - 2)
        }
    }

    /// When the oldest request still without an answer was sent.
    private var longestWait: Moment? {
        pending.values.filter { $0.lane != .stream }.map(\.since).min()
    }

    /// What the key bar shows, in order; the shell's own commands step back behind those of the focused list.
    private func keyBarCommands() -> [Command] {
        if let top = dialogs.last?.dialog {
            var commands = top.form.focusedWidget?.commands ?? []
            commands += top.commands(context)
            commands.append(GlobalCommand.nextField)
            if let ok = top.okButton, let name = top.form.buttons?.items.first(where: { $0.id == ok })?.name {
                commands.append(Command("ok", name, keys: [.control("o")], bar: name, priority: 85))
            }
            commands.append(Command("close", "Close", keys: [.escape], bar: "Close", priority: 84))
            return commands.filter { $0.off == nil }
        }
        guard level == .page else { return barLevelCommands() }
        if let page, !page.showsBars {
            return page.commands(context).filter { $0.off == nil } + [GlobalCommand.nextField, GlobalCommand.help]
        }
        let own = pageCommands().filter { $0.bar != nil && $0.off == nil }
        var shell = [
            GlobalCommand.nextTab, GlobalCommand.nextField, GlobalCommand.apply, GlobalCommand.review,
            GlobalCommand.menu,
            GlobalCommand.palette, GlobalCommand.help,
        ].filter { command in !pageCommands().contains { $0.id == command.id } }
        if !own.isEmpty { for index in shell.indices where shell[index].id != "help" { shell[index].priority -= 40 } }
        return own + shell
    }

    private func barLevelCommands() -> [Command] {
        [
            Command("choose", "Choose", keys: [.left], bar: "Choose", barKeys: context.say("Left/Right")),
            Command("into", "Into the page", keys: [.enter], bar: "Into the page", priority: 60),
            Command("up", "Up", keys: [.escape], bar: "Up", priority: 55), GlobalCommand.palette,
            Command("leave", "Leave", keys: [.character("q")], bar: "Leave"), GlobalCommand.help,
        ]
    }
}

/// The last row: keys and what they do, as many as fit; the least important go first.
enum KeyBar {
    static func draw(_ commands: [Command], takesText: Bool, in row: Region) {
        var items = commands.compactMap { command -> (text: String, key: String, priority: Int)? in
            guard let bar = command.bar, let key = keyName(command, takesText: takesText, row.say) else { return nil }
            return (row.say(bar), key, command.priority)
        }
        func width() -> Int { items.reduce(-1) { $0 + row.metrics.width($1.key) + row.metrics.width($1.text) + 3 } }
        while width() > row.width - 2, let least = items.indices.min(by: { items[$0].priority < items[$1].priority }) {
            items.remove(at: least)
        }
        var x = 1
        for item in items {
            x += row.put(item.key, x: x, y: 0, role: .keyName) + 1
            x += row.put(item.text, x: x, y: 0, role: .bar) + 2
        }
    }

    /// Inside a text a letter writes; there the bar shows a key that works, or nothing.
    private static func keyName(_ command: Command, takesText: Bool, _ say: any Localizer) -> String? {
        guard takesText, let first = command.keys.first, first.isText else {
            return command.barKeys ?? command.keys.first?.name(say)
        }
        if command.id == "help" { return "Esc ?" }
        return command.keys.first { key in
            switch key {
            case .control: true
            default: false
            }
        }?.name(say)
    }
}

extension Dialog {
    /// The box in the middle of `room`, as large as its form likes and the room allows.
    mutating func draw(in room: Region, hasFocus: Bool) {
        let inner = min(width, room.width - 4)
        let wanted = height ?? form.layout(width: inner, height: 0, room.look).height
        let hasButtons = form.buttons != nil
        let extra = hasButtons ? 2 : 0
        let rows = min(wanted + extra + 2, room.height)
        let box = room.part(
            Rect(x: 0, y: 0, width: room.width, height: room.height).centred(width: inner + 4, height: rows))
        box.fill()
        box.frame(title: room.say(title))
        let bodyRows = max(0, rows - 2 - (hasButtons ? (rows >= wanted + 4 ? 2 : 1) : 0))
        let body = box.part(x: 2, y: 1, width: inner, height: bodyRows)
        form.draw(in: body, hasFocus: hasFocus)
        if hasButtons {
            form.drawButtons(in: box.part(x: 2, y: rows - 2, width: inner, height: 1), hasFocus: hasFocus)
        }
        if hasFocus { form.drawPopup(over: box.part(x: 2, y: 1, width: inner, height: max(0, rows - 2))) }
    }
}
