import Testing

@testable import ConsoleCore

@Suite struct WidgetTests {
    private func draw(_ widget: some Widget, _ columns: Int, _ rows: Int = 1) -> Buffer {
        var widget = widget
        let buffer = Buffer(size: Size(columns: columns, rows: rows), look: Look())
        widget.draw(in: buffer.whole, focused: true)
        return buffer
    }

    @discardableResult
    private func type(_ text: String, into field: inout TextField) -> [Reaction] {
        text.map { field.handle(.character($0)) }
    }

    @Test("Japanese is edited by characters, shown by cells, and never cut in half")
    func japaneseField() {
        var field = TextField(width: 11)
        type("メールボックス", into: &field)
        #expect(field.text == "メールボックス")
        for keys in [[Key.backspace, .backspace], [.left, .delete], [.home, .right, .character("x")]] {
            for key in keys { _ = field.handle(key) }
        }
        #expect(field.text == "メxールボ")
        let picture = draw(field, 13)
        #expect(picture.text == "[メxールボ  ]\n")
        #expect(picture.cursor == Point(x: 4, y: 0))
    }

    @Test("a long text scrolls with the caret", arguments: 2...12)
    func scrolling(_ width: Int) {
        var field = TextField(width: width)
        type("設定ファイルabcメール設定", into: &field)
        for _ in 0..<20 {
            let picture = draw(field, width + 2)
            #expect(picture.cursor.x >= 1 && picture.cursor.x <= width)
            #expect(picture[0, 0].grapheme == "[" && picture[width + 1, 0].grapheme == "]")
            _ = field.handle(.left)
        }
        #expect(draw(field, width + 2).cursor.x == 1)
    }

    @Test("a mark typed after its base joins it")
    func combining() {
        var field = TextField()
        type("e\u{301}", into: &field)
        _ = field.handle(.character("か"))
        _ = field.handle(.character("\u{3099}"))
        #expect(field.line.characters.count == 2)
        _ = field.handle(.backspace)
        #expect(field.line.characters.count == 1)
    }

    @Test("the editing keys")
    func editing() {
        var field = TextField("one two three")
        for key in [Key.control("w"), .control("a"), .control("d")] { _ = field.handle(key) }
        #expect(field.text == "ne two ")
        _ = field.handle(.control("k"))
        #expect(field.text.isEmpty)
        #expect(field.handle(.control("x")) == .changed)
        #expect(field.text == "one two three")
        _ = field.handle(.control("u"))
        #expect(field.text.isEmpty)
        _ = field.handle(.control("v"))
        #expect(field.takesNextKey)
        _ = field.handle(.tab)
        #expect(field.text == "\t")
        #expect(draw(field, 6).text == "[^I  ]\n")
    }

