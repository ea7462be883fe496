import Glibc
import Testing

@testable import Delivery

/// The additional program of an account (R-CTL-29) within its limits.
@Suite struct AccountProgramTests {
    private let folder: String

    init() throws {
        // As every service does: a program may end before it has read all.
        signal(SIGPIPE, SIG_IGN)
        var template = Array("/tmp/epost-program-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    private func program(_ lines: String, mode: mode_t = 0o700) throws -> String {
        let path = folder + "/program"
        let file = try #require(fopen(path, "w"))
        fputs("#!/bin/sh\n\(lines)\n", file)
        fclose(file)
        chmod(path, mode)
        return path
    }

    private func run(_ lines: String, limits: AccountProgram.Limits = .init()) throws -> AccountProgram.Outcome {
        defer {
            unlink(folder + "/program")
            rmdir(folder)
        }
        return AccountProgram.run(
            try program(lines), account: "taro@in.example", message: Array("Subject: x\n\nhello\n".utf8), limits: limits
        )
    }

    private func reason(_ outcome: AccountProgram.Outcome) -> String {
        if case .unchanged(let reason) = outcome { reason } else { "\(outcome)" }
    }

    @Test func whatItWritesTakesTheMessagesPlace() throws {
        let outcome = try run("tr a-z A-Z; echo \"$EPOST_ACCOUNT\"")
        #expect(outcome == .changed(Array("SUBJECT: X\n\nHELLO\ntaro@in.example\n".utf8)))
    }

    @Test(arguments: [("exit 3", "ended with code 3"), ("cat >/dev/null", "wrote nothing"), ("kill -9 $$", "signal 9")])
    func anyOtherEndLeavesTheMessage(lines: String, part: String) throws {
        #expect(reason(try run(lines)).contains(part))
    }

    @Test func code99Discards() throws { #expect(try run("cat >/dev/null; exit 99") == .discard) }

    @Test func itIsEndedWhenItTakesTooLong() throws {
        let limits = AccountProgram.Limits(time: 200)
        #expect(reason(try run("while :; do :; done", limits: limits)).contains("took longer"))
    }

    @Test func itIsEndedWhenItWritesTooMuch() throws {
        let limits = AccountProgram.Limits(output: 1 << 20)
        #expect(reason(try run("yes", limits: limits)).contains("wrote more than 1 MiB"))
    }

    @Test func aFileThatOthersMayChangeIsNotRun() throws {
        defer {
            unlink(folder + "/program")
            rmdir(folder)
        }
        let path = try program("cat", mode: 0o722)
        #expect(reason(AccountProgram.run(path, account: "a", message: [])).contains("only its owner may change"))
        #expect(reason(AccountProgram.run("program", account: "a", message: [])).contains("no absolute path"))
    }
}
