import Glibc
import MailModel
import Mailbox
import MessageFormat
import Policy
import Spool
import Tables

/// A mail for an account with IMS.CTL. The plan is `AccountPlan`'s; here it is carried out: forwards and the reply go
/// into the queue in the commit that settles the recipient, after the mailbox has the mail where it is kept. A crash in
/// between repeats, it loses nothing.
extension AccountWork {
    /// What the account's work is about.
    struct Case: Sendable {
        let message: ClaimedMessage
        let recipient: ClaimedRecipient
        let target: LocalTarget
        let mailbox: MailboxLocation
        let control: AccountControl
        let configuration: DeliveryConfiguration
    }

    /// Octets of a mail that are taken apart for a forward with less in it, or given to a program.
    static let reducedOctets = 32 << 20

    func control(_ work: Case) {
        submit(work.message, [work.recipient]) { [self] in
            do throws(SpoolError) {
                try carryOut(work)
            } catch {
                settlement.settle(work.message, [work.recipient], [Self.trouble(error)])
            }
        }
    }

    private func carryOut(_ work: Case) throws(SpoolError) {
        var content = try context.spool.content(of: work.message.key)
        let hops = try ContentFacts.hops(of: content)
        guard hops <= work.configuration.maxHops else {
            let outcome = RecipientResult.Outcome.failed(DeliveryTrouble.loop.reply("\(hops)"))
            return settlement.settle(work.message, [work.recipient], [RecipientResult(outcome, route: "here")])
        }
        if !work.control.settings.program.isEmpty, work.control.settings.isEnabled {
            guard let changed = try filter(content, work) else {
                log(work, "discarded by \(work.control.settings.program)")
                let outcome = RecipientResult.Outcome.replaced("discarded by the additional program")
                return settlement.settle(work.message, [work.recipient], [RecipientResult(outcome, route: "program")])
            }
            content = changed
        }
        let period = Int64(work.configuration.replyDays) * 86_400_000
        let now = context.now()
        let mail = ControlledMail(sender: work.message.sender, header: try content.start(ContentFacts.headerLimit))
        let around = ControlSurroundings(
            administrator: work.configuration.administrator,
            wasAnswered: isAnswered(work, period: period, now: now),
            rewritesSenders: work.configuration.rewriting != nil, isOperated: work.configuration.isOperated)
        let plan = AccountPlan(account: work.target.owner, control: work.control, mail: mail, around: around)
        for step in plan.steps where step.decided || step.check == "reply.silence" { log(work, step.finding) }
        var children: [NewMessage] = []
        for forward in plan.forwards { children.append(try child(forward, content, work, now: now)) }
        var answered: MailAddress?
        if let answer = plan.answer, let sender = work.message.sender.address,
            replies.claim(sender, work.mailbox, period: period, now: now)
        {
            answered = sender
            children.append(try child(answer, content, work, now: now))
        }
        finish(work, plan, content, children, answered, period: period, now: now)
    }

    private func isAnswered(_ work: Case, period: Int64, now: Int64) -> Bool {
        guard work.control.settings.replies, let sender = work.message.sender.address else { return false }
        return replies.isAnswered(sender, work.mailbox, period: period, now: now)
    }

    private func finish(
        _ work: Case, _ plan: AccountPlan, _ content: StoredContent, _ children: [NewMessage],
        _ answered: MailAddress?, period: Int64, now: Int64
    ) {
        let done: @Sendable () -> Void = { [self] in
            guard let answered else { return }
            // The spool's thread must not wait for the mailbox.
            submitQuietly { [self] in
                do throws(MailboxError) {
                    try replies.record(
                        answered, work.mailbox, settings: work.control.settings, period: period, now: now)
                } catch {
                    context.report(.warning, "\(work.target.owner.text): reply not recorded: \(error.detail)")
                }
                controls.forget(work.mailbox)
            }
        }
        guard plan.stores else {
            let text = children.isEmpty ? "not stored (Discard)" : "not stored, \(children.count) messages made of it"
            let result = RecipientResult(.replaced(text), route: "control")
            return settlement.settle(work.message, [work.recipient], [result], children: children, done: done)
        }
        local.store(work.message, (work.recipient, work.target), content) { [self] result in
            if case .stored = result.outcome {
                settlement.settle(work.message, [work.recipient], [result], children: children, done: done)
            } else {
                if let answered { replies.release(answered, work.mailbox) }
                settlement.settle(work.message, [work.recipient], [result])
            }
        }
    }

    // MARK: Messages

    private func child(
        _ forward: AccountPlan.Forward, _ content: StoredContent, _ work: Case, now: Int64
    ) throws(SpoolError) -> NewMessage {
        let id = context.spool.makeID()
        let owner = work.target.owner
        let date = MailDate(milliseconds: now, offsetSeconds: Self.zoneOffset(at: now))
        let trace = Array(
            """
            Received: by \(HeaderText.clean(work.configuration.hostName)) id \(id)
            \tfor \(HeaderText.clean(owner.text)) (forwarded); \(date.text)
            X-Loop: \(HeaderText.clean(owner.folded.text))

            """.utf8)
        let made: NewMessage.Content
        if forward.removesAttachments || forward.limit != nil {
            let reduced = ForwardContent.reduce(
                try content.start(Self.reducedOctets), removesAttachments: forward.removesAttachments,
                limit: forward.limit, boundary: Self.boundary(id))
            made = try ContentCopy.store(trace + reduced, id: id, in: context.spool)
        } else {
            made = try ContentCopy.make(content, under: trace, id: id, in: context.spool)
        }
        let sender = sender(forward.sender, work, now: now)
        log(
            work,
            "forwarded to \(forward.recipients.prefix(20).map(\.text).joined(separator: ", ")) as \(id), from <\(sender.text)>"
        )
        let envelope = Envelope(
            sender: sender, recipients: forward.recipients.map { Recipient(address: $0) },
            needsSMTPUTF8: work.message.needsSMTPUTF8, is8BitMIME: true)
        return NewMessage(id: id, envelope: envelope, content: made, receivedAt: now, parent: work.message.id)
    }

