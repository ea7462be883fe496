import Spool
import TestSupport
import Testing

/// The dialogues of the session machine against a receiver on a port.
@Suite struct DialogueTests {
    static let names = Transcript.all().filter { !$0.words.contains("machine") }.map(\.name)

    @Test(arguments: names)
    func dialogue(_ name: String) async throws {
        let transcript = try #require(Transcript.all().first { $0.name == name })
        let spool = MemorySpool()
        let effect = "refused.example false\n127.0.0.1 norelay\n*.*.*.* norelay\n"
        let harness = try await ReceiverHarness.start(transcript.words, spool: spool, effect: effect) { settings in
            // Another sender than the authenticated one is no matter of these dialogues.
            settings.set("receiver.sender_trust", to: ["auth_id"])
        }
        let client = try await TestClient.connect(port: harness.port)
        var delivered = 0
        for (line, step) in transcript.steps {
            switch step {
            case .features: break
            case .client(let octets): try await client.send(octets)
            case .server(let text):
                let got = Self.withoutReference(try await client.line())
                let isQueued = text == "250 2.0.0 queued" && got.hasPrefix(text)
                let matches = text.hasSuffix("…") ? got.hasPrefix(String(text.dropLast())) : got == text
                #expect(matches || isQueued, "\(name):\(line): expected \(text), got \(got)")
            case .anyReply: try await client.reply()
            case .message(let octets):
                let contents = try spool.contents()
                #expect(contents.count > delivered, "\(name):\(line): no message was accepted")
                guard contents.count > delivered else { break }
                let (trace, content) = Self.split(contents[delivered])
                #expect(content == String(decoding: octets, as: UTF8.self), "\(name):\(line)")
                #expect(trace.hasPrefix("Received: from "))
                delivered += 1
            case .handshake: try await client.startTLS()
            case .closed:
                let isClosed = await client.isClosed()
                #expect(isClosed, "\(name):\(line): still open")
            }
        }
        #expect(try spool.contents().count == delivered)
        await client.close()
        try await harness.stop()
    }

    /// ` (ref 7K2Q-93HD)` at the end is the receiver's own.
    private static func withoutReference(_ line: String) -> String {
        guard line.hasSuffix(")"), let start = line.range(of: " (ref ")?.lowerBound else { return line }
        return String(line[..<start])
    }

    /// The Received field with its continuation lines, and the rest.
    private static func split(_ text: String) -> (trace: String, content: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var trace: [Substring] = [lines.removeFirst()]
        while let next = lines.first, next.hasPrefix("\t") { trace.append(lines.removeFirst()) }
        return (trace.joined(separator: "\n"), lines.joined(separator: "\n"))
    }
}

extension Transcript {
    var words: [String] {
        for (_, step) in steps { if case .features(let words) = step { return words } }
        return []
    }
}

extension StringProtocol {
    /// Without Foundation.
    fileprivate func range(of part: String) -> Range<Index>? { self.ranges(of: part).last }
}
