import MailModel
import Testing

@Suite struct QueueIDTests {
    @Test func idsRiseThoughTheClockStandsStillOrGoesBack() {
        var generator = QueueIDGenerator(node: 3)
        var ids: [QueueID] = []
        for now in [1_000_000, 1_000_000, 999_000, 1_000_001, 1_000_001] as [Int64] {
            ids.append(generator.next(now: now))
        }
        #expect(Set(ids).count == ids.count)
        #expect(ids == ids.sorted())
    }

    @Test func aThousandthOfASecondHoldsMoreThanItsSequenceNumbers() {
        var generator = QueueIDGenerator(node: 1)
        var last = generator.next(now: 5)
        for _ in 0..<40_000 {
            let next = generator.next(now: 5)
            #expect(next > last)
            last = next
        }
    }

    @Test func aRestartGoesOnBehindTheNewestId() throws {
        var before = QueueIDGenerator(node: 1)
        let newest = before.next(now: 9_000)
        var after = QueueIDGenerator(node: 1, after: newest)
        #expect(after.next(now: 1_000) > newest)
    }

    @Test func itCarriesItsTime() {
        var generator = QueueIDGenerator(node: 1023)
        #expect(generator.next(now: 1_795_000_000_123).milliseconds == 1_795_000_000_123)
    }

    @Test(
        "what is an id",
        arguments: [
            ("0123456789ABCD", true), ("0123456789abcd", true), ("0123456789ABC", false), ("0123456789ABCDE", false),
            ("0123456789ABCI", false), ("0123456789AB/.", false), ("", false),
        ])
    func reading(_ text: String, _ isGood: Bool) {
        #expect((QueueID(text) != nil) == isGood)
    }

    @Test func aReferenceIsReadAsPeopleTypeIt() throws {
        let reference = DecisionReference(random: 0x12_3456_789A)
        #expect(reference.description.count == 9)
        #expect(DecisionReference(reference.description.lowercased()) == reference)
        #expect(DecisionReference("oil0-OIL0")?.rawValue == "01100110")
        #expect(DecisionReference("7K2Q-93H") == nil)
        #expect(DecisionReference("7K2Q-93HU") == nil)
    }
}
