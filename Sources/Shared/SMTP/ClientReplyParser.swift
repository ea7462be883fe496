import MailModel

/// Reads a remote server's replies from octets in pieces of any size (RFC 5321 §4.2). Bounded: a peer can make it
/// hold `lineOctets` of an unfinished line and `replyLines` lines of an unfinished reply.
///
/// Liberal where it is harmless: a line may end with LF alone, and the blank behind the code may be missing. Not so
/// with the code itself: anything that is no reply is `malformed`, and the connection has to be given up.
package struct ClientReplyParser {
    /// Why the octets are no reply.
    package enum Failure: Error, Equatable { case malformed, tooLong }

    /// Octets of one reply line without its end. RFC 5321 §4.5.3.1.5 asks for 512; long texts are seen in the wild.
    package static let lineOctets = 2_048
    /// Lines of one reply; an EHLO answer has about ten.
    package static let replyLines = 128

    private var line: [UInt8] = []
    private var code = 0
    private var enhanced: EnhancedCode?
    private var lines: [String] = []

    package init() {}

    /// Takes octets up to the end of the first complete reply.
    /// - Parameter position: where to begin in `octets`; stands behind the last octet taken on return.
    /// - Returns: `nil` when the reply is not complete yet (all octets are taken then).
    package mutating func next(
        in octets: UnsafeRawBufferPointer, from position: inout Int
    ) throws(Failure) -> Reply? {
        while position < octets.count {
            let rest = octets[position...]
            guard let end = rest.firstIndex(of: 10) else {
                guard line.count + rest.count <= Self.lineOctets else { throw .tooLong }
                line.append(contentsOf: rest)
                position = octets.count
                return nil
            }
            guard line.count + (end - position) <= Self.lineOctets else { throw .tooLong }
            line.append(contentsOf: octets[position..<end])
            position = end + 1
            if line.last == 13 { line.removeLast() }
            let reply = try takeLine()
            line.removeAll(keepingCapacity: true)
            if let reply { return reply }
        }
        return nil
    }

    /// Forgets everything read so far: what a server sent in clear before a handshake is not to be believed after it.
    package mutating func reset() {
        line.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }

    private mutating func takeLine() throws(Failure) -> Reply? {
        guard line.count >= 3, let code = Self.code(line) else { throw .malformed }
        let separator = line.count > 3 ? line[3] : UInt8(ascii: " ")
        guard separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { throw .malformed }
        if lines.isEmpty {
            self.code = code
            enhanced = nil
        } else if code != self.code {
            throw .malformed  // RFC 5321 §4.2.1: one code on all lines; which one counts would be a guess
        }
        guard lines.count < Self.replyLines else { throw .tooLong }
        var text = line.dropFirst(4)
        if let (found, length) = Self.enhancedCode(text), found.status == code / 100 {
            if lines.isEmpty { enhanced = found }
            if enhanced == found { text = text.dropFirst(length) }
        }
        lines.append(Self.printable(text))
        guard separator == UInt8(ascii: " ") else { return nil }
        let reply = Reply(code, enhanced, lines: lines)
        lines.removeAll(keepingCapacity: true)
        return reply
    }

    /// Three digits, the first 2 to 5, the second 0 to 5 (RFC 5321 §4.2: Reply-code).
    private static func code(_ line: [UInt8]) -> Int? {
        let first = Int(line[0]) - 48
        let second = Int(line[1]) - 48
        let third = Int(line[2]) - 48
        guard (2...5).contains(first), (0...5).contains(second), (0...9).contains(third) else { return nil }
        return first * 100 + second * 10 + third
    }

    /// `5.7.1 ` at the start of a text (RFC 2034 §4); the length holds the blank behind it.
    private static func enhancedCode(_ text: ArraySlice<UInt8>) -> (code: EnhancedCode, length: Int)? {
        var numbers = [0, 0, 0]
        var part = 0
        var digits = 0
        var length = 0
        for octet in text {
            length += 1
            switch octet {
            case 48...57:
                digits += 1
                guard digits <= 3 else { return nil }
                numbers[part] = numbers[part] * 10 + Int(octet) - 48
            case UInt8(ascii: "."):
                guard digits > 0, part < 2 else { return nil }
                part += 1
                digits = 0
            case UInt8(ascii: " "):
                guard digits > 0, part == 2 else { return nil }
                return (EnhancedCode(numbers[0], numbers[1], numbers[2]), length)
            default: return nil
            }
        }
        guard digits > 0, part == 2 else { return nil }
        return (EnhancedCode(numbers[0], numbers[1], numbers[2]), length)
    }

    /// Text for logs, queue rows and terminals: control characters and octets that are no UTF-8 become `\xNN` (R-LOG-19).
    private static func printable(_ octets: ArraySlice<UInt8>) -> String {
        if octets.allSatisfy({ (0x20...0x7E).contains($0) }) { return String(decoding: octets, as: UTF8.self) }
        guard let text = String(validating: octets, as: UTF8.self) else {
            return octets.reduce(into: "") { out, octet in
                if (0x20...0x7E).contains(octet) {
                    out.unicodeScalars.append(Unicode.Scalar(octet))
                } else {
                    out += escaped(octet)
                }
            }
        }
        return text.unicodeScalars.reduce(into: "") { out, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                for octet in String(scalar).utf8 { out += escaped(octet) }
            default: out.unicodeScalars.append(scalar)
            }
        }
    }

    private static func escaped(_ octet: UInt8) -> String {
        "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16, uppercase: true)
    }
}
