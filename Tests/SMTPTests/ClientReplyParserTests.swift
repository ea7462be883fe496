import MailModel
import Testing

@testable import SMTP

@Suite("Client: replies")
struct ClientReplyParserTests {
    struct Fixture: Sendable, CustomTestStringConvertible {
        let input: String
        let replies: [Reply]
        var failure: ClientReplyParser.Failure?
        var testDescription: String { input.debugDescription }
    }

    static let fixtures: [Fixture] = [
        Fixture(input: "250 OK\r\n", replies: [Reply(250, nil, "OK")]),
        Fixture(input: "250 2.1.5 OK\r\n", replies: [Reply(250, EnhancedCode(2, 1, 5), "OK")]),
        Fixture(input: "250\r\n", replies: [Reply(250, nil, "")]),
        Fixture(input: "250 OK\n", replies: [Reply(250, nil, "OK")]),
        Fixture(
            input: "250-a\r\n250-b c\r\n250 d\r\n", replies: [Reply(250, nil, lines: ["a", "b c", "d"])]),
        Fixture(
            input: "550-5.1.1 no\r\n550 5.1.1 user\r\n",
            replies: [Reply(550, EnhancedCode(5, 1, 1), lines: ["no", "user"])]),
        // An enhanced code of another class than the reply's is text.
        Fixture(input: "550 2.1.1 odd\r\n", replies: [Reply(550, nil, "2.1.1 odd")]),
        Fixture(input: "220 x\r\n354 go\r\n", replies: [Reply(220, nil, "x"), Reply(354, nil, "go")]),
        Fixture(input: "550 \u{1B}[31mred\u{7}\r\n", replies: [Reply(550, nil, "\\x1B[31mred\\x07")]),
        Fixture(input: "550 利用者\r\n", replies: [Reply(550, nil, "利用者")]),
        Fixture(input: "25", replies: []),
        Fixture(input: "250-a\r\n", replies: []),
        Fixture(input: "\r\n", replies: [], failure: .malformed),
        Fixture(input: "25 x\r\n", replies: [], failure: .malformed),
        Fixture(input: "999 x\r\n", replies: [], failure: .malformed),
        Fixture(input: "160 x\r\n", replies: [], failure: .malformed),
        Fixture(input: "250x\r\n", replies: [], failure: .malformed),
        Fixture(input: "250-a\r\n251 b\r\n", replies: [], failure: .malformed),
        Fixture(input: "HTTP/1.1 400 Bad Request\r\n", replies: [], failure: .malformed),
        Fixture(input: "250 " + String(repeating: "x", count: 5_000), replies: [], failure: .tooLong),
        Fixture(input: String(repeating: "250-x\r\n", count: 500), replies: [], failure: .tooLong),
    ]

    @Test("the same at every split", arguments: fixtures)
    func everySplit(_ fixture: Fixture) {
        let octets = Array(fixture.input.utf8)
        let cuts = octets.count > 600 ? [0, 1, octets.count / 2] : Array(0...octets.count)
        for cut in cuts {
            var parser = ClientReplyParser()
            var replies: [Reply] = []
            var failure: ClientReplyParser.Failure?
            for part in [octets[..<cut], octets[cut...]] where failure == nil {
                failure = read(Array(part), &parser, &replies)
            }
            #expect(replies == fixture.replies, "split at \(cut)")
            #expect(failure == fixture.failure, "split at \(cut)")
        }
    }

    private func read(
        _ octets: [UInt8], _ parser: inout ClientReplyParser, _ replies: inout [Reply]
    ) -> ClientReplyParser.Failure? {
        octets.withUnsafeBytes { buffer -> ClientReplyParser.Failure? in
            var position = 0
            do throws(ClientReplyParser.Failure) {
                while let reply = try parser.next(in: buffer, from: &position) { replies.append(reply) }
                return nil
            } catch {
                return error
            }
        }
    }

    @Test("octets that are no UTF-8 are shown as numbers")
    func invalidUTF8() {
        var parser = ClientReplyParser()
        var replies: [Reply] = []
        #expect(read(Array("550 a".utf8) + [0xFF, 0xC3] + Array("b\r\n".utf8), &parser, &replies) == nil)
        #expect(replies == [Reply(550, nil, "a\\xFF\\xC3b")])
    }
}
