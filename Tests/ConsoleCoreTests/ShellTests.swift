import Control
import Testing

@testable import ConsoleCore

@Suite struct ShellTests {
    @Test("typed-ahead keys never answer a question, and Enter never does the harm")
    func typeAhead() {
        var driver = Driver(Demo.app())
        driver.slowly(.escape, .enter, .down, .down)
        // Focus on the check box: letters are commands. The burst goes on after the dialog came up.
        driver.press([.character("S"), .character("s"), .enter])
        #expect(driver.app.dialogs.count == 1)
        driver.now -= 150
        driver.press([.character("s")])
        #expect(driver.app.dialogs.count == 1, "50 ms after it came up a letter does nothing")
        driver.press([.right])
        driver.press([.enter])
        #expect(driver.app.dialogs.count == 1)
        #expect(driver.text().contains("Press S to do it."))
        driver.press([.character("s")])
        #expect(driver.app.dialogs.isEmpty)
        #expect(driver.text().contains("stop go"))
    }

    @Test("the safe button has the focus")
    func safeDefault() {
        var driver = Driver(Demo.app())
        driver.slowly(.down, .down, .character("S"), .enter)
        #expect(driver.app.dialogs.isEmpty)
        #expect(driver.text().contains("stop keep"))
    }

    @Test("what cannot be undone for many asks for a name")
    func typedConfirmation() {
        var question = Question(
            "delete", title: "Delete", lines: ["3 messages go."], danger: .wide, go: "Delete", letter: "d", typed: "3")
        var context = Context()
        #expect(question.form.focus == "typed")
        _ = question.form.setFocus(Form.buttonsID)
        let refused = question.form.handle(.character("d"))
        #expect(refused == [.refused(Phrase("Type {text} first.", ["text": "3"]))])
        _ = question.form.setFocus("typed")
        for event in question.form.handle(.character("3")) ?? [] { question.formEvent(event, &context) }
        _ = question.form.setFocus(Form.buttonsID)
        let pressed = question.form.handle(.character("d"))
        #expect(pressed == [.button("go")])
    }

    @Test("a dialog with something typed asks before it closes")
    func dirtyDialog() {
        var driver = Driver(Demo.app())
        driver.slowly(.tab, .enter, .character("x"), .escape)
        #expect(driver.app.dialogs.count == 2)
        driver.slowly(.enter)
        #expect(driver.app.dialogs.count == 1)
        driver.slowly(.escape, .character("d"))
        #expect(driver.app.dialogs.isEmpty)
    }

    @Test("Ctrl-O presses OK, and the field being typed counts")
    func okKey() {
        var driver = Driver(Demo.app())
        driver.slowly(.tab, .enter, .character("x"), .control("o"))
        #expect(driver.app.dialogs.isEmpty)
        #expect(driver.text().contains("password ok"))
    }

    @Test("leaving a field is announced once and only after a change")
    func leftEvents() {
        var driver = Driver(Demo.app())
        driver.slowly(.down, .down, .up, .character("9"), .down)
        let page = driver.app.screens["server"] as? FormPage
        #expect(page?.events.filter { $0 == .left("gateway") }.count == 1)
        #expect(page?.events.contains(.left("all")) == false)
    }

    @Test("the language changes at once, notices and all")
    func language() {
        var driver = Driver(Demo.app())
        driver.app.run("language")
        #expect(driver.text().contains("[設定]"))
        #expect(driver.text().contains("システム管理パスワード"))
        driver.app.run("language")
        #expect(driver.text().contains("[Control]"))
    }

    @Test("the palette finds pages by either language and goes there")
    func palette() {
        var driver = Driver(Demo.app())
        driver.slowly(.control("g"))
        for character in "relay" { driver.slowly(.character(character)) }
        driver.slowly(.enter)
        #expect(driver.app.tab()?.id == "relay")
        driver.slowly(.control("g"))
        for character in "stop" { driver.slowly(.character(character)) }
        #expect(driver.text().contains("Nothing has this name."))
        driver.slowly(.escape)
        #expect(driver.app.dialogs.isEmpty)
    }

    @Test("help searches and runs")
    func help() {
        var driver = Driver(Demo.app())
        driver.slowly(.down, .down, .character("?"))
        for character in "next tab" { driver.slowly(.character(character)) }
        driver.slowly(.enter)
        #expect(driver.app.tab()?.id == "ssl")
    }

