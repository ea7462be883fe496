import Control
import ControlServer
import Explain
import Facts
import Journal
import MailModel
import MessageFormat
import Policy
import Settings
import Store
import Tables

/// org.epost.Policy.Replay: recorded decisions, judged once with the configuration in force and once with the draft. It
/// reads in portions, on the desk's threads, and ends with its caller.
struct ReplayDesk: Sendable {
    private let desk: Desk
    private let directory: any Directory
    private let rules: @Sendable () -> EffectTable

    /// Decisions looked at, refused and accepted together.
    static let limit = 200_000
    /// Decisions of one portion: some tens of milliseconds.
    static let portion = 2_000
    /// Different changes kept; further ones are counted, not listed.
    static let changesKept = 20_000

    init(desk: Desk, directory: any Directory, rules: @escaping @Sendable () -> EffectTable) {
        self.desk = desk
        self.directory = directory
        self.rules = rules
    }

    func register(on server: ControlServer) {
        server.stream(PolicyInterface.Replay.self) { input, _, replies throws(ControlError) in
            try await replay(input, replies)
        }
        let desk = desk
        server.on(PolicyInterface.Refusals.self) { input, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in
                try Self.refusals(desk.layout.explain, minutes: input.minutes)
            }
        }
    }

    private func replay(
        _ input: PolicyInterface.Replay.Input, _ replies: Replies<PolicyInterface.Replay.Output>
    ) async throws(ControlError) {
        var run = try run(input)
        let since = Int64(Clock.wall()) - Int64(min(365, max(1, input.days))) * 86_400_000
        var source = ReplaySource(
            archive: desk.layout.explain, journal: JournalReader(folder: desk.layout.log), since: since)
        while !Task.isCancelled, replies.isOpen {
            let (before, state) = (source, run)
            let step = try await desk.offload.run { () throws(ControlError) in
                var (source, run) = (before, state)
                let mails = try source.next(Self.portion)
                try run.take(mails, directory)
                return (source, run, mails.isEmpty)
            }
            (source, run) = (step.0, step.1)
            let isCut = !step.2 && run.judged >= Self.limit
            if step.2 || isCut { return replies.send(run.finished(isCut: isCut, limit: input.limit), isLast: true) }
            if replies.wantsMore { replies.send(run.output) }
        }
    }

    private static func refusals(
        _ archive: String, minutes: Int
    ) throws(ControlError) -> PolicyInterface.Refusals.Output {
        let since = Int64(Clock.wall()) - Int64(min(1_440, max(1, minutes))) * 60_000
        do {
            let counts = try DecisionArchive.counts(since: since, limit: 20, in: archive)
            return .init(
                reasons: counts.map {
                    RefusalReason(
                        reason: $0.reason, count: $0.count,
                        reference: DecisionReference($0.reference)?.description ?? $0.reference, time: Int($0.time))
                })
        } catch {
            throw ControlError(
                .failed, code: "explain.failed", "The records cannot be read: \(error)", arguments: ["\(error)"])
        }
    }

    private func run(_ input: PolicyInterface.Replay.Input) throws(ControlError) -> ReplayRun {
        var draft = rules()
        if let text = input.effect {
            let reading = EffectTable.read(text)
            guard !reading.hasFaults else {
                throw ControlError(
                    .refused, code: "table.faulty", "The effect.dat to be tried has faults.",
                    arguments: [EffectTable.fileName],
                    problems: TableProblems.translated(reading.problems, file: EffectTable.fileName))
            }
            draft = reading.value
        }
        do {
            let now = try directory.settings()
            var changed = now
            for change in input.settings {
                guard let definition = SettingsCatalogue.definition(of: change.key) else { continue }
                let texts = change.values.map { definition.normalized($0) }
                if case .success(let known)? = texts { changed.set(change.key, to: known) }
                if texts == nil { changed.set(change.key, to: nil) }
            }
            return ReplayRun(
                now: .init(rules: rules(), settings: now), draft: .init(rules: draft, settings: changed))
        } catch {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
    }
}
