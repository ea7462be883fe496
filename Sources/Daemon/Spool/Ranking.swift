/// Messages with what they are to be ordered by; equal ones stand in the order of arrival. Rows are added in that order.
protocol Ranking {
    var count: Int { get }

    /// Puts the places of `range` in order, and only those.
    mutating func rows(_ range: Range<Int>) -> [Int64]
}

struct NumberRanking: Ranking {
    private var entries: [(value: Int64, row: Int64)] = []

    var count: Int { entries.count }

    /// - Parameter joining: what two values of one message make.
    mutating func add(_ value: Int64, for row: Int64, joining: (Int64, Int64) -> Int64) {
        if let last = entries.indices.last, entries[last].row == row {
            entries[last].value = joining(entries[last].value, value)
        } else {
            entries.append((value, row))
        }
    }

    mutating func rows(_ range: Range<Int>) -> [Int64] {
        entries.order(range) { ($0.value, $0.row) < ($1.value, $1.row) }
        return entries[range].map(\.row)
    }
}

/// By texts, whose case in ASCII does not count. Of several texts of one message the first does.
struct TextRanking: Ranking {
    private struct Entry {
        /// The first eight octets, and zeros behind a shorter text: most comparisons end here.
        var beginning: UInt64
        var row: Int64
        var start: Int
        var count: Int
    }

    private var entries: [Entry] = []
    /// The texts in small letters, one behind the other.
    private var texts: [UInt8] = []

    var count: Int { entries.count }

    mutating func add(_ text: UnsafeRawBufferPointer, for row: Int64) {
        guard entries.last?.row != row else { return }
        let start = texts.count
        texts.append(contentsOf: text)
        var beginning: UInt64 = 0
        texts.withUnsafeMutableBufferPointer { texts in
            for place in start..<texts.count where (0x41...0x5A).contains(texts[place]) { texts[place] |= 0x20 }
            for place in start..<start + 8 {
                beginning = beginning << 8 | UInt64(place < texts.count ? texts[place] : 0)
            }
        }
        entries.append(Entry(beginning: beginning, row: row, start: start, count: text.count))
    }

    mutating func rows(_ range: Range<Int>) -> [Int64] {
        texts.withUnsafeBufferPointer { texts in
            entries.order(range) { one, other in
                if one.beginning != other.beginning { return one.beginning < other.beginning }
                for offset in 0..<Swift.min(one.count, other.count) {
                    let (octet, another) = (texts[one.start + offset], texts[other.start + offset])
                    if octet != another { return octet < another }
                }
                return (one.count, one.row) < (other.count, other.row)
            }
        }
        return entries[range].map(\.row)
    }
}

extension Array {
    /// Sorts so far that the elements at the places of `range` are those that stand there in the sorted array. Takes time
    /// in proportion to the count for a short range.
    mutating func order(_ range: Range<Int>, by isLess: (Element, Element) -> Bool) {
        let range = range.clamped(to: 0..<count)
        guard !range.isEmpty else { return }
        var open = [(part: 0..<count, depth: 2 * (Int.bitWidth - count.leadingZeroBitCount))]
        while let (part, depth) = open.popLast() {
            // The depth bounds what values chosen to spoil the pivots can cost.
            if part.count <= 32 || depth == 0 {
                self[part].sort(by: isLess)
                continue
            }
            let middle = split(part, by: isLess)
            for half in [part.lowerBound..<middle, middle..<part.upperBound] where half.overlaps(range) {
                open.append((half, depth - 1))
            }
        }
    }

    /// Moves what is less than a pivot before the rest.
    /// - Returns: where the rest begins, inside of the part and neither of its ends. At least three elements, no two equal.
    private mutating func split(_ part: Range<Int>, by isLess: (Element, Element) -> Bool) -> Int {
        let (first, middle, last) = (part.lowerBound, part.lowerBound + part.count / 2, part.upperBound - 1)
        if isLess(self[middle], self[first]) { swapAt(middle, first) }
        if isLess(self[last], self[first]) { swapAt(last, first) }
        if isLess(self[last], self[middle]) { swapAt(last, middle) }
        let pivot = self[middle]
        // The median of three stops both walks inside of the part.
        var (low, high) = (first, last)
        while true {
            while isLess(self[low], pivot) { low += 1 }
            while isLess(pivot, self[high]) { high -= 1 }
            guard low < high else { return low }
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
