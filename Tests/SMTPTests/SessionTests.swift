import Glibc
import MailModel
import SMTP
import TestSupport
import Testing

@Suite struct SessionTests {
    @Test("a dialogue, each client line at once", arguments: Transcript.all())
    func dialogue(_ transcript: Transcript) { transcript.replay(piece: .max) }

    /// The network may split anywhere: octet by octet every answer is the same.
    @Test("a dialogue, octet by octet", arguments: Transcript.all())
    func dialogueOctetByOctet(_ transcript: Transcript) { transcript.replay(piece: 1) }

    @Test("a dialogue in pieces of seven", arguments: Transcript.all())
    func dialogueInPieces(_ transcript: Transcript) { transcript.replay(piece: 7) }

    @Test func transcriptsWereFound() { #expect(Transcript.all().count > 15) }

    private func harness(_ words: String...) -> SessionHarness {
        let harness = SessionHarness(profile: Transcript.profile(words))
        harness.feed("EHLO c\r\n".utf8)
        _ = harness.takeOutput()
        return harness
    }

    /// Command lines: 2,048 octets with CR LF pass, one more does not; the rest of the line is never a command.
    @Test(arguments: [(2_048, "250 2.0.0 OK"), (2_049, "500 5.5.2 line too long")])
    func commandLineLimit(_ octets: Int, _ expected: String) {
        let session = harness()
        let line = "NOOP " + String(repeating: "x", count: octets - 7) + "\r\n"
        session.feed(line.utf8)
        #expect(session.takeOutput() == [expected])
        session.feed("NOOP\r\n".utf8)
        #expect(session.takeOutput() == ["250 2.0.0 OK"])
    }

    @Test func overlongLineIsAnsweredOnceAndSkippedToItsEnd() {
        let session = harness()
        for _ in 0..<100 { session.feed(repeatElement(UInt8(ascii: "A"), count: 10_000)) }
        #expect(session.takeOutput() == ["500 5.5.2 line too long"])
        session.feed("\r\nNOOP\r\n".utf8)
        #expect(session.takeOutput() == ["250 2.0.0 OK"])
    }

    /// RFC 4954 §4.4: AUTH lines may have 12,288 octets.
    @Test func authenticationLineLimit() {
        let session = harness("auth-in-clear")
        let response = String(repeating: "A", count: 12_288 - 2 - 11)
        session.feed("AUTH PLAIN \(response)\r\n".utf8)
        #expect(session.takeOutput() == ["501 5.5.2 malformed authentication data"])
        session.feed("AUTH PLAIN \(response)A\r\n".utf8)
        #expect(session.takeOutput() == ["500 5.5.2 line too long"])
        session.feed("AUTH PLAIN\r\n\(response)\(String(repeating: "A", count: 12))\r\nNOOP\r\n".utf8)
        #expect(session.takeOutput() == ["334 ", "500 5.5.2 line too long", "250 2.0.0 OK"])
    }

    /// A list's last recipients cost what its first ones did.
    @Test func recipientsCostTheSameHoweverManyThereAre() {
        let session = harness("recipients=10000")
        session.feed("MAIL FROM:<>\r\n".utf8)
        let line = Array("RCPT TO:<ann@in.example>\r\n".utf8)
        // Time of this thread alone, and the least of some rounds: what others do only adds.
        func least() -> Int {
            func now() -> Int {
                var time = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                return time.tv_sec * 1_000_000_000 + time.tv_nsec
            }
            var least = Int.max
            for _ in 0..<5 {
                let start = now()
                for _ in 0..<40 { session.feed(line) }
                least = min(least, now() - start)
            }
            return least
        }
        let first = least()
        for _ in 0..<8_000 { session.feed(line) }
        let last = least()
        #expect(Set(session.takeOutput().suffix(8_400)) == ["250 2.1.5 recipient OK"])
        #expect(last < first * 4, "\(first) ns for 40 at the beginning, \(last) ns behind 8,200")
    }

    /// Refused recipients count as errors, put-off ones do not.
    @Test func temporaryRefusalsAreNoErrors() {
        let session = harness("errors=3")
        session.feed("MAIL FROM:<>\r\n".utf8)
        for _ in 0..<10 { session.feed("RCPT TO:<full@in.example>\r\n".utf8) }
        #expect(!session.isClosed)
        for _ in 0..<4 { session.feed("RCPT TO:<nobody@in.example>\r\n".utf8) }
        #expect(session.isClosed)
    }

    /// One-octet chunks cost commands, so nobody sends them for ever (Postfix HISTORY 20260803).
    @Test func tinyChunksAreBounded() {
        let session = harness("commands=50")
        session.feed("MAIL FROM:<>\r\nRCPT TO:<ann@in.example>\r\n".utf8)
        for _ in 0..<100 { session.feed("BDAT 1\r\nx".utf8) }
        #expect(session.isClosed)
        let big = harness("commands=50")
        big.feed("MAIL FROM:<>\r\nRCPT TO:<ann@in.example>\r\n".utf8)
        for _ in 0..<100 { big.feed(Array("BDAT 600\r\n".utf8) + repeatElement(UInt8(ascii: "x"), count: 600)) }
        #expect(!big.isClosed)
    }

    @Test func credentialsDoNotPrintThemselves() throws {
        let line = Array("AUTH PLAIN AGFubgBzZWNyZXQ=".utf8)
        let command = try line.withUnsafeBytes { bytes throws(CommandError) in try CommandParser.parse(bytes) }
        #expect("\(command)" == "AUTH PLAIN <redacted>")
    }
}
