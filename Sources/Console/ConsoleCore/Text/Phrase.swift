/// A sentence or word for people, not yet in a language. A literal is the English text and at the same time the key in
/// the catalogue; named places are written `{port}` and filled from `arguments` after the look-up, so that another word
/// order works. It is looked up when it is drawn: switching the language needs no new state.
///
///     "Apply"                                                        // catalogue text
///     Phrase("Port {port} is too large.", ["port": "99999"])         // with a place
///     Phrase.verbatim(account.name)                                  // data: never looked up
///     Phrase(code: "setting.out-of-range", english: "…", ["{0}"…])   // a message that the server sent
package struct Phrase: Hashable, Sendable, ExpressibleByStringLiteral {
    package var source: String
    /// Tells apart equal English words with different translations (`msgctxt`).
    package var context: String?
    package var arguments: [String: String]
    /// Shown when the catalogue lacks `source`; `nil` = `source` itself.
    package var fallback: String?
    package var isVerbatim: Bool
    /// `source` is a whole English sentence of the daemon.
    package var isSentence = false

    package init(_ source: String, _ arguments: [String: String] = [:], context: String? = nil) {
        self.source = source
        self.context = context
        self.arguments = arguments
        fallback = nil
        isVerbatim = false
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    /// A message with a catalogue code and places `{0}`, `{1}`, …
    package init(code: String, english: String, arguments: [String] = []) {
        self.init(code, Dictionary(uniqueKeysWithValues: arguments.enumerated().map { (String($0), $1) }))
        fallback = english
    }

    /// Text that belongs to no language: names, addresses, numbers.
    package static func verbatim(_ text: String) -> Phrase {
        var phrase = Phrase(text)
        phrase.isVerbatim = true
        return phrase
    }

    /// What the daemon found, or what would help: comes in English, and is shown in the console's language.
    package static func sentence(_ english: String) -> Phrase {
        var phrase = Phrase(english)
        phrase.isSentence = true
        return phrase
    }
}

package enum Language: String, Sendable, CaseIterable {
    case english = "en"
    case japanese = "ja"
}

/// A catalogue of one language.
package protocol Localizer: Sendable {
    var language: Language { get }
    /// The translated text with its places still in it; `nil` when the catalogue has none.
    func pattern(_ source: String, context: String?) -> String?
    /// A whole English sentence of the daemon in this language.
    func sentence(_ english: String) -> String
}

extension Localizer {
    package func sentence(_ english: String) -> String { english }

    package func callAsFunction(_ phrase: Phrase) -> String {
        if phrase.isVerbatim { return phrase.source }
        if phrase.isSentence { return sentence(phrase.source) }
        let found = pattern(phrase.source, context: phrase.context) ?? phrase.fallback ?? phrase.source
        return phrase.arguments.isEmpty ? found : Places.fill(found, phrase.arguments)
    }

    package func callAsFunction(_ source: String, _ arguments: [String: String] = [:]) -> String {
        self(Phrase(source, arguments))
    }
}

/// English without a catalogue: the sources are the texts.
package struct English: Localizer {
    package let language = Language.english
    package init() {}
    package func pattern(_ source: String, context: String?) -> String? { nil }
}

enum Places {
    /// Fills `{name}` places. One pass: a value that contains braces is not filled again.
    static func fill(_ pattern: String, _ arguments: [String: String]) -> String {
        var result = ""
        var rest = pattern[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            if let value = arguments[name] {
                result += rest[..<open] + value
                rest = rest[rest.index(after: close)...]
            } else {
                result += rest[...open]
                rest = rest[rest.index(after: open)...]
            }
        }
        return result + rest
    }
}
