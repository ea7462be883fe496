import Control
import Testing

@testable import CommandLine

/// R-ACC-46 to 50, from the command's side.
@Suite("account import and export")
struct AccountTransferTests {
    private final class Asked {
        var begun: [DirectoryInterface.BeginTransfer.Input] = []
        var sent: [DirectoryInterface.SendAccounts.Input] = []
        var finished: [DirectoryInterface.FinishTransfer.Input] = []
        var ended = 0
    }

    private func transfer(_ daemon: FakeDaemon, _ report: TransferReport, rows: [TransferRow] = []) -> Asked {
        let asked = Asked()
        daemon.on(DirectoryInterface.BeginTransfer.self) { input in
            asked.begun.append(input)
            return .init(transfer: "t")
        }
        daemon.on(DirectoryInterface.SendAccounts.self) { input in
            asked.sent.append(input)
            return .init(accounts: 0, faults: 0)
        }
        daemon.on(DirectoryInterface.FinishTransfer.self) { input in
            asked.finished.append(input)
            return report
        }
        daemon.on(DirectoryInterface.ListTransfer.self) { input in
            let found = rows.filter { input.action == nil || $0.action == input.action }
            return .init(rows: Array(found.dropFirst(input.offset).prefix(2)), total: found.count)
        }
        daemon.on(DirectoryInterface.EndTransfer.self) { _ in
            asked.ended += 1
            return Nothing()
        }
        return asked
    }

    @Test func longFilesAreSentInPiecesWithTheirLineNumbersAndFinishedOnce() {
        let daemon = FakeDaemon()
        let asked = transfer(daemon, .init(revision: 1, added: 30, changed: 4, kept: 2))
        let lines = (1...4500).map { "u\($0)\tpw" }.joined(separator: "\r\n")
        let ran = run(["account", "import", "--domain", "in.example", "in.tsv"], daemon, files: ["in.tsv": lines])
        #expect(ran.code == 0)
        #expect(asked.sent.map(\.firstLine) == [1, 2001, 4001])
        #expect(asked.sent.map { $0.text.split(separator: "\n").count } == [2000, 2000, 500])
        #expect(asked.begun.map(\.domain) == ["in.example"] && asked.begun.map(\.kind) == ["import"])
        #expect(asked.sent.last?.text.hasSuffix("u4500\tpw\n") == true)
        #expect(asked.finished.map(\.dryRun) == [false] && asked.ended == 1)
        #expect(ran.output == "30 added, 6 updated, 0 lines skipped.\n")
    }

    /// A frame holds a megabyte: long lines make more calls.
    @Test func longLinesMakeMoreCalls() {
        let daemon = FakeDaemon()
        let asked = transfer(daemon, .init(revision: 1))
        let line = "u\tpw\t" + String(repeating: "x", count: 60_000)
        _ = run(
            ["account", "import", "in.tsv"], daemon,
            files: ["in.tsv": Array(repeating: line, count: 7).joined(separator: "\n")])
        #expect(asked.sent.map(\.firstLine) == [1, 4, 7])
    }

    /// Comparing a clear password costs a scrypt: a call must end in time. Hashes are compared for nothing.
    @Test func comparedPasswordsMakeShortCalls() {
        let daemon = FakeDaemon()
        let asked = transfer(daemon, .init(revision: 1))
        let clear = (1...250).map { "u\($0)\tpw" }
        let hashed = (1...250).map { "h\($0)\t{SCRYPT}$scrypt$x" }
        let file = (clear + hashed).joined(separator: "\n")
        _ = run(["account", "sync", "in.tsv"], daemon, files: ["in.tsv": file])
        #expect(asked.sent.map(\.firstLine) == [1, 101, 201])
        _ = run(["account", "sync", "--passwords", "keep", "in.tsv"], daemon, files: ["in.tsv": file])
        #expect(asked.sent.count == 4)
    }

