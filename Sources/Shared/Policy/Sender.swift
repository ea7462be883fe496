import MailModel
import Tables

/// What is known at MAIL FROM.
package struct SenderFacts: Hashable, Sendable, Codable {
    package var path: ReversePath
    /// About the path's address; `.external` for `<>` and the blank path.
    package var directory: DirectoryFacts
    /// `SIZE=` in octets.
    package var announcedSize: Int64?
    package var asksSMTPUTF8: Bool
    /// Outside the sending account's usage hours (R-ACC-40).
    package var isOutsideHours: Bool
    /// Of the zones that were asked about the client, in their order.
    package var blocklists: [BlocklistAnswer]
    /// The authenticated account is locked for good by an administrator.
    package var lock: LockFacts?
    /// The directory has this address for the authenticated account, beside its first one. `nil`: not known.
    package var isOwn: Bool?

    package init(
        path: ReversePath, directory: DirectoryFacts = .external, announcedSize: Int64? = nil,
        asksSMTPUTF8: Bool = false, isOutsideHours: Bool = false, blocklists: [BlocklistAnswer] = [],
        lock: LockFacts? = nil, isOwn: Bool? = nil
    ) {
        self.lock = lock
        self.isOwn = isOwn
        self.path = path
        self.directory = directory
        self.announcedSize = announcedSize
        self.asksSMTPUTF8 = asksSMTPUTF8
        self.isOutsideHours = isOutsideHours
        self.blocklists = blocklists
    }

    /// Row of the relay matrix. `<>` and blank are Ext (R-RELAY-32); a list that is no sender is unknown (R-ML-36).
    package var addressClass: AddressClass {
        guard path.address != nil else { return .external }
        if case .list(let list) = directory.entry, list.isRecipientOnly { return .internalUnknown }
        return directory.addressClass
    }
}

/// An accepted or refused sender, with what the recipients of the same transaction are judged by.
package struct SenderDecision: Hashable, Sendable {
    package var verdict: Verdict
    package var selection: RelaySelection
    /// Row of the matrix, with R-RELAY-51 taken into account.
    package var row: AddressClass
}

