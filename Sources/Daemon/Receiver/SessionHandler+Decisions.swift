import Facts
import Journal
import MailModel
import Mailbox
import Policy
import SMTP
import Store

/// Facts are gathered here; the decisions are `Policy`'s.
extension SessionHandler {
    // MARK: MAIL

    func decide(_ arguments: MailArguments) {
        senderPath = arguments.path
        announcedSize = arguments.size
        acceptedRecipients = 0
        relaysOutside = false
        restriction = .none
        do throws(DirectoryError) {
            let facts = SenderFacts(
                path: arguments.path, directory: try core.directory.facts(about: arguments.path),
                announcedSize: arguments.size.map { Int64($0) }, asksSMTPUTF8: arguments.needsSMTPUTF8,
                lock: authentication.account.flatMap { core.locks.permanentLock(of: $0) })
            guard let users = try users(of: arguments.path, facts.directory) else { return ask(facts) }
            if let rules = core.personal.known(users) { return ask(facts, with: rules) }
            // Rules of a user stand in files: not on the event loop.
            wait()
            let personal = core.personal
            let answer = callback { (handler: SessionHandler, rules: PersonalRules.Rules) in
                handler.ask(facts, with: rules)
            }
            if !core.diskWork.submit({ answer(personal.read(users)) }) { answer(PersonalRules.Rules()) }
        } catch {
            logAccept(Reason.directoryUnavailable.reply.code)
            directoryFailed(error, moment: .mail)
        }
    }

    /// The mailboxes whose rules count: the authenticated account's, and that of the account in the envelope sender
    /// (R-ACC-40, R-ACC-44).
    private func users(
        of path: ReversePath, _ facts: DirectoryFacts
    ) throws(DirectoryError) -> PersonalRules.Users? {
        var sender: AccountRecord?
        if facts.account != nil, let address = path.address { sender = try core.directory.account(address) }
        var login: AccountRecord?
        if let address = authentication.account { login = try core.directory.account(address) }
        guard sender != nil || login != nil else { return nil }
        // An account without a folder has no rules.
        func folder(_ account: AccountRecord?) -> String? {
            account.flatMap { try? core.directory.mailbox(of: $0) }?.path
        }
        return PersonalRules.Users(acting: folder(login ?? sender), sender: folder(sender))
    }

    private func ask(_ facts: SenderFacts, with rules: PersonalRules.Rules) {
        var facts = facts
        facts.isOutsideHours = !rules.permits
        restriction = rules.restriction
        ask(facts)
    }

    /// Block lists come last: they cost the most.
    private func ask(_ facts: SenderFacts) {
        let zones = SenderPolicy.blocklists(
            for: facts.path, in: self.facts, rules: configuration.rules, settings: configuration.acceptance)
        guard !zones.isEmpty else { return decide(facts) }
        wait()
        let answer = callback { (handler: SessionHandler, answers: [BlocklistAnswer]) in
            var facts = facts
            facts.blocklists = answers
            handler.decide(facts)
        }
        configuration.blocklists.ask(about: client, zones: zones, completion: answer)
    }

    private func decide(_ facts: SenderFacts) {
        let decision = SenderPolicy.decide(
            facts, in: self.facts, rules: configuration.rules, settings: configuration.acceptance)
        // R-RCV-10: whether it is accepted or not.
        logAccept(decision.verdict.isAccepted ? 250 : decision.verdict.reason.reply.code)
        guard decision.verdict.isAccepted else {
            return refuse(decision.verdict, moment: .mail, evidence: .sender(facts))
        }
        sender = decision
        senderFacts = facts
        kept = core.decisions.isOn ? home.sampler.take(now: ReceiverCore.now).map { ($0, []) } : nil
        resolve(.accepted())
    }

    // MARK: RCPT

    func decide(_ arguments: RecipientArguments) {
        do throws(DirectoryError) {
            let given = arguments.recipient.address
            let (address, directory) = try recipientFacts(given)
            let facts = RecipientFacts(
                address: address, directory: directory, acceptedRecipients: acceptedRecipients,
                announcedSize: announcedSize.map { Int64($0) }, asksSMTPUTF8: true, restriction: restriction)
            guard let limited = try limitedMailbox(address, directory) else { return decide(facts, given: given) }
            // The mailbox has a limit, and what it holds stands in a file: not on the event loop.
            wait()
            let mailboxes = core.mailboxes
            let answer = callback { (handler: SessionHandler, used: Int?) in
                var facts = facts
                if var account = facts.directory.account {
                    account.mailboxUsed = used.map { Int64($0) }
                    facts.directory = .account(account)
                }
                handler.decide(facts, given: given)
            }
            let isTaken = core.diskWork.submit {
                // A mailbox that cannot be counted is judged at delivery.
                answer((try? mailboxes.usage(of: limited.place, limit: limited.limit))?.octets)
            }
            if !isTaken { answer(nil) }
        } catch {
            directoryFailed(error, moment: .rcpt)
        }
    }

