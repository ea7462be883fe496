import Testing

@testable import Spool

/// A window in order is the window of the sorted whole, whatever stands around it.
@Suite struct RankingTests {
    private static let shapes: [(name: String, value: @Sendable (Int) -> Int64)] = [
        ("rising", { Int64($0) }), ("falling", { -Int64($0) }), ("equal", { _ in 5 }),
        ("saw", { Int64($0 % 7) }), ("organ pipes", { Int64(min($0, 999 - $0)) }),
        ("mixed", { Int64($0 * 7_919 % 1_009) }),
        ("ends", { $0 % 2 == 0 ? .min : .max }),
    ]

    @Test("numbers", arguments: shapes.map(\.name))
    func numbers(_ shape: String) throws {
        let value = try #require(Self.shapes.first { $0.name == shape }).value
        var whole = NumberRanking()
        for row in 0..<1_000 { whole.add(value(row), for: Int64(row), joining: max) }
        let expected = (0..<1_000).sorted { (value($0), $0) < (value($1), $1) }.map { Int64($0) }
        for range in [0..<1_000, 0..<1, 0..<40, 480..<520, 960..<1_000, 999..<1_000, 500..<500] {
            var ranking = whole
            #expect(ranking.rows(range) == Array(expected[range]), "\(range)")
        }
    }

    @Test func severalValuesOfAMessageAreJoined() {
        var ranking = NumberRanking()
        for (value, row) in [(3, 1), (9, 1), (5, 2), (4, 3), (1, 3)] as [(Int64, Int64)] {
            ranking.add(value, for: row, joining: max)
        }
        #expect(ranking.count == 3)
        #expect(ranking.rows(0..<3) == [3, 2, 1])
    }

    @Test func textsByAllTheirOctetsWithoutCase() {
        let texts = [
            "", "a", "A", "ab", "abcdefgh", "ABCDEFGH", "abcdefghi", "abcdefgh0", "abcdefgha@x", "zz", "Zy", "ä",
            "a\u{0}",
        ]
        var ranking = TextRanking()
        for (row, text) in texts.enumerated() {
            Array(text.utf8).withUnsafeBytes { ranking.add($0, for: Int64(row)) }
        }
        let folded = texts.map { Array($0.utf8).map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 } }
        let expected = texts.indices.sorted {
            folded[$0] == folded[$1] ? $0 < $1 : folded[$0].lexicographicallyPrecedes(folded[$1])
        }
        #expect(ranking.rows(0..<texts.count) == expected.map { Int64($0) })
        #expect(texts.count == ranking.count)
    }

    /// Values that make the median of three a poor pivot cost no more than a full sort would.
    @Test func pivotsChosenToSpoil() {
        // Musser's sequence: each pivot is the second of its part.
        let count = 4_096
        var values: [Int64] = Array(repeating: 0, count: count)
        for place in 0..<count / 2 {
            values[place] = Int64(place % 2 == 0 ? place + 1 : count / 2 + place)
            values[count / 2 + place] = Int64(2 * (place + 1))
        }
        var compared = 0
        var sorted = values
        sorted.order(0..<count) { one, other in
            compared += 1
            return one < other
        }
        #expect(sorted == values.sorted())
        #expect(compared < count * 60, "\(compared)")
    }
}
