import MailModel
import MessageFormat
import Testing

@testable import Tables

@Suite("header.dat")
struct HeaderTemplateTests {
    static let values = TraceValues(
        helo: "client.example", clientName: nil, clientIP: "192.0.2.7", hostName: "mx.in.example", localIP: "192.0.2.1",
        product: "epost 1.0", protocolName: "ESMTPS", id: "0000000000ABCD", recipient: "a@in.example",
        authUser: "a@in.example", tls: "TLSv1.3 (X)",
        date: MailDate(milliseconds: 1_440_400_153_000, offsetSeconds: 32_400))

    private func render(_ template: HeaderTemplate, _ values: TraceValues = values) -> String {
        var out: [UInt8] = []
        template.render(values, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// R-RCV-38.
    @Test func builtInTemplate() {
        #expect(
            render(.standard) == """
                Received: from client.example (unverified [192.0.2.7])
                \tby mx.in.example (epost 1.0) with ESMTPS
                \tid <0000000000ABCD@mx.in.example>; Mon, 24 Aug 2015 16:09:13 +0900

                """)
        let again = HeaderTemplate.read(HeaderTemplate.delivered)
        #expect(again.problems.isEmpty)
        #expect(render(again.value) == render(.standard))
    }

    @Test func everyPlaceHolderIsFilledIn() {
        let names = HeaderTemplate.PlaceHolder.allCases.filter { $0 != .date }.map { "%\($0.rawValue)%" }
        let reading = HeaderTemplate.read("Received: \(names.joined(separator: " "))\n ; %DATE%\n")
        #expect(reading.problems.isEmpty)
        let text = render(reading.value)
        #expect(!text.contains("%"))
        #expect(text.contains("a@in.example a@in.example"))
        #expect(text.contains("192.0.2.7 mx.in.example 192.0.2.1 epost 1.0"))
    }

    @Test(
        "refused templates give the built-in one (R-RCV-39)",
        arguments: [
            ("X-Trace: %ID%; %DATE%", "received"), ("Received: from %HELO%", "date"),
            ("Received: from %HELO%; %DATE% x", "date"), ("Received: from %HELO%\nby x; %DATE%", "folding"),
            ("Received: from %HELO%\n\n ; %DATE%", "folding"), ("Received: from %HELO%\n \t\n ; %DATE%", "empty"),
            ("Received: from %NOBODY%; %DATE%", "place-holder"), ("Received: \u{1}; %DATE%", "control"),
            ("Received: \(String(repeating: "x", count: 600)); %DATE%", "length"),
        ])
    func refused(_ text: String, _ code: String) {
        let reading = HeaderTemplate.read(text)
        #expect(reading.hasFaults)
        #expect(reading.problems.contains { $0.code == "table.header.\(code)" })
        #expect(render(reading.value) == render(.standard))
    }

    @Test(arguments: ["", "\n\n", "  \r\n"])
    func emptyGivesTheBuiltInOne(_ text: String) {
        let reading = HeaderTemplate.read(text)
        #expect(reading.problems.isEmpty)
        #expect(render(reading.value) == render(.standard))
    }

    @Test func percentSignsInTextStay() {
        let reading = HeaderTemplate.read("Received: 100% of %% and %id% by %HOSTNAME%%ID%; %DATE%")
        #expect(reading.problems.isEmpty)
        #expect(render(reading.value).hasPrefix("Received: 100% of %% and %id% by mx.in.example0000000000ABCD; Mon,"))
    }

    /// CWE-93: what the client says never begins a field, a comment or a date of its own.
    @Test func valuesAreCleaned() {
        var values = Self.values
        values.helo = "x\r\nBcc: evil@x (a) ; b\\\u{0}"
        values.clientName = "a)\n(b"
        values.authUser = String(repeating: "u", count: 5000)
        let text = render(HeaderTemplate.read("Received: %HELO% (%CLIENTNAME%) %AUTHUSER%\n ; %DATE%").value, values)
        #expect(text.hasPrefix("Received: x??Bcc: evil@x ?a? ? b?? (a???b) uuu"))
        #expect(text.utf8.count < 400)
        #expect(text.utf8.filter { $0 == 0x0A }.count == 2)
    }
}
