import Testing

@testable import ConsoleCore

@Suite struct KeyTests {
    private func decode(_ text: String) -> [Key] {
        var decoder = KeyDecoder()
        return decoder.decode(text.unicodeScalars.map { .scalar($0) }, at: 0)
    }

    @Test(
        "one burst of scalars",
        arguments: [
            ("a", [Key.character("a")]), ("\u{1B}", [.escape]), ("\u{1B}\u{1B}", [.escape, .escape]),
            ("\u{1B}3", [.alt(.character("3"))]), ("\u{1B}\t", [.backTab]), ("\u{8}\u{7F}", [.backspace, .backspace]),
            ("\r\n\t", [.enter, .enter, .tab]), ("\u{F}", [.control("o")]), ("\u{1C}", [.control("\\")]),
            ("\u{1B}[A", [.up]), ("\u{1B}OB", [.down]), ("\u{1B}[5~", [.pageUp]), ("\u{1B}[15~", [.function(5)]),
            ("\u{1B}[24;80Rx", [.character("x")]), ("\u{1B}[Z", [.backTab]),
            ("設", [.character("設")]),
        ])
    func burst(_ text: String, _ keys: [Key]) {
        #expect(decode(text) == keys)
    }

    @Test("an unknown sequence does not eat what follows")
    func unknownSequence() {
        #expect(decode("\u{1B}[x").first == .alt(.character("[")))
        #expect(decode("\u{1B}[x").count == 2)
        #expect(
            decode("\u{1B}[99~a") == [
                .alt(.character("[")), .character("9"), .character("9"), .character("~"), .character("a"),
            ])
    }

    @Test("marked pastes are text, over several reads, and their keys do nothing")
    func markedPaste() {
        var decoder = KeyDecoder()
        #expect(decoder.decode([.pasteBegin, .scalar("q"), .key(.enter)], at: 0).isEmpty)
        #expect(decoder.isInsidePaste)
        #expect(
            decoder.decode([.scalar("\u{1B}"), .key(.up), .scalar("x"), .pasteEnd, .scalar("y")], at: 900) == [
                .paste("q\n\u{1B}x"), .character("y"),
            ])
    }

    @Test("a burst of different characters is a paste, a key held down is not")
    func unmarkedPaste() {
        #expect(decode("a@example.jp\rb@example.jp\r") == [.paste("a@example.jp\nb@example.jp\n")])
        #expect(decode(String(repeating: "j", count: 40)).count == 40)
        var decoder = KeyDecoder()
        let first = decoder.decode("this is a long pasted line".unicodeScalars.map { .scalar($0) }, at: 100)
        #expect(first.count == 1)
        #expect(decoder.decode("end".unicodeScalars.map { .scalar($0) }, at: 103) == [.paste("end")])
        #expect(decoder.decode("end".unicodeScalars.map { .scalar($0) }, at: 300).count == 3)
    }

    /// console.md 4.2: outside dialogs the pause between Esc and a key never decides the meaning.
    @Test("slow Esc, x and the burst Esc x end in the same state", arguments: 0..<60)
    func confluence(_ seed: Int) {
        var random = Seeded(UInt64(seed))
        var slow = Driver(Demo.app())
        var burst = Driver(Demo.app())
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let key = KeyTests.keys[Int.random(in: 0..<KeyTests.keys.count, using: &random)]
            guard key != .tab else { continue }
            slow.press([key])
            burst.press([key])
            guard slow.app.dialogs.isEmpty else { return }
        }
        let key = KeyTests.keys[Int.random(in: 0..<KeyTests.keys.count, using: &random)]
        guard key != .tab else { return }
        slow.press([.escape])
        let isDialog = !slow.app.dialogs.isEmpty
        if !isDialog { slow.press([key]) }
        burst.press([.alt(key)])
        #expect(slow.snapshot() == burst.snapshot(), "\(key)")
    }

    static let keys: [Key] = [
        .character("1"), .character("3"), .character("a"), .character("c"), .character("?"), .character(":"),
        .character("m"),
        .character("u"), .character(" "), .left, .right, .up, .down, .enter, .tab, .home, .end, .pageDown,
        .control("n"),
        .control("p"), .control("g"), .control("u"), .function(1), .delete, .backspace, .character("/"),
        .character("設"),
    ]

    @Test("Alt keys do nothing in a dialog but say so")
    func altInDialog() {
        var driver = Driver(Demo.app())
        driver.slowly(.tab, .enter)
        #expect(driver.app.dialogs.count == 1)
        driver.slowly(.alt(.character("3")))
        #expect(driver.app.dialogs.count == 1)
        #expect(driver.text().contains("Alt keys do nothing in a dialog"))
    }

    @Test("Esc goes one level up, and down again on Enter")
    func levels() {
        var driver = Driver(Demo.app())
        driver.slowly(.escape)
        #expect(driver.app.level == .tabs)
        driver.slowly(.escape)
        #expect(driver.app.level == .areas)
        driver.slowly(.right)
        #expect(driver.app.area()?.id == "accounts")
        driver.slowly(.enter)
        #expect(driver.app.level == .page)
        driver.slowly(.alt(.character("c")))
        #expect(driver.app.area()?.id == "control")
        driver.slowly(.alt(.character("3")))
        #expect(driver.app.tab()?.id == "domain")
        #expect(driver.app.level == .page)
        driver.slowly(.escape, .escape, .escape)
        #expect(driver.text().contains("Leave the console?"))
        driver.slowly(.enter)
        #expect(driver.app.dialogs.isEmpty)
        driver.slowly(.character("q"), .character("l"))
        #expect(driver.effects.contains(.exit(0)))
    }
}
