import MailModel

/// An automatic reply (RFC 3834, R-CTL-18 to R-CTL-28). The envelope sender is null; that is the caller's.
package struct AutomaticReply: Sendable {
    package var from: MailAddress
    /// Shown beside the address; may be empty.
    package var fromName: String
    package var to: MailAddress
    /// Empty: `Re: ` and the subject of the mail.
    package var subject: String
    /// The prepared text as it stands in its file: ISO-2022-JP stays so, else it becomes UTF-8.
    package var text: [UInt8]
    /// Whether the mail is included, and whether without its header.
    package var includesMail: Bool
    package var includesWithoutHeader: Bool
    package var messageID: String
    package var date: MailDate
    package var boundary: String

    package init(
        from: MailAddress, fromName: String = "", to: MailAddress, subject: String, text: [UInt8], includesMail: Bool,
        includesWithoutHeader: Bool, messageID: String, date: MailDate, boundary: String
    ) {
        self.from = from
        self.fromName = fromName
        self.to = to
        self.subject = subject
        self.text = text
        self.includesMail = includesMail
        self.includesWithoutHeader = includesWithoutHeader
        self.messageID = messageID
        self.date = date
        self.boundary = boundary
    }

    /// Octets of the answered mail that are included at most; a longer one gives its header alone.
    package static let includedOctets = 1 << 20

    /// - Parameter mail: the answered mail, LF line ends; its start where it is long.
    package func write(answering mail: [UInt8], isWhole: Bool) -> [UInt8] {
        let facts = MessageFacts(scanning: mail)
        let (text, charset) = encodedText()
        let includes = includesMail && isWhole
        var out = LineWriter()
        writeHeader(facts, mail, &out)
        if includes {
            out.line("Content-Type: multipart/mixed; boundary=\"\(boundary)\"")
            out.line("Content-Transfer-Encoding: 8bit")
            out.line()
            out.line("--\(boundary)")
        }
        out.line("Content-Type: text/plain; charset=\(charset)")
        out.line("Content-Transfer-Encoding: \(charset == "iso-2022-jp" ? "7bit" : "8bit")")
        out.line()
        out.raw(text)
        if let last = text.last, last != 0x0A { out.line() }
        guard includes else { return out.octets }
        out.line()
        out.line("--\(boundary)")
        if includesWithoutHeader {
            writeContentFields(of: mail, &out)
            out.line()
            out.raw(Array(mail[min(facts.bodyStart, mail.count)...]))
        } else {
            out.line("Content-Type: message/rfc822")
            out.line("Content-Transfer-Encoding: 8bit")
            out.line()
            out.raw(mail)
        }
        out.line()
        out.line("--\(boundary)--")
        return out.octets
    }

    private func writeHeader(_ facts: MessageFacts, _ mail: [UInt8], _ out: inout LineWriter) {
        let name = HeaderText.clean(fromName)
        out.line("From: " + (name.isEmpty ? from.text : "\(EncodedWord.phrase(name)) <\(HeaderText.clean(from.text))>"))
        out.line("To: \(HeaderText.clean(to.text))")
        var line = subject
        if line.isEmpty {
            let original = facts.subjectText(in: mail, limit: 200) ?? ""
            line = original.isEmpty ? "Automatic reply" : "Re: \(original)"
        }
        for folded in EncodedWord.field("Subject", HeaderText.clean(line)) { out.line(folded) }
        out.line("Date: \(date.text)")
        out.line("Message-ID: <\(messageID)>")
        // RFC 3834 §3.1.5
        if let id = facts.messageIDText(in: mail), id.hasPrefix("<"), id.hasSuffix(">"),
            id.utf8.allSatisfy({ $0 > 0x20 })
        {
            out.line("In-Reply-To: \(id)")
            out.line("References: \(id)")
        }
        out.line("Auto-Submitted: auto-replied")
        out.line("MIME-Version: 1.0")
    }

    /// The mail's own fields about its content, so that its body stays readable without the rest of the header.
    private func writeContentFields(of mail: [UInt8], _ out: inout LineWriter) {
        var fields: [UInt8] = []
        _ = HeaderScan.fields(in: mail.span) { field in
            let name = String(decoding: mail[field.name], as: UTF8.self).lowercased()
            if name == "content-type" || name == "content-transfer-encoding" { fields += mail[field.whole] }
            return true
        }
        out.raw(fields)
        if let last = fields.last, last != 0x0A { out.line() }
    }

    private func encodedText() -> ([UInt8], String) {
        let lines = text.filter { $0 != 0x0D && $0 != 0 }
        let guess = Charset.guess(lines)
        if guess.charset == .iso2022JP { return (lines, "iso-2022-jp") }
        return (Array(guess.text.utf8), "utf-8")
    }
}

extension EncodedWord {
    /// A header field for text of any script, folded where encoded words follow each other (RFC 2047 §2: 75 octets a
    /// word, 76 a line).
    package static func field(_ name: String, _ text: String) -> [String] {
        if text.isASCII, text.utf8.count < 900 { return ["\(name): \(text)"] }
        let words = words(text)
        return ["\(name): \(words.first ?? "")"] + words.dropFirst().map { " \($0)" }
    }

    /// A display name (RFC 5322 §3.2.5).
    package static func phrase(_ text: String) -> String {
        guard text.isASCII else { return words(text).joined(separator: " ") }
        return "\"" + text.filter { $0 != "\"" && $0 != "\\" } + "\""
    }

    private static func words(_ text: String) -> [String] {
        var out: [String] = []
        var piece: [UInt8] = []
        func close() {
            if !piece.isEmpty { out.append("=?utf-8?B?\(String(decoding: Base64.encode(piece), as: UTF8.self))?=") }
        }
        for scalar in text.unicodeScalars {
            let octets = Array(String(scalar).utf8)
            // 45 octets make 60 letters of base 64.
            if piece.count + octets.count > 45 {
                close()
                piece = []
            }
            piece += octets
        }
        close()
        return out
    }
}
