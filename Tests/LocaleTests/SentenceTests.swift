import Locale
import Testing

/// Whole English sentences, recognised by their templates.
@Suite struct SentenceTests {
    private static let english = Catalogue(
        language: .english,
        texts: [
            "sentence.size": "{0} octets are announced, {1} are allowed", "sentence.plain": "{0} octets are announced",
            "sentence.lists": "{0} lists {1} ({2})", "sentence.aged": "{0} lists {1} ({2}, looked up {3} s before)",
            "sentence.outer": "not asked: {0}", "sentence.inner": "rule '{0}' lets the client in",
            "other.key": "plain text",
        ])
    private static let japanese = Catalogue(
        language: .japanese,
        texts: [
            "sentence.size": "上限 {1}、申告 {0}", "sentence.plain": "申告 {0}", "sentence.lists": "{0} に {1} ({2})",
            "sentence.aged": "{0} に {1} ({2}、{3} 秒前)", "sentence.outer": "照会なし: {0}",
            "sentence.inner": "規則 '{0}'", "other.key": "普通の文",
        ])

    @Test(arguments: [
        ("70 octets are announced, 60 are allowed", "上限 60、申告 70"), ("70 octets are announced", "申告 70"),
        ("z.test lists 192.0.2.7 (127.0.0.4)", "z.test に 192.0.2.7 (127.0.0.4)"),
        ("z.test lists 192.0.2.7 (127.0.0.4, looked up 30 s before)", "z.test に 192.0.2.7 (127.0.0.4、30 秒前)"),
        ("not asked: rule '10.* true' lets the client in", "照会なし: 規則 '10.* true'"),
        ("not asked: something else", "照会なし: something else"), ("plain text", "plain text"), ("", ""),
        ("an unknown sentence {0}", "an unknown sentence {0}"), ("{1} octets are announced", "申告 {1}"),
    ])
    func isTranslated(_ sentence: String, _ expected: String) {
        #expect(Texts(Self.japanese, fallback: Self.english).sentence(sentence) == expected)
        #expect(Texts(Self.english).sentence(sentence) == sentence)
    }
}
