import Glibc
import MailModel
import SMTP
import Settings
import Spool
import Testing
import Transport

@testable import Delivery

@Suite("Remote delivery")
struct RemoteDeliveryTests {
    private func bench(
        _ sink: SinkServer, settings: (inout SettingsSnapshot) throws -> Void = { _ in },
        configuration: (inout DeliveryConfiguration) -> Void = { _ in }
    ) throws -> DeliveryBench {
        let port = sink.port
        let bench = try DeliveryBench(
            settings: {
                try $0.set(DeliverySettings.port, String(port))
                try settings(&$0)
            }, configuration: configuration)
        bench.route("far.example", to: "127.0.0.1")
        return bench
    }

    @Test("one transaction for all recipients of a host (R-DLV-14), dots and line ends as the wire wants them")
    func together() async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink)
        bench.add(to: ["x@far.example", "y@far.example"], content: "Subject: x\n\n.dot\nend\n")
        try await bench.run()
        #expect(
            sink.messages == [
                .init(
                    sender: "a@client.example", recipients: ["x@far.example", "y@far.example"],
                    content: "Subject: x\r\n\r\n..dot\r\nend\r\n")
            ])
        #expect(try bench.queued().isEmpty)
        let sent = bench.events(.send)
        #expect(sent.map(\.recipient) == ["x@far.example", "y@far.example"])
        #expect(sent.first?.address == "127.0.0.1")
        #expect(sent.first?.host == "mx.far.example")
        #expect(sent.first?.reply == "250 2.0.0 taken")
        await bench.stop()
        await sink.stop()
    }

    @Test("several messages to one host go over connections that stand")
    func reuse() async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink, configuration: { $0.perDestination = 2 })
        for _ in 0..<20 { bench.add(to: ["x@far.example"]) }
        try await bench.run()
        #expect(sink.messages.count == 20)
        #expect(sink.connections <= 2)
        await bench.stop()
        await sink.stop()
    }

    @Test("a used connection that the other side closes at the next MAIL is no attempt")
    func closedMeanwhile() async throws {
        let mails = Counter()
        let sink = try await SinkServer.start(behaviour: { at, _, connection in
            guard at == .mail, connection == 1, mails.next() == 2 else { return nil }
            return .close
        })
        let bench = try bench(sink)
        for _ in 0..<2 {
            bench.add(to: ["x@far.example"])
            try await bench.run()
        }
        #expect(sink.messages.count == 2)
        #expect(sink.connections == 2)
        #expect(bench.events(.send).count == 2)
        #expect(bench.engine.context.counters.snapshot(threads: 1)["deferred"] == 0)
        await bench.stop()
        await sink.stop()
    }

    @Test("RSET refused on a used connection says nothing about the next message: it takes another connection")
    func resetRefused() async throws {
        let sink = try await SinkServer.start(behaviour: { at, line, _ in
            if at == .rset { return .reply("502 5.5.1 what is RSET") }
            return at == .rcpt && line.contains("nobody@") ? .reply("550 5.1.1 no such user") : nil
        })
        let bench = try bench(sink)
        bench.add(from: "<>", to: ["nobody@far.example"])
        try await bench.run()
        bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(sink.messages.map(\.recipients) == [["x@far.example"]])
        #expect(sink.connections == 2)
        #expect(bench.engine.context.counters.snapshot(threads: 1)["deferred"] == 0)
        await bench.stop()
        await sink.stop()
    }

    @Test("a token that ran out before its time is no refusal of the mail: another one is got, once")
    func tokenRanOut() async throws {
        let folder = "/tmp/epost-token-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        mkdir(folder, 0o700)
        let path = folder + "/token"
        defer {
            unlink(path)
            rmdir(folder)
        }
        func put(_ token: String) {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            _ = write(descriptor, token, token.utf8.count)
            close(descriptor)
        }
        let refuses = Counter()
        let sink = try await SinkServer.start(
            places: { _ in .init(answer: { _ in nil }, offersTLS: false, offersLogin: true) },
            behaviour: { at, line, connection in
                guard at == .auth else { return nil }
                // The second connection comes with the first's token, all behind the third with one that is never good.
                let isGood = connection == 1 || connection == 3
                return isGood ? nil : .reply("535 5.7.8 token \(refuses.next()) expired")
            })
        let bench = try bench(
            sink,
            configuration: {
                $0.login = .init(
                    mechanism: .xoauth2, credentials: .init(user: "u", tokenCommand: ["/bin/cat", path]))
            })
        let port = sink.port
        bench.engine.use(adjusting: bench.engine.context.configuration, router: { _ in ("127.0.0.1", port) })
        for token in ["one", "two", "three"] {
            put(token)
            bench.add(from: "<>", to: ["x@far.example"])
            try await bench.run()
            await bench.engine.closeIdle()
        }
        #expect(sink.messages.count == 2)
        func bearer(_ token: String) -> String {
            let octets = "user=u\u{1}auth=Bearer \(token)\u{1}\u{1}".utf8
            return "AUTH XOAUTH2 " + String(decoding: Base64.encode(Array(octets)), as: UTF8.self)
        }
        let logins = sink.commands.filter { $0.hasPrefix("AUTH") }
        #expect(logins == ["one", "one", "two", "two", "three"].map(bearer))
        #expect(bench.events(.fail).map(\.reply) == ["535 5.7.8 token 3 expired"])
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "5 threads: 5 deliveries at a time; multithread off: one (R-DLV-02, vectors 11, 12)",
        arguments: [(5, true), (5, false)])
    func threads(_ threads: Int, _ isMultithreaded: Bool) async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(
            sink,
            settings: {
                try $0.set(DeliverySettings.threads, String(threads))
                try $0.set(DeliverySettings.isMultithreaded, String(isMultithreaded))
            })
        for number in 0..<10 {
            bench.route("d\(number).example", to: "127.0.0.1")
            bench.add(to: ["x@d\(number).example"])
        }
        try await bench.run()
        #expect(sink.messages.count == 10)
        // Idle connections may stay a while beside those at work.
        #expect(bench.engine.context.configuration.threads == (isMultithreaded ? 5 : 1))
        await bench.stop()
        await sink.stop()
    }

    // MARK: Refusals and trouble at each stage

    @Test(
        "5yz at each stage: a report with the remote's words",
        arguments: [SinkServer.Stage.greeting, .ehlo, .mail, .rcpt, .data, .end])
    func refused(_ stage: SinkServer.Stage) async throws {
        let sink = try await SinkServer.start(behaviour: { at, _, _ in
            at == stage ? .reply("554 5.7.1 we do not like you") : nil
        })
        let bench = try bench(sink)
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        try await bench.run()
        #expect(bench.events(.fail).first?.reply == "554 5.7.1 we do not like you")
        #expect(bench.mailbox("taro").first?.contains("554 5.7.1 we do not like you") == true)
        #expect(try bench.queued().isEmpty)
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "4yz at each stage: waits with the remote's words",
        arguments: [SinkServer.Stage.greeting, .ehlo, .mail, .rcpt, .data, .end])
    func deferred(_ stage: SinkServer.Stage) async throws {
        let sink = try await SinkServer.start(behaviour: { at, _, _ in
            at == stage ? .reply("451 4.7.1 come back later") : nil
        })
        let bench = try bench(sink)
        let id = bench.add(to: ["x@far.example"])
        try await bench.run()
        let message = try bench.spool.show(id)
        #expect(message.recipients.first?.history.reply == "451 4.7.1 come back later")
        #expect(message.recipients.first?.history.failure == .line)
        #expect(message.recipients.first?.history.route?.hasPrefix("mx mx.far.example [127.0.0.1]") == true)
        #expect(message.row.tries == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "closing and silent at each stage: waits, the stage is named",
        arguments: [SinkServer.Stage.greeting, .ehlo, .mail, .rcpt, .data, .end], [true, false])
    func broken(_ stage: SinkServer.Stage, _ isClosing: Bool) async throws {
        let sink = try await SinkServer.start(behaviour: { at, _, _ in
            at == stage ? (isClosing ? .close : .silence) : nil
        })
        let bench = try bench(sink)
        let id = bench.add(to: ["x@far.example"])
        try await bench.run()
        let history = try #require(try bench.spool.show(id).recipients.first?.history)
        #expect(history.tries == 1)
        #expect(history.failure == .line)
        #expect(
            history.reply?.contains(isClosing ? "connection lost: while waiting" : "timed out: while waiting") == true)
        await bench.stop()
        await sink.stop()
    }

    @Test("nonsense instead of SMTP", arguments: ["HTTP/1.1 400 Bad Request", "220-x\n221 y", "\u{0}\u{0}"])
    func nonsense(_ greeting: String) async throws {
        let sink = try await SinkServer.start(behaviour: { at, _, _ in at == .greeting ? .reply(greeting) : nil })
        let bench = try bench(sink)
        let id = bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(try bench.spool.show(id).recipients.first?.history.reply?.contains("does not speak SMTP") == true)
        await bench.stop()
        await sink.stop()
    }

    @Test("each recipient has its own fate")
    func mixed() async throws {
        let sink = try await SinkServer.start(behaviour: { at, line, _ in
            guard at == .rcpt else { return nil }
            if line.contains("bad@") { return .reply("550 5.1.1 no such user") }
            if line.contains("later@") { return .reply("450 4.2.1 busy") }
            return nil
        })
        let bench = try bench(sink)
        let id = bench.add(
            from: "taro@local.example", to: ["good@far.example", "bad@far.example", "later@far.example"])
        try await bench.run()
        #expect(sink.messages.map(\.recipients) == [["good@far.example"]])
        #expect(bench.mailbox("taro").count == 1)
        #expect(try bench.spool.show(id).recipients.map(\.recipient.address.localPart) == ["later"])
        await bench.stop()
        await sink.stop()
    }

    @Test("452 after some were taken: the rest goes in the next transaction at once (RFC 5321 §4.5.3.1.10)")
    func tooMany() async throws {
        let taken = Counter()
        let sink = try await SinkServer.start(behaviour: { at, _, _ in
            if at == .mail { taken.reset() }
            return at == .rcpt && taken.next() > 3 ? .reply("452 4.5.3 too many recipients") : nil
        })
        let bench = try bench(sink)
        bench.add(to: (0..<8).map { "u\($0)@far.example" })
        try await bench.run()
        #expect(sink.messages.map(\.recipients.count) == [3, 3, 2])
        #expect(Set(sink.messages.flatMap(\.recipients)).count == 8)
        #expect(sink.connections == 1)
        #expect(try bench.queued().isEmpty)
        await bench.stop()
        await sink.stop()
    }

    // MARK: Names and hosts

    @Test("the second host takes what the first cannot")
    func nextHost() async throws {
        // The same port on two loopback addresses; only the second listens.
        let second = try await SinkServer.start(on: "127.0.0.2", behaviour: { _, _, _ in nil })
        let bench = try bench(second)
        bench.resolver.change {
            $0.exchanges["far.example"] = .success(
                .hosts([
                    MailExchange(preference: 20, host: "b.far.example"),
                    MailExchange(preference: 10, host: "a.far.example"),
                ]))
            $0.addresses["a.far.example"] = .success([IPAddress("127.0.0.3")].compactMap { $0 })
            $0.addresses["b.far.example"] = .success([IPAddress("127.0.0.2")].compactMap { $0 })
        }
        bench.add(to: ["x@far.example"])
        try await bench.run()
        #expect(second.messages.count == 1)
        #expect(bench.events(.sender).contains { $0.reply?.contains("connection refused") == true })
        await bench.stop()
        await second.stop()
    }

    @Test(
        "what the name servers say decides",
        arguments: [
            (Result<MailExchanges, NameFailure>.failure(.notFound), "550 5.1.2", true),
            (.success(.null), "550 5.1.10", true),
            (.failure(.temporary("SERVFAIL")), "451 4.4.3 name server failed", false),
            (.failure(.timeout), "451 4.4.3 name server did not answer", false),
            (.failure(.bogus("no signature")), "451 4.4.3 answer of the name server fails DNSSEC", false),
            (.success(.none), "550 5.1.2", true),
            (.success(.hosts([MailExchange(preference: 1, host: "mail.local.example")])), "550 5.4.6", true),
        ])
    func names(_ answer: Result<MailExchanges, NameFailure>, _ reply: String, _ isFinal: Bool) async throws {
        let bench = try DeliveryBench(settings: { try $0.set(DeliverySettings.port, "25") })
        bench.resolver.change { $0.exchanges["odd.example"] = answer }
        bench.add(from: "<>", to: ["x@odd.example"])
        try await bench.run()
        if isFinal {
            #expect(bench.events(.fail).first?.reply?.hasPrefix(reply) == true, "\(bench.events(.fail))")
            #expect(try bench.queued().isEmpty)
        } else {
            #expect(try bench.queued().first?.reply?.hasPrefix(reply) == true)
        }
        await bench.stop()
    }

    @Test("no MX record: the domain's own address (R-DLV-11, RFC 5321 §5.1)")
    func implicit() async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink)
        bench.resolver.change {
            $0.exchanges["plain.example"] = .success(.none)
            $0.addresses["plain.example"] = .success([IPAddress("127.0.0.1")].compactMap { $0 })
        }
        bench.add(to: ["x@plain.example"])
        try await bench.run()
        #expect(sink.messages.count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "MX cache: asked again after its time only (R-DLV-16, vectors 9, 10)",
        arguments: [(0, 50, 2), (100, 50, 1), (100, 150, 2)])
    func cache(_ ttl: Int, _ seconds: Int, _ questions: Int) async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink, settings: { try $0.set(DeliverySettings.mxCacheTTL, String(ttl)) })
        bench.resolver.change { $0.ttl = 0 }
        for _ in 0..<2 {
            bench.add(to: ["x@far.example"])
            try await bench.run()
            bench.advance(seconds: seconds)
            // As after the idle time: the next message makes a new connection.
            await bench.engine.closeIdle()
        }
        #expect(bench.resolver.questions.count { $0 == "MX far.example" } == questions)
        #expect(sink.messages.count == 2)
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "the gateway instead of MX; with forward-all for local accounts too (R-DLV-07, R-DLV-10, vector 15)",
        arguments: [false, true])
    func gateway(_ forwardsAll: Bool) async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(
            sink,
            settings: {
                try $0.set(ServerSettings.smtpGateway, "127.0.0.1")
                try $0.set(ServerSettings.forwardAllToGateway, String(forwardsAll))
            })
        bench.add(to: ["x@anywhere.example", "taro@local.example"])
        try await bench.run()
        let gone = forwardsAll ? ["x@anywhere.example", "taro@local.example"] : ["x@anywhere.example"]
        #expect(sink.messages.map(\.recipients) == [gone])
        #expect(bench.mailbox("taro").count == (forwardsAll ? 0 : 1))
        #expect(bench.resolver.questions.isEmpty)
        await bench.stop()
        await sink.stop()
    }

    // MARK: What is seen

    @Test("destinations are counted with their causes, in the remote's words")
    func counted() async throws {
        let sink = try await SinkServer.start(behaviour: { at, line, _ in
            guard at == .rcpt else { return nil }
            if line.contains("nobody@") { return .reply("550 5.1.1 no such user") }
            return line.contains("full@") ? .reply("452 4.2.2 mailbox is full") : nil
        })
        let bench = try bench(sink)
        bench.add(from: "<>", to: ["x@far.example", "nobody@far.example", "full@far.example"])
        try await bench.run()
        let report = try await bench.engine.remote.report(.init()).get()
        let row = try #require(report.destinations.first)
        #expect(report.total == 1)
        #expect(row.name == "mx far.example")
        #expect((row.delivered, row.deferred, row.failed) == (1, 1, 1))
        #expect(row.waiting == 0 && row.active == 0 && row.connections == 1)
        #expect(row.lastSuccess > 0 && row.tls.isEmpty)
        #expect(
            Set(report.causes.map { "\($0.cause) \($0.hour) \($0.total) \($0.reply)" }) == [
                "unknown-user 1 1 550 5.1.1 no such user", "mailbox-full 1 1 452 4.2.2 mailbox is full",
            ])
        #expect(row.causes == report.causes)
        bench.advance(seconds: 4_000)
        #expect(try await bench.engine.remote.report(.init()).get().causes.allSatisfy { $0.hour == 0 && $0.total == 1 })
        await bench.stop()
        await sink.stop()
    }

    @Test("mail that keeps coming back is named after few rounds, long before the hops are used up", arguments: [3, 4])
    func pingPong(_ rounds: Int) async throws {
        let sink = try await SinkServer.start()
        let bench = try bench(sink)
        let round =
            "Received: from gw.example ([192.0.2.1]) by mail.local.example with ESMTP id x;\n\tnow\n"
            + "Received: from mail.local.example\n\tby gw.example with ESMTP; now\n"
        bench.add(
            from: "taro@local.example", to: ["x@far.example"],
            content: String(repeating: round, count: rounds) + "Subject: x\n\nby mail.local.example\n")
        try await bench.run()
        #expect(sink.messages.count == (rounds == 3 ? 1 : 0))
        #expect(bench.mailbox("taro").count == (rounds == 3 ? 0 : 1))
        if rounds == 4 { #expect(bench.events(.fail).first?.reply?.hasPrefix("554 5.4.6 mail loop") == true) }
        await bench.stop()
        await sink.stop()
    }
}