    @Test("only what can never be right is refused while typing")
    func kinds() {
        var number = TextField(kind: .number(1...65_535))
        #expect(type("99a", into: &number).last != .changed)
        #expect(number.text == "99")
        type("999", into: &number)
        #expect(
            number.problem
                == Phrase(
                    "{value} is too large; use {low} to {high}.", ["value": "99999", "low": "1", "high": "65535"]))
        var bytes = TextField("4294967296", kind: .bytes, width: 12)
        #expect(draw(bytes, 30).text.contains("= 4.0 GB"))
        #expect(bytes.handle(.character("x")) != .changed)
        var password = TextField("secret", kind: .password, width: 8)
        #expect(draw(password, 12).text == "[******  ]\n")
        _ = password.handle(.character("é"))
        #expect(password.text == "secreté")
        var short = TextField(limit: 2)
        #expect(
            type("abc", into: &short).last
                == .refused(
                    Phrase("No more than {limit} characters fit here.", ["limit": "2"])))
    }

    @Test("Down offers values, Enter takes one, Esc leaves the text alone")
    func suggestions() {
        var field = TextField(suggestions: ["192.168.0.1", "192.168.0.4"])
        #expect(field.handle(.down) == .handled)
        #expect(field.hasPopup)
        _ = field.handle(.down)
        #expect(field.handle(.enter) == .changed)
        #expect(field.text == "192.168.0.4")
        _ = field.handle(.control("u"))
        _ = field.handle(.down)
        _ = field.handle(.escape)
        #expect(field.text.isEmpty && !field.hasPopup)
        #expect(field.handle(.escape) == .ignored)
    }

    @Test("a paste of several lines is one line in a field")
    func pasteIntoField() {
        var field = TextField()
        _ = field.handle(.paste("a\nb"))
        #expect(field.text == "a b")
    }

    @Test func choices() {
        var check = CheckBox("x")
        #expect(check.handle(.character(" ")) == .changed)
        #expect(check.isOn)
        var radio = RadioGroup([Option("a", "A"), Option("b", "B")], selected: "a")
        #expect(radio.handle(.right) == .changed)
        #expect(radio.selected == "b")
        #expect(radio.handle(.right) == .ignored)
        var select = Select([Option("plain", "Plain"), Option("hash", "Hashed")], selected: "plain")
        _ = select.handle(.enter)
        #expect(select.hasPopup)
        _ = select.handle(.character("h"))
        #expect(select.handle(.enter) == .changed)
        #expect(select.selected == "hash")
    }

    @Test("a dangerous button is pressed by its letter only")
    func letterOnly() {
        var row = ButtonRow([
            .init("keep", "Keep"), .init("go", "Stop it", letter: "s", isLetterOnly: true),
            .init("off", "Off", off: "Not now."),
        ])
        _ = row.handle(.right)
        #expect(row.handle(.enter) == .refused(Phrase("Press {letter} to do it.", ["letter": "S"])))
        #expect(row.handle(.character("S")) == .activated)
        #expect(row.pressed == "go")
        _ = row.handle(.right)
        #expect(row.handle(.enter) == .refused("Not now."))
    }

    @Test("buttons that do not fit show the one with the focus", arguments: [8, 14, 20, 40, 80])
    func buttonsFit(_ width: Int) {
        var row = ButtonRow([
            .init("ok", "OK"), .init("cancel", "Cancel"), .init("apply", "Apply"), .init("help", "Help"),
        ])
        for _ in 0..<4 {
            let picture = draw(row, width)
            #expect(picture.text.contains("[ "))
            #expect(picture.cursor.x < width)
            _ = row.handle(.right)
        }
        #expect(draw(row, width).text.contains(width > 9 ? "Help" : "Hel"))
    }

    @Test("a list takes, changes, moves and drops values")
    func listEditor() {
        var list = ListEditor(["192.168.1.4"], kind: .ipAddress, maximum: 3)
        _ = list.handle(.character("a"))
        for character in "192.168.1.5" { _ = list.handle(.character(character)) }
        #expect(list.handle(.enter) == .changed)
        #expect(list.values == ["192.168.1.4", "192.168.1.5"])
        for character in "192.168.1.4" { _ = list.handle(.character(character)) }
        #expect(list.handle(.enter) == .refused(Phrase("{value} is already in the list.", ["value": "192.168.1.4"])))
        _ = list.handle(.control("u"))
        #expect(list.handle(.paste("10.0.0.1\n192.168.1.4\n10.0.0.2\n")) == .changed)
        #expect(list.values == ["192.168.1.4", "192.168.1.5", "10.0.0.1"])
        _ = list.handle(.up)
        #expect(list.handle(.character("J")) == .changed)
        #expect(list.values.first == "192.168.1.5")
        #expect(list.handle(.character("d")) == .changed)
        #expect(list.values == ["192.168.1.5", "10.0.0.1"])
    }

    @Test("a tree opens, closes and asks for children")
    func tree() {
        var tree = Tree([
            .init("a", "A", children: [.init("b", "B"), .init("c", "C", children: [], isLoaded: false)], isOpen: true)
        ])
        _ = tree.handle(.down)
        _ = tree.handle(.down)
        #expect(tree.current?.id == "c")
        #expect(tree.handle(.right) == .command("expand"))
        tree.setChildren(of: "c", [.init("d", "D")])
        #expect(tree.handle(.right) == .changed)
        #expect(tree.current?.id == "d")
        #expect(tree.handle(.left) == .changed)
        #expect(tree.current?.id == "c")
        _ = tree.handle(.left)
        #expect(tree.handle(.right) == .handled)
        _ = tree.handle(.home)
        _ = tree.handle(.left)
        #expect(tree.handle(.left) == .ignored)
    }

    @Test("the editor: undo by steps, kill and yank, find, marks")
    func textArea() {
        var area = TextArea("one\ntwo\nthree")
        for key in [Key.character("a"), .character("b"), .enter, .character("c")] { _ = area.handle(key) }
        #expect(area.text == "ab\ncone\ntwo\nthree")
        _ = area.handle(.control("x"))
        _ = area.handle(.control("x"))
        #expect(area.text == "abone\ntwo\nthree")
        _ = area.handle(.home)
        for _ in 0..<3 { _ = area.handle(.control("k")) }
        #expect(area.text == "\nthree")
        _ = area.handle(.control("y"))
        #expect(area.text == "abone\ntwo\nthree")
        _ = area.handle(.control("f"))
        for character in "THREE" { _ = area.handle(.character(character)) }
        _ = area.handle(.enter)
        #expect(area.caret.line == 2)
        area.tabRefusal = "No tabs here."
        _ = area.handle(.control("v"))
        #expect(area.handle(.tab) == .refused("No tabs here."))
        area.problems = [2: "bad"]
        #expect(area.currentProblem == "bad")
        #expect(draw(area, 30, 3).text.contains("! 3 three"))
    }

    @Test("a log follows, pauses, searches and stays small")
    func log() {
        var log = LogView()
        log.append((0..<3_000).map { .init(id: $0, text: "line \($0)\u{1B}[2J") })
        #expect(log.lines.count == LogView.keptLines)
        #expect(log.current?.id == 2_999)
        #expect(log.current?.text == "line 2999^[[2J")
        _ = log.handle(.up)
        log.append([.init(id: 3_000, text: "x")])
        #expect(log.current?.id == 2_998)
        _ = log.handle(.character("/"))
        for character in "line 2500" { _ = log.handle(.character(character)) }
        _ = log.handle(.enter)
        #expect(log.current?.id == 2_500)
        _ = log.handle(.character("p"))
        log.append([.init(id: 3_001, text: "y")])
        #expect(log.waitingCount == 1)
        _ = log.handle(.end)
        #expect(log.current?.id == 3_001)
    }

    @Test("the smallest value above zero is seen")
    func sparkline() {
        #expect(draw(Sparkline([0, 1, 500, 1_000], width: 6), 6).text == "   .-#\n")
    }
}

