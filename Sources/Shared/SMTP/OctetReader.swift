/// Reads the octets of one line from the front. Every access is checked here, so the grammar above it cannot leave the
/// line, whatever the peer sent. The memory must outlive the reader.
struct OctetReader {
    private let octets: UnsafeRawBufferPointer
    private(set) var index = 0

    init(_ octets: UnsafeRawBufferPointer) { self.octets = octets }

    var isAtEnd: Bool { index >= octets.count }
    var peek: UInt8? { index < octets.count ? octets[index] : nil }

    mutating func next() -> UInt8? {
        guard index < octets.count else { return nil }
        defer { index += 1 }
        return octets[index]
    }

    /// Consumes the next octet if it is this one.
    mutating func skip(_ octet: UInt8) -> Bool {
        guard index < octets.count, octets[index] == octet else { return false }
        index += 1
        return true
    }

    /// Consumes spaces and tabs.
    mutating func skipBlanks() {
        while let octet = peek, octet == 0x20 || octet == 0x09 { index += 1 }
    }

    /// Consumes `word` (upper case, ASCII) in any letter case, or nothing.
    mutating func skip(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard octets.count - index >= length else { return false }
        for offset in 0..<length where Self.uppercased(octets[index + offset]) != word.utf8Start[offset] {
            return false
        }
        index += length
        return true
    }

    /// Consumes octets as long as they satisfy `accept`.
    mutating func take(while accept: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
        let start = index
        while index < octets.count, accept(octets[index]) { index += 1 }
        return UnsafeRawBufferPointer(rebasing: octets[start..<index])
    }

    mutating func takeRest() -> UnsafeRawBufferPointer {
        defer { index = octets.count }
        return UnsafeRawBufferPointer(rebasing: octets[min(index, octets.count)...])
    }

    /// A decimal number of at most 20 digits (RFC 1870 §3); values beyond `Int` become `Int.max`.
    mutating func number() -> Int? {
        let digits = take { (0x30...0x39).contains($0) }
        guard (1...20).contains(digits.count) else { return nil }
        var value = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(Int(digit) - 0x30)
            if overflow || overflow2 { return .max }
            value = sum
        }
        return value
    }

    static func uppercased(_ octet: UInt8) -> UInt8 {
        (0x61...0x7A).contains(octet) ? octet - 0x20 : octet
    }
}

extension UnsafeRawBufferPointer {
    /// For octets that were checked to be ASCII or valid UTF-8.
    var text: String { String(decoding: self, as: UTF8.self) }

    var hasHighOctet: Bool { contains { $0 >= 0x80 } }

    /// Valid UTF-8 without control characters; `nil` otherwise.
    var printableText: String? {
        guard let text = String(validating: self, as: UTF8.self) else { return nil }
        return text.unicodeScalars.contains(where: \.isControl) ? nil : text
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1 and the marks that turn the direction of text: none of them belongs in a command.
    var isControl: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2028, 0x2029, 0x2066...0x2069: true
        default: false
        }
    }
}
