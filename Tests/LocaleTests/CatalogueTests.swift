import Testing

@testable import Locale

struct CatalogueTests {
    private func read(_ text: String) throws -> [String: String] {
        try Catalogue(language: .english, po: Array(text.utf8)).texts
    }

    @Test func headerCommentsAndContinuedTexts() throws {
        let texts = try read(
            """
            # a comment
            msgid ""
            msgstr "Content-Type: text/plain; charset=UTF-8\\n"

            #. shown in row 2
            msgid "page.server"
            msgstr "Server settings"

            msgid "two"
            msgstr ""
            "one \\"quoted\\"\\n"
            "two\\\\"
            """)
        #expect(texts == ["page.server": "Server settings", "two": "one \"quoted\"\ntwo\\"])
    }

    @Test func carriageReturnsBeforeLineEnds() throws {
        #expect(try read("msgid \"a\"\r\nmsgstr \"b\"\r\n") == ["a": "b"])
    }

    @Test(
        arguments: [
            ("msgstr \"b\"", CatalogueError.Kind.unexpectedLine, 1),
            ("msgid \"a\"\nmsgid \"b\"\nmsgstr \"c\"", .textMissing, 2),
            ("msgid \"a\"", .textMissing, 1),
            ("msgid \"a\"\nmsgstr \"b", .badString, 2),
            ("msgid \"a\"\nmsgstr \"b\\\"", .badString, 2),
            ("msgid \"a\"\nmsgstr \"b\\x\"", .badString, 2),
            ("msgid \"a\"\nmsgstr \"b\"\nmsgid \"a\"\nmsgstr \"c\"\n", .keyTwice, 4),
            ("msgctxt \"a\"", .unexpectedLine, 1),
        ])
    func refusesBrokenFiles(text: String, kind: CatalogueError.Kind, line: Int) {
        #expect(throws: CatalogueError(kind: kind, line: line)) { try read(text) }
    }

    @Test func emptyTextsCountAsMissing() throws {
        let english = Catalogue(language: .english, texts: ["a": "A", "b": "B"])
        let japanese = try Catalogue(
            language: .japanese, po: Array("msgid \"a\"\nmsgstr \"あ\"\nmsgid \"b\"\nmsgstr \"\"\n".utf8))
        let texts = Texts(japanese, fallback: english)
        #expect(texts("a") == "あ")
        #expect(texts("b") == "B")
        #expect(texts("c") == "c")
        #expect(texts.find("c") == nil)
    }

    @Test(
        arguments: [
            ("{0} of {1}", ["3", "5"], "3 of 5"),
            ("{1}中{0}件", ["3", "5"], "5中3件"),
            ("{0}", ["{1}", "x"], "{1}"),
            ("{2} and {x} and {", ["a"], "{2} and {x} and {"),
            ("no place", ["a"], "no place"),
            ("{0}{0}", ["ab"], "abab"),
        ])
    func fillsPlacesOnce(template: String, arguments: [String], expected: String) {
        #expect(Texts.fill(template, with: arguments) == expected)
    }

    @Test(
        arguments: [
            (["LANG": "ja_JP.UTF-8"], Language.japanese),
            (["LANG": "ja_JP.UTF-8", "LC_ALL": "C"], .english),
            (["LC_ALL": "", "LC_MESSAGES": "ja", "LANG": "en_US"], .japanese),
            ([:], .english),
        ])
    func languageOfTheEnvironment(environment: [String: String], expected: Language) {
        #expect(Language { environment[$0] } == expected)
    }
}
