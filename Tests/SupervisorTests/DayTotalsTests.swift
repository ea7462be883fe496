import Testing

@testable import Supervisor

/// Totals of 24 hours over restarts of the services and of the daemon.
@Suite struct DayTotalsTests {
    private let minute = 60_000
    private let start = 1_700_000_000_000

    @Test func countersAddUpOverRestartsOfAService() {
        var totals = DayTotals()
        totals.add(["received": 10, "sessions": 5], now: start)
        totals.add(["received": 15], now: start + minute)
        totals.serviceStarted()
        totals.add(["received": 3], now: start + 2 * minute)
        totals.add(["received": 1], now: start + 3 * minute)
        #expect(totals.totals(now: start + 3 * minute) == ["received24h": 19])
    }

    @Test func whatIsOlderThanADayIsForgotten() {
        var totals = DayTotals()
        totals.add(["delivered": 7], now: start)
        totals.add(["delivered": 9], now: start + 12 * 60 * minute)
        #expect(totals.totals(now: start + 23 * 60 * minute)["delivered24h"] == 9)
        #expect(totals.totals(now: start + 25 * 60 * minute)["delivered24h"] == 2)
        #expect(totals.totals(now: start + 100 * 24 * 60 * minute)["delivered24h"] == 0)
        #expect(totals.totals(now: start - 24 * 60 * minute)["delivered24h"] == 9, "a clock that went back")
    }

    @Test func writtenAndReadAgain() {
        var totals = DayTotals()
        totals.add(["failed": 4, "deferred": 2], now: start)
        var other = DayTotals()
        for line in totals.lines { other.restore(line) }
        #expect(other.totals(now: start) == totals.totals(now: start))
        other.add(["failed": 1], now: start + minute)
        #expect(other.totals(now: start + minute) == ["failed24h": 5, "deferred24h": 2])
        for line in [
            "", "failed", "failed 1 2", "failed x 1,2",
            "other 1 \(Array(repeating: "1", count: 144).joined(separator: ","))",
        ] {
            other.restore(line)
        }
        #expect(other.totals(now: start + minute) == ["failed24h": 5, "deferred24h": 2])
    }
}
