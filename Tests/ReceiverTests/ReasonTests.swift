import Explain
import Locale
import MailModel
import Policy
import Settings
import Spool
import Store
import TestSupport
import Testing

/// Every refusal has its reply, its reference and its record, and the record can be decided again.
@Suite("every reason") struct ReasonTests {
    @Test func noReasonIsForgotten() {
        let refusals = Set(Reason.allCases.filter(\.isRefusal))
        let known = Set(ReasonCase.all.map(\.reason)).union(ReasonCase.elsewhere.keys)
        #expect(refusals.subtracting(known).isEmpty, "a case here, or its place in `elsewhere`")
    }

    @Test("is answered, recorded and explained", arguments: ReasonCase.all.indices)
    func explained(_ index: Int) async throws {
        let test = ReasonCase.all[index]
        let spool: any Spool = test.spoolFailure.map { FailingSpool($0) } ?? MemorySpool()
        let harness = try await ReceiverHarness.start(test.words, spool: spool, effect: test.effect) { settings in
            // A refusal that does not come ends the test, not the patience of whoever waits for it.
            settings.set(ReceiverSettings.commandTimeout.key, to: ["20"])
            for setting in test.settings { settings.set(setting.key, to: setting.values) }
        }
        if test.fillsMailbox { try await harness.fillMailbox(of: "full") }
        let line = try await refusal(test, harness)
        try await harness.stop(keepsFolder: true)
        defer { harness.remove() }

        let reply = test.reason.reply
        #expect(line.hasPrefix("\(reply.code) \(reply.enhanced?.description ?? "")"), "\(test.reason): \(line)")
        let reference = try #require(Self.reference(in: line), "\(test.reason): \(line)")
        let record = try #require(try DecisionArchive.find(reference, in: harness.layout.explain), "\(test.reason)")
        #expect(record.verdict.reason == test.reason)
        #expect(record.verdict.trail.filter(\.decided).count == 1, "\(test.reason)")
        #expect(record.verdict.trail.last?.decided == true, "\(test.reason)")
        #expect(record.verdict.trail.last?.source != nil, "\(test.reason)")
        #expect((record.verdict.remedy == nil) == ReasonCase.hopeless.contains(test.reason), "\(test.reason)")
        #expect(record.reply.text == line)
        let japanese = try #require(Self.japanese)
        for sentence in record.verdict.trail.map(\.finding) + [record.verdict.remedy].compactMap(\.self)
        where !sentence.hasPrefix("epost-console") {
            #expect(japanese.sentence(sentence) != sentence, "\(test.reason): said in Japanese")
        }
        if let evidence = try DecisionArchive.evidence(of: reference, in: harness.layout.explain) {
            #expect(evidence.verdict() == record.verdict, "\(test.reason): decided again")
        } else {
            // Only what no policy function decided has none.
            #expect(record.verdict.trail.count == 1, "\(test.reason)")
        }
    }

    /// The catalogues of the source tree.
    private static let japanese: Texts? = {
        let assets = Fixture.folder("Sentences").replacing("/Tests/Fixtures/Sentences", with: "/assets/locale")
        return CatalogueFiles.load(.japanese, from: [assets])
    }()

    private func refusal(_ test: ReasonCase, _ harness: ReceiverHarness) async throws -> String {
        let needsTLS = test.reason == .tlsAlreadyActive
        let port = needsTLS ? harness.tlsPort : harness.port
        var held: [TestClient] = []
        if case .occupy = test.steps.first {
            // The session that made sure of the start may still be on its way out.
            while true {
                let first = try await TestClient.connect(port: port, from: test.source)
                if try await first.line().hasPrefix("220") {
                    held.append(first)
                    break
                }
                await first.close()
            }
        }
        let client = try await TestClient.connect(port: port, tls: needsTLS, from: test.source)
        var last = try await client.line()
        for step in test.steps {
            switch step {
            case .say(let command): last = try await client.command(command)
            // The server may have refused and hung up already; its words are read below.
            case .put(let octets): try? await client.send(octets)
            case .breakDirectory: harness.directory.fail(with: DirectoryError("broken for the test"))
            case .stop: harness.tell(.stop(grace: .seconds(5)))
            case .occupy, .nothing: break
            }
        }
        // What got no reply above gets one now; the refusal is the one that says so.
        while !Self.is(last, test.reason) { last = try await client.line() }
        await client.close()
        for client in held { await client.close() }
        return last
    }

    private static func `is`(_ line: String, _ reason: Reason) -> Bool {
        line.hasPrefix("\(reason.reply.code) ") && line.contains(reason.reply.lines[0])
    }

    static func reference(in line: String) -> DecisionReference? {
        guard line.hasSuffix(")"), let open = line.lastIndex(of: "(") else { return nil }
        let inner = line[line.index(after: open)...].dropLast()
        return inner.hasPrefix("ref ") ? DecisionReference(String(inner.dropFirst(4))) : nil
    }
}
