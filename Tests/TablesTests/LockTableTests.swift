import MailModel
import Tables
import Testing

@Suite struct LockTableTests {
    private static let now: Int64 = 1_700_000_000

    private func read(_ text: String, _ kind: LockTable.Kind = .address) -> TableReading<LockTable> {
        LockTable.read(TableText(text), kind: kind)
    }

    /// A broken line disables itself and no other (field notes A8b).
    @Test func faultyLinesStandAlone() {
        let reading = read(
            "10.0.0.1\nhost\n10.0.0.2 x\n10.0.0.3 1 2\n10.0.0.4 1700000000 iplock more\n\n' note\n10.0.0.5\n")
        #expect(reading.value.entries.map(\.subject) == ["10.0.0.1", "10.0.0.5"])
        #expect(reading.problems.map(\.line) == [2, 3, 4, 5])
        #expect(!reading.hasFaults)
    }

    /// Unix seconds, and the serial days of the original's system.
    @Test(arguments: [("1700000000", 1_700_000_000), ("45244.5", 1_699_963_200), ("45244", 1_699_920_000)])
    func stamps(_ text: String, _ seconds: Int64) {
        #expect(read("10.0.0.1 \(text)").value.entries.first?.since == seconds)
    }

    @Test func subjectsAreComparedInOneForm() throws {
        let table = read("2001:DB8:0::1 allow\n").value
        let address = try #require(IPAddress("2001:db8::1"))
        #expect(table.entries(for: address).first?.word == .allow)
        let accounts = read("Ann@IN.example\nann\n", .account)
        #expect(accounts.value.entries(for: "ann@in.example").count == 1)
        #expect(accounts.problems.map(\.line) == [2])
    }

    @Test func whatIsWrittenLeavesTheRestAlone() {
        let table = read("' by hand\n10.0.0.1\nnonsense\n10.0.0.2 1690000000\n").value
        let more = table.adding("10.0.0.3", since: Self.now, word: .iplock)
        #expect(more.text == "' by hand\n10.0.0.1\nnonsense\n10.0.0.2 1690000000\n10.0.0.3 1700000000 iplock\n")
        #expect(
            more.pruned(now: Self.now, lockTime: 1800).text
                == "' by hand\n10.0.0.1\nnonsense\n10.0.0.3 1700000000 iplock\n")
        #expect(more.pruned(now: Self.now, lockTime: 0) == more)
        #expect(more.removing("10.0.0.1").removing("10.0.0.3").text == "' by hand\nnonsense\n10.0.0.2 1690000000\n")
        #expect(more.adding("10.0.0.1", since: nil, word: .allow).entries.last?.word == .allow)
        #expect(more.adding("10.0.0.1", since: nil, word: .allow).entries.count == 3)
    }

    @Test func aClockSetBackLocksNobodyForEver() {
        let table = read("10.0.0.1 1700009999\n").value
        #expect(!LockTable.isOver(table.entries[0], now: Self.now, lockTime: 1800))
        #expect(LockTable.isOver(table.entries[0], now: 1_700_009_999 + 1800, lockTime: 1800))
    }
}
