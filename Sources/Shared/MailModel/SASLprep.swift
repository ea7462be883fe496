@_spi(_Unicode) import Swift

/// Names and passwords in the one form in which they are compared (RFC 4013, a profile of stringprep, RFC 3454): what
/// looks the same to its user is the same, however a keyboard wrote it.
package enum SASLprep {
    /// - Returns: the prepared text; `nil` when it holds what the profile prohibits, or is no UTF-8. Characters that
    ///   Unicode 3.2 does not know stay as they are, as in a query (§2.5).
    package static func prepare(_ octets: [UInt8]) -> [UInt8]? {
        // Nearly every password: nothing to be done, and no copy.
        if octets.allSatisfy({ (0x20...0x7E).contains($0) }) { return octets }
        guard let text = String(validating: octets, as: UTF8.self) else { return nil }
        return prepare(text).map { Array($0.utf8) }
    }

    package static func prepare(_ text: String) -> String? {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var mapped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isSpace(scalar.value) {
                mapped.append(" ")  // §2.1, table C.1.2
            } else if !vanishes(scalar.value) {
                append(scalar, to: &mapped)
            }
        }
        // The decompositions are whole already, so that composing makes form KC of them (§2.2).
        let normal = String.UnicodeScalarView(String(mapped)._nfc)
        guard !normal.contains(where: { isProhibited($0.value) }), hasOneDirection(normal) else { return nil }
        return String(normal)
    }

    /// The compatibility decomposition of a character, and of what its canonical one consists of.
    private static func append(_ scalar: Unicode.Scalar, to out: inout String.UnicodeScalarView) {
        if let whole = decompositions[scalar.value] { return out.append(contentsOf: whole) }
        guard scalar.value >= 0x80 else { return out.append(scalar) }
        for part in String(scalar)._nfd {
            if part != scalar, let whole = decompositions[part.value] {
                out.append(contentsOf: whole)
            } else {
                out.append(part)
            }
        }
    }

    private static let decompositions: [UInt32: [Unicode.Scalar]] = {
        var out: [UInt32: [Unicode.Scalar]] = [:]
        for entry in CompatibilityTable.decompositions.split(whereSeparator: \.isWhitespace) {
            let sides = entry.split(separator: "=")
            guard sides.count == 2 else { continue }
            let place = sides[0].split(separator: "+").compactMap { UInt32($0, radix: 16) }
            let target = sides[1].split(separator: ".").compactMap { UInt32($0, radix: 16) }
            guard let first = place.first, let start = target.first else { continue }
            guard place.count == 2 else {
                out[first] = target.compactMap { Unicode.Scalar($0) }
                continue
            }
            for step in 0...place[1] {
                if let scalar = Unicode.Scalar(start &+ step) { out[first &+ step] = [scalar] }
            }
        }
        return out
    }()

    // MARK: Tables of RFC 3454

    /// C.1.2
    private static func isSpace(_ value: UInt32) -> Bool {
        switch value {
        case 0xA0, 0x1680, 0x2000...0x200B, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// B.1
    private static func vanishes(_ value: UInt32) -> Bool {
        switch value {
        case 0xAD, 0x34F, 0x1806, 0x180B...0x180D, 0x200C, 0x200D, 0x2060, 0xFE00...0xFE0F, 0xFEFF: true
        default: false
        }
    }

    /// C.2.1, C.2.2, C.3 to C.9; surrogates cannot occur.
    private static func isProhibited(_ value: UInt32) -> Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x6DD, 0x70F, 0x180E, 0x2028, 0x2029, 0x2061...0x2063, 0x1D173...0x1D17A: true
        case 0xE000...0xF8FF, 0xF0000...0x10FFFF: true
        case 0xFDD0...0xFDEF, 0xFFF9...0xFFFF: true
        case 0x2FF0...0x2FFB, 0x340, 0x341, 0x200E, 0x200F, 0x202A...0x202E, 0x206A...0x206F: true
        case 0xE0001, 0xE0020...0xE007F: true
        default: value & 0xFFFE == 0xFFFE
        }
    }

    /// §6 of RFC 3454: with a character from right to left there is none from left to right, and the text begins and
    /// ends with one.
    private static func hasOneDirection(_ text: String.UnicodeScalarView) -> Bool {
        func isIn(_ ranges: [ClosedRange<UInt32>], _ scalar: Unicode.Scalar) -> Bool {
            let index = ranges.partitioningIndex { $0.upperBound >= scalar.value }
            return index < ranges.count && ranges[index].contains(scalar.value)
        }
        guard text.contains(where: { isIn(rightToLeft, $0) }) else { return true }
        guard let first = text.first, let last = text.last, isIn(rightToLeft, first), isIn(rightToLeft, last) else {
            return false
        }
        return !text.contains { isIn(leftToRight, $0) }
    }

    private static let rightToLeft = ranges(CompatibilityTable.rightToLeft)
    private static let leftToRight = ranges(CompatibilityTable.leftToRight)

    private static func ranges(_ text: String) -> [ClosedRange<UInt32>] {
        text.split(whereSeparator: \.isWhitespace).compactMap { entry in
            let ends = entry.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            guard let first = ends.first, let last = ends.last, first <= last else { return nil }
            return first...last
        }
    }
}

extension Array {
    /// The first place from which on all fulfil the condition; they are in order.
    fileprivate func partitioningIndex(_ condition: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
