import MailModel
import Tables

/// Everything that a refusal was decided from. It stays with the record, so that the decision can be taken again: the
/// same facts, rule and settings give the same verdict, and a draft of the rules or settings shows what it would change.
package struct Evidence: Hashable, Sendable, Codable {
    package enum Moment: Hashable, Sendable, Codable {
        case connection(ConnectionFacts, maxSessions: Int, maxSessionsPerClient: Int)
        case sender(SenderFacts)
        case recipient(RecipientFacts, from: SenderFacts)
        case content(ContentFacts)
    }
    package var moment: Moment
    package var session: SessionFacts
    package var settings: AcceptanceSettings
    /// The relay rule that was chosen; matrix I without a rule where none is asked.
    package var selection: RelaySelection

    package init(
        _ moment: Moment, session: SessionFacts, settings: AcceptanceSettings,
        selection: RelaySelection? = nil
    ) {
        self.moment = moment
        self.session = session
        self.settings = settings
        self.selection = selection ?? RelaySelection(.empty, rule: nil)
    }

    /// The decision, taken again.
    /// - Parameters:
    ///   - rules: another effect.dat to choose the rule from; `nil`: the rule of that time.
    ///   - settings: other settings; `nil`: those of that time.
    ///   - limits: other limits of connections; `nil`: those of that time.
    ///   - explain: with its steps even when it accepts.
    package func verdict(
        rules: EffectTable? = nil, settings: AcceptanceSettings? = nil, limits: ConnectionSettings? = nil,
        explain: Bool = false
    ) -> Verdict {
        let settings = settings ?? self.settings
        func selection(_ sender: SenderFacts) -> RelaySelection {
            guard let rules else { return self.selection }
            return RelaySelection.choose(rules, client: session.client, sender: sender.path)
        }
        switch moment {
        case .connection(let facts, let maxSessions, let maxSessionsPerClient):
            let known = ConnectionSettings(maxSessions: maxSessions, maxSessionsPerClient: maxSessionsPerClient)
            switch ConnectionPolicy.decide(facts, limits ?? known) {
            case .refuse(let verdict): return verdict
            case .accept, .closeSilently: return Verdict(.accepted)
            }
        case .sender(let facts):
            return SenderPolicy.decide(
                facts, in: session, selection: selection(facts), settings: settings, explain: explain
            ).verdict
        case .recipient(let facts, let sender):
            let decision = SenderPolicy.decide(
                sender, in: session, selection: selection(sender), settings: settings, explain: explain)
            guard decision.verdict.isAccepted else { return decision.verdict }
            return RecipientPolicy.decide(facts, from: decision, in: session, settings: settings, explain: explain)
        case .content(let facts):
            return ContentPolicy.decide(facts, in: session, settings: settings, explain: explain)
        }
    }
}

extension RelaySelection: Codable {
    private enum Keys: CodingKey { case matrix, line, rule }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let matrix = try container.decode(RelayMatrix.self, forKey: .matrix)
        let text = try container.decodeIfPresent(String.self, forKey: .rule)
        let line = try container.decodeIfPresent(Int.self, forKey: .line) ?? 0
        let rule = text.flatMap { EffectTable.read($0).value.rules.first }.map {
            EffectTable.Rule(line: line, pattern: $0.pattern, action: $0.action, text: $0.text)
        }
        self.init(matrix: matrix, rule: rule)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(matrix, forKey: .matrix)
        try container.encodeIfPresent(rule?.line, forKey: .line)
        try container.encodeIfPresent(rule?.text, forKey: .rule)
    }
}