    @Test func skippedLinesAreToldAndMakeItFail() {
        let daemon = FakeDaemon()
        let problem = Problem(path: "line/2/column/6", code: "test.none", message: "The flag is 0 or 1.")
        _ = transfer(daemon, .init(revision: 1, added: 1, faults: 1, problems: [problem]))
        let ran = run(["account", "import", "in.tsv"], daemon, files: ["in.tsv": "a\tb\nx\n"])
        #expect(ran.code == 1)
        #expect(ran.errors.contains("line 2, column 6: The flag is 0 or 1."))
        #expect(ran.output == "1 added, 0 updated, 1 lines skipped.\n")
    }

    @Test func aDryRunOfASynchronisationListsEverything() {
        let daemon = FakeDaemon()
        let rows =
            [
                TransferRow(address: "a@x.jp", action: "added", line: 1, fields: []),
                TransferRow(address: "b@x.jp", action: "changed", line: 2, fields: ["fullName", "home"]),
                TransferRow(address: "c@x.jp", action: "disabled", line: 0, fields: ["isEnabled"]),
            ]
            + (1...5).map { TransferRow(address: "k\($0)@x.jp", action: "kept", line: 2 + $0, fields: []) }
        let asked = transfer(daemon, .init(revision: 7, added: 1, changed: 1, disabled: 1, kept: 5), rows: rows)
        let ran = run(["account", "sync", "--dry-run", "all.tsv"], daemon, files: ["all.tsv": "a\tb\n"])
        #expect(ran.code == 0)
        #expect(asked.begun.first?.absent == "disable" && asked.begun.first?.passwords == "compare")
        #expect(asked.finished.map(\.dryRun) == [true])
        for part in [
            "added  a@x.jp", "changed  b@x.jp  fullName, home", "disabled  c@x.jp", "kept  k5@x.jp",
            "1 added, 1 changed, 1 disabled, 0 removed, 5 kept.", "--base 7",
        ] { #expect(ran.output.contains(part), "\(part)") }
        let json = run(["account", "sync", "--json", "--base", "7", "all.tsv"], daemon, files: ["all.tsv": "a\tb\n"])
        #expect(json.output.contains("\"k5@x.jp\"") && json.output.contains("\"disabled\""))
        #expect(asked.finished.last?.baseRevision == 7 && asked.finished.last?.dryRun == false)
        #expect(run(["account", "sync", "--absent", "burn", "all.tsv"], daemon).code == 2)
    }

    /// R-ACC-11: the password comes from the environment's file or by asking, and only for a domain that wants it.
    @Test func aProtectedDomainIsOpenedOnTheWay() {
        let daemon = FakeDaemon()
        var opened: [DirectoryInterface.OpenDomain.Input] = []
        daemon.on(DirectoryInterface.ListAccounts.self) { input throws(ControlError) in
            guard opened.contains(where: { $0.password == "Sesame" }) else {
                throw ControlError(
                    .notPermitted, code: "domain.locked", "x.jp is protected", arguments: [input.domain])
            }
            return .init(rows: [], total: 0, offset: 0)
        }
        daemon.on(DirectoryInterface.OpenDomain.self) { input throws(ControlError) in
            opened.append(input)
            guard input.password == "Sesame" else {
                throw ControlError(.notPermitted, code: "domain.wrong-password", "wrong", arguments: [input.domain])
            }
            return .init(key: "k")
        }
        #expect(run(["account", "list", "x.jp"], daemon).code == 1)
        #expect(opened.isEmpty, "nobody to ask")
        let files = ["good": "Sesame\n", "bad": "Sesam\n"]
        #expect(run(["account", "list", "x.jp", "--domain-password-file", "bad"], daemon, files: files).code == 1)
        #expect(opened == [.init(domain: "x.jp", password: "Sesam")])
        #expect(run(["account", "list", "x.jp", "--domain-password-file", "good"], daemon, files: files).code == 0)
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
