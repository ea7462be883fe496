import Explain
import MailModel
import Settings
import Spool
import Store
import Testing

@Suite struct ReceiverTests {
    private func transaction(_ client: TestClient, to recipient: String = "ann@in.example") async throws {
        try await client.command("EHLO client.example")
        #expect(try await client.command("MAIL FROM:<eve@ext.example>").hasPrefix("250 2.1.0"))
        #expect(try await client.command("RCPT TO:<\(recipient)>").hasPrefix("250 2.1.5"))
    }

    private func greeted(_ port: Int, tls: Bool = false) async throws -> TestClient {
        let client = try await TestClient.connect(port: port, tls: tls)
        #expect(try await client.line() == "220 mail.in.example ESMTP")
        return client
    }

    /// R-RCV-07, R-RCV-36, R-RCV-40, R-RCV-41.
    @Test func acceptedMailCarriesItsTrace() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(spool: spool)
        let client = try await greeted(harness.port)
        try await transaction(client)
        #expect(try await client.command("DATA").hasPrefix("354"))
        let reply = try await client.command("Subject: x\r\nMessage-ID: <m1@ext.example>\r\n\r\ntext\r\n.")
        let row = try #require(try spool.list(QueueQuery()).rows.first)
        #expect(reply == "250 2.0.0 queued as \(row.id)")
        let content = try #require(try spool.contents().first)
        #expect(
            content.hasPrefix(
                """
                Received: from client.example (unverified [127.0.0.1])
                \tby mail.in.example (epost) with ESMTP
                \tid <\(row.id)@mail.in.example>; 
                """), "\(content)")
        // No submission: nothing else is added.
        #expect(content.hasSuffix("\nSubject: x\nMessage-ID: <m1@ext.example>\n\ntext\n"))
        let message = try spool.show(row.id)
        #expect(message.protocolName == "ESMTP")
        #expect(message.clientAddress == IPAddress("127.0.0.1"))
        #expect(message.hello == "client.example")
        let events = harness.journal.events
        let accept = try #require(events.first { $0.kind == .accept })
        #expect(accept.sender == "eve@ext.example")
        let receive = try #require(events.first { $0.kind == .receive })
        #expect(receive.queueID == row.id)
        #expect(receive.recipient == "ann@in.example")
        #expect(receive.messageID == "<m1@ext.example>")
        #expect(receive.size == 50)
        #expect(harness.context.currentCounters["received"] == 1)
        await client.close()
        try await harness.stop()
    }

    /// R-RCV-38.
    @Test func theTraceNamesTheClient() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(["named"], spool: spool)
        let client = try await greeted(harness.port)
        try await transaction(client)
        try await client.command("DATA")
        try await client.command(".")
        let content = try #require(try spool.contents().first)
        #expect(content.hasPrefix("Received: from client.example (client.127.0.0.1.example [127.0.0.1])\n"))
        await client.close()
        try await harness.stop()
    }

    @Test func refusalsCarryAReferenceThatExplains() async throws {
        let harness = try await ReceiverHarness.start(effect: "*.*.*.* norelay\n")
        let client = try await greeted(harness.port)
        try await client.command("EHLO c")
        try await client.command("MAIL FROM:<ann@in.example>")
        let reply = try await client.command("RCPT TO:<eve@ext.example>")
        #expect(reply.hasPrefix("550 5.7.1 relaying denied (ref "))
        let reference = try #require(DecisionReference(reply.suffix(10).dropLast()))
        #expect(try await client.command("FOO").hasPrefix("500 5.5.1 command not recognized (ref "))
        await client.close()
        try await harness.stop(keepsFolder: true)
        let record = try #require(try DecisionArchive.find(reference, in: harness.layout.explain))
        #expect(record.moment == "RCPT")
        #expect(record.recipient == "eve@ext.example")
        #expect(record.sender == "ann@in.example")
        #expect(record.reply.text == reply)
        #expect(record.verdict.reason == .relayDenied)
        #expect(record.verdict.trail.last?.decided == true)
        harness.remove()
    }

    // MARK: Authentication

    @Test func authenticatedSessionsRelay() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(["tls", "auth"], spool: spool)
        let client = try await greeted(harness.tlsPort, tls: true)
        try await client.command("EHLO c")
        #expect(try await client.command("AUTH PLAIN AGFubgBzZWNyZXQ=") == "235 2.7.0 authentication successful")
        // Sender trust, as delivered: the envelope sender is the authenticated user (R-RCV-19).
        #expect(try await client.command("MAIL FROM:<bob@in.example>").hasPrefix("553 5.7.1"))
        // R-RCV-10: the connected machine log has refused ones too.
        let accept = try #require(harness.journal.events.last { $0.kind == .accept })
        #expect(accept.reply == "553" && accept.address == "127.0.0.1")
        #expect(try await client.command("MAIL FROM:<Ann@IN.example>").hasPrefix("250"))
        #expect(try await client.command("RCPT TO:<eve@ext.example>").hasPrefix("250"))
        try await client.command("DATA")
        #expect(try await client.command("From: ann@in.example\r\n\r\nx\r\n.").hasPrefix("250"))
        let content = try #require(try spool.contents().first)
        #expect(content.contains(" with ESMTPSA\n"))
        // RFC 6409 §8: a submission gets what every message must have.
        #expect(content.contains("\nDate: "))
        #expect(content.contains("\nMessage-ID: <"))
        #expect(content.hasSuffix("\nFrom: ann@in.example\n\nx\n"))
        #expect(try spool.list(QueueQuery()).rows.count == 1)
        await client.close()
        try await harness.stop()
    }

    /// A wrong password, an unknown user, an account that may not and one that is off: all the same answer.
    @Test(arguments: ["AGFubgB3cm9uZw==", "AG5vYm9keQBzZWNyZXQ=", "AHNpbGVudABzZWNyZXQ=", "AG9mZgBzZWNyZXQ="])
    func authenticationFails(_ response: String) async throws {
        let harness = try await ReceiverHarness.start(["auth-in-clear"])
        let client = try await greeted(harness.port)
        try await client.command("EHLO c")
        for _ in 0..<3 {
            let reply = try await client.command("AUTH PLAIN \(response)")
            #expect(reply.hasPrefix("535 5.7.8 authentication failed (ref "))
        }
        #expect(try await client.reply().hasPrefix("421 4.7.0 too many failed authentications"))
        #expect(await client.isClosed())
        #expect(harness.context.currentCounters["authFailed"] == 3)
        try await harness.stop()
    }

    // MARK: TLS

    @Test func implicitTLSAndItsListenerWithoutCertificate() async throws {
        let harness = try await ReceiverHarness.start(["tls", "auth"])
        let client = try await greeted(harness.tlsPort, tls: true)
        #expect(try await client.tls.version == "TLSv1.3")
        #expect(try await client.command("STARTTLS").hasPrefix("503 5.5.1") == true)
        await client.close()
        // The certificate goes away: sessions that run go on, new ones find nobody (R-RCV-03).
        let running = try await greeted(harness.tlsPort, tls: true)
        harness.directory.change { settings, _ in
            settings.set("tls.certificate_file", to: [""])
            settings.set("tls.private_key_file", to: [""])
        }
        harness.tell(.settingsChanged)
        var isOffered = true
        while isOffered {
            let plain = try await greeted(harness.port)
            try await plain.send("EHLO c\r\n")
            var lines: [String] = []
            repeat { lines.append(try await plain.line()) } while lines.last?.dropFirst(3).first == "-"
            isOffered = lines.contains("250-STARTTLS")
            await plain.close()
        }
        #expect(try await running.command("NOOP") == "250 2.0.0 OK")
        let late = try await TestClient.connect(port: harness.tlsPort, tls: true)
        #expect(await late.isClosed())
        try await harness.stop()
    }

    // MARK: Limits

    /// R-SVC-19.
    @Test func sessionLimit() async throws {
        let harness = try await ReceiverHarness.start { try $0.set(ReceiverSettings.maxSessions, "2") }
        let first = try await greeted(harness.port)
        let second = try await greeted(harness.port)
        let third = try await TestClient.connect(port: harness.port)
        #expect(try await third.line().hasPrefix("421 4.7.0 too many sessions"))
        #expect(await third.isClosed())
        #expect(try await first.command("QUIT").hasPrefix("221"))
        #expect(await first.isClosed())
        _ = try await greeted(harness.port)
        await second.close()
        try await harness.stop()
    }

    /// R-RCV-25.
    @Test func mailboxWithoutRoom() async throws {
        let harness = try await ReceiverHarness.start()
        try await harness.fillMailbox(of: "full")
        let client = try await greeted(harness.port)
        try await client.command("EHLO c")
        try await client.command("MAIL FROM:<>")
        #expect(try await client.command("RCPT TO:<full@in.example>").hasPrefix("452 4.2.2 mailbox is full"))
        #expect(try await client.command("RCPT TO:<off@in.example>").hasPrefix("550 5.2.1"))
        await client.close()
        try await harness.stop()
    }

    @Test func silenceEndsASession() async throws {
        let harness = try await ReceiverHarness.start { try $0.set(ReceiverSettings.commandTimeout, "1") }
        let client = try await greeted(harness.port)
        // Octets without a whole command are silence too.
        try? await client.send("EHL")
        #expect(try await client.line().hasPrefix("421 4.4.2 time-out"))
        #expect(await client.isClosed())
        try await harness.stop()
    }

    @Test func loopsEnd() async throws {
        let harness = try await ReceiverHarness.start()
        let client = try await greeted(harness.port)
        for (fields, expected) in [(50, "250"), (51, "554 5.4.6")] {
            try await transaction(client)
            try await client.command("DATA")
            let header = String(repeating: "Received: from a by b; date\r\n", count: fields)
            #expect(try await client.command("\(header)\r\nx\r\n.").hasPrefix(expected))
        }
        await client.close()
        try await harness.stop()
    }

    // MARK: Content

    /// Beyond the inline limit content goes to disk while it arrives; nothing changes on the wire.
    @Test(arguments: [65_000, 66_000, 1_000_000, 5_000_000], [false, true])
    func largeContent(_ size: Int, _ isChunked: Bool) async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(spool: spool)
        let client = try await greeted(harness.port)
        try await transaction(client)
        var wire: [UInt8] = Array("Subject: large\r\n\r\n".utf8)
        var line = 0
        while wire.count < size {
            wire += Array("line \(line) of a message that is somewhat larger than others\r\n".utf8)
            line += 1
        }
        let reply: String
        if isChunked {
            var rest = wire[...]
            while rest.count > 100_000 {
                try await client.send(Array("BDAT 100000\r\n".utf8) + rest.prefix(100_000))
                #expect(try await client.reply() == "250 2.0.0 OK")
                rest = rest.dropFirst(100_000)
            }
            try await client.send(Array("BDAT \(rest.count) LAST\r\n".utf8) + rest)
            reply = try await client.reply()
        } else {
            try await client.command("DATA")
            try await client.send(wire + Array(".\r\n".utf8))
            reply = try await client.reply()
        }
        #expect(reply.hasPrefix("250 2.0.0 queued as "))
        let content = try #require(try spool.contents().first)
        #expect(content.hasSuffix("\n" + String(decoding: wire.filter { $0 != 13 }, as: UTF8.self)))
        await client.close()
        try await harness.stop()
    }

    @Test(arguments: [(SpoolError.Kind.diskFull, "452 4.3.1"), (.io, "451 4.3.0")], [10, 300_000])
    func storageFails(_ failure: (SpoolError.Kind, String), _ size: Int) async throws {
        let harness = try await ReceiverHarness.start(spool: FailingSpool(failure.0))
        let client = try await greeted(harness.port)
        for _ in 0..<2 {
            try await transaction(client)
            try await client.command("DATA")
            let lines = String(repeating: "0123456789\r\n", count: size / 12 + 1)
            #expect(try await client.command("\(lines).").hasPrefix(failure.1))
        }
        #expect(try await client.command("RCPT TO:<ann@in.example>").hasPrefix("503"))
        await client.close()
        try await harness.stop()
    }

    /// Nobody reads a message whose client went away in its middle.
    @Test func brokenOffMessageIsDropped() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(spool: spool)
        for size in [100, 400_000] {
            let client = try await greeted(harness.port)
            try await transaction(client)
            try await client.command("DATA")
            try await client.send(String(repeating: "0123456789\r\n", count: size / 12))
            await client.close()
        }
        try await harness.stop()
        #expect(try spool.contents().isEmpty)
    }

    // MARK: Postmaster

    @Test func postmasterIsServedByTheAdministrator() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(spool: spool) { settings in
            try settings.set(AdminSettings.account, "bob@other.example")
        }
        harness.directory.change { _, domains in domains = [DomainRecord(name: "other.example")] }
        harness.directory.add(AccountRecord(account: "bob", domain: "other.example"))
        let client = try await greeted(harness.port)
        try await client.command("EHLO c")
        try await client.command("MAIL FROM:<>")
        #expect(try await client.command("RCPT TO:<Postmaster>").hasPrefix("250"))
        #expect(try await client.command("RCPT TO:<postmaster@other.example>").hasPrefix("250"))
        try await client.command("DATA")
        #expect(try await client.command("x\r\n.").hasPrefix("250"))
        let row = try #require(try spool.list(QueueQuery()).rows.first)
        #expect(try spool.show(row.id).recipients.allSatisfy { $0.recipient.address.text == "bob@other.example" })
        await client.close()
        try await harness.stop()
    }

    /// R-RCV-08, R-RCV-09, R-SVC-10.
    @Test func enquiries() async throws {
        let harness = try await ReceiverHarness.start()
        let client = try await greeted(harness.port)
        try await client.command("EHLO c")
        #expect(try await client.command("VRFY ann") == "250 2.1.5 Ann Example <ann@in.example>")
        #expect(try await client.command("VRFY <bob@in.example>") == "250 2.1.5 <bob@in.example>")
        #expect(try await client.command("EXPN ann").hasPrefix("250 2.1.5"))
        #expect(try await client.command("VRFY nobody").hasPrefix("550 5.1.1"))
        #expect(try await client.command("VRFY eve@ext.example").hasPrefix("252 2.5.2"))
        #expect(try await client.command("VRFY \"").hasPrefix("501"))
        await client.close()
        try await harness.stop()
    }
}
