import MailModel
import Testing

@testable import SMTP

@Suite("Client: session")
struct ClientSessionTests {
    @Test("one message, without pipelining, then QUIT")
    func plain() {
        var client = ClientDialogue()
        client.server("220 b.example ESMTP\n")
        #expect(client.takeSent() == "EHLO client.example\n")
        client.server("250-b.example\n250 SIZE 1000\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example> SIZE=20\n")
        client.server("250 ok\n")
        #expect(client.takeSent() == "RCPT TO:<b@b.example>\n")
        client.server("250 ok\n")
        #expect(client.takeSent() == "DATA\n")
        client.server("354 go\n")
        #expect(client.takeSent() == "Subject: x\n\nhello\n.\n")
        client.server("250 2.0.0 queued as 1\n")
        #expect(client.outcomes == [.delivered(Reply(250, EnhancedCode(2, 0, 0), "queued as 1"))])
        #expect(client.session.transactionsCompleted == 1)
        var events: [ClientEvent] = []
        client.session.quit(events: &events)
        client.server("221 bye\n")
        #expect(client.takeSent() == "QUIT\n")
        #expect(client.end == .quit)
    }

    @Test("PIPELINING puts MAIL, RCPT and DATA into one go (RFC 2920)")
    func pipelined() {
        var client = ClientDialogue(transactions: [.plain("b", "c")])
        client.server("220 x\n")
        client.server("250-x\n250-PIPELINING\n250 8BITMIME\n")
        #expect(
            client.takeSent()
                == "EHLO client.example\nMAIL FROM:<a@client.example>\nRCPT TO:<b@b.example>\nRCPT TO:<c@b.example>\nDATA\n"
        )
        client.server("250 ok\n550 5.1.1 no such user\n250 ok\n354 go\n")
        client.server("250 done\n")
        #expect(
            client.outcomes == [
                .failed(Reply(550, EnhancedCode(5, 1, 1), "no such user")), .delivered(Reply(250, nil, "done")),
            ])
    }

    @Test("the whole dialogue in pieces of any size")
    func everySplit() {
        // What may arrive together: a server does not answer before it was asked.
        let script = [
            "220 x\r\n", "250-x\r\n250-PIPELINING\r\n250 DSN\r\n",
            "250 ok\r\n250 ok\r\n450 4.2.1 later\r\n354 go\r\n", "250 2.0.0 done\r\n",
        ].map { Array($0.utf8) }
        for size in 1...60 {
            var client = ClientDialogue(transactions: [.plain("b", "c")])
            for group in script {
                for start in stride(from: 0, to: group.count, by: size) {
                    client.server(octets: Array(group[start..<min(start + size, group.count)]))
                }
            }
            #expect(client.sentText.hasSuffix("DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n"), "pieces of \(size)")
            #expect(
                client.outcomes == [
                    .delivered(Reply(250, EnhancedCode(2, 0, 0), "done")),
                    .deferred(Reply(450, EnhancedCode(4, 2, 1), "later"), .line),
                ], "pieces of \(size)")
            #expect(client.results.first?.passedNotification == true)
        }
    }

    @Test("several messages over one connection; RSET only after an unfinished one")
    func reuse() {
        var client = ClientDialogue(transactions: [.plain(), .plain("c"), .plain("d")])
        client.server("220 x\n")
        client.server("250 x\n")
        client.server("250 ok\n")
        client.server("550 no\n")  // the only recipient: no DATA
        #expect(client.takeSent().hasSuffix("RCPT TO:<b@b.example>\nRSET\n"))
        client.server("250 reset\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
        client.server("250 ok\n")
        client.server("250 ok\n")
        client.server("354 go\n")
        client.server("250 done\n")
        #expect(client.takeSent().hasSuffix(".\nMAIL FROM:<a@client.example>\n"))
        #expect(client.outcomes == [.failed(Reply(550, nil, "no")), .delivered(Reply(250, nil, "done"))])
    }

    @Test("HELO after a refused EHLO")
    func helo() {
        var client = ClientDialogue()
        client.server("220 x\n")
        client.server("502 what\n")
        #expect(client.takeSent() == "EHLO client.example\nHELO client.example\n")
        client.server("250 x\n")
        #expect(client.takeSent() == "MAIL FROM:<a@client.example>\n")
    }

    @Test("DSN parameters travel when the server offers DSN (RFC 3461)", arguments: [true, false])
    func notification(isOffered: Bool) {
        var transaction = ClientTransaction.plain()
        transaction.notification = SenderNotification(ret: .headers, envelopeID: "Q+3D1")
        transaction.recipients[0].notify = [.success, .failure]
        transaction.recipients[0].originalRecipient = "rfc822;b@b.example"
        var client = ClientDialogue(transactions: [transaction])
        client.server("220 x\n")
        client.server(isOffered ? "250-x\n250-PIPELINING\n250 DSN\n" : "250-x\n250 PIPELINING\n")
        let parameters =
            isOffered ? (" RET=HDRS ENVID=Q+3D1", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@b.example") : ("", "")
        #expect(
            client.takeSent()
                == "EHLO client.example\nMAIL FROM:<a@client.example>\(parameters.0)\nRCPT TO:<b@b.example>\(parameters.1)\nDATA\n"
        )
    }

    @Test("8-bit content goes as it is; BODY only where it is understood", arguments: [true, false])
    func eightBit(isOffered: Bool) {
        var client = ClientDialogue(transactions: [.plain(is8Bit: true)])
        client.server("220 x\n")
        client.server(isOffered ? "250-x\n250 8BITMIME\n" : "250 x\n")
        #expect(client.takeSent().hasSuffix("MAIL FROM:<a@client.example>\(isOffered ? " BODY=8BITMIME" : "")\n"))
    }

    @Test("without SMTPUTF8 at the remote the message fails with 5.6.7, nothing is sent (RFC 6531)")
    func smtpUTF8() {
        var client = ClientDialogue(transactions: [.plain("太郎", needsSMTPUTF8: true), .plain()])
        client.server("220 x\n")
        client.server("250 x\n")
        #expect(client.outcomes.map(\.reply.enhanced) == [EnhancedCode(5, 6, 7)])
        #expect(client.takeSent() == "EHLO client.example\nMAIL FROM:<a@client.example>\n")
    }

    @Test("a message over the announced SIZE fails without a try")
    func size() {
        var client = ClientDialogue(transactions: [.plain(size: 1_001)])
        client.server("220 x\n")
        client.server("250-x\n250 SIZE 1000\n")
        #expect(client.outcomes.map(\.reply.enhanced) == [EnhancedCode(5, 3, 4)])
    }

    @Test("an address with a line end in it never reaches the wire")
    func unsafeAddress() {
        var client = ClientDialogue(transactions: [.plain("b\r\nRSET", "c")])
        client.server("220 x\n")
        client.server("250-x\n250 PIPELINING\n")
        #expect(client.takeSent() == "EHLO client.example\nMAIL FROM:<a@client.example>\nRCPT TO:<c@b.example>\nDATA\n")
        client.server("250 ok\n250 ok\n354 go\n")
        client.server("250 done\n")
        #expect(client.outcomes.map(\.reply.code) == [553, 250])
        var sender = ClientDialogue(
            transactions: [.plain(sender: .address(MailAddress(localPart: "a\nb", domain: "x.example")))])
        sender.server("220 x\n")
        sender.server("250 x\n")
        #expect(sender.outcomes.map(\.reply.enhanced) == [EnhancedCode(5, 1, 7)])
    }

    @Test("354 though nobody is left: the end alone is sent, for nobody (RFC 2920 §3.1)")
    func dataForNobody() {
        var client = ClientDialogue(transactions: [.plain(), .plain("c")])
        client.server("220 x\n")
        client.server("250-x\n250 PIPELINING\n")
        _ = client.takeSent()
        client.server("250 ok\n550 no\n354 go\n")
        #expect(client.takeSent() == ".\n")
        client.server("250 thanks\n")
        #expect(client.outcomes == [.failed(Reply(550, nil, "no"))])
        #expect(client.takeSent().hasPrefix("MAIL FROM"))
    }

    @Test("MAIL refused while pipelining: its answer counts, the others are read")
    func mailRefused() {
        var client = ClientDialogue(transactions: [.plain("b", "c")])
        client.server("220 x\n")
        client.server("250-x\n250 PIPELINING\n")
        client.server("451 4.3.0 later\n503 5.5.1 no mail\n503 5.5.1 no mail\n503 5.5.1 no mail\n")
        let deferred = ClientOutcome.deferred(Reply(451, EnhancedCode(4, 3, 0), "later"), .line)
        #expect(client.outcomes == [deferred, deferred])
        #expect(client.session.isIdle)
    }
}

extension ClientDialogue {
    init(transactions: [ClientTransaction]) {
        self.init(ClientSettings(hello: "client.example", tls: .off), transactions)
    }
}