@Suite struct TableTests {
    private func table(_ features: Table.Features = [.filter, .mark, .sort]) -> Table {
        Table(
            [
                TableColumn("id", "Id", minimum: 8, maximum: 9, priority: 90, sortLetter: "i"),
                TableColumn("from", "From", minimum: 10, priority: 80),
                TableColumn("size", "Size", minimum: 5, maximum: 7, priority: 20, align: .right, sortLetter: "s"),
            ], features: features)
    }

    private func draw(_ table: inout Table, _ columns: Int = 60, _ rows: Int = 12) -> String {
        let buffer = Buffer(size: Size(columns: columns, rows: rows), look: Look())
        table.draw(in: buffer.whole, focused: true)
        return buffer.text
    }

    private func feed(_ table: inout Table, total: Int = FakeRows.count) {
        while let request = table.windowWanted() { table.supply(FakeRows.answer(request, total: total)) }
    }

    @Test("100,000 rows: a key never waits, and the window follows")
    func virtual() {
        var table = table()
        #expect(draw(&table).contains("..."))
        feed(&table)
        _ = draw(&table)
        #expect(table.current?.id == "q1000000")
        _ = table.handle(.end)
        #expect(draw(&table).contains("..."))
        #expect(table.current == nil)
        feed(&table)
        #expect(table.current?.id == "q1099999")
        #expect(draw(&table).contains("q1099999"))
        for _ in 0..<50 {
            _ = table.handle(.pageUp)
            _ = draw(&table)
            feed(&table)
        }
        #expect(table.current != nil)
        #expect(table.window.count <= 1_000)
    }

    @Test("a key on 100,000 rows takes under a millisecond")
    func speed() {
        var table = table()
        _ = draw(&table)
        feed(&table)
        let clock = ContinuousClock()
        var times: [Duration] = []
        for key in Array(repeating: Key.down, count: 200) + Array(repeating: Key.pageDown, count: 200) {
            times.append(clock.measure { _ = table.handle(key) })
            _ = draw(&table)
            feed(&table)
        }
        times.sort()
        #expect(times[times.count * 95 / 100] < .milliseconds(1))
    }

