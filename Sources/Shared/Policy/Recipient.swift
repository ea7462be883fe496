import MailModel
import Tables

/// What is known at RCPT TO.
package struct RecipientFacts: Hashable, Sendable, Codable {
    /// As the client gave it, qualified with the session's domain when it gave none (R-DOM-28).
    package var address: MailAddress
    package var directory: DirectoryFacts
    /// Recipients of this transaction accepted so far.
    package var acceptedRecipients: Int
    /// `SIZE=` in octets.
    package var announcedSize: Int64?
    package var asksSMTPUTF8: Bool
    /// The acting user's sender.dat (R-ACC-44).
    package var restriction: RecipientRestriction

    package init(
        address: MailAddress, directory: DirectoryFacts, acceptedRecipients: Int = 0, announcedSize: Int64? = nil,
        asksSMTPUTF8: Bool = false, restriction: RecipientRestriction = .none
    ) {
        self.address = address
        self.directory = directory
        self.acceptedRecipients = acceptedRecipients
        self.announcedSize = announcedSize
        self.asksSMTPUTF8 = asksSMTPUTF8
        self.restriction = restriction
    }
}

package enum RecipientPolicy {
    /// In the order of spec file 04, part 1, checks 10 to 13.
    package static func decide(
        _ facts: RecipientFacts, from sender: SenderDecision, in session: SessionFacts, settings: AcceptanceSettings,
        explain: Bool = false
    ) -> Verdict {
        Verdict.deciding(explain: explain) { trail in
            check(facts, sender, session, settings, &trail)
        }
    }

    private static func check(
        _ facts: RecipientFacts, _ sender: SenderDecision, _ session: SessionFacts, _ settings: AcceptanceSettings,
        _ trail: inout Trail
    ) -> Ruling {
        trail.note("session.client", SenderPolicy.clientFinding(session))
        if !facts.asksSMTPUTF8, !facts.address.isASCII {
            return trail.refuse(
                .senderNeedsSMTPUTF8, "recipient.smtputf8", "the address is not ASCII and SMTPUTF8 was not asked for",
                .builtIn("RFC 6531 §3.5"), remedy: "the client must ask for SMTPUTF8 at MAIL")
        }
        // Counted before this one joins: with a limit of 3 the fourth is refused (R-RCV-24).
        if settings.maxRecipients > 0, facts.acceptedRecipients >= settings.maxRecipients {
            return trail.refuse(
                .tooManyRecipients, "limit.recipients",
                "\(facts.acceptedRecipients) recipients are accepted, \(settings.maxRecipients) are allowed",
                .setting("receiver.max_recipients"), remedy: "raise receiver.max_recipients, or set it to 0")
        }
        if let refusal = relay(facts, sender, session, settings, &trail) { return refusal }
        if let refusal = restriction(facts, &trail) { return refusal }
        if let refusal = mailbox(facts, settings, &trail) { return refusal }
        return .accept(.recipientAccepted)
    }

    private static func relay(
        _ facts: RecipientFacts, _ sender: SenderDecision, _ session: SessionFacts, _ settings: AcceptanceSettings,
        _ trail: inout Trail
    ) -> Ruling? {
        let column = facts.directory.addressClass
        let selection = sender.selection
        let isAuthenticated = session.authentication.account != nil
        trail.note("relay.rule", selection.finding, selection.source)
        trail.note("recipient.class", classFinding(facts))
        if column == .internalUnknown { return unknown(facts, &trail) }
        // A list login lets a post to that list pass, in whatever row its sender stands (R-RCV-17).
        if case .list(let list) = session.authentication, list.folded == facts.address.folded { return nil }
        if selection.allows(from: sender.row, to: column, isAuthenticated: isAuthenticated) {
            trail.note(
                "relay.matrix",
                "matrix \(selection.matrix.rawValue) allows \(sender.row.rawValue) to \(column.rawValue)",
                selection.source)
            return listPassword(facts, session, &trail)
        }
        return trail.refuse(
            .relayDenied, "relay.matrix",
            "matrix \(selection.matrix.rawValue) refuses \(sender.row.rawValue) to \(column.rawValue)"
                + (isAuthenticated ? " also with authentication" : " without authentication"),
            selection.source, remedy: relayRemedy(sender, column, session, settings))
    }

    /// The recipient's domain is operated here, and nobody has that name.
    private static func unknown(_ facts: RecipientFacts, _ trail: inout Trail) -> Ruling {
        // `user%other.example@here.example` and its like ask for onward relaying. They are names like others here, so
        // nobody has them; the reply says what the client wanted to hear about.
        if asksForRelaying(facts.address.localPart) {
            return trail.refuse(
                .relayDenied, "recipient.account",
                "the local part asks for onward relaying; no account has this name", .builtIn("RFC 5321 §4.1.1.3"))
        }
        return trail.refuse(
            .unknownRecipient, "recipient.account", "no account, alias or list has this name", .builtIn("R-RCV-21"),
            remedy: "add an account or an alias for \(facts.address.text)")
    }

    private static func asksForRelaying(_ localPart: String) -> Bool {
        localPart.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "!") || $0 == UInt8(ascii: "@") }
            || localPart.unicodeScalars.contains("\u{FF20}")
    }

    private static func classFinding(_ facts: RecipientFacts) -> String {
        switch (facts.directory.addressClass, facts.directory.entry) {
        case (.external, _): "<\(facts.address.text)> is in no operated domain (Ext)"
        case (_, .account): "<\(facts.address.text)> is an account (Int+)"
        case (_, .alias): "<\(facts.address.text)> is an alias (Int+)"
        case (_, .list): "<\(facts.address.text)> is a mailing list (Int+)"
        case (_, nil): "<\(facts.address.text)> is in an operated domain and does not exist (Int-)"
        }
    }

    private static func relayRemedy(
        _ sender: SenderDecision, _ column: AddressClass, _ session: SessionFacts, _ settings: AcceptanceSettings
    ) -> String {
        let selection = sender.selection
        let wouldHelp = selection.allows(from: sender.row, to: column, isAuthenticated: true)
        if wouldHelp, session.authentication.account == nil, settings.offersAuthentication {
            return "authenticate before MAIL"
        }
        if sender.row == .internalUnknown, column == .internalKnown || selection.matrix != .four {
            return "send from an account that exists here"
        }
        // Only where matrix I would let it in does `default` help; `true` opens the client for every sender.
        let isEnough = RelayMatrix.one.cell(from: sender.row, to: column) == .allowed
        return "put a line '\(session.client)\(isEnough ? " default" : " true")' "
            + "in front of the deciding rule of effect.dat"
    }

    /// R-RCV-26.
    private static func listPassword(
        _ facts: RecipientFacts, _ session: SessionFacts, _ trail: inout Trail
    ) -> Ruling? {
        guard case .list(let list) = facts.directory.entry, list.needsPassword,
            session.authentication.account == nil
        else { return nil }
        return trail.refuse(
            .authenticationRequired, "recipient.list-password", "the list takes posts with its password only",
            .builtIn("R-ML-31"), remedy: "authenticate as \(facts.address.text) with the posting password")
    }

    private static func restriction(_ facts: RecipientFacts, _ trail: inout Trail) -> Ruling? {
        switch facts.restriction.answer(for: facts.address) {
        case .unrestricted: return nil
        case .permitted(let rule):
            trail.note("recipient.restriction", "'\(rule.pattern.text)' permits this recipient", rule.source)
            return nil
        case .forbidden(let rule):
            return trail.refuse(
                .recipientNotPermitted, "recipient.restriction",
                rule.map { "'\($0.pattern.text)' forbids this recipient" } ?? "no line permits this recipient",
                rule?.source ?? .builtIn(RecipientRestriction.fileName),
                remedy: "add the recipient to the user's permitted recipients")
        }
    }

    /// R-RCV-25 with architecture section 5: a full mailbox is 452 4.2.2, as it may be emptied.
    private static func mailbox(
        _ facts: RecipientFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling? {
        guard let account = facts.directory.account else { return nil }
        if !account.isEnabled {
            return trail.refuse(
                .accountDisabled, "recipient.state", "the account is switched off", .builtIn("R-RCV-22"),
                remedy: "switch the account on")
        }
        let isOwn = account.mailboxLimit > 0
        let limit = isOwn ? account.mailboxLimit : settings.mailboxQuota
        guard limit > 0, let used = account.mailboxUsed else { return nil }
        let announced = max(0, facts.announcedSize ?? 0)
        let (after, overflow) = used.addingReportingOverflow(announced)
        if used >= limit || overflow || after > limit {
            return trail.refuse(
                .mailboxFull, "recipient.quota",
                "the mailbox holds \(used) of \(limit) octets"
                    + (announced > 0 ? ", \(announced) more are announced" : ""),
                .setting(isOwn ? "account.mailbox_limit" : "receiver.mailbox_quota"),
                remedy: overflow ? nil : mailboxRemedy(limit: limit, used: used, announced: announced))
        }
        trail.note("recipient.quota", "the mailbox holds \(used) of \(limit) octets")
        return nil
    }

    /// What is larger than the limit does not fit into an empty mailbox either.
    private static func mailboxRemedy(limit: Int64, used: Int64, announced: Int64) -> String {
        announced > limit
            ? "raise the limit of the mailbox to \(used + announced) or more"
            : "empty the mailbox, or raise its limit to \(used + max(1, announced)) or more"
    }
}
