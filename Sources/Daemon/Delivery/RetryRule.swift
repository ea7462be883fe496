import Policy
import Spool

/// The schedule of the settings (R-DLV-18 to R-DLV-21), by way of `RetryPolicy`.
package struct RetryRule: RetrySchedule {
    package var settings: RetrySettings

    package init(_ settings: RetrySettings) { self.settings = settings }

    package func nextAttempt(after history: AttemptHistory, now: Int64) -> Int64? {
        // Trouble of our own has no limit in the original; mail waits for its repair as long as for a line's.
        let failure: Policy.FailureClass =
            switch history.failure {
            case .refusal: .refusal
            case .unreachable: .unreachable
            case .line, .local, nil: .line
            }
        // The number of retries is what the setting limits, of whatever kind they were.
        let facts = RetryFacts(
            failure: failure, attempts: history.tries, refusals: history.tries,
            firstFailure: history.firstFailure ?? now, now: now)
        switch RetryPolicy.decide(facts, settings) {
        case .retry(let seconds): return now + Int64(seconds) * 1_000
        case .giveUp: return nil
        }
    }
}
