import MailModel
import Policy
import Spool
import Tables
import Testing

@testable import Delivery

/// What is known of destinations outlives the service.
@Suite struct DestinationMemoryTests {
    private let now: Int64 = 1_700_000_000_000

    private func note(_ outcome: RecipientResult.Outcome, _ book: DestinationBook, _ hop: NextHop) {
        let recipient = ClaimedRecipient(
            index: 0, recipient: Recipient(address: MailAddress(localPart: "a", domain: "far.example")))
        var result = RecipientResult(outcome, route: "")
        result.tls = "TLSv1.3 X"
        book.note([(recipient, result)], of: book.record(of: hop, now: now), now: now)
    }

    @Test func writtenAndReadAgain() throws {
        let hops = [
            NextHop(.domain("far.example"), port: 25),
            NextHop(.address(try #require(IPAddress("2001:db8::7"))), port: 25),
            NextHop(
                .gateway("gw.example"), port: 465, isImplicitTLS: true,
                login: GatewayLogin(method: .xoauth2, name: "a@b")),
        ]
        let book = DestinationBook()
        for hop in hops {
            note(.relayed(Reply(250, nil, "ok"), reportsFollow: false), book, hop)
            note(.refused(Reply(550, EnhancedCode(5, 1, 1), "no\tsuch\nuser")), book, hop)
            note(.deferred(Reply(451, EnhancedCode(4, 7, 1), "greylisted"), .line), book, hop)
        }
        #expect(book.isDirty)
        let other = DestinationBook(text: book.text)
        #expect(other.text == book.text)
        #expect(Set(other.records.keys) == Set(hops))
        #expect(other.causes[.unknownUser]?.total == 3 && other.causes[.unknownUser]?.hour(now: now) == 3)
        let record = try #require(other.records[hops[2]])
        #expect(record.delivered == 1 && record.failed == 1 && record.deferred == 1 && record.tls == "TLSv1.3 X")
        #expect(record.causes[.greylisted]?.reply.contains("greylisted") == true)
    }

    @Test(arguments: [
        "", "epost destinations 2\nto\tmx\ta.example\t25\t0\t\t\t1\t1\t1\t1\t1\t1\t1\t\t",
        "epost destinations 1\nto\nto\tmx\ta.example\t0\t0\t\t\t1\t1\t1\t1\t1\t1\t1\t\t\nwhy\tother\t1\t1\t1\t\t",
        "epost destinations 1\nto\tmx\ta.example\t25\t0\t\t\t-1\t1\t1\t1\t1\t1\t1\t\t\nall\tno-cause\t1\t1\t1\t\t",
        "epost destinations 1\nall\tother\t1\t1\t99999999999999999999\t1\tx",
    ])
    func brokenFilesAreNothing(_ text: String) {
        let book = DestinationBook(text: text)
        #expect(book.records.isEmpty && book.causes.isEmpty)
    }
}
