import MailModel

/// MAIL, RCPT, DATA and the end of the content of one transaction, pipelined when the server allows it (RFC 2920).
/// Replies come in the order of the commands either way; only when a command goes out differs.
struct ClientExchange {
    enum Step {
        case wait
        case sendContent
        /// `clean`: the server has forgotten the transaction by itself.
        case finished(ClientTransactionResult, clean: Bool)
        /// The two sides disagree; only a new connection helps.
        case broken(ClientOutcome)
    }

    /// Which reply comes next.
    private enum Expected: Equatable {
        case reset, mail, recipient(Int), data
        /// Content is going out; a reply now comes too early.
        case content
        case contentEnd
        /// The end of empty content, sent because 354 came for no recipient.
        case emptyEnd
    }

    private let transaction: ClientTransaction
    private let features: ClientFeatures
    private var expected: Expected
    /// The recipients' addresses in wire form; `nil` where one cannot be sent.
    private let addresses: [String?]
    private var outcomes: [ClientOutcome?]
    private var accepted = 0
    private var mailRefused = false

    init(_ transaction: ClientTransaction, features: ClientFeatures, resetFirst: Bool) {
        self.transaction = transaction
        self.features = features
        expected = resetFirst ? .reset : .mail
        addresses = transaction.recipients.map { recipient in
            let text = recipient.address.text
            return Self.isSafe(text) ? text : nil
        }
        outcomes = addresses.map { $0 == nil ? .impossible(DeliveryTrouble.badRecipient.reply()) : nil }
    }

    var phase: ClientPhase {
        switch expected {
        case .reset: .reset
        case .mail: .mail
        case .recipient: .recipient
        case .data: .dataStart
        case .content: .dataBlock
        case .contentEnd, .emptyEnd: .dataEnd
        }
    }

    /// What makes a try pointless with this server, whatever it would answer.
    var refusalBeforeSending: ClientOutcome? {
        if transaction.recipients.isEmpty { return .impossible(DeliveryTrouble.badRecipient.reply()) }
        if transaction.needsSMTPUTF8, !features.smtpUTF8 { return .impossible(DeliveryTrouble.needsSMTPUTF8.reply()) }
        if let limit = features.size, limit > 0, transaction.size > limit {
            return .impossible(DeliveryTrouble.tooLarge.reply("\(transaction.size) octets, limit \(limit)"))
        }
        if !Self.isSafe(transaction.sender.text) { return .impossible(DeliveryTrouble.badSender.reply()) }
        return nil
    }

    /// Sends the first commands.
    mutating func start(_ output: inout [UInt8]) {
        if expected == .reset { output.append(contentsOf: "RSET\r\n".utf8) }
        guard features.pipelining || expected == .mail else { return }
        writeMail(&output)
        guard features.pipelining else { return }
        for index in addresses.indices { writeRecipient(index, &output) }
        output += Self.data
    }

    mutating func receive(_ reply: Reply, _ output: inout [UInt8]) -> Step {
        switch expected {
        case .reset:
            guard reply.isPositive else {
                // Says nothing about this message, and what the server remembers is not known.
                return .broken(.deferred(DeliveryTrouble.malformedReply.reply("RSET refused: \(reply.text)"), .line))
            }
            expected = .mail
            if !features.pipelining { writeMail(&output) }
            return .wait
        case .mail: return answerToMail(reply, &output)
        case .recipient(let index):
            if mailRefused { return next(after: index, &output) }  // its outcome is the answer to MAIL
            if reply.isPositive { accepted += 1 } else { outcomes[index] = .init(refusal: reply) }
            return next(after: index, &output)
        case .data: return answerToData(reply, &output)
        case .content:
            // Too early: a server that refuses in the middle of the content closes or throws the rest away; where it
            // stands cannot be known. A positive reply now would be for a part of the message: not believed.
            return .broken(.init(refusal: reply))
        case .contentEnd:
            finishOpen(with: reply.isPositive ? .delivered(reply) : .init(refusal: reply))
            return .finished(result(contentWasSent: true), clean: true)
        case .emptyEnd: return .finished(result(contentWasSent: false), clean: true)
        }
    }

    mutating func contentSent() {
        if expected == .content { expected = .contentEnd }
    }

    /// The connection is over before the transaction is.
    mutating func end(with outcome: ClientOutcome) -> ClientTransactionResult {
        let sent = expected == .contentEnd
        finishOpen(with: outcome)
        return result(contentWasSent: sent)
    }

    // MARK: Replies

