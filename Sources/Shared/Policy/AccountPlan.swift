import MailModel
import Tables

/// One account's IMS.CTL with what it names, as delivery reads it.
package struct AccountControl: Sendable {
    package enum Targets: Hashable, Sendable {
        case none
        case addresses([MailAddress])
        /// The list cannot be read, or holds nothing: the mail is kept (R-CTL-17).
        case unreadable(String)
    }
    package var settings: ControlSettings
    package var targets: Targets
    package var permitted: [Wildcard]
    package var unanswered: [Wildcard]
    /// AUTORPLY.TXT as it stands there.
    package var replyText: [UInt8]

    package init(
        settings: ControlSettings, targets: Targets = .none, permitted: [Wildcard] = [], unanswered: [Wildcard] = [],
        replyText: [UInt8] = []
    ) {
        self.settings = settings
        self.targets = targets
        self.permitted = permitted
        self.unanswered = unanswered
        self.replyText = replyText
    }
}

/// What account control looks at in a mail.
package struct ControlledMail: Hashable, Sendable {
    package var sender: ReversePath
    /// `Auto-Submitted:` with another word than `no` (RFC 3834 §5).
    package var isAutomatic: Bool
    /// `Precedence: bulk`, `list` or `junk`.
    package var isBulk: Bool
    /// A `List-…:` field of RFC 2369 or RFC 2919, or `X-ML-Name:`.
    package var isList: Bool
    /// Values of its `X-Loop:` fields.
    package var loops: [String]
    /// Of `To:` and `Cc:`.
    package var addressed: [MailAddress]

    package init(
        sender: ReversePath, isAutomatic: Bool = false, isBulk: Bool = false, isList: Bool = false,
        loops: [String] = [], addressed: [MailAddress] = []
    ) {
        self.sender = sender
        self.isAutomatic = isAutomatic
        self.isBulk = isBulk
        self.isList = isList
        self.loops = loops
        self.addressed = addressed
    }
}

/// Around the account.
package struct ControlSurroundings: Sendable {
    package var administrator: MailAddress?
    /// This sender was answered within the period of `delivery.reply_days`.
    package var wasAnswered: Bool
    /// Envelope senders of other domains are rewritten when a mail is forwarded outside (SRS).
    package var rewritesSenders: Bool
    package var isOperated: @Sendable (String) -> Bool

    package init(
        administrator: MailAddress?, wasAnswered: Bool = false, rewritesSenders: Bool = false,
        isOperated: @escaping @Sendable (String) -> Bool
    ) {
        self.administrator = administrator
        self.wasAnswered = wasAnswered
        self.rewritesSenders = rewritesSenders
        self.isOperated = isOperated
    }
}

