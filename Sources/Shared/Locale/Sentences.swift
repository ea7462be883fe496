/// Translates sentences that come whole, in English: what the daemon found, and what would help. Their templates stand in
/// the catalogues under `sentence.` keys, English and translated; a sentence is recognised by its English template, its
/// parts are taken out and put into the other one. So records of any age, and scripts, have one language.
struct Sentences: Sendable {
    private struct Template: Sendable {
        /// Text around the places; one more than places.
        var pieces: [String]
        /// Which argument stands between the pieces.
        var places: [Int]
        var translation: String
        /// Octets of text: the more there are, the less it fits by chance.
        var weight: Int
    }
    /// What an argument may hold: a sentence that stands within another one.
    private static let depth = 2
    private static let prefix = "sentence."
    private var templates: [Template] = []

    init(english: [String: String], translated: [String: String]) {
        for (key, text) in english where key.hasPrefix(Self.prefix) {
            guard let translation = translated[key] else { continue }
            let (pieces, places) = Self.split(text)
            templates.append(
                Template(
                    pieces: pieces, places: places, translation: translation,
                    weight: pieces.reduce(0) { $0 + $1.utf8.count }))
        }
        templates.sort { $0.weight > $1.weight }
    }

    /// - Returns: `nil` when no template fits.
    func translated(_ sentence: String) -> String? { translated(sentence, depth: Self.depth) }

    private func translated(_ sentence: String, depth: Int) -> String? {
        for template in templates {
            guard var arguments = Self.arguments(of: sentence, template) else { continue }
            if depth > 1 { arguments = arguments.map { translated($0, depth: depth - 1) ?? $0 } }
            return Texts.fill(template.translation, with: arguments)
        }
        return nil
    }

    /// The text between places that are written `{0}`, `{1}`, …
    private static func split(_ text: String) -> (pieces: [String], places: [Int]) {
        var pieces = [""]
        var places: [Int] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            guard let place = Int(rest[rest.index(after: open)..<close]) else { break }
            pieces[pieces.count - 1] += rest[..<open]
            pieces.append("")
            places.append(place)
            rest = rest[rest.index(after: close)...]
        }
        pieces[pieces.count - 1] += rest
        return (pieces, places)
    }

    private static func arguments(of sentence: String, _ template: Template) -> [String]? {
        guard let first = template.pieces.first, let last = template.pieces.last else { return nil }
        guard !template.places.isEmpty else { return sentence == first ? [] : nil }
        guard sentence.hasPrefix(first), sentence.hasSuffix(last),
            sentence.utf8.count >= first.utf8.count + last.utf8.count
        else { return nil }
        var rest = sentence.dropFirst(first.count).dropLast(last.count)
        var found = [String](repeating: "", count: (template.places.max() ?? 0) + 1)
        for (index, place) in template.places.enumerated() {
            let isLast = index == template.places.count - 1
            guard found.indices.contains(place) else { return nil }
            if isLast {
                found[place] = String(rest)
            } else {
                guard let range = rest.firstRange(of: template.pieces[index + 1]) else { return nil }
                found[place] = String(rest[..<range.lowerBound])
                rest = rest[range.upperBound...]
            }
        }
        return found
    }
}
