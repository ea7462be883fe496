import DirectoryWire
import MailModel
import Synchronization
import Threads

/// Accounts of a directory, with what was answered lately at hand. Any thread; nothing here waits.
///
/// Several who ask for the same account at a time cost one question.
package final class DirectoryCache: Sendable {
    package enum Answer: Sendable, Equatable {
        case found(DirectoryAccount)
        case missing
        case unavailable(String)
    }
    /// Seconds that answers are kept.
    package struct Ages: Hashable, Sendable {
        package var found: Int
        package var missing: Int
        /// Long enough that a directory that is away is not asked by each of a thousand sessions.
        package static let unavailable = 2
        package init(found: Int, missing: Int) {
            self.found = found
            self.missing = missing
        }
    }

    private struct Entry {
        var answer: Answer
        /// Monotonic seconds.
        var until: Int
    }
    private struct State {
        var profile: DirectoryProfile?
        var ages = Ages(found: 0, missing: 0)
        var entries: [MailAddress: Entry] = [:]
        var asked: [MailAddress: [@Sendable (Answer) -> Void]] = [:]
        /// Answers to questions of an older profile do not count.
        var generation = 0
    }
    private let state = Mutex(State())
    private let client: DirectoryClient
    package static let limit = 10_000
    /// Seconds past its age that an answer may be used by whoever has just made sure of it.
    private static let grace = 5

    package init(client: DirectoryClient) { self.client = client }

    /// What is asked, and how long answers are kept; forgets everything when the directory is another one.
    package func use(_ profile: DirectoryProfile, _ ages: Ages) {
        state.withLock { state in
            state.ages = ages
            guard state.profile != profile else { return }
            state.profile = profile
            state.entries = [:]
            state.generation += 1
        }
    }

    /// Milliseconds until a question counts as unanswered: some more than the helper needs for its steps.
    package static func patience(_ profile: DirectoryProfile) -> Int { (2 * profile.timeout + 2) * 1000 }

    /// - Parameter address: folded.
    /// - Returns: an answer that is fresh enough for whoever has waited for `find`.
    package func atHand(_ address: MailAddress) -> Answer? {
        let now = SystemClock.coarseSeconds()
        return state.withLock { state in
            state.entries[address].flatMap { $0.until + Self.grace > now ? $0.answer : nil }
        }
    }

    /// - Parameters:
    ///   - address: folded.
    ///   - completion: called once, on any thread, unless an answer is returned.
    package func find(_ address: MailAddress, completion: @escaping @Sendable (Answer) -> Void) -> Answer? {
        let now = SystemClock.coarseSeconds()
        enum Step {
            case known(Answer)
            case waits
            case ask(DirectoryProfile, generation: Int)
        }
        let step: Step = state.withLock { state in
            if let entry = state.entries[address], entry.until > now { return .known(entry.answer) }
            guard let profile = state.profile else { return .known(.unavailable("no directory is set")) }
            let isFirst = state.asked[address] == nil
            state.asked[address, default: []].append(completion)
            return isFirst ? .ask(profile, generation: state.generation) : .waits
        }
        switch step {
        case .known(let answer): return answer
        case .waits: return nil
        case .ask(let profile, let generation):
            let fields = [address.localPart, address.domain].map { Array($0.utf8) }
            client.ask(.find, fields, profile, milliseconds: Self.patience(profile)) { [self] answer in
                answered(address, Self.answer(answer), generation)
            }
            return nil
        }
    }

    private static func answer(_ answer: DirectoryClient.Answer) -> Answer {
        switch answer {
        case .found(let account), .right(let account): .found(account)
        case .missing: .missing
        case .unavailable(let detail), .wrong(let detail): .unavailable(detail)
        case .list, .report: .unavailable("an answer to another question")
        }
    }

    private func answered(_ address: MailAddress, _ answer: Answer, _ generation: Int) {
        let now = SystemClock.coarseSeconds()
        let completions = state.withLock { state in
            if generation == state.generation {
                let age: Int
                switch answer {
                case .found: age = state.ages.found
                case .missing: age = state.ages.missing
                case .unavailable: age = Ages.unavailable
                }
                if state.entries.count >= Self.limit { state.entries = state.entries.filter { $0.value.until > now } }
                // Still full: half goes, whichever.
                if state.entries.count >= Self.limit {
                    for key in Array(state.entries.keys.prefix(Self.limit / 2)) { state.entries[key] = nil }
                }
                state.entries[address] = Entry(answer: answer, until: now + age)
            }
            return state.asked.removeValue(forKey: address) ?? []
        }
        for completion in completions { completion(answer) }
    }

    /// Forgets an account: something about it was changed.
    package func forget(_ address: MailAddress) { state.withLock { $0.entries[address] = nil } }

    /// Accounts and unknown names at hand.
    package var count: Int { state.withLock { $0.entries.count } }
}
