import Explain
import MailModel
import Policy
import Settings
import Spool
import Testing

/// What sessions were told comes out the same from what is kept of them.
@Suite("kept decisions, taken again") struct DecidedAgainTests {
    /// Commands that lead everywhere, drawn at random; a session that was closed is followed by another one.
    private static let commands = [
        "EHLO c.example", "HELO c", "RSET", "NOOP", "VRFY ann", "EXPN bob", "nonsense", "DATA", "MAIL FROM:<>",
        "MAIL FROM:<e@ext.example>", "MAIL FROM:<ann@in.example> SIZE=20", "MAIL FROM:<e@ext.example> SIZE=9999999",
        "MAIL FROM:<nobody@in.example>", "MAIL FROM:<太郎@ext.example>", "MAIL FROM:<太郎@ext.example> SMTPUTF8",
        "MAIL FROM:<x@spam.example>", "AUTH PLAIN AGFubgBzZWNyZXQ=", "AUTH PLAIN AGFubgB3cm9uZw==",
        "RCPT TO:<ann@in.example>", "RCPT TO:<bob@in.example>", "RCPT TO:<full@in.example>",
        "RCPT TO:<off@in.example>", "RCPT TO:<none@in.example>", "RCPT TO:<f%x@in.example>",
        "RCPT TO:<r@far.example>", "RCPT TO:<postmaster>", "RCPT TO:<u@[127.0.0.1]>", "RCPT TO:<bad",
    ]
    private static let bodies = [
        "Subject: x\r\n\r\ntext\r\n.", "From: ann@in.example\r\n\r\n.", "From: e@ext.example\r\n\r\ntoo\r\nlong\r\n.",
        String(repeating: "Received: a\r\n", count: 60) + "\r\n.", "Delivered-To: ann@in.example\r\n\r\n.",
    ]

    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 17 ^ state << 31
        }
    }

    private func talk(_ harness: ReceiverHarness, seed: UInt64) async throws {
        var dice = Dice(state: seed)
        var client = try await TestClient.connect(port: harness.port)
        _ = try await client.line()
        for _ in 0..<120 {
            let command = Self.commands.randomElement(using: &dice) ?? "NOOP"
            var reply = (try? await client.command(command)) ?? "421"
            if reply.hasPrefix("354") {
                reply = (try? await client.command(Self.bodies.randomElement(using: &dice) ?? ".")) ?? "421"
            }
            guard reply.hasPrefix("421") else { continue }
            await client.close()
            client = try await TestClient.connect(port: harness.port)
            _ = try await client.line()
        }
        await client.close()
    }

    @Test(arguments: [1, 2, 3, 4])
    func whateverWasSaid(_ seed: UInt64) async throws {
        let effect = "spam.example false\n127.0.0.1 \(seed % 2 == 0 ? "default" : "norelay,2")\n*.*.*.* norelay\n"
        let harness = try await ReceiverHarness.start(["auth-in-clear", "size=1000"], effect: effect) { settings in
            settings.set(ReceiverSettings.maxErrors.key, to: ["1000"])
            settings.set(ReceiverSettings.maxAuthFailures.key, to: ["100"])
            settings.set(ReceiverSettings.authFailureDelay.key, to: ["0"])
            settings.set(ReceiverSettings.lockAddressFailures.key, to: ["0"])
            settings.set(ReceiverSettings.lockAccountFailures.key, to: ["0"])
            settings.set(ReceiverSettings.maxRecipients.key, to: ["2"])
            if seed > 2 { settings.set(ReceiverSettings.securityLevel.key, to: ["auth_file"]) }
        }
        try await harness.fillMailbox(of: "full")
        try await talk(harness, seed: seed)
        // Whatever the dice said, something is accepted.
        let client = try await TestClient.connect(port: harness.port)
        _ = try await client.line()
        for command in ["EHLO c", "MAIL FROM:<e@ext.example>", "RCPT TO:<ann@in.example>", "RCPT TO:<bob@in.example>"] {
            #expect(try await client.command(command).hasPrefix("250"), "\(command)")
        }
        #expect(try await client.command("DATA").hasPrefix("354"))
        #expect(try await client.command("Subject: last\r\n\r\n.").hasPrefix("250"))
        await client.close()
        try await harness.stop(keepsFolder: true)
        defer { harness.remove() }

        let refused = try DecisionArchive.decisions(since: 0, limit: 10_000, in: harness.layout.explain)
        #expect(refused.count > 10)
        for decision in refused {
            #expect(decision.evidence.verdict() == decision.record.verdict, "\(decision.record)")
        }
        var history = AcceptedHistory(path: harness.layout.explain)
        let accepted = try history.next(since: 0, limit: 10_000)
        #expect(
            harness.context.currentCounters["received"] == accepted.count, "each one is kept while they come slowly")
        for mail in accepted {
            #expect(mail.weight >= 1 && !mail.facts.recipients.isEmpty)
            for recipient in mail.facts.recipients {
                let verdicts = mail.decisions(about: recipient).map { $0.verdict() }
                let isAllAccepted = verdicts.allSatisfy { $0.isAccepted }
                #expect(isAllAccepted, "\(verdicts)")
                #expect(verdicts.map(\.reason).contains(.recipientAccepted))
            }
        }
        #expect(accepted.first?.facts.recipients.map(\.address.localPart) == ["ann", "bob"], "the last one")
    }
}
