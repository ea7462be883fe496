import MailModel
import MessageFormat
import Testing

@Suite struct ForwardContentTests {
    private func reduce(_ text: String, removes: Bool = false, limit: Int? = nil) -> String {
        String(
            decoding: ForwardContent.reduce(
                Array(text.utf8), removesAttachments: removes, limit: limit, boundary: "ours"), as: UTF8.self)
    }

    static let mixed = """
        Subject: x
        MIME-Version: 1.0
        Content-Type: multipart/mixed;
         boundary="out"

        --out
        Content-Type: multipart/alternative; boundary=in

        --in
        Content-Type: text/plain; charset=iso-2022-jp

        words
        --in
        Content-Type: text/html

        <p>words</p>
        --in--
        --out
        Content-Type: image/png
        Content-Disposition: attachment; filename="=?utf-8?B?5YaZ55yf?="

        PNG
        --out--

        """

    @Test func attachmentsGoAndLeaveALine() {
        let text = reduce(Self.mixed, removes: true)
        #expect(text.hasPrefix("Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"ours\"\n"))
        #expect(text.contains("words\n") && text.contains("charset=\"iso-2022-jp\""))
        #expect(!text.contains("PNG") && !text.contains("<p>"))
        #expect(text.contains("[removed: 写真, image/png]"))
        #expect(MIMEPart.leaves(of: Array(text.utf8)).map(\.type) == ["text/plain", "text/plain"])
    }

    @Test func mailWithoutAttachmentsStaysAsItIs() {
        let plain = "Subject: x\n\nhello\n"
        #expect(reduce(plain, removes: true) == plain)
        #expect(reduce(plain, limit: 6) == plain)
    }

    /// R-CTL-12: text, limit, what is left.
    static let cuts: [(String, Int, String)] = [
        ("one\ntwo\nthree\n", 9, "one\ntwo\n"), ("one\ntwo\nthree\n", 8, "one\ntwo\n"), ("abcdefgh\n", 3, "abc"),
        ("あいう\n", 4, "あ"), ("あいう\n", 2, ""),
    ]
    @Test(arguments: cuts.indices) func textIsCutAtLineOrCharacter(_ index: Int) {
        let (text, limit, expected) = Self.cuts[index]
        let cut = reduce("Subject: x\nContent-Type: text/plain; charset=utf-8\n\n\(text)", limit: limit)
        #expect(cut.hasSuffix("\n\n" + expected))
        #expect(cut.hasPrefix("Subject: x\n"))
    }

    @Test func nothingButTheHeader() {
        #expect(reduce(Self.mixed, limit: 0) == "Subject: x\n\n")
    }

    @Test func encodedTextIsCutAsText() {
        let mail =
            "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\nGyRCJCIkJCQmGyhC\n"
        #expect(reduce(mail, limit: 6).hasSuffix("\n\nあい"))
    }

    /// Deep and broken structures end, and cost no more than their octets.
    @Test func hostileStructuresEnd() {
        var deep = ""
        for level in 0..<200 { deep += "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n" }
        #expect(!reduce("Subject: x\n" + deep, removes: true).isEmpty)
        let many = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n", count: 20_000)
        #expect(MIMEPart.leaves(of: Array(many.utf8)).count <= MIMEPart.maximumParts)
        #expect(MIMEPart.leaves(of: Array("Content-Type: multipart/mixed; boundary=\n\n--\n".utf8)).count == 1)
    }

    /// R-CTL-19 (JIS stays JIS), R-CTL-21 (an empty subject), R-CTL-24, R-CTL-25.
    @Test func replyCarriesWhatRFC3834Wants() {
        func reply(_ text: [UInt8], subject: String = "", includes: Bool = false, withoutHeader: Bool = false) -> String
        {
            let reply = AutomaticReply(
                from: MailAddress(localPart: "taro", domain: "in.example"), fromName: "山田 太郎",
                to: MailAddress(localPart: "u", domain: "ext.example"), subject: subject, text: text,
                includesMail: includes, includesWithoutHeader: withoutHeader, messageID: "ID@h",
                date: MailDate(milliseconds: 0), boundary: "b")
            let mail = Array("Subject: question\nMessage-ID: <m@t>\nContent-Type: text/plain\n\nbody\n".utf8)
            return String(decoding: reply.write(answering: mail, isWhole: true), as: UTF8.self)
        }
        let plain = reply(Array("away\r\n".utf8))
        for line in [
            "From: =?utf-8?B?5bGx55SwIOWkqumDjg==?= <taro@in.example>", "To: u@ext.example", "Subject: Re: question",
            "In-Reply-To: <m@t>", "References: <m@t>", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ] { #expect(plain.contains(line + "\n"), "\(line)") }
        #expect(plain.hasSuffix("\n\naway\n"))
        #expect(reply([], subject: "a\r\nBcc: x@y").contains("Subject: a  Bcc: x@y\n"))
        #expect(reply([0x1B, 0x24, 0x42, 0x35, 0x59, 0x1B, 0x28, 0x42]).contains("charset=iso-2022-jp"))
        let whole = reply([], includes: true)
        #expect(whole.contains("Content-Type: message/rfc822") && whole.contains("Subject: question\n"))
        let bare = reply([], subject: "s", includes: true, withoutHeader: true)
        #expect(!bare.contains("question") && bare.contains("Content-Type: text/plain\n\nbody\n"))
    }
}