    private mutating func answerToMail(_ reply: Reply, _ output: inout [UInt8]) -> Step {
        guard reply.isPositive else {
            finishOpen(with: .init(refusal: reply))
            mailRefused = true
            if features.pipelining { return next(after: -1, &output) }
            return .finished(result(contentWasSent: false), clean: true)
        }
        return next(after: -1, &output)
    }

    /// Goes on to the first recipient behind `index` that can be sent, or to DATA. When MAIL was refused, the replies to
    /// what was pipelined behind it still come.
    private mutating func next(after index: Int, _ output: inout [UInt8]) -> Step {
        if let following = addresses[(index + 1)...].firstIndex(where: { $0 != nil }) {
            expected = .recipient(following)
            if !features.pipelining { writeRecipient(following, &output) }
            return .wait
        }
        if features.pipelining {
            expected = .data
            return .wait
        }
        guard accepted > 0 else { return .finished(result(contentWasSent: false), clean: false) }
        output += Self.data
        expected = .data
        return .wait
    }

    private mutating func answerToData(_ reply: Reply, _ output: inout [UInt8]) -> Step {
        guard reply.code == 354 else {
            finishOpen(with: .init(refusal: reply))
            return .finished(result(contentWasSent: false), clean: false)
        }
        guard accepted > 0, !mailRefused else {
            // RFC 2920 §3.1: a server may say 354 though nobody is left; nothing but the end is sent, for nobody.
            output.append(contentsOf: ".\r\n".utf8)
            expected = .emptyEnd
            return .wait
        }
        expected = .content
        return .sendContent
    }

    private mutating func finishOpen(with outcome: ClientOutcome) {
        for index in outcomes.indices where outcomes[index] == nil { outcomes[index] = outcome }
    }

    private func result(contentWasSent: Bool) -> ClientTransactionResult {
        let unanswered = ClientOutcome.deferred(DeliveryTrouble.connectionLost.reply(), .line)
        return ClientTransactionResult(
            outcomes: outcomes.map { $0 ?? unanswered }, passedNotification: features.dsn,
            contentWasSent: contentWasSent)
    }

    // MARK: Commands

    private static let data: [UInt8] = Array("DATA\r\n".utf8)

    /// No octet that could end a line early: the address came from outside, once. (An angle bracket can only stand in
    /// quotes: `MailAddress.text` puts it there, and domains do not hold one.)
    static func isSafe(_ address: String) -> Bool {
        address.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private func writeMail(_ output: inout [UInt8]) {
        output.append(contentsOf: "MAIL FROM:<".utf8)
        output.append(contentsOf: transaction.sender.text.utf8)
        output.append(UInt8(ascii: ">"))
        if features.size != nil { output.append(contentsOf: " SIZE=\(transaction.size)".utf8) }
        // Without 8BITMIME at the remote, 8-bit content goes as it is: rewriting it as quoted-printable would break
        // signatures, and a server that strips the eighth bit has not been seen for twenty years (RFC 6152 §3 aside).
        if features.eightBitMIME, transaction.is8Bit { output.append(contentsOf: " BODY=8BITMIME".utf8) }
        if features.smtpUTF8, transaction.needsSMTPUTF8 { output.append(contentsOf: " SMTPUTF8".utf8) }
        if features.dsn {
            if let ret = transaction.notification.ret { output.append(contentsOf: " RET=\(ret.rawValue)".utf8) }
            if let id = transaction.notification.envelopeID, Self.isXtext(id) {
                output.append(contentsOf: " ENVID=\(id)".utf8)
            }
        }
        output.append(13)
        output.append(10)
    }

    private func writeRecipient(_ index: Int, _ output: inout [UInt8]) {
        guard let address = addresses[index] else { return }
        let recipient = transaction.recipients[index]
        output.append(contentsOf: "RCPT TO:<".utf8)
        output.append(contentsOf: address.utf8)
        output.append(UInt8(ascii: ">"))
        if features.dsn {
            if !recipient.notify.isEmpty { output.append(contentsOf: " NOTIFY=\(Self.text(recipient.notify))".utf8) }
            if let original = recipient.originalRecipient, Self.isXtext(original) {
                output.append(contentsOf: " ORCPT=\(original)".utf8)
            }
        }
        output.append(13)
        output.append(10)
    }

    /// RFC 3461 §4.1.
    private static func text(_ notify: Recipient.Notify) -> String {
        if notify.contains(.never) { return "NEVER" }
        var words: [String] = []
        if notify.contains(.success) { words.append("SUCCESS") }
        if notify.contains(.failure) { words.append("FAILURE") }
        if notify.contains(.delay) { words.append("DELAY") }
        return words.joined(separator: ",")
    }

    private static func isXtext(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
