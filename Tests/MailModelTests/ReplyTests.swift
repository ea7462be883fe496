import MailModel
import Testing

@Suite struct ReplyTests {
    @Test func everyLineCarriesCodeAndEnhancedCode() {
        var out: [UInt8] = []
        Reply(250, EnhancedCode(2, 0, 0), lines: ["one", "two"]).wire(into: &out)
        #expect(String(decoding: out, as: UTF8.self).utf8.elementsEqual("250-2.0.0 one\r\n250 2.0.0 two\r\n".utf8))
    }

    @Test func reasonsAreDistinctAndTheirRepliesWellFormed() {
        #expect(Set(Reason.allCases.map(\.rawValue)).count == Reason.allCases.count)
        for reason in Reason.allCases {
            let reply = reason.reply
            #expect((200...599).contains(reply.code), "\(reason)")
            #expect(reply.enhanced?.status == (reply.code / 100 == 3 ? 2 : reply.code / 100), "\(reason)")
            #expect(reply.lines.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }, "\(reason)")
        }
    }

    @Test func ourOwnTroubleIsNeverPermanent() {
        for reason in Reason.allCases where reason.rawValue.hasPrefix("local.") {
            #expect(reason.reply.kind == .transient, "\(reason)")
        }
    }

    @Test(
        "enhanced codes of remote servers",
        arguments: [
            ("5.7.1", true), ("2.0.0", true), ("4.999.999", true), ("3.0.0", false), ("5.7", false),
            ("5.7.1000", false),
            ("5.7.x", false), ("", false), ("5..1", false),
        ])
    func enhanced(_ text: String, _ isGood: Bool) {
        #expect((EnhancedCode(text) != nil) == isGood)
    }
}
