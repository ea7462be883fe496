import Control

extension App {
    /// Does what a page asked for, in order. Wishes that come up while others are granted follow behind.
    mutating func grantWishes(of owner: Owner) {
        let wishes = context.wishes
        context.wishes = []
        for wish in wishes { grant(wish, of: owner) }
    }

    private mutating func grant(_ wish: Context.Wish, of owner: Owner) {
        switch wish {
        case .send(let id, let frame, let lane):
            pending[id] = Pending(owner: owner, since: context.now, lane: lane)
            effects.append(.send(id, frame: frame, lane: lane))
        case .sendForModel(let id, let frame, let lane):
            pending[id] = Pending(owner: .model, since: context.now, lane: lane)
            effects.append(.send(id, frame: frame, lane: lane))
        case .file(let id, let request):
            pending[id] = Pending(owner: owner, since: context.now, lane: .apart)
            effects.append(.file(id, request))
        case .cancel(let id):
            if pending.removeValue(forKey: id) != nil { effects.append(.cancel(id)) }
        case .notice(let level, let text):
            notices.add(Notice(level: level, text: text, at: context.now, clock: context.clock))
        case .open(let dialog): open(dialog, owner: owner)
        case .close: closeTop(of: owner)
        case .finish(let answer): finish(answer, of: owner)
        case .go(let id): go(to: id)
        case .fullPage(let screen): showFullPage(screen)
        case .exit(let code): effects.append(.exit(code))
        case .copy(let text): effects.append(.copy(text))
        case .modelChanged: modelChanged()
        case .command(let id): run(id)
        }
    }

    mutating func open(_ dialog: any Dialog, owner: Owner) {
        guard dialogs.count < App.dialogsAtMost else {
            notices.add(Notice(level: .warning, text: "Close a dialog first.", at: context.now, clock: context.clock))
            return
        }
        if dialogs.isEmpty, let owner = pageOwner { leaveForm(owner) }
        dialogCount += 1
        let serial = dialogCount
        dialogs.append(OpenDialog(dialog: dialog, owner: owner, serial: serial, openedAt: context.now))
        callDialog(serial) { $0.opened(&$1) }
    }

    /// The dialog of `owner`, or the topmost one when a page closes it.
    private func dialogIndex(of owner: Owner) -> Int? {
        if case .dialog(let serial) = owner { return dialogs.firstIndex { $0.serial == serial } }
        return dialogs.indices.last
    }

    private mutating func closeTop(of owner: Owner) {
        guard let index = dialogIndex(of: owner) else { return }
        forget(.dialog(dialogs[index].serial))
        dialogs.remove(at: index)
    }

    private mutating func finish(_ answer: Answer, of owner: Owner) {
        guard let index = dialogIndex(of: owner) else { return }
        let entry = dialogs.remove(at: index)
        forget(.dialog(entry.serial))
        switch entry.owner {
        case .screen, .fullPage: callScreen(entry.owner) { $0.answered(answer, &$1) }
        case .dialog(let serial): callDialog(serial) { $0.answered(answer, &$1) }
        case .shell, .model: shellAnswered(answer)
        }
    }

    /// Requests of what is gone are answered to nobody; its streams end.
    private mutating func forget(_ owner: Owner) {
        for (id, request) in pending where request.owner == owner {
            if request.lane != .shared { effects.append(.cancel(id)) }
            pending[id] = nil
        }
    }

    mutating func showFullPage(_ screen: (any Screen)?) {
        if let owner = pageOwner {
            leaveForm(owner)
            if fullPage == nil || screen == nil { callScreen(owner) { $0.closed(&$1) } }
        }
        forget(.fullPage)
        fullPage = screen
        level = .page
        if screen == nil { openScreen() } else { callScreen(.fullPage) { $0.opened(&$1) } }
    }

    /// Shows the tab `id`; unknown ids do nothing.
    mutating func go(to id: String) {
        for (area, content) in content.areas.enumerated() {
            guard let tab = content.tabs.firstIndex(where: { $0.id == id }) else { continue }
            show(area: area, tab: tab)
            return
        }
    }

