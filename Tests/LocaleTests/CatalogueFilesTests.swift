import ConsoleCore
import Testing

@testable import Locale

/// The catalogues themselves: complete, the same places in both, and nothing that draws with uncertain width.
struct CatalogueFilesTests {
    private static let repository: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + parts.dropLast(3).joined(separator: "/")
    }()

    private static func texts(_ language: Locale.Language) throws -> [String: String] {
        let path = repository + "/assets/locale/\(language.rawValue).po"
        let octets = try #require(CatalogueFiles.contents(of: path))
        return try Catalogue(language: language, po: octets).texts
    }

    @Test func bothHaveTheSameKeys() throws {
        let english = try Set(Self.texts(.english).keys)
        let japanese = try Set(Self.texts(.japanese).keys)
        #expect(english.subtracting(japanese).sorted() == [], "missing in Japanese")
        #expect(japanese.subtracting(english).sorted() == [], "missing in English")
    }

    @Test func bothHaveTheSamePlaces() throws {
        let english = try Self.texts(.english)
        let japanese = try Self.texts(.japanese)
        for (key, text) in english {
            #expect(Self.places(text) == Self.places(japanese[key] ?? ""), "\(key)")
        }
    }

    private static func places(_ text: String) -> [String] {
        var found: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            found.append(String(rest[open...close]))
            rest = rest[rest.index(after: close)...]
        }
        return Array(Set(found)).sorted()
    }

    /// Characters whose width depends on the terminal break Japanese screens: none may be in a text (the metrics would
    /// put a stand-in there).
    @Test(arguments: Locale.Language.allCases)
    func noAmbiguousWidths(language: Locale.Language) throws {
        let metrics = TextMetrics(ambiguousIsNarrow: false)
        for (key, text) in try Self.texts(language) {
            for character in text where character != "\n" {
                #expect(metrics.replacement(for: character) == nil, "\(key): \(character)")
            }
        }
    }

    /// Where a text has one line of 78 columns, or less, to itself.
    @Test(arguments: Locale.Language.allCases)
    func textsFitTheirPlaces(language: Locale.Language) throws {
        let metrics = TextMetrics(ambiguousIsNarrow: false)
        let limits: [(prefix: String, suffix: String, cells: Int)] = [
            ("setting.", ".help", 78), ("setting.", ".label", 60), ("tab.", "", 10), ("wizard.tab.", "", 12),
            ("button.", "", 24), ("bar.", "", 16), ("service.state.", "", 14), ("queue.state.", "", 9),
        ]
        for (key, text) in try Self.texts(language) {
            for limit in limits where key.hasPrefix(limit.prefix) && key.hasSuffix(limit.suffix) {
                if key == "tab.accounts" { continue }  // shown in no tab bar
                #expect(metrics.width(text) <= limit.cells, "\(key)")
            }
        }
    }

    /// The bar of the eleven tabs of Mail Control in 80 columns (console.md 5).
    @Test(arguments: Locale.Language.allCases)
    func tabBarFits(language: Locale.Language) throws {
        let texts = try Self.texts(language)
        let metrics = TextMetrics(ambiguousIsNarrow: false)
        let names = [
            "server", "ssl", "domain", "service", "relay", "alias", "lists", "logs", "filter", "virus", "about",
        ]
        let width = names.reduce(1) { $0 + metrics.width(texts["tab.\($1)"] ?? "") + 2 }
        #expect(width <= 80)
    }
}
