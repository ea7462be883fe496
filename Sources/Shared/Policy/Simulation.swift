import MailModel
import Tables

/// One connection, one sender and one recipient judged as the session would, with every step told: what `explain
/// --client …` and the Simulate screen show. It calls the functions that the receiver calls.
package struct Simulation: Hashable, Sendable {
    /// `CONNECT`, `MAIL` or `RCPT`: where the decision fell.
    package let moment: String
    /// With the steps of all moments.
    package let verdict: Verdict
    /// The connection would be closed without a word.
    package let isSilent: Bool

    /// - Parameters:
    ///   - connection: `nil`: nobody can say how a connection would fare now.
    package init(
        connection: ConnectionFacts? = nil, limits: ConnectionSettings = .init(), sender: SenderFacts,
        recipient: RecipientFacts, in session: SessionFacts, rules: EffectTable, settings: AcceptanceSettings
    ) {
        var trail: [TrailStep] = []
        func joined(_ verdict: Verdict) -> Verdict {
            var verdict = verdict
            // The client and the rule were told at MAIL.
            let known = Set(trail)
            verdict.trail = trail + verdict.trail.filter { !known.contains($0) }
            trail = verdict.trail
            return verdict
        }
        if let connection {
            let (first, isSilent) = ConnectionPolicy.explain(connection, limits)
            let verdict = joined(first)
            guard verdict.isAccepted else {
                moment = "CONNECT"
                self.verdict = verdict
                self.isSilent = isSilent
                return
            }
        }
        isSilent = false
        let decision = SenderPolicy.decide(sender, in: session, rules: rules, settings: settings, explain: true)
        let second = joined(decision.verdict)
        guard second.isAccepted else {
            moment = "MAIL"
            verdict = second
            return
        }
        moment = "RCPT"
        verdict = joined(
            RecipientPolicy.decide(recipient, from: decision, in: session, settings: settings, explain: true))
    }
}