/// What happens to a mail for one account, and why: delivery does it, "Test: who gets a mail?" shows it.
package struct AccountPlan: Hashable, Sendable {
    package struct Forward: Hashable, Sendable {
        package enum Sender: Hashable, Sendable {
            /// As it came.
            case kept
            /// In a form of this domain that leads reports back (SRS).
            case rewritten
            case null
            case address(MailAddress)
        }
        package var recipients: [MailAddress]
        package var sender: Sender
        package var removesAttachments: Bool
        /// Octets of text; `nil`: everything.
        package var limit: Int?
    }
    package struct Answer: Hashable, Sendable {
        package var to: MailAddress
        package var from: MailAddress
    }
    package private(set) var stores = true
    /// Several when the envelope senders differ.
    package private(set) var forwards: [Forward] = []
    package private(set) var answer: Answer?
    package private(set) var steps: [TrailStep] = []

    package init(
        account: MailAddress, control: AccountControl, mail: ControlledMail, around: ControlSurroundings
    ) {
        let settings = control.settings
        guard settings.isEnabled else {
            note("control.enabled", "account control is switched off: stored", "Control/Enabled", decided: true)
            return
        }
        let mustKeep = planForwards(account, control, mail, around)
        planAnswer(account, control, mail, around)
        if !settings.discards {
            note("control.discard", "stored in the mailbox", "Delivery/Discard")
        } else if mustKeep {
            note("control.discard", "stored although Discard is set, as it is not forwarded", "Delivery/Discard")
        } else {
            stores = false
            note("control.discard", "not stored: Discard is set", "Delivery/Discard")
        }
    }

    /// - Returns: whether the mail must be kept, because it was to be forwarded and is not.
    private mutating func planForwards(
        _ account: MailAddress, _ control: AccountControl, _ mail: ControlledMail, _ around: ControlSurroundings
    ) -> Bool {
        let addresses: [MailAddress]
        switch control.targets {
        case .none: return false
        case .unreadable(let why):
            note("forward.list", "not forwarded: \(why)", "R-CTL-17", decided: true)
            return true
        case .addresses(let found): addresses = found
        }
        if let sender = mail.sender.address, sender.folded == around.administrator?.folded {
            note(
                "forward.administrator",
                "not forwarded: the envelope sender is the administrator account, whose mail is never forwarded "
                    + "so that reports cannot go round", "admin.account", decided: true)
            return true
        }
        if mail.loops.contains(where: { $0.lowercased() == account.folded.text }) {
            note(
                "forward.loop", "not forwarded: it went through this account before (X-Loop)", "R-CTL-16", decided: true
            )
            return true
        }
        if control.settings.permitsBySender {
            let sender = Wildcard.fold(mail.sender.text)
            guard let pattern = control.permitted.first(where: { $0.matches(sender) }) else {
                note(
                    "forward.permit", "not forwarded: <\(mail.sender.text)> is not in PERMITFROM.TXT",
                    "AutoForward/PermitFrom", decided: true)
                return true
            }
            note("forward.permit", "'\(pattern.text)' of PERMITFROM.TXT permits the sender", "AutoForward/PermitFrom")
        }
        let others = addresses.filter { $0.folded != account.folded }
        guard !others.isEmpty else {
            note("forward.self", "not forwarded: the account would forward to itself", "R-CTL-16", decided: true)
            return true
        }
        forward(others, control.settings, mail, around)
        return false
    }

    private mutating func forward(
        _ addresses: [MailAddress], _ settings: ControlSettings, _ mail: ControlledMail, _ around: ControlSurroundings
    ) {
        var order: [Forward.Sender] = []
        var groups: [Forward.Sender: [MailAddress]] = [:]
        for address in addresses {
            let sender = sender(for: address, settings, mail, around)
            if groups[sender] == nil { order.append(sender) }
            groups[sender, default: []].append(address)
        }
        for sender in order {
            guard let recipients = groups[sender] else { continue }
            let names = recipients.prefix(10).map(\.text).joined(separator: ", ")
            note(
                "forward.to", "forwarded to \(names); envelope sender \(Self.words(sender, mail))",
                "AutoForward/ReportTo")
            forwards.append(
                Forward(
                    recipients: recipients, sender: sender, removesAttachments: settings.removesAttachments,
                    limit: settings.sizeLimit))
        }
        if settings.removesAttachments {
            note("forward.attachments", "without attachments", "AutoForward/DeleteAttach")
        }
        if let limit = settings.sizeLimit {
            note(
                "forward.size", limit == 0 ? "only the header" : "at most \(limit) octets of text",
                "AutoForward/SizeLimit")
        }
    }

    private func sender(
        for address: MailAddress, _ settings: ControlSettings, _ mail: ControlledMail, _ around: ControlSurroundings
    ) -> Forward.Sender {
        switch settings.reportTo {
        case .administrator: return around.administrator.map { .address($0) } ?? .null
        case .nobody: return .null
        case .address(let address): return .address(address)
        case .sender:
            guard let sender = mail.sender.address, !sender.domain.isEmpty else { return .null }
            let needsRewrite =
                around.rewritesSenders && !around.isOperated(sender.domain)
                && !around.isOperated(address.domain)
            return needsRewrite ? .rewritten : .kept
        }
    }

    private static func words(_ sender: Forward.Sender, _ mail: ControlledMail) -> String {
        switch sender {
        case .kept: "<\(mail.sender.text)>, unchanged"
        case .rewritten: "rewritten (SRS), so that SPF holds and reports find <\(mail.sender.text)>"
        case .null: "<>"
        case .address(let address): "<\(address.text)>"
        }
    }

    // MARK: Automatic reply (RFC 3834)

    private mutating func planAnswer(
        _ account: MailAddress, _ control: AccountControl, _ mail: ControlledMail, _ around: ControlSurroundings
    ) {
        guard control.settings.replies else { return }
        if let (why, source) = Self.reasonForSilence(account, control, mail, around) {
            return note("reply.silence", "no automatic reply: \(why)", source)
        }
        guard let sender = mail.sender.address else { return }
        let to = MailAddress(typed: control.settings.replyTo) ?? sender
        let from = MailAddress(typed: control.settings.replyFrom) ?? account
        note("reply.to", "automatic reply to <\(to.text)> from <\(from.text)>", "AutoReply")
        answer = Answer(to: to, from: from)
    }

    private static func reasonForSilence(
        _ account: MailAddress, _ control: AccountControl, _ mail: ControlledMail, _ around: ControlSurroundings
    ) -> (String, String)? {
        guard let sender = mail.sender.address, !sender.domain.isEmpty else {
            return ("the envelope sender is empty", "RFC 3834 §2")
        }
        let name = sender.localPart.lowercased()
        if ["mailer-daemon", "postmaster"].contains(name) || name.hasPrefix("owner-") || name.hasSuffix("-request")
            || name.hasSuffix("-owner")
        {
            return ("<\(sender.text)> is the address of a robot or list", "R-CTL-31")
        }
        let own = [account.folded, MailAddress(typed: control.settings.replyFrom)?.folded]
        if own.contains(sender.folded) { return ("the sender is the account itself", "RFC 3834 §2") }
        if mail.isAutomatic { return ("the mail was made by a robot (Auto-Submitted)", "RFC 3834 §2") }
        if mail.isBulk { return ("it is bulk mail (Precedence)", "R-CTL-31") }
        if mail.isList { return ("it came over a mailing list", "R-CTL-31") }
        let candidates = [sender] + mail.addressed
        for candidate in candidates {
            let text = Wildcard.fold(candidate.text)
            if let pattern = control.unanswered.first(where: { $0.matches(text) }) {
                return ("'\(pattern.text)' stands in NOREPLY.TXT", "NOREPLY.TXT")
            }
        }
        if around.wasAnswered { return ("this sender was answered a short time ago", "delivery.reply_days") }
        return nil
    }

    private mutating func note(_ check: String, _ finding: String, _ source: String, decided: Bool = false) {
        steps.append(TrailStep(check: check, finding: finding, source: .builtIn(source), decided: decided))
    }
}
