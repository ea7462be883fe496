import Glibc
import Testing

@testable import ConsoleCore

/// Frames kept in Tests/Fixtures/Screens, reviewed like code. `EPOST_UPDATE_SCREENS=1` writes them anew.
enum Golden {
    private static var folder: String {
        let here = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/" + here + "/Fixtures/Screens"
    }

    static func check(_ text: String, _ name: String, _ location: SourceLocation = #_sourceLocation) {
        let path = folder + "/" + name + ".screen"
        if getenv("EPOST_UPDATE_SCREENS") != nil {
            mkdir(folder, 0o755)
            write(text, to: path)
        }
        #expect(read(path) == text, "\(name)\n\(text)", sourceLocation: location)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return String(decoding: octets, as: UTF8.self) }
            octets += chunk[..<count]
        }
    }

    private static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        let octets = Array(text.utf8)
        fwrite(octets, 1, octets.count, file)
    }
}

@Suite struct LayoutTests {
    static let sizes = [
        Size(columns: 80, rows: 24), Size(columns: 50, rows: 16), Size(columns: 40, rows: 12),
        Size(columns: 132, rows: 43),
    ]

    @Test("the form page in both languages and all sizes", arguments: sizes, Language.allCases)
    func form(_ size: Size, _ language: Language) {
        var driver = Driver(Demo.app(size: size, language: language))
        driver.slowly(.down)
        Golden.check(driver.snapshot(), "toolkit-form-\(language.rawValue)-\(size.columns)x\(size.rows)")
    }

    @Test("table, tree, editor, log, help and palette at 80x24")
    func pages() {
        var driver = Driver(Demo.app())
        driver.slowly(.alt(.character("3")))
        driver.wait(1_100)
        driver.wait(1_100)
        driver.slowly(.down, .character(" "), .character("/"), .character("q"))
        driver.wait(1_100)
        Golden.check(driver.snapshot(), "toolkit-table-80x24")
        driver.slowly(.enter, .escape, .alt(.character("a")), .right, .down, .right)
        Golden.check(driver.snapshot(), "toolkit-tree-80x24")
        driver.slowly(.alt(.character("c")), .alt(.character("2")), .down)
        Golden.check(driver.snapshot(), "toolkit-editor-80x24")
        driver.slowly(.alt(.character("m")), .alt(.character("3")))
        Golden.check(driver.snapshot(), "toolkit-log-80x24")
        driver.slowly(.character("?"))
        Golden.check(driver.snapshot(), "toolkit-help-80x24")
        driver.slowly(.escape, .control("g"), .character("r"))
        Golden.check(driver.snapshot(), "toolkit-palette-80x24")
    }

    @Test("a confirmation, a menu of values and the lock screen")
    func boxes() {
        var driver = Driver(Demo.app())
        driver.slowly(.down, .down, .character("S"))
        Golden.check(driver.snapshot(), "toolkit-question-80x24")
        driver.slowly(.escape, .down, .tab, .enter)
        Golden.check(driver.snapshot(), "toolkit-select-80x24")
        driver.app.lockNow()
        Golden.check(driver.snapshot(), "toolkit-lock-80x24")
    }

    @Test("resizing there and back gives the same frame")
    func resize() {
        var driver = Driver(Demo.app())
        let before = driver.snapshot()
        var random = Seeded(7)
        for _ in 0..<200 {
            driver.resize(Int.random(in: 20...200, using: &random), Int.random(in: 5...60, using: &random))
            _ = driver.snapshot()
        }
        driver.resize(80, 24)
        #expect(driver.snapshot() == before)
    }

    @Test("buttons, message and keys are there at every size", arguments: sizes)
    func footer(_ size: Size) {
        var driver = Driver(Demo.app(size: size))
        let lines = driver.text().split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[size.rows - 3].contains("[ OK ]"))
        #expect(lines[size.rows - 2].contains("gateway"))
        #expect(lines[size.rows - 1].contains("Help"))
    }

    @Test("no ambiguous character in a frame without proof of its width", arguments: Language.allCases)
    func lint(_ language: Language) {
        var driver = Driver(Demo.app(language: language))
        for key in [
            Key.escape, .character("2"), .control("g"), .escape, .character("?"), .escape, .alt(.character("m")),
        ] {
            driver.slowly(key)
            let text = driver.text()
            let bad = text.filter { character in
                guard let scalar = character.unicodeScalars.first, scalar.value > 0x7F else { return false }
                return WidthTable.contains(WidthTable.ambiguous, scalar.value)
            }
            #expect(bad.isEmpty)
        }
    }

    @Test("the cursor is on the focus: the focused row or item")
    func cursorIsFocus() {
        var driver = Driver(Demo.app())
        for _ in 0..<30 {
            let buffer = driver.app.frame().buffer
            let row = buffer.cursor.y
            let roles = (0..<80).map { buffer[$0, row].role }
            let text = (0..<80).map { String(buffer[$0, row].grapheme) }.joined()
            #expect(roles.contains(.focus) || text.contains(">") || roles.contains(.field), "row \(row)")
            driver.slowly(.tab)
        }
    }
}