    @Test("the cursor stays on its row when rows come and go")
    func stickyCursor() {
        var table = table()
        let rows = (0..<30).map { TableRow(id: "r\($0)", cells: ["r\($0)"]) }
        table.setRows(rows)
        _ = draw(&table)
        for _ in 0..<5 { _ = table.handle(.down) }
        table.setRows([TableRow(id: "new", cells: ["new"])] + rows)
        #expect(table.current?.id == "r5")
        table.setRows(Array(rows.dropFirst(3)))
        #expect(table.current?.id == "r5")
        table.setRows(rows.filter { $0.id != "r5" })
        #expect(table.current != nil)
        table.setRows([])
        #expect(table.current == nil)
    }

    @Test("on the server's rows too, by the place that the answer tells")
    func stickyCursorRemote() {
        var table = table()
        _ = draw(&table)
        feed(&table)
        for _ in 0..<7 { _ = table.handle(.down) }
        let id = table.cursorID
        table.invalidate()
        guard let request = table.windowWanted() else {
            Issue.record("no request")
            return
        }
        #expect(request.locate == id)
        // Three rows came in front of it.
        var answer = FakeRows.answer(request)
        answer.rows.insert(contentsOf: (0..<3).map { TableRow(id: "n\($0)", cells: []) }, at: 0)
        answer.position = 10
        table.supply(answer)
        #expect(table.cursorID == id)
        #expect(table.cursor == 10)
    }

    @Test("an answer to an older question is dropped")
    func generations() {
        var table = table()
        _ = draw(&table)
        guard let old = table.windowWanted() else { return }
        _ = table.handle(.character("/"))
        for character in "q1" { _ = table.handle(.character(character)) }
        table.supply(FakeRows.answer(old))
        #expect(table.total == 0)
        let new = table.windowWanted()
        #expect(new?.filter == "q1")
        _ = table.handle(.escape)
        #expect(table.filter.isEmpty)
    }

    @Test("nothing moves while frozen")
    func frozen() {
        var table = table()
        table.setRows([TableRow(id: "a", cells: ["a"])])
        table.isFrozen = true
        table.supply(RowWindow(generation: table.generation, offset: 0, rows: [], total: 0))
        #expect(table.total == 1)
        table.isFrozen = false
        #expect(table.total == 0)
    }

    @Test("numbers from a broken server cannot trap")
    func absurdNumbers() {
        var table = table()
        _ = draw(&table)
        _ = table.windowWanted()
        for number in [Int.max, Int.min, -1] {
            table.supply(
                RowWindow(generation: table.generation, offset: number, rows: [], total: number, position: number))
            for key in [Key.end, .pageDown, .down, .up, .pageUp, .home] { _ = table.handle(key) }
            _ = draw(&table)
            _ = table.windowWanted()
        }
        #expect(table.total == 0)
        #expect(Bytes.parse("8388607.9T") == nil || Bytes.parse("8388607.9T") ?? 0 > 0)
    }

    @Test("filter, sort and marks of rows of the page itself")
    func local() {
        var table = table()
        table.setRows([("b", "2"), ("a", "10"), ("c", "1")].map { TableRow(id: $0.0, cells: [$0.0, "x", $0.1]) })
        _ = table.handle(.character("s"))
        _ = table.handle(.character("s"))
        #expect(table.window.map(\.id) == ["c", "b", "a"])
        _ = table.handle(.character("s"))
        _ = table.handle(.character("s"))
        #expect(table.window.map(\.id) == ["a", "b", "c"])
        #expect(table.handle(.character("s")) == .handled)
        #expect(
            table.handle(.character("z")) == .refused(Phrase("No column is sorted by \"{letter}\".", ["letter": "z"])))
        _ = table.handle(.home)
        #expect(table.handle(.character(" ")) == .changed)
        #expect(table.chosen == ["a"])
        _ = table.handle(.character("*"))
        #expect(table.chosen == ["a", "b", "c"])
        _ = table.handle(.character("_"))
        _ = table.handle(.character("/"))
        _ = table.handle(.character("c"))
        #expect(table.window.map(\.id) == ["c"])
    }

    @Test("columns go by priority when the width is small", arguments: [12, 20, 30, 60, 200])
    func columns(_ width: Int) {
        var table = table()
        table.setRows([TableRow(id: "q", cells: ["q1234567", "利用者@example.jp", "12 k"])])
        let text = draw(&table, width, 6)
        #expect(text.contains("Id"))
        #expect(text.contains("Size") == (width >= 28))
        #expect(text.contains("From") == (width >= 22))
    }
}
