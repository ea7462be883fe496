import Control
import Testing

@testable import CommandLine

/// R-ACC-46 to 50, from the command's side.
@Suite("account import and export")
struct AccountTransferTests {
    @Test func longFilesAreSentInPiecesWithTheirLineNumbers() {
        let daemon = FakeDaemon()
        var asked: [DirectoryInterface.ImportAccounts.Input] = []
        daemon.on(DirectoryInterface.ImportAccounts.self) { input in
            asked.append(input)
            return .init(revision: 1, added: 10, updated: 2, skipped: 0, problems: [])
        }
        let lines = (1...250).map { "u\($0)\tpw" }.joined(separator: "\r\n")
        let ran = run(["account", "import", "--domain", "in.example", "in.tsv"], daemon, files: ["in.tsv": lines])
        #expect(ran.code == 0)
        #expect(asked.map(\.firstLine) == [1, 101, 201])
        #expect(asked.map { $0.text.split(separator: "\n").count } == [100, 100, 50])
        #expect(asked.allSatisfy { $0.domain == "in.example" })
        #expect(asked.last?.text.hasSuffix("u250\tpw\n") == true)
        #expect(ran.output == "30 added, 6 updated, 0 lines skipped.\n")
    }

    @Test func skippedLinesAreToldAndMakeItFail() {
        let daemon = FakeDaemon()
        daemon.on(DirectoryInterface.ImportAccounts.self) { input in
            let problem = Problem(path: "line/2", code: "test.none", message: "The flag is 0 or 1.")
            return .init(revision: 1, added: 1, updated: 0, skipped: 1, problems: [problem])
        }
        let ran = run(["account", "import", "in.tsv"], daemon, files: ["in.tsv": "a\tb\nx\n"])
        #expect(ran.code == 1)
        #expect(ran.errors.contains("line/2: The flag is 0 or 1."))
        #expect(ran.output == "1 added, 0 updated, 1 lines skipped.\n")
    }

    @Test func exportGathersAllWindowsOfAllDomains() {
        let daemon = FakeDaemon()
        daemon.on(DirectoryInterface.ListDomains.self) { _ in
            .init(
                domains: ["a.example", "b.example"].map {
                    .init(
                        name: $0, maxAccounts: 0, mailboxMode: "common", smtpAddresses: [], folder: "", accounts: 3,
                        revision: 1)
                })
        }
        daemon.on(DirectoryInterface.ExportAccounts.self) { input in
            let count = min(2, 3 - input.offset)
            return .init(
                text: (0..<count).map { "u\(input.offset + $0)\t{SCRYPT}x\t\t\(input.domain)\n" }.joined(),
                count: count,
                total: 3)
        }
        var written: [String: String] = [:]
        let ran = run(["account", "export", "out.tsv"], daemon, written: { written[$0] = $1 })
        #expect(ran.code == 0)
        #expect(ran.output == "6 accounts exported.\n")
        #expect(written["out.tsv"]?.split(separator: "\n").count == 6)
        #expect(
            run(["account", "export", "-", "--domain", "a.example"], daemon).output.split(separator: "\n").count == 3)
        #expect(run(["account", "export", "/no-such-folder/x"], daemon).code == 1)
    }
}
