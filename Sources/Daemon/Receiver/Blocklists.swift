import MailModel
import Policy
import Synchronization
import Threads
import Transport

/// Asks DNS block lists about clients: all zones at once, each client once at a time, answers kept for a while. No
/// session waits for another's question; any thread.
package final class Blocklists: Sendable {
    private struct Kept {
        var outcome: BlocklistAnswer.Outcome
        /// Seconds of the monotonic clock.
        var askedAt: Int
        var until: Int
    }
    private struct Question: Hashable {
        var client: IPAddress
        var zone: String
    }
    private struct State {
        var kept: [Question: Kept] = [:]
        var waiting: [Question: [@Sendable (BlocklistAnswer.Outcome) -> Void]] = [:]
    }
    private let state = Mutex(State())
    private let resolver: any NameResolver
    private let now: @Sendable () -> Int

    /// Answers kept at most; beyond it those that have had their time go, then all.
    private static let capacity = 20_000
    /// Seconds that an answer is kept: as its TTL says, within these bounds.
    private static let bounds = 60...3_600
    /// Seconds that "not listed" and no answer at all are kept; a silent list delays a busy client only now and then.
    private static let negative = 300
    private static let failed = 60

    package init(resolver: any NameResolver, now: @escaping @Sendable () -> Int = SystemClock.coarseSeconds) {
        self.resolver = resolver
        self.now = now
    }

    /// - Parameter completion: called once with one answer a zone, in their order; perhaps before this returns.
    package func ask(
        about client: IPAddress, zones: [String], completion: @escaping @Sendable ([BlocklistAnswer]) -> Void
    ) {
        let collector = Collector(zones, completion)
        for (index, zone) in zones.enumerated() {
            ask(Question(client: client, zone: zone)) { outcome, age in collector.answer(index, outcome, age) }
        }
    }

    /// Answers that are at hand; nobody is asked.
    package func known(about client: IPAddress, zones: [String]) -> [BlocklistAnswer] {
        let now = now()
        return state.withLock { state in
            zones.compactMap { zone in
                guard let kept = state.kept[Question(client: client, zone: zone)], kept.until > now else { return nil }
                return BlocklistAnswer(zone: zone, outcome: kept.outcome, age: now - kept.askedAt)
            }
        }
    }

    private func ask(_ question: Question, _ answer: @escaping @Sendable (BlocklistAnswer.Outcome, Int) -> Void) {
        let now = now()
        enum Next { case known(BlocklistAnswer.Outcome, age: Int), wait, look }
        let next: Next = state.withLock { state in
            if let kept = state.kept[question], kept.until > now {
                return .known(kept.outcome, age: now - kept.askedAt)
            }
            let isFirst = state.waiting[question] == nil
            state.waiting[question, default: []].append { answer($0, 0) }
            return isFirst ? .look : .wait
        }
        switch next {
        case .known(let outcome, let age): answer(outcome, age)
        case .wait: break
        case .look: look(question)
        }
    }

    private func look(_ question: Question) {
        let name = BlocklistPolicy.name(of: question.client, in: question.zone)
        resolver.addresses(of: name, family: .ipv4) { [self] result in
            switch result {
            case .success(let answer):
                let outcome = BlocklistPolicy.meaning(of: answer.value)
                let ttl = outcome == .notListed ? Self.negative : answer.ttl
                keep(question, outcome, seconds: min(max(ttl, Self.bounds.lowerBound), Self.bounds.upperBound))
            case .failure(.notFound): keep(question, .notListed, seconds: Self.negative)
            case .failure(.timeout): keep(question, .failed("time-out"), seconds: Self.failed)
            case .failure(.temporary(let why)), .failure(.bogus(let why)):
                keep(question, .failed(why), seconds: Self.failed)
            }
        }
    }

    private func keep(_ question: Question, _ outcome: BlocklistAnswer.Outcome, seconds: Int) {
        let now = now()
        let waiting = state.withLock { state in
            if state.kept.count >= Self.capacity {
                state.kept = state.kept.filter { $0.value.until > now }
                if state.kept.count >= Self.capacity { state.kept = [:] }
            }
            state.kept[question] = Kept(outcome: outcome, askedAt: now, until: now + seconds)
            return state.waiting.removeValue(forKey: question) ?? []
        }
        for answer in waiting { answer(outcome) }
    }

    /// Joins the answers of several zones.
    private final class Collector: Sendable {
        private struct State {
            var answers: [BlocklistAnswer?]
            var left: Int
        }
        private let zones: [String]
        private let state: Mutex<State>
        private let completion: @Sendable ([BlocklistAnswer]) -> Void

        init(_ zones: [String], _ completion: @escaping @Sendable ([BlocklistAnswer]) -> Void) {
            self.zones = zones
            self.completion = completion
            state = Mutex(State(answers: Array(repeating: nil, count: zones.count), left: zones.count))
            if zones.isEmpty { completion([]) }
        }

        func answer(_ index: Int, _ outcome: BlocklistAnswer.Outcome, _ age: Int) {
            let done: [BlocklistAnswer]? = state.withLock { state in
                state.answers[index] = BlocklistAnswer(zone: zones[index], outcome: outcome, age: age)
                state.left -= 1
                return state.left == 0 ? state.answers.compactMap { $0 } : nil
            }
            if let done { completion(done) }
        }
    }
}
