/// What a program looks texts up in: the chosen language, then English, then the key itself.
///
/// ```swift
/// texts("review.title", "5")        // "Review: {0} staged changes" -> "Review: 5 staged changes"
/// ```
package struct Texts: Sendable {
    package let language: Language
    private let primary: [String: String]
    private let fallback: [String: String]
    /// `nil` in English.
    private let sentences: Sentences?

    package init(_ catalogue: Catalogue, fallback: Catalogue? = nil) {
        language = catalogue.language
        primary = catalogue.texts
        self.fallback = fallback?.texts ?? [:]
        sentences = fallback.map { Sentences(english: $0.texts, translated: catalogue.texts) }
    }

    /// A whole English sentence of the daemon in this language; itself when there is no translation.
    package func sentence(_ english: String) -> String { sentences?.translated(english) ?? english }

    package func callAsFunction(_ key: String, _ arguments: String...) -> String {
        text(key, arguments)
    }

    package func text(_ key: String, _ arguments: [String] = []) -> String {
        Self.fill(primary[key] ?? fallback[key] ?? key, with: arguments)
    }

    /// `nil` when neither language has the key: the caller has a better stand-in than the key (the English message
    /// that came with a problem).
    package func find(_ key: String, _ arguments: [String] = []) -> String? {
        (primary[key] ?? fallback[key]).map { Self.fill($0, with: arguments) }
    }

    /// Puts arguments in place of `{0}`, `{1}`, …; what an argument brings along is not looked at again, and a place
    /// without an argument stays as it is.
    package static func fill(_ template: String, with arguments: [String]) -> String {
        guard !arguments.isEmpty, template.utf8.contains(UInt8(ascii: "{")) else { return template }
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let after = rest.index(after: open)
            if let close = rest[after...].firstIndex(of: "}"), let index = Int(rest[after..<close]),
                arguments.indices.contains(index)
            {
                result += arguments[index]
                rest = rest[rest.index(after: close)...]
            } else {
                result += "{"
                rest = rest[after...]
            }
        }
        return result + rest
    }
}
