import Testing

@testable import Supervisor

/// Code style, habit 20: restart with a reason, as a table.
@Suite struct RestartRuleTests {
    static let crash = RestartRule.End.signal(5)
    static let killed = RestartRule.End.signal(9)

    @Test func whatServedIsStartedAtOnceHoweverOften() {
        var rule = RestartRule()
        for _ in 0..<100 { #expect(rule.pause(after: .served, Self.crash) == 0) }
    }

    @Test func aSoundServiceThatWasKilledIsStartedAtOnce() {
        var rule = RestartRule()
        for _ in 0..<100 { #expect(rule.pause(after: .idle, Self.killed) == 0) }
    }

    @Test func whatNeverGetsReadyWaitsLongerEachTime() {
        var rule = RestartRule()
        let pauses = (0..<9).map { _ in rule.pause(after: .neverReady, .exit(code: 1)) }
        #expect(pauses == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000])
    }

    @Test func theFirstFailureAtTheFirstJobMayBeChance() {
        var rule = RestartRule()
        let pauses = (0..<4).map { _ in rule.pause(after: .idle, Self.crash) }
        #expect(pauses == [0, 2000, 4000, 8000])
    }

    @Test func oneGoodRunForgetsTheFailures() {
        var rule = RestartRule()
        _ = rule.pause(after: .neverReady, Self.killed)
        _ = rule.pause(after: .neverReady, Self.killed)
        #expect(rule.pause(after: .served, Self.crash) == 0)
        #expect(rule.pause(after: .neverReady, Self.killed) == 1000)
        rule.forget()
        #expect(rule.failures == 0)
    }
}

@Suite struct CertificateDayTests {
    @Test(arguments: [
        (now: 0, end: 86_400, days: 1), (0, 86_399, 0), (0, 0, 0), (1, 0, -1), (86_400, 0, -1), (86_401, 0, -2),
    ])
    func wholeDaysUntilTheEnd(now: Int, end: Int, days: Int) {
        #expect(CertificateDesk.days(until: end, now: now) == days)
    }
}

@Suite struct ServiceHistoryTests {
    @Test func minutesAndSecondsAreCounted() {
        var history = ServiceHistory()
        history.add(total: 5, now: 600)
        history.add(total: 8, now: 610)
        #expect(history.lastMinute == 8 && history.perMinute.last == 8 && history.perMinute.count == 30)
        history.add(total: 10, now: 660)
        #expect(history.perMinute.suffix(2) == [8, 2])
        #expect(history.lastMinute == 5, "what is sixty seconds old does not count")
        history.advance(to: 660 + 60 * 40)
        #expect(history.perMinute.allSatisfy { $0 == 0 } && history.lastMinute == 0)
    }

    @Test func aRestartedServiceCountsFromZero() {
        var history = ServiceHistory()
        history.add(total: 100, now: 60)
        history.serviceStarted()
        history.add(total: 3, now: 61)
        #expect(history.lastMinute == 103)
    }
}