    mutating func show(area: Int, tab: Int) {
        guard content.areas.indices.contains(area), content.areas[area].tabs.indices.contains(tab) else { return }
        if fullPage == nil, area == areaIndex, tab == tabIndex[area], screens[content.areas[area].tabs[tab].id] != nil {
            return
        }
        if let owner = pageOwner {
            leaveForm(owner)
            callScreen(owner) { $0.closed(&$1) }
        }
        forget(.fullPage)
        fullPage = nil
        areaIndex = area
        tabIndex[area] = tab
        openScreen()
    }

    mutating func openScreen() {
        guard let tab = tab() else { return }
        if screens[tab.id] == nil { screens[tab.id] = tab.make(context) }
        callScreen(.screen(tab.id)) { $0.opened(&$1) }
    }

    /// The focus goes elsewhere: what was typed is checked and staged now.
    mutating func leaveForm(_ owner: Owner) {
        var events: [FormEvent] = []
        callScreen(owner) { screen, _ in events = screen.form.leave() }
        for event in events { callScreen(owner) { $0.formEvent(event, &$1) } }
    }

    mutating func modelChanged() {
        if let owner = pageOwner { callScreen(owner) { $0.modelChanged(&$1) } }
        for entry in dialogs { callDialog(entry.serial) { $0.modelChanged(&$1) } }
    }

    // MARK: Socket and time

    mutating func receive(_ message: LinkMessage) {
        needsFrame = true
        switch message {
        case .connected:
            context.isConnected = true
            call(.model) { content, _, context in content.receive(message, &context) }
            modelChanged()
        case .lost:
            context.isConnected = false
            let lost = pending
            pending = [:]
            call(.model) { content, _, context in content.receive(message, &context) }
            // Whoever waits learns that no answer will come.
            if case .lost(let error) = message {
                for id in lost.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                    if let request = lost[id] { route(.failed(id, error), to: request.owner) }
                }
            }
            modelChanged()
        case .failed(let id, _), .file(let id, _):
            guard let request = pending.removeValue(forKey: id) else { return }
            route(message, to: request.owner)
        case .reply(let reply):
            guard let request = pending[reply.id] else { return }
            // A stream ends with the reply that says so; the owner sees it too.
            let goesOn = request.lane == .stream && ((try? Varlink.head(ofReply: reply.frame).continues) ?? nil) == true
            if !goesOn { pending[reply.id] = nil }
            route(message, to: request.owner)
        }
    }

    private mutating func route(_ message: LinkMessage, to owner: Owner) {
        switch owner {
        case .screen, .fullPage: callScreen(owner) { $0.receive(message, &$1) }
        case .dialog(let serial): callDialog(serial) { $0.receive(message, &$1) }
        case .model: call(.model) { content, _, context in content.receive(message, &context) }
        case .shell: receiveUnlock(message)
        }
    }

    mutating func tick() {
        if notices.expire(at: context.now) { needsFrame = true }
        let idle = context.now - lastKey
        if lock == nil, idle >= App.lockAfter, content.header(context).hasPassword { lockNow() }
        if idle >= App.endAfter, !content.header(context).hasPassword { effects.append(.exit(0)) }
        saveDraftIfChanged()
        guard lock == nil, context.now - lastTick >= 1_000 else { return }
        lastTick = context.now
        needsFrame = true
        call(.model) { content, _, context in content.tick(&context) }
        if let owner = pageOwner { callScreen(owner) { $0.tick(&$1) } }
        for entry in dialogs { callDialog(entry.serial) { $0.tick(&$1) } }
    }

    /// At most every two seconds; on a hang-up the loop asks at once with `force`.
    mutating func saveDraftIfChanged(force: Bool = false) {
        guard force || context.now - draftCheckedAt >= 2_000 else { return }
        draftCheckedAt = context.now
        let draft = content.draft(context) ?? ""
        guard draft != lastDraft else { return }
        lastDraft = draft
        effects.append(.saveDraft(draft))
    }

    /// The session ends (hang-up, signal, emergency key): what is still to be written.
    package mutating func finalEffects() -> [Effect] {
        if let owner = pageOwner { leaveForm(owner) }
        saveDraftIfChanged(force: true)
        defer { effects = [] }
        return effects.filter { if case .saveDraft = $0 { true } else { false } }
    }
}
