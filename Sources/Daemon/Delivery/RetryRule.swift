import Policy
import Spool

/// The schedule of the settings (R-DLV-18 to R-DLV-21), by way of `RetryPolicy`.
package struct RetryRule: RetrySchedule {
    package var settings: RetrySettings

    package init(_ settings: RetrySettings) { self.settings = settings }

    package func nextAttempt(after history: AttemptHistory, now: Int64) -> Int64? {
        let facts = RetryFacts(
            failure: Self.kind(history), attempts: history.tries, refusals: history.refusals,
            firstFailure: history.firstFailure ?? now, now: now)
        switch RetryPolicy.decide(facts, settings) {
        case .retry(let seconds): return now + Int64(seconds) * 1_000
        case .giveUp: return nil
        }
    }

    package func expiry(of history: AttemptHistory) -> Int64? {
        guard let first = history.firstFailure else { return nil }
        let hours: Int
        switch Self.kind(history) {
        case .refusal: return nil
        case .line: hours = settings.hoursLine
        case .unreachable: hours = settings.hoursUnreachable
        }
        return first + Int64(hours) * 3_600_000
    }

    /// Trouble of our own has no limit in the original; mail waits for its repair as long as for a line's.
    private static func kind(_ history: AttemptHistory) -> Policy.FailureClass {
        switch history.failure {
        case .refusal: .refusal
        case .unreachable: .unreachable
        case .line, .local, nil: .line
        }
    }
}
