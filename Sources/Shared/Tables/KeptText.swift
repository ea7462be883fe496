import MessageFormat

/// A text file that was edited as lines, written so that what was not edited stays octet for octet: lines before and
/// after the edit, their ends, the character set.
package enum KeptText {
    /// - Parameters:
    ///   - lines: the whole text as it shall be.
    ///   - old: the file as it stands there; empty for a new one.
    package static func octets(_ lines: [String], over old: [UInt8]) -> [UInt8] {
        let charset = Charset.guess(old).charset
        let raw = split(old)
        let known = raw.enumerated().map { text(of: $0.element, isFirst: $0.offset == 0, charset) }
        // Where lines cannot be read one by one (a shift that goes on), nothing can be kept.
        guard known == TableText(octets: old).lines else { return encoded(lines, charset, lineEnd(raw)) }
        var head = 0
        while head < min(known.count, lines.count), known[head] == lines[head] { head += 1 }
        var tail = 0
        while tail < min(known.count, lines.count) - head,
            known[known.count - 1 - tail] == lines[lines.count - 1 - tail]
        {
            tail += 1
        }
        if head == known.count, head == lines.count { return old }
        let middle = lines[head..<(lines.count - tail)]
        guard let fresh = middle.isEmpty ? [] : charset.encode(joined(middle, lineEnd(raw))) else {
            return encoded(lines, .utf8, lineEnd(raw))
        }
        var out = raw[..<head].flatMap { $0 }
        if head > 0, !(middle.isEmpty && tail == 0), !isEnded(raw[head - 1]) { out += Array(lineEnd(raw).utf8) }
        out += fresh
        out += raw[(raw.count - tail)...].flatMap { $0 }
        return out
    }

    private static func encoded(_ lines: [String], _ charset: Charset, _ end: String) -> [UInt8] {
        let text = joined(lines[...], end)
        return charset.encode(text) ?? Array(text.utf8)
    }

    private static func joined(_ lines: ArraySlice<String>, _ end: String) -> String {
        lines.map { $0 + end }.joined()
    }

    /// Lines with their ends.
    private static func split(_ octets: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        for (index, octet) in octets.enumerated() {
            line.append(octet)
            if octet == 0x0A || octet == 0x0D && (index + 1 == octets.count || octets[index + 1] != 0x0A) {
                lines.append(line)
                line = []
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }

    private static func text(of line: [UInt8], isFirst: Bool, _ charset: Charset) -> String {
        var rest = line[...]
        if isFirst, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while let last = rest.last, last == 0x0A || last == 0x0D { rest = rest.dropLast() }
        return charset.decode(Array(rest))
    }

    private static func isEnded(_ line: [UInt8]) -> Bool { line.last == 0x0A || line.last == 0x0D }

    private static func lineEnd(_ raw: [[UInt8]]) -> String {
        guard let first = raw.first, isEnded(first) else { return "\n" }
        return first.suffix(2) == [0x0D, 0x0A] ? "\r\n" : first.last == 0x0D ? "\r" : "\n"
    }
}
