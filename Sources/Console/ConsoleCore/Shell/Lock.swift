import Control

/// The lock screen. Both languages, because nobody knows who stands there; nothing of the page is drawn.
struct Lock {
    var field = TextField("", kind: .password, width: 32)
    var request: RequestID?
    var problem: Phrase?
    var minutes: Int?
}

extension App {
    package var isLocked: Bool { lock != nil }

    mutating func lockNow(minutes: Int? = App.lockAfter / 60_000) {
        if let owner = pageOwner { leaveForm(owner) }
        lock = Lock(minutes: minutes)
        needsFrame = true
    }

    mutating func lockOnCommand() {
        guard content.header(context).hasPassword else {
            return say(.warning, "Set a system password first; without one the lock could not be opened.")
        }
        lockNow(minutes: nil)
    }

    mutating func lockKey(_ key: Key) {
        switch key {
        case .control("c"), .function(9):
            saveDraftIfChanged(force: true)
            effects.append(.exit(0))
        case .enter: tryUnlock()
        case .alt, .escape: break
        default: _ = lock?.field.handle(key)
        }
    }

    private mutating func tryUnlock() {
        guard let current = lock, current.request == nil, !current.field.text.isEmpty else { return }
        guard context.isConnected else {
            lock?.problem = "No connection to epostd: the password cannot be checked."
            return
        }
        var id: RequestID?
        call(.shell) { _, _, context in
            id = context.send(ServerInterface.Unlock.self, .init(password: current.field.text))
        }
        lock?.request = id
        lock?.problem = nil
        lock?.field = TextField("", kind: .password, width: 32)
    }

    mutating func receiveUnlock(_ message: LinkMessage) {
        guard let id = lock?.request, let result = message.result(of: ServerInterface.Unlock.self, for: id) else {
            return
        }
        lock?.request = nil
        switch result {
        case .success:
            lock = nil
            modelChanged()
        case .failure(let error):
            lock?.problem = Phrase(
                code: error.detail.code, english: error.detail.message, arguments: error.detail.arguments ?? [])
        }
    }

    func drawLock(_ lock: Lock, in screen: Region) {
        let facts = content.header(context)
        let english: any Localizer = English()
        let japanese = catalogues[.japanese] ?? english
        func both(_ phrase: Phrase) -> String {
            let (first, second) = (english(phrase), japanese(phrase))
            return first == second ? first : first + " / " + second
        }
        screen.put("E-POST Console", x: 1, y: 0, role: .title)
        screen.putRight(context.clock.text, y: 0, role: .bar, margin: 1)
        let box = screen.part(
            Rect(x: 0, y: 1, width: screen.width, height: screen.height - 2).centred(width: 46, height: 12))
        box.frame()
        let inner = box.part(x: 2, y: 1, width: box.width - 4, height: box.height - 2)
        inner.put(facts.host + "   E-POST Console", x: 0, y: 0, role: .title)
        let reason: Phrase =
            lock.minutes.map { Phrase("Locked after {minutes} minutes without a key.", ["minutes": String($0)]) }
            ?? "Locked."
        inner.put(english(reason), x: 0, y: 2)
        if japanese(reason) != english(reason) { inner.put(japanese(reason), x: 0, y: 3) }
        inner.put(both("System password"), x: 0, y: 5, role: .label)
        var field = lock.field
        field.draw(in: inner.part(x: 0, y: 6, width: min(34, inner.width), height: 1), focused: true)
        if let problem = lock.problem {
            inner.put(context.say(problem), x: 0, y: 7, role: .problem)
        } else if lock.request != nil {
            inner.put(both("Checking"), x: 0, y: 7, role: .hint)
        }
        let kept = Phrase(
            "{user}, {count} staged changes are kept.", ["user": facts.user, "count": String(facts.staged)])
        inner.put(context.say(kept), x: 0, y: 9, role: .hint)
        let keys = "Enter " + both("Unlock") + "   ^C " + both("Leave (keeps the draft)")
        screen.put(keys, x: 1, y: screen.height - 1, role: .keyName)
    }
}
