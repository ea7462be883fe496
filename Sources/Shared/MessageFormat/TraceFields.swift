import MailModel

/// Header fields that the server itself writes, in stored form (LF line ends).
package enum TraceField {
    /// `Return-Path: <sender>` for the top of a message at its final delivery (RFC 5321 §4.4).
    package static func returnPath(_ sender: ReversePath) -> [UInt8] {
        Array("Return-Path: <\(HeaderText.clean(sender.text))>\n".utf8)
    }

    /// `Delivered-To: recipient`, by which a forward that comes back is known.
    package static func deliveredTo(_ recipient: MailAddress) -> [UInt8] {
        Array("Delivered-To: \(HeaderText.clean(recipient.text))\n".utf8)
    }

    /// The fields that a submission lacks and every message must have (RFC 5322 §3.6, RFC 6409 §8). Only for
    /// authenticated submissions: what others send is carried as it is.
    package static func missing(
        from facts: MessageFacts, id: QueueID, hostName: String, date: MailDate
    ) -> [UInt8] {
        var out: [UInt8] = []
        if !facts.hasDate {
            out.append(contentsOf: "Date: ".utf8)
            date.append(to: &out)
            out.append(0x0A)
        }
        if facts.messageID == nil {
            out.append(contentsOf: "Message-ID: <\(id)@\(HeaderText.clean(hostName))>\n".utf8)
        }
        return out
    }
}

/// Text on its way into a header field.
package enum HeaderText {
    /// Without CR, LF, NUL and other controls, each becomes a blank: no value starts a field of its own.
    package static func clean(_ text: some StringProtocol) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return String(text) }
        return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
}
