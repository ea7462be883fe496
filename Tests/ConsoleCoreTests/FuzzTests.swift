import Testing

@testable import ConsoleCore

@Suite struct FuzzTests {
    private static let letters: [Character] = Array(
        "abdeghjklmnprstuxyzAKJNU?/:*_-+ []0123456789設メ①○─\u{301}\u{200D}👨\u{202E}")
    private static let plain: [Key] = [
        .enter, .tab, .backTab, .escape, .backspace, .delete, .insert, .up, .down, .left, .right, .home, .end, .pageUp,
        .pageDown, .function(1), .function(5), .function(63), .unknown(999), .control("a"), .control("c"),
        .control("d"),
        .control("g"), .control("k"), .control("n"), .control("o"), .control("p"), .control("r"), .control("u"),
        .control("v"), .control("w"), .control("x"), .control("y"), .control("f"), .control("l"), .control("@"),
    ]

    private static func key(_ random: inout Seeded) -> Key {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: plain[Int.random(in: 0..<plain.count, using: &random)]
        case 5..<8: .character(letters[Int.random(in: 0..<letters.count, using: &random)])
        case 8: .alt(.character(letters[Int.random(in: 0..<letters.count, using: &random)]))
        default: .paste("10.0.0.\(Int.random(in: 0...9, using: &random))\nx\u{1B}[2J\n設定\u{0}")
        }
    }

    private static func isDrawable(_ cell: Cell) -> Bool {
        cell.grapheme.unicodeScalars.allSatisfy { !TextMetrics.isDangerous($0) }
    }

    /// No event may trap, put a control character into a cell, cut a wide character or lose the cursor.
    @Test("random events", arguments: 0..<20)
    func events(_ seed: Int) {
        var random = Seeded(UInt64(1_000 + seed))
        var app = Demo.app(language: seed % 2 == 0 ? .english : .japanese)
        var now = 0
        let clock = WallClock(hour: 1, minute: 2)
        for step in 0..<5_000 {
            now += Int.random(in: 0...400, using: &random)
            switch Int.random(in: 0..<40, using: &random) {
            case 0:
                let size = Size(
                    columns: Int.random(in: 1...140, using: &random), rows: Int.random(in: 1...50, using: &random))
                _ = app.handle(.resize(size), now: now, clock: clock)
            case 1: _ = app.handle(.tick, now: now, clock: clock)
            case 2:
                let message: LinkMessage = Bool.random(using: &random) ? .connected : .lost(.connectionLost(path: "x"))
                _ = app.handle(.link(message), now: now, clock: clock)
            default:
                let keys = (0..<Int.random(in: 1...4, using: &random)).map { _ in FuzzTests.key(&random) }
                _ = app.handle(.keys(keys), now: now, clock: clock)
            }
            guard step % 10 == 0 else { continue }
            check(app.frame().buffer)
        }
    }

    private func check(_ buffer: Buffer) {
        let size = buffer.size
        #expect(
            buffer.cursor.x >= 0 && buffer.cursor.x < size.columns && buffer.cursor.y >= 0
                && buffer.cursor.y < size.rows)
        var isSound = true
        for y in 0..<size.rows {
            for x in 0..<size.columns {
                let cell = buffer[x, y]
                if !FuzzTests.isDrawable(cell) { isSound = false }
                if cell.width == 2, x + 1 >= size.columns || buffer[x + 1, y].width != 0 { isSound = false }
                if cell.width == 0, x == 0 || buffer[x - 1, y].width != 2 { isSound = false }
            }
        }
        #expect(isSound)
    }

    @Test("random bursts of raw keys are decoded without a trap, whatever the split", arguments: 0..<20)
    func decoder(_ seed: Int) {
        var random = Seeded(UInt64(seed))
        let pieces: [RawKey] = [
            .scalar("\u{1B}"), .scalar("["), .scalar("O"), .scalar("1"), .scalar(";"), .scalar("R"), .scalar("~"),
            .scalar("A"),
            .scalar("x"), .scalar("\t"), .key(.up), .key(.escape), .pasteBegin, .pasteEnd, .scalar("\u{0}"),
            .scalar("設"),
        ]
        var decoder = KeyDecoder()
        for _ in 0..<2_000 {
            let burst = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
            _ = decoder.decode(burst, at: Int.random(in: 0...10, using: &random))
        }
        #expect(decoder.decode([.pasteEnd, .scalar("q")], at: 1_000).last == .character("q"))
    }
}
