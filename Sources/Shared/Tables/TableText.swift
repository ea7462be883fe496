import MessageFormat

/// The lines of a text table, as found. Tables are edited by hand, so every line is kept, comments and faults too.
package struct TableText: Hashable, Sendable {
    /// Lines without their ends; the empty rest behind the last line end is no line.
    package var lines: [String]

    /// Largest table that is read, in octets; what is beyond is a fault, not a surprise.
    package static let maximumOctets = 16 * 1024 * 1024

    package init(lines: [String]) { self.lines = lines }

    /// LF, CR LF and a lone CR end a line (R-SYS-19); a byte order mark at the start is dropped.
    package init(_ text: some StringProtocol) {
        var lines: [String] = []
        var current: [UInt8] = []
        var afterReturn = false
        var octets = Substring(text).utf8
        if octets.starts(with: [0xEF, 0xBB, 0xBF]) { octets = octets.dropFirst(3) }
        for octet in octets {
            if octet == 0x0A && afterReturn {
                afterReturn = false
                continue
            }
            afterReturn = octet == 0x0D
            if octet == 0x0A || octet == 0x0D {
                lines.append(String(decoding: current, as: UTF8.self))
                current.removeAll(keepingCapacity: true)
            } else {
                current.append(octet)
            }
        }
        if !current.isEmpty { lines.append(String(decoding: current, as: UTF8.self)) }
        self.lines = lines
    }

    /// Reads the octets of a file in the character sets of R-SYS-19.
    package init(octets: some Collection<UInt8>) {
        self.init(Charset.guess(Array(octets)).text)
    }

    /// As files are written: UTF-8, LF.
    package var text: String { lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n" }

    /// How a line is shown in a problem.
    static func shown(_ line: String) -> String { DisplayText.clean(line, limit: 200) }
}

extension StringProtocol {
    /// Without half-width blanks and TABs at both ends. Full-width blanks are text.
    func trimmingBlanks() -> String {
        let octets = Array(utf8)
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        guard let first = octets.firstIndex(where: { !isBlank($0) }),
            let last = octets.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(decoding: octets[first...last], as: UTF8.self)
    }
}
