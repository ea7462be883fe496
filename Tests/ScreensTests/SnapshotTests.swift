import Control
import Glibc
import Testing

@testable import ConsoleCore

/// Each screen as text, in both languages and four sizes, against the files in Tests/Fixtures/Screens.
/// `EPOST_RECORD_SCREENS=1` writes them anew; they are reviewed like code.
struct SnapshotTests {
    static let sizes = [(80, 24), (50, 16), (40, 12), (132, 43)]
    static let languages: [ConsoleCore.Language] = [.english, .japanese]
    static let scenes: [String] = Scene.all.keys.sorted()

    @Test(arguments: scenes)
    func looksAsRecorded(scene: String) throws {
        let make = try #require(Scene.all[scene])
        for language in Self.languages {
            for (columns, rows) in Self.sizes {
                var driver = make(language, columns, rows)
                let buffer = driver.app.frame().buffer
                let name = "\(scene).\(language.rawValue).\(columns)x\(rows)"
                Self.lint(buffer, name)
                Self.compare(buffer.snapshot, name)
            }
        }
    }

    /// No character of uncertain width, no control character, the cursor on the screen.
    static func lint(_ buffer: Buffer, _ name: String) {
        for y in 0..<buffer.size.rows {
            for x in 0..<buffer.size.columns {
                let cell = buffer[x, y]
                guard cell.width > 0 else { continue }
                for scalar in cell.grapheme.unicodeScalars {
                    #expect(scalar.value >= 0x20 && scalar.value != 0x7F, "\(name): control character at \(x),\(y)")
                }
                #expect(
                    !WidthTable.contains(WidthTable.ambiguous, cell.grapheme.unicodeScalars.first?.value ?? 0),
                    "\(name): ambiguous width at \(x),\(y)")
            }
        }
        #expect((0..<buffer.size.columns).contains(buffer.cursor.x) && (0..<buffer.size.rows).contains(buffer.cursor.y))
    }

    static func compare(_ text: String, _ name: String) {
        let folder = Driver.repository + "/Tests/Fixtures/Screens"
        let path = "\(folder)/\(name).txt"
        if getenv("EPOST_RECORD_SCREENS") != nil {
            mkdir(folder, 0o755)
            Files.write(text, to: path)
        }
        #expect(Files.read(path) == text, "\(name) differs from its file; look at it, then EPOST_RECORD_SCREENS=1")
    }
}

enum Files {
    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            octets += chunk[..<count]
        }
        return String(decoding: octets, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        let octets = Array(text.utf8)
        fwrite(octets, 1, octets.count, file)
    }
}