    @Test("information goes after five seconds, an error stays until it can have been read")
    func notices() {
        var board = NoticeBoard()
        let clock = WallClock()
        board.add(Notice(level: .information, text: "a", at: 0, clock: clock))
        let early = board.expire(at: 4_999)
        let late = board.expire(at: 5_000)
        #expect(!early && late)
        board.add(Notice(level: .error, text: "b", at: 6_000, clock: clock))
        board.add(Notice(level: .information, text: "c", at: 6_100, clock: clock))
        #expect(board.shown?.text == "b")
        board.keyPressed(at: 6_500)
        #expect(board.shown?.text == "b")
        board.keyPressed(at: 8_100)
        #expect(board.shown == nil)
        #expect(board.all.count == 3)
    }

    @Test("what came while an error stood there unread follows it: the connection is back")
    func followingNotice() {
        var board = NoticeBoard()
        let clock = WallClock()
        board.add(Notice(level: .error, text: "lost", at: 1_000, clock: clock))
        board.add(Notice(level: .information, text: "back", at: 1_100, clock: clock))
        let early = board.expire(at: 2_999)
        #expect(!early && board.shown?.text == "lost")
        let follows = board.expire(at: 3_000)
        #expect(follows && board.shown?.text == "back")
        let stays = !board.expire(at: 7_999)
        let goes = board.expire(at: 8_000)
        #expect(stays && goes && board.shown == nil)
        // A new error is not followed by older information.
        board.add(Notice(level: .error, text: "a", at: 9_000, clock: clock))
        board.add(Notice(level: .information, text: "b", at: 9_100, clock: clock))
        board.add(Notice(level: .error, text: "c", at: 9_200, clock: clock))
        let changes = board.expire(at: 20_000)
        #expect(!changes && board.shown?.text == "c")
    }

    @Test("the screen locks after 15 minutes and epostd opens it")
    func lock() throws {
        var driver = Driver(Demo.app())
        _ = driver.app.handle(.link(.connected), now: driver.now, clock: WallClock())
        driver.wait(15 * 60_000)
        #expect(driver.app.isLocked)
        let picture = driver.text()
        #expect(picture.contains("Locked after 15 minutes"))
        #expect(!picture.contains("SMTP gateway"))
        for character in "pw" { driver.slowly(.character(character)) }
        driver.effects = []
        driver.slowly(.enter)
        guard case .send(let id, let frame, _)? = driver.effects.first else {
            Issue.record("nothing was sent")
            return
        }
        #expect(String(decoding: frame, as: UTF8.self).contains("org.epost.Server.Unlock"))
        let refused = Varlink.error(ControlError(.refused, code: "lock.wrong", "That is not the password."))
        _ = driver.app.handle(
            .link(.reply(LinkReply(id: id, frame: Array(refused.dropLast())))), now: driver.now, clock: WallClock())
        #expect(driver.text().contains("That is not the password."))
        driver.effects = []
        driver.slowly(.character("x"), .enter)
        guard case .send(let second, _, _)? = driver.effects.last else { return }
        let good = Varlink.reply(Nothing())
        _ = driver.app.handle(
            .link(.reply(LinkReply(id: second, frame: Array(good.dropLast())))), now: driver.now, clock: WallClock())
        #expect(!driver.app.isLocked)
    }

    @Test("answers go to who asked; a lost connection tells everybody who waits")
    func routing() {
        var app = Demo.app()
        app.callScreen(.screen("server")) { _, context in context.send(ServerInterface.GetStatus.self, Nothing()) }
        #expect(app.pending.count == 1)
        _ = app.handle(.link(.lost(.connectionLost(path: "x"))), now: 1, clock: WallClock())
        #expect(app.pending.isEmpty)
        #expect(!app.context.isConnected)
    }

    @Test("frames nobody typed for keep to the budget of the line")
    func budget() {
        var budget = FrameBudget(isSlow: true)
        let fresh = budget.wait(for: 800, at: 0)
        budget.spend(1_000, at: 0)
        let spent = budget.wait(for: 200, at: 0)
        let later = budget.wait(for: 200, at: 1_000)
        let whole = budget.wait(for: 1_000_000, at: 60_000)
        #expect((fresh, spent, later, whole) == (0, 1_000, 0, 0))
    }
}