    private func sender(_ sender: AccountPlan.Forward.Sender, _ work: Case, now: Int64) -> ReversePath {
        switch sender {
        case .kept: return work.message.sender
        case .null: return .null
        case .address(let address): return .address(address)
        case .rewritten:
            guard let original = work.message.sender.address,
                let rewritten = work.configuration.rewriting?.rewrite(
                    original, domain: work.target.owner.domain, day: Int(now / 86_400_000))
            else { return work.message.sender }
            return .address(rewritten)
        }
    }

    private func child(
        _ answer: AccountPlan.Answer, _ content: StoredContent, _ work: Case, now: Int64
    ) throws(SpoolError) -> NewMessage {
        let id = context.spool.makeID()
        let settings = work.control.settings
        let isWhole = content.size <= AutomaticReply.includedOctets
        let mail = try content.start(isWhole ? content.size : ContentFacts.headerLimit)
        let reply = AutomaticReply(
            from: answer.from, fromName: answer.from.folded == work.target.owner.folded ? work.target.ownerName : "",
            to: answer.to, subject: settings.subject, text: work.control.replyText,
            includesMail: settings.echoesMessage, includesWithoutHeader: settings.echoesWithoutHeader,
            messageID: "\(id)@\(HeaderText.clean(work.configuration.hostName))",
            date: MailDate(milliseconds: now, offsetSeconds: Self.zoneOffset(at: now)), boundary: Self.boundary(id))
        let octets = reply.write(answering: mail, isWhole: isWhole)
        log(work, "automatic reply to <\(answer.to.text)> as \(id)")
        let needsUTF8 = !answer.to.isASCII || !answer.from.isASCII
        let envelope = Envelope(
            sender: .null, recipients: [Recipient(address: answer.to, notify: .never)], needsSMTPUTF8: needsUTF8,
            is8BitMIME: true)
        return NewMessage(
            id: id, envelope: envelope, content: try ContentCopy.store(octets, id: id, in: context.spool),
            receivedAt: now, parent: work.message.id)
    }

    /// The message's id and 64 random bits: the mail, written before, cannot hold it.
    private static func boundary(_ id: QueueID) -> String {
        "=_\(id)_\(String(UInt64.random(in: .min ... .max), radix: 36, uppercase: true))"
    }

    static func zoneOffset(at milliseconds: Int64) -> Int {
        var time = time_t(milliseconds / 1_000)
        var parts = tm()
        localtime_r(&time, &parts)
        return parts.tm_gmtoff
    }

    // MARK: Program

    /// - Returns: `nil` when the program wants the mail discarded.
    private func filter(_ content: StoredContent, _ work: Case) throws(SpoolError) -> StoredContent? {
        guard content.size <= Self.reducedOctets else {
            log(
                work,
                "\(work.control.settings.program) not run: the mail is larger than \(Self.reducedOctets >> 20) MiB")
            return content
        }
        let message = try content.start(content.size)
        switch AccountProgram.run(
            work.control.settings.program, account: work.target.owner.text, message: message)
        {
        case .changed(let octets): return .inline(octets)
        case .discard: return nil
        case .unchanged(let why):
            context.report(.warning, "\(work.target.owner.text): \(why); the mail goes on unchanged")
            return content
        }
    }

    private func log(_ work: Case, _ text: String) {
        context.note(work.message, work.recipient.recipient.address, "\(work.target.owner.text): \(text)")
    }
}

extension StoredContent {
    /// At most `count` octets from the beginning.
    func start(_ count: Int) throws(SpoolError) -> [UInt8] {
        switch self {
        case .inline(let octets): octets.count <= count ? octets : Array(octets.prefix(count))
        case .file(let file): try file.read(at: 0, count: min(count, file.size))
        }
    }
}

extension ControlledMail {
    /// - Parameter header: the start of the mail.
    package init(sender: ReversePath, header: [UInt8]) {
        self.init(sender: sender)
        _ = HeaderScan.fields(in: header.span) { field in
            let body = { HeaderUnfold.text(Array(header[field.body])) }
            let word = { String(decoding: body().prefix(998), as: UTF8.self) }
            switch String(decoding: header[field.name], as: UTF8.self).lowercased() {
            case "auto-submitted":
                let value = word().lowercased().prefix { $0 != ";" && $0 != " " && $0 != "(" }
                if value != "no" { isAutomatic = true }
            case "precedence":
                if ["bulk", "list", "junk"].contains(word().lowercased()) { isBulk = true }
            case "x-loop": if loops.count < 100 { loops.append(word()) }
            case "to", "cc": if addressed.count < 1_000 { addressed += AddressList.addresses(in: body()) }
            case "x-ml-name", "x-mlserver": isList = true
            case let name where name.hasPrefix("list-"): isList = true
            default: break
            }
            return true
        }
    }
}
