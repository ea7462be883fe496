import ConsoleCore
import Glibc
import Terminal

/// One thread, one `poll`: terminal, control socket, self-pipe, clock. Drains keys, drains the socket, and draws when
/// something changed: at once for keys, else at most every 16 ms and within the budget of the line.
final class ConsoleLoop {
    private let screen: TerminalScreen
    private let link: SocketLink
    private let drafts: DraftStore?
    private let maySuspend: Bool
    private var app: App
    private var decoder = KeyDecoder()
    private var budget: FrameBudget
    private var lastFrame: Moment = 0
    private var lastKey: Moment = 0
    private var lastTick: Moment = 0
    /// When a frame that had to wait may go.
    private var frameDue: Moment?
    private var exitCode: Int32?

    /// Milliseconds between two ticks.
    static let tickTime = 1_000

    init(app: App, screen: TerminalScreen, link: SocketLink, drafts: DraftStore?, maySuspend: Bool, isSlow: Bool) {
        self.app = app
        self.screen = screen
        self.link = link
        self.drafts = drafts
        self.maySuspend = maySuspend
        budget = FrameBudget(isSlow: isSlow)
    }

    /// - Returns: the exit status.
    func run() -> Int32 {
        let now = Clock.now()
        lastTick = now
        lastKey = now
        perform(app.start(now: now, clock: Clock.wall(), draft: drafts?.load()))
        drawIfNeeded(isPrompted: true)
        while exitCode == nil {
            wait()
            turn()
        }
        perform(app.finalEffects())
        return exitCode ?? 0
    }

    private func wait() {
        var descriptors =
            [
                pollfd(fd: screen.input, events: Int16(POLLIN), revents: 0),
                pollfd(fd: screen.signals, events: Int16(POLLIN), revents: 0),
            ] + link.descriptors
        guard !link.isBusy else { return }
        let now = Clock.now()
        var due = lastTick + ConsoleLoop.tickTime
        if let frameDue { due = min(due, frameDue) }
        if !link.isConnected { due = min(due, max(now, link.nextTry)) }
        poll(&descriptors, nfds_t(descriptors.count), Int32(max(0, min(due - now, 1_000))))
        // The terminal is gone (ssh died) and no signal told us: nothing can be shown any more.
        if descriptors[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0,
            descriptors[0].revents & Int16(POLLIN) == 0
        {
            exitCode = 1
        }
    }

    private func turn() {
        for told in screen.told() { handle(told) }
        let hadKeys = takeKeys()
        let now = Clock.now()
        for message in link.advance(at: now) { dispatch(.link(message)) }
        if now - lastTick >= ConsoleLoop.tickTime {
            lastTick = now
            dispatch(.tick)
        }
        drawIfNeeded(isPrompted: hadKeys)
    }

    private func takeKeys() -> Bool {
        var hadKeys = false
        // What is left after one batch is in ncurses' own buffer, where poll cannot see it.
        for _ in 0..<8 {
            guard let raw = screen.readKeys() else {
                exitCode = exitCode ?? 1
                return hadKeys
            }
            guard !raw.isEmpty else { break }
            hadKeys = true
            lastKey = Clock.now()
            let keys = decoder.decode(raw, at: lastKey)
            if !keys.isEmpty { dispatch(.keys(keys)) }
        }
        return hadKeys
    }

    private func dispatch(_ event: Event) {
        perform(app.handle(event, now: Clock.now(), clock: Clock.wall()))
    }

    private func handle(_ told: TerminalGuard.Told) {
        switch told {
        case .resized: dispatch(.resize(screen.resized()))
        case .stop: suspend()
        case .continued:
            screen.resume()
            dispatch(.resize(screen.size))
        case .end:
            // 128 + n is the shell's word for it; the guard ends us by the signal itself.
            exitCode = 1
        }
    }

    private func suspend() {
        guard maySuspend else { return }
        screen.suspend()
        dispatch(.resize(screen.size))
        drawIfNeeded(isPrompted: true)
    }

    // MARK: Effects

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .send(let id, let frame, let lane): link.send(id, frame: frame, lane: lane)
            case .file(let id, let request): dispatch(.link(.file(id, FileWork.perform(request))))
            case .cancel(let id): link.cancel(id)
            case .exit(let code): exitCode = code
            case .suspend: suspend()
            case .redraw:
                screen.forget()
                dispatch(.resize(screen.size))
            case .copy(let text): screen.copy(text)
            case .saveDraft(let text): drafts?.save(text)
            }
        }
    }

    // MARK: Frames

    private func drawIfNeeded(isPrompted: Bool) {
        guard app.needsFrame, exitCode == nil else { return }
        let now = Clock.now()
        if !isPrompted, now - lastFrame < FrameBudget.frameTime {
            frameDue = lastFrame + FrameBudget.frameTime
            return
        }
        let (buffer, effects) = app.frame()
        perform(effects)
        frameDue = nil
        let difference = screen.difference(to: buffer, theme: app.theme)
        guard !difference.isEmpty else { return }
        let isFree = isPrompted || now - lastKey < FrameBudget.promptedTime || difference.isWhole
        if !isFree {
            let pause = isWritable() ? budget.wait(for: difference.estimatedOctets, at: now) : FrameBudget.frameTime * 4
            if pause > 0 {
                app.postponeFrame()
                frameDue = now + pause
                return
            }
            budget.spend(difference.estimatedOctets, at: now)
        }
        screen.paint(difference, of: buffer, theme: app.theme)
        lastFrame = now
    }

    private func isWritable() -> Bool {
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&output, 1, 0) > 0 && output.revents & Int16(POLLOUT) != 0
    }
}

enum Clock {
    /// Milliseconds, never going back.
    static func now() -> Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    static func wall() -> WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var seconds = time.tv_sec
        var parts = tm()
        localtime_r(&seconds, &parts)
        return WallClock(
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec),
            unixMilliseconds: time.tv_sec * 1_000 + time.tv_nsec / 1_000_000)
    }
}
