import Glibc
import Journal
import MailModel
import MessageFormat
import Policy
import SMTP
import Spool
import Tables
import Usage

/// Content on its way from the session into the spool.
extension SessionHandler {
    func beginContent(_ envelope: Envelope, expected: Int?) {
        let limit = session.profile.limits.messageOctets
        guard core.disk.hasRoom(expected: expected, limit: limit) else {
            return refuse(.diskFull, moment: .data)
        }
        let id = core.spool.makeID()
        let now = ReceiverCore.now
        let protocolName = protocolName(envelope)
        content = []
        content.reserveCapacity(min((expected ?? 7_000) + 1_000, SpoolLimits.inlineContent))
        configuration.header.render(trace(id, envelope, protocolName, now), into: &content)
        message = IncomingMessage(
            id: id, envelope: envelope, receivedAt: now, protocolName: protocolName, traceOctets: content.count)
        resolve(.accepted())
    }

    private func trace(_ id: QueueID, _ envelope: Envelope, _ protocolName: String, _ now: Int64) -> TraceValues {
        TraceValues(
            helo: session.hello?.name ?? "", clientName: clientName,
            clientIP: client.isIPv4 ? clientText : "IPv6:\(clientText)",
            hostName: session.profile.hostName, localIP: local.description, product: ReceiverCore.product,
            protocolName: protocolName, id: id.rawValue,
            recipient: envelope.recipients.count == 1 ? envelope.recipients.first?.address.text : nil,
            authUser: session.identity, tls: tlsText,
            date: Self.date(now))
    }

    static func date(_ milliseconds: Int64) -> MailDate {
        var time = time_t(milliseconds / 1_000)
        var local = tm()
        let offset = localtime_r(&time, &local) == nil ? 0 : local.tm_gmtoff
        return MailDate(milliseconds: milliseconds, offsetSeconds: offset)
    }

    /// Some of it has come. What is too long for a database row goes to disk as it arrives.
    func contentArrived() {
        guard content.count > SpoolLimits.inlineContent, message != nil else { return }
        scanHeader()
        isUploadFull = upload().append(takeContent())
        regulateReading()
    }

    private func takeContent() -> [UInt8] {
        defer { content = [] }
        return content
    }

    private func upload() -> LargeUpload {
        if let upload = message?.upload { return upload }
        let relieved = callback { (handler: SessionHandler, _: Void) in
            handler.isUploadFull = false
            handler.regulateReading()
        }
        let upload = LargeUpload(
            id: message?.id ?? core.spool.makeID(), spool: core.spool, worker: core.diskWork,
            relieved: { relieved(()) })
        message?.upload = upload
        return upload
    }

    /// Looks at the header once, while it is in memory, and gives a submission the fields that every message must have.
    private func scanHeader() {
        guard let message, message.header == nil else { return }
        let (header, missing) = look(at: content, of: message)
        self.message?.header = header
        if !missing.isEmpty { content.insert(contentsOf: missing, at: message.traceOctets) }
    }

    private func look(
        at octets: [UInt8], of message: IncomingMessage
    ) -> (header: IncomingMessage.Header, missing: [UInt8]) {
        let span = octets.span.extracting(message.traceOctets...)
        let found = MessageFacts(scanning: span)
        let isSubmission = authentication.account != nil
        var facts = ContentFacts(size: 0, receivedFields: found.receivedFields)
        if !found.deliveredTo.isEmpty {
            for recipient in message.envelope.recipients where !facts.wasDeliveredHere {
                facts.wasDeliveredHere = found.wasDelivered(to: recipient.address, in: span)
            }
        }
        if isSubmission, configuration.acceptance.senderTrust == .authIDEnvelopeFrom {
            facts.fromAddresses = found.fromAddresses(in: span)
        }
        let header = IncomingMessage.Header(facts: facts, messageID: found.messageIDText(in: span))
        guard isSubmission, found.isHeaderComplete, !found.hasDate || found.messageID == nil else {
            return (header, [])
        }
        let missing = TraceField.missing(
            from: found, id: message.id, hostName: session.profile.hostName, date: Self.date(message.receivedAt))
        return (header, missing)
    }

    func finishContent(size: Int) {
        scanHeader()
        guard let message, var facts = message.header?.facts else { return refuse(.internalError, moment: .data) }
        facts.size = Int64(size)
        let verdict = ContentPolicy.decide(facts, in: self.facts, settings: configuration.acceptance)
        guard verdict.isAccepted else {
            discardMessage()
            return refuse(verdict, moment: .data, evidence: .content(facts))
        }
        keepDecisions(facts)
        self.message = nil  // from here on it is in other hands, whatever becomes of the connection
        wait()
        let octets = takeContent()
        guard let submission = submission(message) else { return keep(message, octets, size: size, hold: nil) }
        let judged = callback { (handler: SessionHandler, judgement: Judgement) in
            handler.keep(message, octets, size: size, hold: handler.hold(message, judgement))
        }
        core.usage.judge(submission, completion: judged)
    }

    private func keep(_ message: IncomingMessage, _ octets: [UInt8], size: Int, hold: String?) {
        guard let upload = message.upload else { return store(message, .inline(octets), size: size, hold: hold) }
        _ = upload.append(octets)
        let written = callback { (handler: SessionHandler, result: Result<any LargeContent, SpoolError>) in
            switch result {
            case .success(let large): handler.store(message, .large(large), size: size, hold: hold)
            case .failure(let error): handler.stored(message, .failure(error), size: size)
            }
        }
        upload.finish(written)
    }

    private func store(_ message: IncomingMessage, _ content: NewMessage.Content, size: Int, hold: String?) {
        var envelope = message.envelope
        if !configuration.copies.isEmpty { envelope.recipients += configuration.copies(of: envelope, from: client) }
        let new = NewMessage(
            id: message.id, envelope: envelope, content: content, receivedAt: message.receivedAt,
            clientAddress: client, hello: session.hello?.name, authenticatedID: authentication.text,
            protocolName: message.protocolName, hold: hold)
        let done = callback { (handler: SessionHandler, result: Result<Void, SpoolError>) in
            handler.stored(message, result, size: size)
        }
        core.spool.add(new, completion: done)
    }

    /// The message is durable, or it is not ours: only now may the client hear about it.
    private func stored(_ message: IncomingMessage, _ result: Result<Void, SpoolError>, size: Int) {
        isUploadFull = false
        switch result {
        case .success:
            core.gate.received()
            core.served()
            logReceived(message, size: size)
            resolve(.accepted(.queued(as: message.id)))
        case .failure(let error):
            core.log(.error, "message \(message.id) not stored: \(error.detail)")
            refuse(error.reason, moment: .data)
        }
    }

    /// R-RCV-41: one entry per accepted recipient.
    private func logReceived(_ message: IncomingMessage, size: Int) {
        var event = event(.receive)
        event.queueID = message.id
        event.sender = message.envelope.sender.text
        event.size = size
        event.messageID = message.header?.messageID
        for recipient in message.envelope.recipients {
            event.recipient = recipient.address.text
            core.journal.record(event)
        }
    }

    func discardMessage() {
        message?.upload?.discard()
        message = nil
        content = []
        isUploadFull = false
    }
}
