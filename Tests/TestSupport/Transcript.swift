import Glibc

/// A dialogue as a file; the same files drive the machine in memory and a daemon on a port.
///
///     = auth tls             features of the server: tls, auth, auth-in-clear, no-vrfy, tolerant, size=N, …;
///                            machine: for the machine in memory only
///     C: EHLO client.example a line of the client, CR LF is added
///     C> LF.\n               octets of the client: \r \n \0 \xNN are read, nothing is added
///     S: 250 2.1.0 sender OK a line of the server; `…` at its end: whatever follows
///     S*                     all lines of a reply, unseen
///     M: line\n              the next accepted message's content as stored
///     T                      the TLS handshake happens
///     X                      the server has closed
///
/// Everything else is a comment.
package struct Transcript: Sendable, CustomStringConvertible {
    package enum Step: Sendable {
        case features([String])
        case client([UInt8])
        case server(String)
        case anyReply
        case message([UInt8])
        case handshake
        case closed
    }
    package let name: String
    package var description: String { name }
    package let steps: [(line: Int, step: Step)]

    static let folder = Fixture.folder("Sessions")

    package static func all() -> [Transcript] {
        Fixture.names(in: folder).filter { $0.hasSuffix(".session") }.map { name in
            let lines = String(decoding: Fixture.octets("\(folder)/\(name)"), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false)
            return Transcript(
                name: name,
                steps: lines.enumerated().compactMap { number, line in
                    step(String(line)).map { (number + 1, $0) }
                })
        }
    }

    private static func step(_ line: String) -> Step? {
        let text = String(line.dropFirst(3))
        if line.hasPrefix("= ") { return .features(line.dropFirst(2).split(separator: " ").map(String.init)) }
        if line.hasPrefix("C: ") { return .client(Array(text.utf8) + [13, 10]) }
        if line == "C:" { return .client([13, 10]) }
        if line.hasPrefix("C> ") { return .client(unescaped(text)) }
        if line.hasPrefix("S: ") { return .server(text) }
        if line == "S*" { return .anyReply }
        if line.hasPrefix("M: ") { return .message(unescaped(text)) }
        if line == "T" { return .handshake }
        if line == "X" { return .closed }
        return nil
    }

    package static func unescaped(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        var octets = ArraySlice(text.utf8)
        while let octet = octets.popFirst() {
            guard octet == UInt8(ascii: "\\"), let escape = octets.popFirst() else {
                out.append(octet)
                continue
            }
            switch escape {
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "0"): out.append(0)
            case UInt8(ascii: "x"):
                out.append(UInt8(String(decoding: octets.prefix(2), as: UTF8.self), radix: 16) ?? 0x3F)
                octets = octets.dropFirst(2)
            default: out.append(escape)
            }
        }
        return out
    }
}

package enum Fixture {
    package static func folder(_ name: String, file: String = #filePath) -> String {
        file.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures/\(name)"
    }

    package static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    package static func octets(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return out }
            out += buffer[..<count]
        }
    }
}
