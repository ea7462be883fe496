import Control

extension MailControl {
    /// The fields that differ from `other`.
    func difference(from other: MailControl) -> MailControl {
        var out = self
        if enabled == other.enabled { out.enabled = nil }
        if forwardTo == other.forwardTo { out.forwardTo = nil }
        if permitFrom == other.permitFrom { out.permitFrom = nil }
        if reportTo == other.reportTo { out.reportTo = nil }
        if deleteAttachments == other.deleteAttachments { out.deleteAttachments = nil }
        if sizeLimit == other.sizeLimit { out.sizeLimit = nil }
        if reply == other.reply { out.reply = nil }
        if subject == other.subject { out.subject = nil }
        if replyFrom == other.replyFrom { out.replyFrom = nil }
        if replyTo == other.replyTo { out.replyTo = nil }
        if echo == other.echo { out.echo = nil }
        if withoutHeader == other.withoutHeader { out.withoutHeader = nil }
        if record == other.record { out.record = nil }
        if once == other.once { out.once = nil }
        if program == other.program { out.program = nil }
        if discard == other.discard { out.discard = nil }
        return out
    }

    /// These fields where they are given, those of `other` elsewhere.
    func laid(over other: MailControl) -> MailControl {
        var out = self
        out.enabled = enabled ?? other.enabled
        out.forwardTo = forwardTo ?? other.forwardTo
        out.permitFrom = permitFrom ?? other.permitFrom
        out.reportTo = reportTo ?? other.reportTo
        out.deleteAttachments = deleteAttachments ?? other.deleteAttachments
        out.sizeLimit = sizeLimit ?? other.sizeLimit
        out.reply = reply ?? other.reply
        out.subject = subject ?? other.subject
        out.replyFrom = replyFrom ?? other.replyFrom
        out.replyTo = replyTo ?? other.replyTo
        out.echo = echo ?? other.echo
        out.withoutHeader = withoutHeader ?? other.withoutHeader
        out.record = record ?? other.record
        out.once = once ?? other.once
        out.program = program ?? other.program
        out.discard = discard ?? other.discard
        return out
    }
}
