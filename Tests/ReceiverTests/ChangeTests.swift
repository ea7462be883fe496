import MailModel
import Settings
import Spool
import Testing

/// What happens while sessions run: settings and tables change, the service stops.
@Suite struct ChangeTests {
    private func extensions(_ harness: ReceiverHarness) async throws -> [String] {
        let client = try await TestClient.connect(port: harness.port)
        _ = try await client.line()
        try await client.send("EHLO c\r\n")
        var lines: [String] = []
        repeat { lines.append(try await client.line()) } while lines.last?.dropFirst(3).first == "-"
        await client.close()
        return lines
    }

    @Test func newSessionsReadNewSettings() async throws {
        let harness = try await ReceiverHarness.start()
        #expect(try await extensions(harness).contains("250-SIZE"))
        let running = try await TestClient.connect(port: harness.port)
        _ = try await running.line()
        harness.directory.change { settings, _ in settings.set(ReceiverSettings.maxMessageSize.key, to: ["12345"]) }
        harness.tell(.settingsChanged)
        while try await !extensions(harness).contains("250-SIZE 12345") {}
        try await running.command("EHLO c")
        #expect(try await running.command("MAIL FROM:<> SIZE=20000").hasPrefix("250"))
        await running.close()
        try await harness.stop()
    }

    @Test func aTableWithFaultsLeavesTheLastGoodReading() async throws {
        let harness = try await ReceiverHarness.start(effect: "refused.example false\n")
        func sender(_ address: String) async throws -> String {
            let client = try await TestClient.connect(port: harness.port)
            _ = try await client.line()
            try await client.command("EHLO c")
            let reply = try await client.command("MAIL FROM:<\(address)>")
            await client.close()
            return String(reply.prefix(3))
        }
        #expect(try await sender("a@refused.example") == "550")
        try ReceiverHarness.write(Array("refused.example nonsense\n".utf8), to: harness.layout.path(of: .effect))
        harness.tell(.filesChanged(["effect"]))
        while !harness.journal.events.contains(where: { $0.text?.contains("effect.dat:1") == true }) {
            await Task.yield()
        }
        #expect(try await sender("a@refused.example") == "550")
        try ReceiverHarness.write(Array("other.example false\n".utf8), to: harness.layout.path(of: .effect))
        harness.tell(.filesChanged(["effect"]))
        while try await sender("a@refused.example") != "250" {}
        #expect(try await sender("a@other.example") == "550")
        try await harness.stop()
    }

    /// R-RELAY-63: what a session began with does not matter at its next MAIL.
    @Test func newRulesDecideInRunningSessions() async throws {
        let harness = try await ReceiverHarness.start(effect: "*.*.*.* norelay\n")
        let running = try await TestClient.connect(port: harness.port)
        _ = try await running.line()
        try await running.command("EHLO c")
        #expect(try await running.command("MAIL FROM:<e@ext.example>").hasPrefix("250"))
        try ReceiverHarness.write(Array("ext.example false\n".utf8), to: harness.layout.path(of: .effect))
        harness.tell(.filesChanged(["effect"]))
        while true {
            let other = try await TestClient.connect(port: harness.port)
            _ = try await other.line()
            try await other.command("EHLO c")
            let reply = try await other.command("MAIL FROM:<e@ext.example>")
            await other.close()
            if reply.hasPrefix("550") { break }
        }
        #expect(
            try await running.command("RCPT TO:<ann@in.example>").hasPrefix("250"), "a transaction ends as it began")
        try await running.command("RSET")
        #expect(try await running.command("MAIL FROM:<e@ext.example>").hasPrefix("550 5.7.1"))
        await running.close()
        try await harness.stop()
    }

    /// R-SVC-03: a session without a message is told at once, one within a message when that is stored.
    @Test func stopCutsNobodyInMidReply() async throws {
        let spool = MemorySpool()
        let harness = try await ReceiverHarness.start(spool: spool)
        let idle = try await TestClient.connect(port: harness.port)
        _ = try await idle.line()
        let busy = try await TestClient.connect(port: harness.port)
        _ = try await busy.line()
        try await busy.command("EHLO c")
        try await busy.command("MAIL FROM:<>")
        try await busy.command("RCPT TO:<ann@in.example>")
        try await busy.command("DATA")
        try await busy.send("half of it\r\n")
        let stopping = Task { try await harness.stop(grace: .seconds(20)) }
        #expect(try await idle.line().hasPrefix("421 4.3.2"))
        #expect(await idle.isClosed())
        try await busy.send("the rest\r\n.\r\nQUIT\r\n")
        #expect(try await busy.line().hasPrefix("250 2.0.0 queued as "))
        #expect(try await busy.line().hasPrefix("421 4.3.2"))
        #expect(await busy.isClosed())
        try await stopping.value
        #expect(try spool.contents().count == 1)
    }

    @Test func graceEnds() async throws {
        let harness = try await ReceiverHarness.start()
        let busy = try await TestClient.connect(port: harness.port)
        _ = try await busy.line()
        try await busy.command("EHLO c")
        try await busy.command("MAIL FROM:<>")
        try await busy.command("RCPT TO:<ann@in.example>")
        try await busy.command("DATA")
        try await harness.stop(grace: .milliseconds(200))
        #expect(await busy.isClosed())
    }
}
