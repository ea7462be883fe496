/// Makes foreign text (log lines, headers, names of others) harmless before it enters a model.
package enum Visible {
    /// One line of printable text: controls, escape sequences, bidirectional controls and line separators become
    /// visible (`^[`, `<U+202E>`, a line feed `^J`). Drawing does it once more, so nothing depends on this alone;
    /// it is the form to store, compare and search.
    package static func line(_ text: String) -> String {
        // Most text is printable ASCII: one pass over the octets decides.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if TextMetrics.isDangerous(scalar) {
                result += TextMetrics.named(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Several lines: line feeds and CR LF end lines, tabs become spaces up to the next multiple of eight.
    package static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { line(expandTabs($0)) }
    }

    private static func expandTabs(_ line: Substring) -> String {
        guard line.utf8.contains(9) else { return String(line) }
        var result = ""
        for character in line {
            if character == "\t" {
                result += String(repeating: " ", count: 8 - result.count % 8)
            } else {
                result.append(character)
            }
        }
        return result
    }
}
