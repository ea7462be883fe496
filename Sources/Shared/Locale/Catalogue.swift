/// The texts of one language: key → text, read from a PO file whose `msgid` is the key.
package struct Catalogue: Sendable {
    package let language: Language
    package let texts: [String: String]

    package init(language: Language, texts: [String: String]) {
        self.language = language
        self.texts = texts
    }

    /// Reads `msgid "key"` / `msgstr "text"` pairs; a text may go on in further quoted lines. Comments begin with `#`.
    /// Plurals and contexts are not used and refused. Entries with an empty text count as missing.
    package init(language: Language, po octets: [UInt8]) throws(CatalogueError) {
        var reader = POReader()
        var start = 0
        var number = 0
        while start < octets.count {
            let end = octets[start...].firstIndex(of: 0x0A) ?? octets.count
            number += 1
            try reader.take(line: octets[start..<end], number: number)
            start = end + 1
        }
        try reader.finish(number: number)
        self.init(language: language, texts: reader.texts)
    }
}

/// A PO file that cannot be read; nothing of it is used.
package struct CatalogueError: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case unexpectedLine, badString, keyTwice, textMissing }
    package var kind: Kind
    /// Counts from 1.
    package var line: Int
}

private struct POReader {
    private enum Place { case nothing, key, text }
    private var place = Place.nothing
    private var key: [UInt8] = []
    private var text: [UInt8] = []
    private(set) var texts: [String: String] = [:]

    mutating func take(line: ArraySlice<UInt8>, number: Int) throws(CatalogueError) {
        let line = line.trimmed
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        if line.starts(with: "msgid ".utf8) {
            try finish(number: number)
            place = .key
            try unquote(line.dropFirst(6).trimmed, into: \.key, number)
        } else if line.starts(with: "msgstr ".utf8), place == .key {
            place = .text
            try unquote(line.dropFirst(7).trimmed, into: \.text, number)
        } else if first == UInt8(ascii: "\""), place != .nothing {
            try unquote(line, into: place == .key ? \.key : \.text, number)
        } else {
            throw CatalogueError(kind: .unexpectedLine, line: number)
        }
    }

    /// Ends the entry under way. The entry with the empty key is the header of the file.
    mutating func finish(number: Int) throws(CatalogueError) {
        switch place {
        case .nothing: return
        case .key: throw CatalogueError(kind: .textMissing, line: number)
        case .text:
            if !key.isEmpty, !text.isEmpty {
                let old = texts.updateValue(
                    String(decoding: text, as: UTF8.self), forKey: String(decoding: key, as: UTF8.self))
                if old != nil { throw CatalogueError(kind: .keyTwice, line: number) }
            }
            key.removeAll(keepingCapacity: true)
            text.removeAll(keepingCapacity: true)
            place = .nothing
        }
    }

    private mutating func unquote(
        _ quoted: ArraySlice<UInt8>, into target: WritableKeyPath<POReader, [UInt8]>, _ number: Int
    ) throws(CatalogueError) {
        let quote = UInt8(ascii: "\"")
        guard quoted.count >= 2, quoted.first == quote, quoted.last == quote else {
            throw CatalogueError(kind: .badString, line: number)
        }
        var isEscaped = false
        for octet in quoted.dropFirst().dropLast() {
            if isEscaped {
                switch octet {
                case UInt8(ascii: "n"): self[keyPath: target].append(0x0A)
                case UInt8(ascii: "t"): self[keyPath: target].append(0x09)
                case quote, UInt8(ascii: "\\"): self[keyPath: target].append(octet)
                default: throw CatalogueError(kind: .badString, line: number)
                }
                isEscaped = false
            } else if octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == quote {
                throw CatalogueError(kind: .badString, line: number)
            } else {
                self[keyPath: target].append(octet)
            }
        }
        if isEscaped { throw CatalogueError(kind: .badString, line: number) }
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks, tabs and carriage returns at both ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return []
        }
        return self[first...last]
    }
}
