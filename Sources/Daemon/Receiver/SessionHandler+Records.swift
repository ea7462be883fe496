import Journal
import MailModel
import Policy
import SMTP

/// Refusals with their references, and log lines.
extension SessionHandler {
    /// Answers the open question with a refusal that can be explained.
    func refuse(
        _ verdict: Verdict, moment: Verb, recipient: MailAddress? = nil, evidence: Evidence.Moment? = nil
    ) {
        let reply = refusal(verdict, moment: moment.rawValue, recipient: recipient, evidence: evidence)
        resolve(.refused(verdict.reason, reply))
    }

    /// The same where no decision about mail was taken.
    func refuse(_ reason: Reason, moment: Verb, recipient: MailAddress? = nil) {
        refuse(ProtocolRefusals.verdict(reason, at: moment.rawValue), moment: moment, recipient: recipient)
    }

    /// The reply to a refusal of the session machine; what a decision refused brings its own.
    func reply(to refusal: Refusal) -> Reply {
        if let reply = refusal.reply { return reply }
        let moment = refusal.verb?.rawValue ?? "LINE"
        return self.refusal(ProtocolRefusals.verdict(refusal.reason, at: moment), moment: moment)
    }

    /// Keeps the decision, logs it and makes the reply that names it.
    func refusal(
        _ verdict: Verdict, moment: String, recipient: MailAddress? = nil, evidence: Evidence.Moment? = nil
    ) -> Reply {
        let reference = DecisionReference(random: .random(in: 0 ... .max))
        let reply = verdict.reply(reference: reference)
        let record = record(of: verdict, reference, moment: moment, recipient: recipient, reply: reply)
        // Failed authentications have a counter of their own.
        if moment != Verb.auth.rawValue { core.gate.rejected() }
        var weight: Int?
        if evidence != nil, core.decisions.isOn {
            weight = home.refusals.take(verdict, of: client, now: record.time)
        }
        let kept = weight == nil ? nil : evidence.map(self.evidence)
        let isKept = core.decisions.record(record, evidence: kept, weight: weight ?? 1)
        let sent = isKept ? reply : verdict.reply(reference: nil)
        var event = event(.session)
        event.time = record.time
        event.sender = record.sender
        event.recipient = record.recipient
        event.reply = sent.text
        event.text = moment
        event.reference = isKept ? reference.description : nil
        core.journal.record(event)
        return sent
    }

    func record(
        of verdict: Verdict, _ reference: DecisionReference, moment: String, recipient: MailAddress? = nil, reply: Reply
    ) -> DecisionRecord {
        DecisionRecord(
            reference: reference, time: ReceiverCore.now, client: clientText, listener: listener,
            hello: session.hello?.name, isTLS: session.isTLS, authenticatedID: authentication.text,
            sender: senderPath?.text, recipient: recipient?.text, moment: moment, verdict: verdict, reply: reply,
            settingsRevision: configuration.revision)
    }

    /// MAIL FROM with the code of its answer (R-LOG-16).
    func logAccept(_ code: Int) {
        var event = event(.accept)
        event.sender = senderPath?.text
        event.reply = String(code)
        if let began = beganAt {
            // A clock that was set back makes no time of it.
            let steps = ConnectionSteps(
                listener: listener, connected: max(0, event.time - began),
                secured: securedAt.map { max(0, event.time - $0) })
            event.text = steps.text
            beganAt = nil
        }
        core.journal.record(event)
    }

    private func evidence(_ moment: Evidence.Moment) -> Evidence {
        var selection: RelaySelection?
        if case .sender(let facts) = moment {
            selection = RelaySelection.choose(ruling.rules, client: client, sender: facts.path)
        } else if case .recipient = moment {
            selection = sender?.selection
        }
        return Evidence(moment, session: facts, settings: configuration.acceptance, selection: selection)
    }

    /// Keeps what this message was accepted from, where it is one of those that are kept.
    func keepDecisions(_ content: ContentFacts) {
        guard let kept, let sender, let senderFacts else { return }
        self.kept = nil
        let limits = configuration.connection
        core.decisions.record(
            AcceptedMail(
                time: ReceiverCore.now, weight: kept.weight,
                facts: .init(
                    connection: connectionFacts, maxSessions: limits.maxSessions,
                    maxSessionsPerClient: limits.maxSessionsPerClient, session: facts, selection: sender.selection,
                    sender: senderFacts, recipients: kept.recipients, content: content),
                settings: configuration.acceptance))
    }

    func log(
        _ kind: LogEvent.Kind, level: LogEvent.Level = .info, sender: String? = nil, text: String? = nil
    ) {
        var event = event(kind, level: level)
        event.sender = sender
        event.text = text
        core.journal.record(event)
    }

    /// An event of this connection: who, and which.
    func event(_ kind: LogEvent.Kind, level: LogEvent.Level = .info) -> LogEvent {
        LogEvent(
            time: ReceiverCore.now, service: ReceiverCore.name, kind: kind, level: level,
            address: clientText, host: session.hello?.name, tls: tlsText.isEmpty ? nil : tlsText,
            login: authentication.text, session: sessionName)
    }

    /// RFC 3848, RFC 6531 §3.7.3.
    func protocolName(_ envelope: Envelope) -> String {
        guard session.hello?.isExtended == true else { return "SMTP" }
        let suffix = (session.isTLS ? "S" : "") + (session.identity != nil ? "A" : "")
        return (envelope.needsSMTPUTF8 ? "UTF8SMTP" : "ESMTP") + suffix
    }
}
