import MailModel
import Tables

/// One mail to one recipient as it once came, to be judged again.
package struct ReplayedMail: Hashable, Sendable {
    package var session: SessionFacts
    package var sender: SenderFacts
    package var recipient: RecipientFacts

    package init(session: SessionFacts, sender: SenderFacts, recipient: RecipientFacts) {
        self.session = session
        self.sender = sender
        self.recipient = recipient
    }

    /// The verdict of MAIL when it refuses, else that of RCPT; by the functions that the receiver calls.
    package func verdict(_ rules: EffectTable, _ settings: AcceptanceSettings, explain: Bool = false) -> Verdict {
        let decision = SenderPolicy.decide(sender, in: session, rules: rules, settings: settings, explain: explain)
        guard decision.verdict.isAccepted else { return decision.verdict }
        return RecipientPolicy.decide(recipient, from: decision, in: session, settings: settings, explain: explain)
    }
}

/// What a draft makes of a decision, worst first.
package enum ReplayEffect: Int, Hashable, Sendable, Comparable {
    /// Mail that was refused would be taken for somebody outside.
    case newlyRelayed
    /// Mail that was taken would be refused.
    case newlyRefused
    /// Mail for somebody here that was refused would be taken.
    case newlyAccepted
    /// Refused as before, with another reply.
    case otherReply

    package static func < (one: ReplayEffect, other: ReplayEffect) -> Bool { one.rawValue < other.rawValue }

    /// - Returns: `nil` when nothing changes.
    package init?(before: Verdict, after: Verdict, isExternal: Bool) {
        switch (before.isAccepted, after.isAccepted) {
        case (false, true): self = isExternal ? .newlyRelayed : .newlyAccepted
        case (true, false): self = .newlyRefused
        case (true, true): return nil
        case (false, false):
            if before.reason == after.reason { return nil }
            self = .otherReply
        }
    }
}