package enum SenderPolicy {
    /// In the order of spec file 04, part 1, checks 6 to 9.
    package static func decide(
        _ facts: SenderFacts, in session: SessionFacts, rules: EffectTable, settings: AcceptanceSettings,
        explain: Bool = false
    ) -> SenderDecision {
        let selection = RelaySelection.choose(rules, client: session.client, sender: facts.path)
        return decide(facts, in: session, selection: selection, settings: settings, explain: explain)
    }

    /// The same with the rule chosen before.
    package static func decide(
        _ facts: SenderFacts, in session: SessionFacts, selection: RelaySelection, settings: AcceptanceSettings,
        explain: Bool = false
    ) -> SenderDecision {
        let verdict = Verdict.deciding(explain: explain) { trail in
            check(facts, session, selection, settings, &trail)
        }
        return SenderDecision(
            verdict: verdict, selection: selection,
            row: row(facts, session, selection, settings))
    }

    /// With trust `auth_id` an authenticated session stands in row Int+ of matrices I and II whatever it writes as
    /// sender (R-RELAY-51); matrix IV keeps the class of the envelope sender (R-RELAY-56).
    private static func row(
        _ facts: SenderFacts, _ session: SessionFacts, _ selection: RelaySelection, _ settings: AcceptanceSettings
    ) -> AddressClass {
        let lifts = selection.matrix == .one || selection.matrix == .two
        if lifts, settings.senderTrust == .authID, session.authentication.account != nil { return .internalKnown }
        return facts.addressClass
    }

    private static func check(
        _ facts: SenderFacts, _ session: SessionFacts, _ selection: RelaySelection, _ settings: AcceptanceSettings,
        _ trail: inout Trail
    ) -> Ruling {
        trail.note("session.client", clientFinding(session))
        if let refusal = form(facts, settings, &trail) { return refusal }
        if let refusal = blocklist(facts, session, selection, settings, &trail) { return refusal }
        if selection.matrix == .three {
            return trail.refuse(
                .senderRefusedByRule, "relay.rule", "\(selection.finding): nothing is accepted from this source",
                selection.source, remedy: "change or remove that line, or put a rule for this source in front of it")
        }
        trail.note("relay.rule", selection.finding, selection.source)
        if let refusal = securityLevel(facts, session, selection, settings, &trail) { return refusal }
        if let refusal = trust(facts, session, settings, &trail) { return refusal }
        if let lock = facts.lock, let account = session.authentication.account {
            return trail.refuse(
                .senderLocked, "sender.lock", "\(account.text) is locked by an administrator", lock.source,
                remedy: "epost-console lock release \(account.text)")
        }
        if facts.isOutsideHours {
            return trail.refuse(
                .senderOutsideHours, "sender.hours", "the sender's account may not send at this time",
                .builtIn(UseTime.fileName), remedy: "change the account's usage hours")
        }
        return .accept(.senderAccepted)
    }

    static func clientFinding(_ session: SessionFacts) -> String {
        let who = session.authentication.text.map { "authenticated as \($0)" } ?? "not authenticated"
        return "client \(session.client), \(session.isTLS ? "TLS" : "no TLS"), \(who)"
    }

    private static func form(
        _ facts: SenderFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling? {
        if !facts.asksSMTPUTF8, let address = facts.path.address, !address.isASCII {
            return trail.refuse(
                .senderNeedsSMTPUTF8, "sender.smtputf8", "the address is not ASCII and SMTPUTF8 was not asked for",
                .builtIn("RFC 6531 §3.5"), remedy: "the client must ask for SMTPUTF8 at MAIL")
        }
        guard settings.maxMessageSize > 0, let size = facts.announcedSize else { return nil }
        if size > settings.maxMessageSize {
            return trail.refuse(
                .announcedSizeTooLarge, "sender.size",
                "\(size) octets are announced, \(settings.maxMessageSize) are allowed",
                .setting("receiver.max_message_size"), remedy: "raise receiver.max_message_size to \(size) or more")
        }
        trail.note("sender.size", "\(size) octets are announced", .setting("receiver.max_message_size"))
        return nil
    }

    /// The truth table of spec file 02-3, part 3.
    private static func securityLevel(
        _ facts: SenderFacts, _ session: SessionFacts, _ selection: RelaySelection, _ settings: AcceptanceSettings,
        _ trail: inout Trail
    ) -> Ruling? {
        guard settings.offersAuthentication, !session.authentication.isAuthenticated else { return nil }
        let finding: String
        switch settings.securityLevel {
        case .open: return nil
        case .authOnly: finding = "security level auth_only: every reception needs authentication"
        case .authFile:
            guard facts.directory.account?.usesAuthentication == true else { return nil }
            finding = "security level auth_file: this account sends with authentication only"
        }
        if selection.opensReception {
            // Relaying still needs authentication: matrix IV sees to it at RCPT (R-RELAY-14).
            trail.note("sender.security-level", "lifted by norelay,2 for mail to local accounts", selection.source)
            return nil
        }
        return trail.refuse(
            .authenticationRequired, "sender.security-level", finding, .setting("receiver.security_level"),
            remedy: "authenticate, or give this source the rule norelay,2 for mail to local accounts")
    }

    /// R-RCV-19: only for sessions with the authentication of an account.
    private static func trust(
        _ facts: SenderFacts, _ session: SessionFacts, _ settings: AcceptanceSettings, _ trail: inout Trail
    ) -> Ruling? {
        guard let account = session.authentication.account, settings.senderTrust != .authID else { return nil }
        if facts.path.address?.folded == account.folded || facts.isOwn == true {
            trail.note(
                "sender.trust", "the envelope sender is the authenticated user's", .setting("receiver.sender_trust"))
            return nil
        }
        return trail.refuse(
            .senderNotAuthenticatedID, "sender.trust",
            "authenticated as \(account.text), envelope sender <\(facts.path.text)>",
            .setting("receiver.sender_trust"),
            remedy: "send as \(account.text), or set receiver.sender_trust to auth_id")
    }
}

extension MailAddress {
    package var isASCII: Bool { localPart.utf8.allSatisfy { $0 < 0x80 } && domain.utf8.allSatisfy { $0 < 0x80 } }
}
