/// Enhanced status code (RFC 3463): class.subject.detail.
package struct EnhancedCode: Hashable, Sendable, Codable {
    package let status: Int
    package let subject: Int
    package let detail: Int

    package init(_ status: Int, _ subject: Int, _ detail: Int) {
        self.status = status
        self.subject = subject
        self.detail = detail
    }

    /// Reads `5.7.1` at the start of a reply text; `nil` unless it is well formed (RFC 2034 §4).
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let status = Int(parts[0]), let subject = Int(parts[1]), let detail = Int(parts[2]),
            [2, 4, 5].contains(status), (0...999).contains(subject), (0...999).contains(detail)
        else { return nil }
        self.init(status, subject, detail)
    }
}

extension EnhancedCode: CustomStringConvertible {
    package var description: String { "\(status).\(subject).\(detail)" }
}

/// An SMTP reply, ours or a remote server's (RFC 5321 §4.2).
package struct Reply: Hashable, Sendable, Codable {
    /// 200–599.
    package let code: Int
    package let enhanced: EnhancedCode?
    /// At least one line, without code, enhanced code and line ends; free of control characters.
    package let lines: [String]

    package init(_ code: Int, _ enhanced: EnhancedCode? = nil, lines: [String]) {
        self.code = code
        self.enhanced = enhanced
        self.lines = lines.isEmpty ? [""] : lines
    }

    package init(_ code: Int, _ enhanced: EnhancedCode? = nil, _ text: String) {
        self.init(code, enhanced, lines: [text])
    }

    package enum Kind: Sendable { case positive, intermediate, transient, permanent }
    package var kind: Kind {
        switch code / 100 {
        case 2: .positive
        case 3: .intermediate
        case 4: .transient
        default: .permanent
        }
    }
    package var isPositive: Bool { kind == .positive }

    /// One line for people and logs: `550 5.7.1 relaying denied`; lines joined by a blank.
    package var text: String {
        let head = enhanced.map { "\(code) \($0) " } ?? "\(code) "
        return head + lines.joined(separator: " ")
    }

    /// Octets to send, CR LF included; the enhanced code is repeated on each line (RFC 2034 §4).
    package func wire(into out: inout [UInt8]) {
        for (index, line) in lines.enumerated() {
            out.append(contentsOf: String(code).utf8)
            out.append(index == lines.count - 1 ? UInt8(ascii: " ") : UInt8(ascii: "-"))
            if let enhanced {
                out.append(contentsOf: enhanced.description.utf8)
                out.append(UInt8(ascii: " "))
            }
            out.append(contentsOf: line.utf8)
            out.append(13)
            out.append(10)
        }
    }
}
