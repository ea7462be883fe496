import Control
import Testing

@testable import ConsoleCore

/// Random keys, sizes, pushes and lost connections over the whole console: no trap, no control character in any cell,
/// the cursor always on the screen.
struct FuzzTests {
    @Test(arguments: 0..<8)
    func survivesRandomEvents(seed: Int) {
        var random = Seeded(UInt64(seed + 100))
        var server = FakeServer()
        server.accountCount = 5_000
        server.hello.isConfigured = seed % 4 != 3
        var driver = Driver(seed % 2 == 0 ? .english : .japanese, server: server)
        for step in 0..<1_500 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<88: driver.send(.keys([Self.key(&random)]))
            case 88..<91:
                let size = Size(
                    columns: Int.random(in: 1...140, using: &random), rows: Int.random(in: 1...50, using: &random))
                driver.send(.resize(size))
            case 91..<94: driver.other("server.smtp_gateway", ["gw\(step).example.jp"])
            case 94..<96: driver.lose()
            case 96..<98: if !driver.context.isConnected { driver.connect() }
            default: driver.wait(Int.random(in: 0...20_000, using: &random))
            }
            if step % 10 == 0 { check(&driver, step) }
        }
    }

    private func check(_ driver: inout Driver, _ step: Int) {
        let buffer = driver.app.frame().buffer
        #expect((0..<buffer.size.columns).contains(buffer.cursor.x) && (0..<buffer.size.rows).contains(buffer.cursor.y))
        let bad = buffer.cells.contains { cell in
            cell.grapheme.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        }
        #expect(!bad, "control character after step \(step)")
    }

    private static let special: [Key] = [
        .enter, .tab, .backTab, .escape, .backspace, .delete, .up, .down, .left, .right, .home, .end, .pageUp,
        .pageDown,
        .function(1), .control("g"), .control("n"), .control("p"), .control("r"), .control("o"), .control("u"),
        .alt(.character("a")), .alt(.character("m")), .alt(.character("c")), .alt(.character("4")), .alt(.right),
        .paste("a\nb\u{1B}[2J"), .character("あ"), .character("\u{301}"), .character("→"), .unknown(7),
    ]

    private static func key(_ random: inout Seeded) -> Key {
        if Int.random(in: 0..<10, using: &random) < 6 { return special.randomElement(using: &random) ?? .tab }
        let letters = Array("abcdefghijklmnopqrstuvwxyzADGJKU0123456789 /?.:@*-_")
        return .character(letters.randomElement(using: &random) ?? "x")
    }
}
