import ConsoleCore

/// Help in the reader's language: the library's text is taken apart, each description looked up by its English words,
/// and set anew by display width. What the catalogue does not know stays as it is.
struct HelpText {
    /// Where descriptions begin, and how wide a line may be: the library's own layout.
    private static let column = 26
    private static let columns = 80
    private let find: (String) -> String?
    private var output: [String] = []

    /// - Parameter find: the text for an English sentence; `nil` when there is none.
    static func translated(_ text: String, _ find: @escaping (String) -> String?) -> String {
        var help = HelpText(find: find)
        help.read(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        return help.output.joined(separator: "\n")
    }

    private init(find: @escaping (String) -> String?) { self.find = find }

    private mutating func read(_ lines: [String]) {
        var index = 0
        while index < lines.count {
            let line = lines[index]
            let isEntry = line.hasPrefix("  ") && !line.hasPrefix("   ") && !line.hasPrefix("  See ")
            let rest = lines[(index + 1)...]
            let more = isEntry ? rest.prefix { Self.indentation($0) >= Self.column } : rest.prefix { !$0.isEmpty }
            if line.isEmpty || Self.isHeading(line) {
                output.append(heading(line))
                index += 1
            } else if isEntry {
                entry([line] + more)
                index += 1 + more.count
            } else {
                paragraph([line] + more)
                index += 1 + more.count
            }
        }
    }

    private static func indentation(_ line: String) -> Int { line.isEmpty ? 0 : line.prefix { $0 == " " }.count }

    /// `OPTIONS:`
    private static func isHeading(_ line: String) -> Bool {
        line.hasSuffix(":") && line.dropLast().allSatisfy { $0.isUppercase || $0 == " " }
    }

    private func heading(_ line: String) -> String {
        line.isEmpty ? line : (find(String(line.dropLast())) ?? String(line.dropLast())) + ":"
    }

    /// `  --root <dir>            Talk to the daemon …`
    private mutating func entry(_ lines: [String]) {
        let first = Array(lines[0])
        let hasText = first.count > Self.column && first[Self.column - 1] == " " && first[Self.column] != " "
        let name = hasText ? String(first[..<Self.column]) : lines[0]
        var parts = lines.dropFirst().map(\.trimmed)
        if hasText { parts.insert(String(first[Self.column...]), at: 0) }
        guard let text = description(parts.joined(separator: " ")) else { return output += lines }
        var wrapped = TextMetrics().wrap(text, to: Self.columns - Self.column)
        if hasText, !wrapped.isEmpty { output.append(name + wrapped.removeFirst()) } else { output.append(name) }
        output += wrapped.map { String(repeating: " ", count: Self.column) + $0 }
    }

    /// A description with its `(values: …)` or `(default: …)`.
    private func description(_ text: String) -> String? {
        for (word, key) in [(" (values: ", "help.values"), (" (default: ", "help.default")] {
            guard let place = text.range(of: word), let told = find(String(text[..<place.lowerBound])) else { continue }
            return told + " (" + (find(key) ?? "") + String(text[place.upperBound...])
        }
        return find(text)
    }

    /// `OVERVIEW: …`, `USAGE: …`, and text between the lists.
    private mutating func paragraph(_ lines: [String]) {
        var text = lines.map(\.trimmed).joined(separator: " ")
        var lead = ""
        for word in ["OVERVIEW", "USAGE"] where text.hasPrefix(word + ": ") {
            lead = (find(word) ?? word) + ": "
            text = String(text.dropFirst(word.count + 2))
        }
        if let told = find(text) {
            output += TextMetrics().wrap(lead + told, to: Self.columns)
        } else if lead.isEmpty {
            output += lines
        } else {
            output.append(lead + text)
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " })
    }

    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
