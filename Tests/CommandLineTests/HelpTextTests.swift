import Testing

@testable import CommandLine

struct HelpTextTests {
    private static let known = [
        "OVERVIEW": "概要", "OPTIONS": "オプション", "USAGE": "書式", "Add an account; it may do much.": "アカウントを追加します。",
        "Language of screens: ja or en.": "言語。", "help.values": "値: ",
    ]

    @Test func descriptionsAreLookedUpWholeAndSetAnew() {
        let english = """
            OVERVIEW: Add an account; it may do
            much.

            USAGE: epost-console account add <address>

            OPTIONS:
              --language <ja|en>      Language of screens: ja or
                                      en. (values: en, ja)
              --unknown               What nobody translated stays
                                      as it is.
            """
        #expect(
            HelpText.translated(english) { Self.known[$0] } == """
                概要: アカウントを追加します。

                書式: epost-console account add <address>

                オプション:
                  --language <ja|en>      言語。 (値: en, ja)
                  --unknown               What nobody translated stays
                                          as it is.
                """)
    }

    @Test func nothingKnownIsNothingChanged() {
        let text = "OVERVIEW: x\n\nUSAGE: y\n\n  --a   b\nError: z"
        #expect(HelpText.translated(text) { _ in nil } == text)
    }
}
