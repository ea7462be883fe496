import MailModel
import Tables

/// One sender and one recipient judged as the session would, with every step told: what `explain --client …` and the
/// relay screen show. It calls the functions that the receiver calls.
package struct Simulation: Hashable, Sendable {
    /// `MAIL` or `RCPT`: where the decision fell.
    package let moment: String
    /// With the steps of both moments.
    package let verdict: Verdict

    package init(
        sender: SenderFacts, recipient: RecipientFacts, in session: SessionFacts, rules: EffectTable,
        settings: AcceptanceSettings
    ) {
        let decision = SenderPolicy.decide(sender, in: session, rules: rules, settings: settings, explain: true)
        guard decision.verdict.isAccepted else {
            moment = "MAIL"
            verdict = decision.verdict
            return
        }
        var second = RecipientPolicy.decide(recipient, from: decision, in: session, settings: settings, explain: true)
        // The client and the rule were told at MAIL.
        let repeated = Set(decision.verdict.trail)
        second.trail = decision.verdict.trail + second.trail.filter { !repeated.contains($0) }
        moment = "RCPT"
        verdict = second
    }
}
