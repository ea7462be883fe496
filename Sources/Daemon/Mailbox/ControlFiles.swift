/// Names of the control files of a mailbox (spec file 14, part 1).
package enum ControlFileNames {
    package static let control = "IMS.CTL"
    package static let permitted = "PERMITFROM.TXT"
    package static let replyText = "AUTORPLY.TXT"
    /// The name that the FreeBSD edition of the original writes.
    package static let replyTextOther = "AUTOREPLY.TXT"
    package static let unanswered = "NOREPLY.TXT"
    package static let replied = "REPLIED.TXT"
    /// Ours: who was answered when, for `delivery.reply_days`.
    package static let answered = ".answered"
    package static let filter = "mail.dat"
    package static let hours = "usetime.dat"
    package static let restriction = "sender.dat"

    /// Those that delivery reads.
    package static let all = [control, permitted, replyText, replyTextOther, unanswered, replied, answered]
}
