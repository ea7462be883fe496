import CLinux
import Glibc
import Spool

/// What delivery must know of a message's content before it sends it.
struct ContentFacts {
    /// `Received:` fields on top (RFC 5321 §6.3).
    var hops = 0
    /// The header section holds octets above 127: it needs SMTPUTF8 (RFC 6531 §3.1) if that was asked for.
    var hasUTF8Header = false
    /// Some octet is above 127. True when not looked at.
    var is8Bit = true
    /// Octets with CR LF line ends, about.
    var wireSize = 0

    /// Octets of a large message that are searched for the header section.
    static let headerLimit = 64 * 1_024

    init(_ content: StoredContent) throws(SpoolError) {
        switch content {
        case .inline(let octets):
            octets.withUnsafeBytes { octets in
                readHeader(octets)
                var lines = 0
                var high: UInt8 = 0
                for octet in octets {
                    lines += octet == 10 ? 1 : 0
                    high |= octet
                }
                is8Bit = high >= 0x80
                wireSize = octets.count + lines
            }
        case .file(let file):
            let start = try file.read(at: 0, count: Self.headerLimit)
            start.withUnsafeBytes { readHeader($0) }
            wireSize = file.size + file.size / 40  // lines of 40 octets on average; SIZE is an estimate (RFC 1870 §5)
        }
    }

    private init() {}

    /// Passes through one server from which on somebody sends its mail back to it.
    static let mostOwnPasses = 3

    /// How often the message came through a server of this name already: `Received:` fields that it wrote.
    /// - Parameter names: lower case.
    static func passes(of content: StoredContent, through names: Set<String>) throws(SpoolError) -> Int {
        let octets: [UInt8]
        switch content {
        case .inline(let content): octets = Array(content.prefix(headerLimit))
        case .file(let file): octets = try file.read(at: 0, count: headerLimit)
        }
        var passes = 0
        var isReceived = false
        for line in octets.split(separator: 10, omittingEmptySubsequences: false) {
            if line.isEmpty { break }
            if line.first != 0x20, line.first != 0x09 {
                isReceived = line.count > 9 && line.prefix(9).elementsEqual(received) { $0 | 0x20 == $1 | 0x20 }
            }
            guard isReceived else { continue }
            let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map {
                String(decoding: $0, as: UTF8.self).lowercased()
            }
            let writer = zip(words, words.dropFirst()).first { $0.0 == "by" }?.1
            if let writer, names.contains(writer) { passes += 1 }
        }
        return passes
    }

    /// `Received:` fields alone.
    static func hops(of content: StoredContent) throws(SpoolError) -> Int {
        var facts = ContentFacts()
        switch content {
        case .inline(let octets): octets.withUnsafeBytes { facts.readHeader($0) }
        case .file(let file): try file.read(at: 0, count: headerLimit).withUnsafeBytes { facts.readHeader($0) }
        }
        return facts.hops
    }

    private mutating func readHeader(_ octets: UnsafeRawBufferPointer) {
        var line = 0
        while line < octets.count, octets[line] != 10 {
            if Self.isReceived(octets, line) { hops += 1 }
            guard let base = octets.baseAddress, let end = memchr(base + line, 10, octets.count - line) else { break }
            line = UnsafeRawPointer(end) - base + 1
        }
        hasUTF8Header = octets[..<min(line, octets.count)].contains { $0 >= 0x80 }
    }

    private static let received = Array("received:".utf8)

    private static func isReceived(_ octets: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        guard start + received.count <= octets.count, octets[start] | 0x20 == UInt8(ascii: "r") else { return false }
        return received.indices.allSatisfy { octets[start + $0] | 0x20 == received[$0] | 0x20 }
    }
}
