import MailModel

/// Kinds of failed attempts (R-DLV-20). The kind of the latest failure decides which limit is looked at (R-DLV-21).
package enum FailureClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// 受信拒否: a 5yz reply.
    case refusal
    /// 回線異常: a 4yz reply, a lost connection, a time-out after the connection stood.
    case line
    /// マシン無応答: no connection, no route, no usable DNS answer.
    case unreachable

    /// The class of a negative reply; `nil` for a positive one.
    package init?(reply: Reply) {
        switch reply.kind {
        case .transient: self = .line
        case .permanent: self = .refusal
        case .positive, .intermediate: return nil
        }
    }
}

/// R-DLV-18 to 21 and 28. Times are seconds, limits of the line and unreachable classes are hours.
package struct RetrySettings: Hashable, Sendable, Codable {
    /// `delivery.retry_interval`
    package var interval: Int
    /// `delivery.retry_fixed`: always wait exactly the interval.
    package var isFixed: Bool
    /// `delivery.retry_max_refusals`: retries after a 5yz reply; 0 = final at once (RFC 5321 §4.2.1).
    package var maxRefusals: Int
    /// `delivery.retry_hours_line`
    package var hoursLine: Int
    /// `delivery.retry_hours_unreachable`
    package var hoursUnreachable: Int

    package init(
        interval: Int = 120, isFixed: Bool = false, maxRefusals: Int = 0, hoursLine: Int = 120,
        hoursUnreachable: Int = 120
    ) {
        self.interval = interval
        self.isFixed = isFixed
        self.maxRefusals = maxRefusals
        self.hoursLine = hoursLine
        self.hoursUnreachable = hoursUnreachable
    }

    /// A growing wait ends here, or at the interval when that is longer (R-DLV-19).
    package static let longestGrownWait = 3600
}

/// One recipient's history, the attempt that just failed included.
package struct RetryFacts: Hashable, Sendable {
    package var failure: FailureClass
    /// Failed attempts, from 1.
    package var attempts: Int
    /// Those of them that were refusals, from 1 when this one was.
    package var refusals: Int
    /// When the first attempt failed, and now; milliseconds of one clock.
    package var firstFailure: Int64
    package var now: Int64

    package init(failure: FailureClass, attempts: Int, refusals: Int, firstFailure: Int64, now: Int64) {
        self.failure = failure
        self.attempts = attempts
        self.refusals = refusals
        self.firstFailure = firstFailure
        self.now = now
    }
}

package enum RetryDecision: Hashable, Sendable {
    /// Seconds until the next attempt.
    case retry(after: Int)
    /// The limit of the class is reached: report to the sender.
    case giveUp(RuleSource, finding: String)

    package var wait: Int? { if case .retry(let seconds) = self { seconds } else { nil } }
}

package enum RetryPolicy {
    package static func decide(_ facts: RetryFacts, _ settings: RetrySettings) -> RetryDecision {
        switch facts.failure {
        case .refusal:
            // n retries are n + 1 attempts.
            if facts.refusals > max(0, settings.maxRefusals) {
                return .giveUp(
                    .setting("delivery.retry_max_refusals"),
                    finding: "refused \(facts.refusals) times, \(settings.maxRefusals) retries are set")
            }
        case .line:
            if isOver(facts, hours: settings.hoursLine) {
                return .giveUp(
                    .setting("delivery.retry_hours_line"), finding: "not delivered within \(settings.hoursLine) hours")
            }
        case .unreachable:
            if isOver(facts, hours: settings.hoursUnreachable) {
                return .giveUp(
                    .setting("delivery.retry_hours_unreachable"),
                    finding: "not reachable within \(settings.hoursUnreachable) hours")
            }
        }
        return .retry(after: wait(beforeRetry: facts.attempts, settings))
    }

    /// Seconds before the n-th retry: interval × n, at most an hour (or the interval when that is longer); or always
    /// the interval.
    package static func wait(beforeRetry number: Int, _ settings: RetrySettings) -> Int {
        let interval = max(1, settings.interval)
        if settings.isFixed { return interval }
        let (grown, overflow) = interval.multipliedReportingOverflow(by: max(1, number))
        return min(overflow ? .max : grown, max(RetrySettings.longestGrownWait, interval))
    }

    /// Hours count from the first failure. A clock that went back counts as no time, never as expiry.
    private static func isOver(_ facts: RetryFacts, hours: Int) -> Bool {
        let (age, overflow) = facts.now.subtractingReportingOverflow(facts.firstFailure)
        if overflow { return false }
        // A million hours are more than a century; the product stays far from overflow.
        return age >= Int64(min(max(0, hours), 1_000_000)) * 3_600_000
    }
}
