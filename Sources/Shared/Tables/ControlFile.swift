import MessageFormat

/// IMS.CTL: `[Section]` lines and `Key=Value` lines, letter case and blanks around `=` ignored (R-CTL-34). What is not
/// changed stays octet for octet: unknown keys, comments, line ends, character sets.
package struct ControlFile: Hashable, Sendable {
    package static let fileName = "IMS.CTL"
    /// Octets that are read at most.
    package static let maximumOctets = 256 << 10

    /// With their line ends.
    private var lines: [[UInt8]] = []

    package init(octets: [UInt8] = []) {
        var line: [UInt8] = []
        for (index, octet) in octets.enumerated() {
            line.append(octet)
            let endsHere = octet == 0x0A || octet == 0x0D && (index + 1 == octets.count || octets[index + 1] != 0x0A)
            if endsHere {
                lines.append(line)
                line = []
            }
        }
        if !line.isEmpty { lines.append(line) }
    }

    package var octets: [UInt8] { lines.flatMap { $0 } }

    /// The character set of the first line that needs one: what is set is written in it, as whoever reads the file
    /// expects one.
    package var charset: Charset {
        let first = lines.first { line in line.contains { $0 >= 0x80 || $0 == 0x1B } }
        return first.map { Charset.guess($0).charset } ?? .utf8
    }

    /// A value as it is written; UTF-8 where the file's set lacks a character.
    private func encoded(_ value: String) -> [UInt8] {
        let clean = HeaderText.clean(value)
        return charset.encode(clean) ?? Array(clean.utf8)
    }
    package var isEmpty: Bool { lines.isEmpty }

    package func hasSection(_ name: String) -> Bool { sectionStart(name) != nil }

    /// The first value of a key, without blanks and quotes around it; each value in its own character set.
    package func value(_ section: String, _ key: String) -> String? {
        guard let index = index(section, key), let parts = Self.parts(lines[index]) else { return nil }
        var text = Charset.guess(parts.value).text.trimmingBlanks()
        if text.utf8.count >= 2, let first = text.first, first == text.last, first == "\"" || first == "'" {
            text = String(text.dropFirst().dropLast())
        }
        return text
    }

    /// `Yes`, `1`, `TRUE` and `No`, `0`, `FALSE` in any letter case; `nil` for other words and a missing key.
    package func truth(_ section: String, _ key: String) -> Bool? {
        switch value(section, key)?.lowercased() {
        case "yes", "1", "true", "on": true
        case "no", "0", "false", "off": false
        default: nil
        }
    }

    /// Sets a key, at its place when it is there, else at the end of its section; `nil` takes it out. Line ends and
    /// controls in the value become blanks; it is written in the character set of the file.
    package mutating func set(_ section: String, _ key: String, to value: String?) {
        if let index = index(section, key) {
            guard let value else {
                lines.remove(at: index)
                return
            }
            guard self.value(section, key) != value, let parts = Self.parts(lines[index]) else { return }
            lines[index] = parts.head + encoded(value) + parts.end
            return
        }
        guard let value else { return }
        let line = Array("\(key)=".utf8) + encoded(value) + lineEnd
        insert(line, into: section)
    }

    /// Makes the section when there is none.
    package mutating func addSection(_ name: String) {
        guard sectionStart(name) == nil else { return }
        completeLastLine()
        lines.append(Array("[\(name)]".utf8) + lineEnd)
    }

    /// Takes the section out with all its keys.
    package mutating func removeSection(_ name: String) {
        while let start = sectionStart(name) { lines.removeSubrange(start..<end(ofSectionAt: start)) }
    }

    private mutating func insert(_ line: [UInt8], into section: String) {
        addSection(section)
        guard let start = sectionStart(section) else { return }
        var place = end(ofSectionAt: start)
        while place > start + 1, Self.trimmed(lines[place - 1]).isEmpty { place -= 1 }
        if place == lines.count { completeLastLine() }
        lines.insert(line, at: place)
    }

    private mutating func completeLastLine() {
        guard let last = lines.indices.last, let octet = lines[last].last, octet != 0x0A, octet != 0x0D else { return }
        lines[last] += lineEnd
    }

    private var lineEnd: [UInt8] { lines.first?.suffix(2) == [0x0D, 0x0A] ? [0x0D, 0x0A] : [0x0A] }

    // MARK: Finding

    private func sectionStart(_ name: String) -> Int? {
        lines.firstIndex { Self.sectionName($0) == name.lowercased() }
    }

    private func end(ofSectionAt start: Int) -> Int {
        lines[(start + 1)...].firstIndex { Self.sectionName($0) != nil } ?? lines.count
    }

    private func index(_ section: String, _ key: String) -> Int? {
        var current: String?
        for (index, line) in lines.enumerated() {
            if let name = Self.sectionName(line) {
                current = name
            } else if current == section.lowercased(), let parts = Self.parts(line), parts.key == key.lowercased() {
                return index
            }
        }
        return nil
    }

    private static func sectionName(_ line: [UInt8]) -> String? {
        let text = trimmed(line)
        guard text.first == UInt8(ascii: "["), let close = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        return String(decoding: text[(text.startIndex + 1)..<close], as: UTF8.self).trimmingBlanks().lowercased()
    }

    private struct Parts {
        /// Lower case.
        var key: String
        /// Up to the value.
        var head: [UInt8]
        var value: [UInt8]
        var end: [UInt8]
    }

    private static func parts(_ line: [UInt8]) -> Parts? {
        let text = trimmed(line)
        guard let first = text.first, first != UInt8(ascii: ";"), first != UInt8(ascii: "#"),
            let equals = line.firstIndex(of: UInt8(ascii: "="))
        else { return nil }
        let end = line.suffix { $0 == 0x0A || $0 == 0x0D }
        var start = equals + 1
        while start < end.startIndex, isBlank(line[start]) { start += 1 }
        return Parts(
            key: String(decoding: trimmed(Array(line[..<equals])), as: UTF8.self).lowercased(),
            head: Array(line[..<start]), value: Array(line[start..<end.startIndex]), end: Array(end))
    }

    private static func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }

    /// Without blanks, line end and byte order mark.
    private static func trimmed(_ line: [UInt8]) -> ArraySlice<UInt8> {
        var rest = line[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
        while let last = rest.last, isBlank(last) || last == 0x0A || last == 0x0D { rest = rest.dropLast() }
        return rest
    }
}

extension Array where Element == UInt8 {
    /// The longest end whose octets all satisfy the condition.
    fileprivate func suffix(_ holds: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var start = endIndex
        while start > startIndex, holds(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