    private func decide(_ facts: RecipientFacts, given: MailAddress) {
        guard let sender, let senderFacts else { return resolve(.refused(.badSequence)) }
        let verdict = RecipientPolicy.decide(
            facts, from: sender, in: self.facts, settings: configuration.acceptance)
        guard verdict.isAccepted else {
            return refuse(
                verdict, moment: .rcpt, recipient: facts.address, evidence: .recipient(facts, from: senderFacts))
        }
        acceptedRecipients += 1
        if let count = kept?.recipients.count, count < AcceptedMail.recipientsKept { kept?.recipients.append(facts) }
        if facts.directory.addressClass == .external { relaysOutside = true }
        resolve(facts.address == given ? .accepted() : .acceptedRecipient(facts.address))
    }

    /// What the address stands for: full, and what the directory knows of it.
    private func recipientFacts(_ given: MailAddress) throws(DirectoryError) -> (MailAddress, DirectoryFacts) {
        let (address, facts) = try directoryFacts(given)
        // RFC 5321 §4.5.1: postmaster is served always.
        if facts.isOperatedDomain, facts.entry == nil, address.localPart.lowercased() == "postmaster",
            let administrator = configuration.administrator
        {
            let (substitute, known) = try directoryFacts(administrator)
            if known.entry != nil { return (substitute, known) }
        }
        return (address, facts)
    }

    private func directoryFacts(
        _ given: MailAddress
    ) throws(DirectoryError) -> (address: MailAddress, facts: DirectoryFacts) {
        var address = given
        if given.domain.isEmpty || given.domain == "[\(local)]" || given.domain == "[IPv6:\(local)]" {
            // Without domain, and at our own address literal: the domain of the session (R-DOM-28).
            var domain = try core.directory.domain(at: local)
            if domain == nil { domain = try core.directory.domains().first }
            guard let domain else { return (given, .external) }
            address = MailAddress(localPart: given.localPart, domain: domain.name)
        }
        let facts = try core.directory.facts(about: address)
        return (address, facts.including(configuration.rewriting, address))
    }

    private func limitedMailbox(
        _ address: MailAddress, _ facts: DirectoryFacts
    ) throws(DirectoryError) -> (place: MailboxLocation, limit: Int)? {
        guard let account = facts.account else { return nil }
        let limit = Int(account.mailboxLimit > 0 ? account.mailboxLimit : configuration.acceptance.mailboxQuota)
        guard limit > 0, let record = try core.directory.account(address) else { return nil }
        let place = try core.directory.mailbox(of: record)
        return MailboxLocation(base: place.base, folders: place.folders).map { ($0, limit) }
    }

    // MARK: VRFY, EXPN

    /// R-RCV-09
    func enquire(_ verb: Verb, _ text: String) {
        guard let given = PathParser.mailbox(text) else { return resolve(.refused(.syntaxError)) }
        do throws(DirectoryError) {
            var found: AccountRecord?
            if given.domain.isEmpty {
                found = try core.directory.login(given.localPart, at: local)
            } else {
                let (address, facts) = try directoryFacts(given)
                if !facts.isOperatedDomain { return resolve(.accepted(.cannotVerify)) }
                if facts.entry == .alias { return try answer(verb, alias: address) }
                found = try core.directory.account(address)
            }
            guard let found else { return refuse(.unknownRecipient, moment: verb, recipient: given) }
            // RFC 6531 §3.7.4.2: what is not ASCII needs a client that asked for it.
            guard found.address.isASCII else { return resolve(.accepted(.cannotVerify)) }
            let name = found.fullName
            let isShown = !name.isEmpty && name.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            resolve(.accepted(.mailbox(isShown ? "\(name) <\(found.address.text)>" : "<\(found.address.text)>")))
        } catch {
            directoryFailed(error, moment: verb)
        }
    }

    /// VRFY names the alias, EXPN where it leads.
    private func answer(_ verb: Verb, alias: MailAddress) throws(DirectoryError) {
        guard alias.isASCII else { return resolve(.accepted(.cannotVerify)) }
        guard verb == .expn else { return resolve(.accepted(.mailbox("<\(alias.text)>"))) }
        let places = try AliasExpansion.expand(alias, in: DirectoryAliases(core.directory)).targets.map(\.address)
        guard !places.isEmpty, places.allSatisfy(\.isASCII) else { return resolve(.accepted(.cannotVerify)) }
        resolve(.accepted(.mailboxes(places.prefix(Self.shownMembers).map { "<\($0.text)>" })))
    }

    /// Lines of a reply to EXPN at most.
    private static let shownMembers = 100

    func directoryFailed(_ error: DirectoryError, moment: Verb) {
        core.log(.error, "directory: \(error.detail)")
        refuse(.directoryUnavailable, moment: moment)
    }
}
