import Testing

@testable import ConsoleCore

@Suite struct TextTests {
    private let safe = TextMetrics()
    private let narrow = TextMetrics(ambiguousIsNarrow: true)

    @Test(
        "cells of a text",
        arguments: [
            ("abc", 3), ("メール", 6), ("ﾒｰﾙ", 3), ("Ｘ〇", 4), ("e\u{301}", 1), ("か\u{3099}", 2), ("👨‍👩‍👧", 2), ("🇯🇵", 2),
            ("👍🏽", 2),
            ("한글", 4), ("①", 3), ("→", 2), ("○", 2), ("─", 1), ("…", 3), ("ア", 2), ("", 0),
        ])
    func width(_ text: String, _ cells: Int) {
        #expect(safe.width(text) == cells)
    }

    @Test("ambiguous characters stay themselves where the terminal proved them narrow")
    func narrowAmbiguous() {
        #expect(narrow.width("─○→①") == 4)
        #expect(narrow.replacement(for: "○") == nil)
        #expect(safe.replacement(for: "○") == "〇")
        #expect(safe.replacement(for: "Ω") == "?")
    }

    @Test("clipping never leaves half a character, and padding follows it", arguments: 0...12)
    func clip(_ width: Int) {
        let text = "a設定bメール"
        let clipped = safe.clip(text, to: width)
        #expect(safe.width(clipped) <= width)
        #expect(safe.width(clipped) >= min(width - 1, safe.width(text)))
        #expect(safe.width(safe.fit(text, to: width)) == width)
        #expect(safe.width(safe.fit(text, to: width, align: .right)) == width)
    }

    @Test("hostile text becomes visible")
    func visible() {
        #expect(Visible.line("x\u{1B}[2J") == "x^[[2J")
        #expect(Visible.line("a\r\nb") == "a^M^Jb")
        #expect(Visible.line("\u{202E}gpj") == "<U+202E>gpj")
        #expect(Visible.line("\u{9B}2J\u{7F}\u{2028}") == "<U+009B>2J^?<U+2028>")
        #expect(Visible.line("見積書") == "見積書")
        #expect(Visible.lines("a\tb\r\nc") == ["a       b", "c"])
    }

    @Test("lines break at spaces, Japanese between characters")
    func wrap() {
        #expect(safe.wrap("one two three", to: 7) == ["one two", "three"])
        #expect(safe.wrap("管理するドメイン", to: 6) == ["管理す", "るドメ", "イン"])
        #expect(safe.wrap("OK を押すと、閉じます。", to: 12) == ["OK を押す", "と、閉じま", "す。"])
        #expect(safe.wrap("IMS.CTL が変更されました", to: 12) == ["IMS.CTL が変", "更されました"])
        #expect(safe.wrap("名前(a@b.example)", to: 10) == ["名前", "(a@b.examp", "le)"])
        #expect(safe.wrap("abcdefgh", to: 3) == ["abc", "def", "gh"])
        #expect(safe.wrap("a\n\nb", to: 5) == ["a", "", "b"])
        #expect(safe.wrap("語", to: 1) == ["語"])
    }

    @Test("places are filled once, values are not looked at again")
    func places() {
        let say: any Localizer = English()
        #expect(say(Phrase("{a} of {b}", ["a": "{b}", "b": "2"])) == "{b} of 2")
        #expect(say(Phrase("{unknown} {a", ["a": "1"])) == "{unknown} {a")
        #expect(say(.verbatim("{a}")) == "{a}")
        #expect(say(Phrase(code: "setting.x", english: "{0} is bad.", arguments: ["7"])) == "7 is bad.")
    }

    @Test(
        "sizes for people and back",
        arguments: [
            ("4294967296", 4_294_967_296), ("4G", 4_294_967_296), ("1.5 MB", 1_572_864), ("10kb", 10_240), ("0", 0),
        ])
    func bytes(_ text: String, _ octets: Int) {
        #expect(Bytes.parse(text) == octets)
    }

    @Test("what is no size is none", arguments: ["", "x", "1.5", "99999999999G", "-1", "1..2M", "1.55M"])
    func noBytes(_ text: String) {
        #expect(Bytes.parse(text) == nil)
    }

    @Test func bytesText() {
        #expect(Bytes.text(4_294_967_296) == "4.0 GB")
        #expect(Bytes.text(1_023) == "1023 B")
        #expect(Bytes.text(1_536) == "1.5 KB")
        #expect(Numbers.grouped(98_412) == "98,412")
        #expect(Numbers.grouped(-1_000) == "-1,000")
    }
}

@Suite struct BufferTests {
    private func buffer(_ columns: Int, _ rows: Int = 1) -> Buffer {
        Buffer(size: Size(columns: columns, rows: rows), look: Look())
    }

    @Test("a wide character at the edge is a space")
    func edge() {
        let screen = buffer(4)
        screen.whole.put("a設定", x: 0, y: 0)
        #expect(screen.text == "a設\n")
        #expect(screen[3, 0] == .blank)
    }

    @Test("overwriting half of a wide character blanks the other half")
    func half() {
        let screen = buffer(4)
        screen.whole.put("設定", x: 0, y: 0)
        screen.whole.put("x", x: 1, y: 0)
        #expect(screen.text == " x定\n")
        screen.whole.put("y", x: 2, y: 0)
        #expect(screen.text == " xy\n")
    }

    @Test("regions clip on all sides")
    func regions() {
        let screen = buffer(6, 3)
        let part = screen.whole.part(x: 2, y: 1, width: 3, height: 1)
        part.put("設abc", x: -1, y: 0)
        part.put("zzz", x: 0, y: 1)
        part.put("zzz", x: 0, y: -1)
        #expect(screen.text == "\n   ab\n\n")
    }

    @Test("no control character gets into a cell")
    func controls() {
        let screen = buffer(20)
        screen.whole.put("a\u{1B}[2J\u{202E}b\u{0}", x: 0, y: 0)
        #expect(screen.text == "a^[[2J<U+202E>b^@\n")
    }

    @Test("only what changed is written")
    func difference() {
        let old = buffer(20, 2)
        let new = buffer(20, 2)
        #expect(FrameDiff(from: old, to: new).isEmpty)
        new.whole.put("メール", x: 5, y: 1, role: .focus)
        let difference = FrameDiff(from: old, to: new)
        #expect(difference.runs.count == 1)
        #expect(difference.runs.first?.x == 5)
        #expect(difference.runs.first?.cells.count == 6)
        #expect(difference.estimatedOctets < 20)
        let third = buffer(20, 2)
        third.whole.put("メxル", x: 5, y: 1, role: .focus)
        // "ー" becomes "x" and the cells after it move by one.
        let second = FrameDiff(from: new, to: third)
        #expect(second.runs.allSatisfy { $0.cells.first?.width != 0 })
    }
}
