extension App {
    /// Milliseconds in which a new dialog ignores Enter, Space and letters.
    static let earlyKeys = 150

    mutating func handleKeys(_ keys: [Key]) {
        guard !keys.isEmpty else { return }
        lastKey = context.now
        notices.keyPressed(at: context.now)
        needsFrame = true
        for key in keys {
            let dialogsBefore = dialogCount
            handleKey(key)
            // Keys typed before a dialog came up were not meant for it.
            if dialogCount != dialogsBefore, dialogs.last?.dialog.ignoresEarlyKeys == true { break }
        }
    }

    private mutating func handleKey(_ key: Key) {
        if key == .control("\\") {
            effects.append(contentsOf: [.exit(0)])
        } else if key == .control("l") {
            effects.append(.redraw)
        } else if key == .control("z") {
            effects.append(.suspend)
        } else if lock != nil {
            lockKey(key)
        } else if case .alt(let inner) = key {
            handleAlt(inner)
        } else if let top = dialogs.last {
            dialogKey(key, top)
        } else {
            switch level {
            case .page: pageKey(key)
            case .tabs: tabKey(key)
            case .areas: areaKey(key)
            }
        }
    }

    /// Alt-x is Esc, then x. In a dialog a slow Esc would close it, so there it does nothing but say so.
    private mutating func handleAlt(_ key: Key) {
        guard dialogs.isEmpty else {
            say(.information, "Alt keys do nothing in a dialog; Esc closes it.")
            return
        }
        handleKey(.escape)
        if dialogs.isEmpty { handleKey(key) }
    }

    mutating func say(_ level: Notice.Level, _ text: Phrase) {
        notices.add(Notice(level: level, text: text, at: context.now, clock: context.clock))
    }

    // MARK: Dialogs

    private mutating func dialogKey(_ key: Key, _ top: OpenDialog) {
        let isEarly = context.now - top.openedAt < App.earlyKeys
        if isEarly, top.dialog.ignoresEarlyKeys, key == .enter || key.isText { return }
        var isDone = false
        callDialog(top.serial) { isDone = $0.handle(key, &$1) }
        if isDone { return }
        switch key {
        case .control("o"), .function(10), .control("s"):
            guard let ok = top.dialog.okButton else { return }
            pressDialogButton(ok, top.serial)
            return
        case .control("c"), .function(9): return cancelDialog(top)
        case .control("g"): return
        default: break
        }
        var events: [FormEvent]?
        callDialog(top.serial) { dialog, _ in events = dialog.form.handle(key) }
        if let events { return dispatch(events, to: .dialog(top.serial)) }
        if key == .escape { return cancelDialog(top) }
        if let command = top.dialog.commands(context).first(where: { $0.matches(key) }) {
            if let off = command.off { return say(.information, off) }
            callDialog(top.serial) { $0.perform(command.id, &$1) }
        } else if key == .character("?") || key == .function(1) {
            openHelp()
        }
    }

    private mutating func pressDialogButton(_ id: String, _ serial: Int) {
        var events: [FormEvent] = []
        callDialog(serial) { dialog, _ in
            // The text being typed counts before the button does.
            events = dialog.form.leave()
            let button = dialog.form.buttons?.items.first { $0.id == id }
            events.append(button?.off.map { .refused($0) } ?? .button(id))
        }
        dispatch(events, to: .dialog(serial))
    }

    private mutating func cancelDialog(_ top: OpenDialog) {
        guard !top.dialog.isDirty else {
            open(
                Question(
                    "discard", title: "Close without keeping", lines: ["What was typed here is lost."],
                    danger: .reversible, keep: "Back", go: "Discard", letter: "d"), owner: .shell)
            return
        }
        discard(top.serial)
    }

    mutating func discard(_ serial: Int) {
        let count = dialogs.count
        callDialog(serial) { $0.cancelled(&$1) }
        guard dialogs.count == count, let index = dialogs.firstIndex(where: { $0.serial == serial }) else { return }
        for (id, request) in pending where request.owner == .dialog(serial) {
            if request.lane != .shared { effects.append(.cancel(id)) }
            pending[id] = nil
        }
        dialogs.remove(at: index)
    }

    mutating func dispatch(_ events: [FormEvent], to owner: Owner) {
        for event in events {
            if case .refused(let reason) = event { say(.information, reason) }
            switch owner {
            case .dialog(let serial): callDialog(serial) { $0.formEvent(event, &$1) }
            default: callScreen(owner) { $0.formEvent(event, &$1) }
            }
        }
    }

    // MARK: Page

    private mutating func pageKey(_ key: Key) {
        guard let owner = pageOwner, let page else { return shellKey(key) }
        if !page.form.takesNextKey, !key.isText, let command = GlobalCommand.all.first(where: { $0.matches(key) }),
            App.isGlobalKey(key)
        {
            return run(command)
        }
        var events: [FormEvent]?
        callScreen(owner) { screen, _ in events = screen.form.handle(key) }
        if let events { return dispatch(events, to: owner) }
        if key == .escape { return leavePage() }
        if let command = page.commands(context).first(where: { $0.matches(key) }) { return run(command) }
        shellKey(key)
    }

    /// Control letters and function keys work from everywhere; Tab, Esc and the like belong to the widgets first.
    private static func isGlobalKey(_ key: Key) -> Bool {
        switch key {
        case .control, .function: true
        default: false
        }
    }

    private mutating func shellKey(_ key: Key) {
        if let command = GlobalCommand.all.first(where: { $0.matches(key) }) { run(command.id) }
    }

    /// One level up.
    private mutating func leavePage() {
        guard fullPage == nil else { return run("back") }
        if let owner = pageOwner { leaveForm(owner) }
        level = hasTabs ? .tabs : .areas
    }

    // MARK: Bars

    private mutating func tabKey(_ key: Key) {
        let count = area()?.tabs.count ?? 0
        let index = tabIndex.indices.contains(areaIndex) ? tabIndex[areaIndex] : 0
        switch key {
        case .left where count > 0: show(area: areaIndex, tab: (index + count - 1) % count)
        case .right where count > 0: show(area: areaIndex, tab: (index + 1) % count)
        case .down, .enter, .tab, .backTab: level = .page
        case .up, .escape: level = .areas
        default: barKey(key)
        }
    }

    private mutating func areaKey(_ key: Key) {
        let count = content.areas.count
        switch key {
        case .left where count > 0:
            let next = (areaIndex + count - 1) % count
            show(area: next, tab: tabIndex[next])
        case .right where count > 0:
            let next = (areaIndex + 1) % count
            show(area: next, tab: tabIndex[next])
        case .down, .enter, .tab: level = hasTabs ? .tabs : .page
        case .backTab: level = .page
        case .escape: run("leave")
        default: barKey(key)
        }
    }

    /// Digits and letters mean the same on both bars; a jump goes into the page.
    private mutating func barKey(_ key: Key) {
        if case .character(let character) = key {
            if let tab = area()?.tabs.firstIndex(where: { $0.digit == character }), hasTabs {
                show(area: areaIndex, tab: tab)
                level = .page
                return
            }
            if let area = content.areas.firstIndex(where: { $0.letter == character }) {
                show(area: area, tab: tabIndex[area])
                level = .page
                return
            }
            if character == "l" { return run("lock") }
        }
        shellKey(key)
    }

    mutating func stepTab(_ offset: Int) {
        guard let area = area(), !area.tabs.isEmpty else { return }
        let count = area.tabs.count
        show(area: areaIndex, tab: (tabIndex[areaIndex] + offset + count) % count)
        level = .page
    }
}
