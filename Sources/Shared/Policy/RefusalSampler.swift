import MailModel

/// Chooses the refusals whose facts are kept for `replay`. Refusals of one kind (same client, same reason, same rule)
/// are all kept while they come slowly, in a flood a fair part of them, each standing for the ones before it. Their
/// records are kept in any case. A value; its owner brings the time.
package struct RefusalSampler: Sendable {
    private struct Kind: Hashable, Sendable {
        let client: IPAddress
        let reason: Reason
        let source: RuleSource?
    }
    /// Kinds that are told apart at once; what comes beyond them shares one sampler.
    private static let mostKinds = 256
    private static let second: Int64 = 1_000

    private var samplers: [Kind: AcceptanceSampler] = [:]
    private var others = AcceptanceSampler()
    private var swept: Int64 = 0
    private let burst: Int
    private let rate: Int

    package init(burst: Int = 50, rate: Int = 2) {
        self.burst = burst
        self.rate = rate
    }

    /// - Parameter now: milliseconds.
    /// - Returns: `nil`: the facts of this one are not kept; else how many refusals it stands for, itself included.
    package mutating func take(_ verdict: Verdict, of client: IPAddress, now: Int64) -> Int? {
        let source = verdict.trail.last { $0.decided }?.source
        let kind = Kind(client: client, reason: verdict.reason, source: source)
        if let kept = samplers[kind]?.take(now: now) { return kept }
        if samplers[kind] != nil { return nil }
        if samplers.count >= Self.mostKinds { sweep(now) }
        guard samplers.count < Self.mostKinds else { return others.take(now: now) }
        var sampler = AcceptanceSampler(burst: burst, rate: rate)
        defer { samplers[kind] = sampler }
        return sampler.take(now: now)
    }

    /// Forgets kinds that came slowly of late.
    private mutating func sweep(_ now: Int64) {
        guard now < swept || now - swept >= Self.second else { return }
        swept = now
        samplers = samplers.filter { !$0.value.isRested(now: now) }
    }
}
