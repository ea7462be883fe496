import MessageFormat
import Testing

@testable import Tables

/// R-RCV-37 to 39 and field notes A9.
@Suite("header.dat: both spellings, preview") struct HeaderPreviewTests {
    private static let now = MailDate(milliseconds: 1_440_400_153_000, offsetSeconds: 32_400)
    private static let values = TraceValues.example(hostName: "mail.example.jp", now: now)

    private func lines(_ text: String) -> [String] { HeaderTemplate.preview(of: text, Self.values).lines }
    private func codes(_ text: String) -> [String] {
        HeaderTemplate.preview(of: text, Self.values).problems.map(\.code)
    }

    @Test func theDeliveredTemplate() {
        #expect(
            lines(HeaderTemplate.delivered) == [
                "Received: from pc7.example.jp (pc7.example.jp [192.0.2.7])",
                "\tby mail.example.jp (epost) with ESMTPSA",
                "\tid <B0000123123@mail.example.jp>; Mon, 24 Aug 2015 16:09:13 +0900",
            ])
        #expect(codes(HeaderTemplate.delivered).isEmpty)
        #expect(lines("") == lines(HeaderTemplate.delivered), "an empty file gives the default")
    }

    @Test(
        "both spellings of every place-holder",
        arguments: [
            ("HELO", "pc7.example.jp"), ("CLIENTNAME", "pc7.example.jp"), ("CLIENTIP", "192.0.2.7"),
            ("HOSTNAME", "mail.example.jp"), ("LOCALIP", "192.0.2.25"), ("PRODUCT", "epost"),
            ("PROTOCOL", "ESMTPSA"), ("ID", "B0000123123"), ("RCPT", "hanako@example.com"),
            ("AUTHUSER", "taro@example.jp"), ("TLSINFO", "TLSv1.3 TLS_AES_256_GCM_SHA384"),
            ("SSLINFO", "TLSv1.3 TLS_AES_256_GCM_SHA384"),
        ])
    func spellings(_ name: String, _ value: String) {
        let date = "Mon, 24 Aug 2015 16:09:13 +0900"
        #expect(lines("Received: x%\(name)%y; %DATE%") == ["Received: x\(value)y; \(date)"])
        #expect(lines("Received: x&\(name).y; &DATE") == ["Received: x\(value).y; \(date)"])
        #expect(codes("Received: x&\(name)-y; &DATE").isEmpty)
    }

    @Test(
        "what is no place-holder is text",
        arguments: ["100% of %", "a&b", "%helo%", "%HE LO%", "&", "%", "%%", "AT & T", "%HELO", "x%5"])
    func text(_ text: String) {
        #expect(lines("Received: \(text) ; %DATE%") == ["Received: \(text) ; Mon, 24 Aug 2015 16:09:13 +0900"])
    }

    @Test(
        "faults give the built-in template, warnings do not",
        arguments: [
            ("Received: %NOBODY%; %DATE%", ["place-holder"], true),
            ("Received: &NOBODY; &DATE", ["place-holder"], false),
            ("X-Trace: %ID%; %DATE%", ["received"], true), ("Received: %ID%", ["date"], true),
            ("Received: %ID%; %DATE% x", ["date"], true), ("Received: a\nb; %DATE%", ["folding"], true),
            ("Received: a\n\n\tb; %DATE%", ["folding", "empty"], true),
            ("Received: a\u{1}; %DATE%", ["control"], true),
        ])
    func faults(_ text: String, _ expected: [String], _ isRefused: Bool) {
        #expect(codes(text) == expected.map { "table.header.\($0)" })
        #expect((lines(text) == lines(HeaderTemplate.delivered)) == isRefused)
    }

    /// A value from outside ends neither its line nor its comment.
    @Test func hostileValues() {
        var values = Self.values
        values.helo = "a\r\nX: y;()\\"
        values.clientName = nil
        values.recipient = String(repeating: "x", count: 400)
        let found = HeaderTemplate.preview(of: "Received: %HELO% (%CLIENTNAME%) %RCPT%; &DATE", values).lines
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("Received: a??X: y???? (unverified) xxx") == true)
        #expect((found.first?.utf8.count ?? 0) < 400)
    }
}
