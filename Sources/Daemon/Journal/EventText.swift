import MailModel
import MessageFormat

/// The two written forms of an event. Written by hand and not with a coder: it stands in the path of every message.
enum EventText {
    /// One JSON object and a line feed; the same keys as `LogEvent`'s own coding, absent fields left out.
    static func json(_ event: LogEvent, into out: inout [UInt8]) {
        out += "{\"time\":".utf8
        out += String(event.time).utf8
        field("service", event.service, into: &out)
        field("kind", event.kind.rawValue, into: &out)
        field("level", event.level.rawValue, into: &out)
        if let id = event.queueID { field("queueID", id.rawValue, into: &out) }
        if let value = event.address { field("address", value, into: &out) }
        if let value = event.host { field("host", value, into: &out) }
        if let value = event.sender { field("sender", value, into: &out) }
        if let value = event.recipient { field("recipient", value, into: &out) }
        if let value = event.reply { field("reply", value, into: &out) }
        if let value = event.text { field("text", value, into: &out) }
        if let size = event.size {
            out += ",\"size\":".utf8
            out += String(size).utf8
        }
        if let value = event.reference { field("reference", value, into: &out) }
        if let value = event.messageID { field("messageID", value, into: &out) }
        if let value = event.tls { field("tls", value, into: &out) }
        if let value = event.login { field("login", value, into: &out) }
        if let value = event.session { field("session", value, into: &out) }
        if let value = event.parent { field("parent", value.rawValue, into: &out) }
        out += "}\n".utf8
    }

    private static func field(_ name: StaticString, _ value: String, into out: inout [UInt8]) {
        out += ",\"".utf8
        name.withUTF8Buffer { out += $0 }
        out += "\":\"".utf8
        for octet in value.utf8 {
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                out.append(UInt8(ascii: "\\"))
                out.append(octet)
            case 0x00...0x1F, 0x7F:
                out += "\\u00".utf8
                hex(octet, into: &out)
            default: out.append(octet)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    private static let digits = Array("0123456789abcdef".utf8)
    private static func hex(_ octet: UInt8, into out: inout [UInt8]) {
        out.append(digits[Int(octet >> 4)])
        out.append(digits[Int(octet & 15)])
    }

    /// The line of the original's log that shows this kind (R-LOG-14 to R-LOG-17, field notes A14), or nothing for the other kinds.
    /// - Parameter host: this machine, part of the queue id in the receive, send and fail logs.
    static func line(_ event: LogEvent, host: String, utcOffset: Int, into out: inout [UInt8]) {
        let time = "[\(MailDate(milliseconds: event.time, offsetSeconds: utcOffset).logText)]"
        let message = event.queueID.map { "<\($0.rawValue)@\(host)>" }
        let fields: [String?]
        switch event.kind {
        case .receive: fields = [message, time, event.address, event.host, event.sender, event.recipient]
        case .send: fields = [message, time, event.address, event.host, event.sender, event.recipient]
        case .accept:
            fields = [time, event.address, event.host, event.sender, event.reply, event.queueID?.rawValue]
        case .sender:
            let destination = event.host ?? event.address ?? event.recipient
            fields = [
                "[\(event.queueID?.rawValue ?? "-")]", time, "[\(destination ?? "-")]",
                [event.text, event.reply].compactMap { $0 }.joined(separator: " "),
            ]
        case .fail: return fate("send fail", of: event, event.reply ?? event.text ?? "", host, time, into: &out)
        case .local: return fate("sent", of: event, nil, host, time, into: &out)
        case .session, .system: return
        }
        for (index, value) in fields.enumerated() {
            if index > 0 { out.append(9) }
            visible(value ?? "", into: &out)
        }
        out.append(10)
    }

    /// `B0000055688@host send fail on [01/Nov/2017:10:29:51] from a to b [550 User Unknown]`, and the same with `sent` and
    /// no words for a mailbox; `from -` when the server itself wrote (field notes A14).
    private static func fate(
        _ what: String, of event: LogEvent, _ reason: String?, _ host: String, _ time: String,
        into out: inout [UInt8]
    ) {
        var words = [
            "\(event.queueID?.rawValue ?? "-")@\(host)", " \(what) on \(time) from ", event.sender ?? "", " to ",
            event.recipient ?? "",
        ]
        if let reason { words += [" [", reason, "]"] }
        for word in words { visible(word, into: &out) }
        out.append(10)
    }

    /// Control characters from the network become `\xNN`, an empty field `-` (R-LOG-19).
    private static func visible(_ value: String, into out: inout [UInt8]) {
        if value.isEmpty { out.append(UInt8(ascii: "-")) }
        for octet in value.utf8 {
            if octet < 0x20 || octet == 0x7F {
                out += "\\x".utf8
                hex(octet, into: &out)
            } else {
                out.append(octet)
            }
        }
    }
}
