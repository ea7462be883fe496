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
        if core.directory.asksElsewhere {
            let asked = [arguments.path.address, authentication.account].compactMap { $0 }
            if mustWait(for: asked, { $0.decideSender(arguments) }) { return }
        }
        decideSender(arguments)
    }

    /// Waits until the directory can say what these addresses are.
    /// - Returns: `false` when it can already.
    func mustWait(for addresses: [MailAddress], _ next: @escaping (SessionHandler) -> Void) -> Bool {
        let answer = callback { (handler: SessionHandler, _: Bool) in next(handler) }
        if core.directory.prepare(addresses, { answer(true) }) { return false }
        wait()
        return true
    }

    private func decideSender(_ arguments: MailArguments) {
        ruling = core.configuration
        senderPath = arguments.path
        announcedSize = arguments.size
        acceptedRecipients = 0
        relaysOutside = false
        restriction = .none
        do throws(DirectoryError) {
            let facts = SenderFacts(
                path: arguments.path, directory: try core.directory.facts(about: arguments.path),
                announcedSize: arguments.size.map { Int64($0) }, asksSMTPUTF8: arguments.needsSMTPUTF8,
                lock: authentication.account.flatMap { core.locks.permanentLock(of: $0) },
                isOwn: try core.owns(authentication.account, arguments.path))
            guard
                let users = try core.users(of: arguments.path, facts.directory, login: authentication.account)
            else { return ask(facts) }
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

    private func ask(_ facts: SenderFacts, with rules: PersonalRules.Rules) {
        var facts = facts
        facts.isOutsideHours = !rules.permits
        restriction = rules.restriction
        ask(facts)
    }

    /// Block lists come last: they cost the most.
    private func ask(_ facts: SenderFacts) {
        let zones = SenderPolicy.blocklists(
            for: facts.path, in: self.facts, rules: ruling.rules, settings: configuration.acceptance)
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
            facts, in: self.facts, rules: ruling.rules, settings: configuration.acceptance)
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
        let given = arguments.recipient.address
        if core.directory.asksElsewhere, mustWait(forRecipient: given, { $0.decideRecipient(arguments) }) { return }
        decideRecipient(arguments)
    }

    private func mustWait(forRecipient given: MailAddress, _ next: @escaping (SessionHandler) -> Void) -> Bool {
        guard let addresses = try? core.addresses(behind: given, at: local, configuration) else { return false }
        return mustWait(for: addresses, next)
    }

    private func decideRecipient(_ arguments: RecipientArguments) {
        do throws(DirectoryError) {
            let given = arguments.recipient.address
            let (address, directory) = try core.recipientFacts(given, at: local, configuration)
            let facts = RecipientFacts(
                address: address, directory: directory, acceptedRecipients: acceptedRecipients,
                announcedSize: announcedSize.map { Int64($0) }, asksSMTPUTF8: true, restriction: restriction)
            guard let limited = try core.limitedMailbox(address, directory, configuration) else {
                return decide(facts, given: given)
            }
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

    // MARK: VRFY, EXPN

    /// R-RCV-09
    func enquire(_ verb: Verb, _ text: String) {
        guard let given = PathParser.mailbox(text) else { return resolve(.refused(.syntaxError)) }
        if core.directory.asksElsewhere {
            let next = { (handler: SessionHandler) in handler.answer(verb, given) }
            let waits =
                given.domain.isEmpty
                ? mustWait(forLogin: given.localPart, next) : mustWait(forRecipient: given, next)
            if waits { return }
        }
        answer(verb, given)
    }

    private func answer(_ verb: Verb, _ given: MailAddress) {
        do throws(DirectoryError) {
            var found: AccountRecord?
            if given.domain.isEmpty {
                found = try core.directory.login(given.localPart, at: local)
            } else {
                let (address, facts) = try core.directoryFacts(given, at: local, configuration)
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
