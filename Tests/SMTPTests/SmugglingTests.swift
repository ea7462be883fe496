import MailModel
import SMTP
import TestSupport
import Testing

/// Only CR LF . CR LF ends a message (CVE-2023-51764 and its kin; VU#302671).
@Suite struct SmugglingTests {
    /// Sequences that some server somewhere takes for the end of data.
    static let falseEnds = [
        #"\n.\n"#, #"\n.\r\n"#, #"\r\n.\n"#, #"\r.\r"#, #"\r.\r\n"#, #"\r\n.\r"#, #"\n.\r"#, #"\r.\n"#,
        #"\r\r\n.\r\r\n"#, #"\r\n.\r\r\n"#, #"\r\r\n.\n"#, #"\n\r.\r\n"#, #"\n\n.\r\n"#, #"\r\n\0.\r\n"#,
        #"\r\n.\0\r\n"#, #"\r\0\n.\r\n"#, #"\r\n. \r\n"#, #"\r\n .\r\n"#, #"\r\n..\r\n"#, #"\x85.\x85"#,
        #"\r\n\0.\r"#, #"\r\n\0.\n"#, #"\r\n.\0\n"#, #"\r\n.\r\r\n"#, #"\n.\r\r\n"#, #"\r\r.\r\r"#, #"\r\n\r.\r\n"#,
        #"\r\n.\n\r\n"#, #"\r\n.\x1a\r\n"#, #"\r\n\t.\r\n"#, #"\r\n.\t\r\n"#, #"\r\n\xef\xbc\x8e\r\n"#,
        #"\x0b.\x0b"#, #"\x0c.\x0c"#, #"\r\n\x2e\x20\r\n"#, #"\xe2\x80\xa8.\xe2\x80\xa8"#,
    ]

    static let smuggled = #"MAIL FROM:<admin@in.example>\r\nRCPT TO:<bob@in.example>\r\nDATA\r\nsmuggled\r\n.\r\n"#

    private func session(tolerant: Bool) -> SessionHarness {
        let harness = SessionHarness(profile: Transcript.profile(tolerant ? ["tolerant"] : []))
        harness.feed("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<ann@in.example>\r\nDATA\r\n".utf8)
        _ = harness.takeOutput()
        return harness
    }

    /// In front of the smuggled commands stands a false end, behind them the true one: never a second transaction.
    @Test(arguments: falseEnds, [false, true])
    func noSecondTransaction(_ falseEnd: String, _ tolerant: Bool) {
        for piece in [1, 2, 3, 5, .max] {
            let harness = session(tolerant: tolerant)
            var octets = ArraySlice(Transcript.unescaped("text" + falseEnd + Self.smuggled))
            while !octets.isEmpty {
                harness.feed(octets.prefix(piece))
                octets = octets.dropFirst(piece)
            }
            let replies = harness.takeOutput()
            #expect(replies.count == 1, "\(falseEnd) \(replies)")
            #expect(harness.messages.count <= 1)
            #expect(!harness.messages.contains { $0.envelope.recipients.count != 1 })
            harness.feed("RCPT TO:<bob@in.example>\r\n".utf8)
            #expect(harness.takeOutput() == ["503 5.5.1 bad sequence of commands"])
        }
    }

    @Test(arguments: [
        (#"a\nb\r\n"#, "550 5.5.2"), (#"a\rb\r\n"#, "550 5.5.2"), (#"\n"#, "550 5.5.2"), (#"a\r\r\n"#, "550 5.5.2"),
        (#"a\0b\r\n"#, "550 5.6.0"), (#"a\r\n"#, "250 2.0.0"), (#""#, "250 2.0.0"),
    ])
    func strict(_ content: String, _ reply: String) {
        let harness = session(tolerant: false)
        harness.feed(Transcript.unescaped(content + (content == #"\n"# ? #"\r\n.\r\n"# : #".\r\n"#)))
        #expect(harness.takeOutput().map { String($0.prefix(9)) } == [reply])
    }

    /// Tolerated line ends become line ends; dots behind them are what the sender wrote.
    @Test(arguments: [
        (#"a\nb\r\n"#, "a\nb\n"), (#"a\rb\r\n"#, "a\nb\n"), (#"a\n.\r\nb\r\n"#, "a\n.\nb\n"),
        (#"a\n..b\r\n"#, "a\n..b\n"), (#"a\r\r\n"#, "a\n\n"), (#"\r\n..b\n.c\r\n"#, "\n.b\n.c\n"),
        (#"a\r\n.\nb\r\n"#, "a\n\nb\n"), (#"a\r\n.\r.\r\n"#, "a\n\n.\n"),
    ])
    func tolerant(_ content: String, _ stored: String) {
        let harness = session(tolerant: true)
        harness.feed(Transcript.unescaped(content + #".\r\n"#))
        #expect(harness.messages.first?.content == Array(stored.utf8))
    }
}
