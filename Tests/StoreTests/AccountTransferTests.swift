import Control
import Glibc
import MailModel
import Settings
import Testing

@testable import Store

/// R-ACC-46 to 50, from the store's side.
@Suite("account import and export")
struct AccountTransferTests {
    private let author = Author(name: "test", origin: "")

    private func store() throws -> StoreWriter {
        var template = Array("/tmp/epost-transfer-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        let folder = try #require(made)
        let layout = Layout(root: folder)
        mkdir("\(folder)/conf", 0o700)
        return try StoreWriter(layout: layout, clock: { 1_764_000_000_000 })
    }

    private func row(_ line: Int, _ address: String, _ password: String? = "pw", name: String? = nil) throws
        -> AccountImport
    {
        let parsed = try #require(MailAddress(typed: address))
        return AccountImport(line: line, address: parsed, values: AccountValues(password: password, fullName: name))
    }

    /// Test vector 2 of spec file 03.
    @Test func limitStopsNewAccountsOnly() throws {
        let store = try store()
        _ = try store.addDomain("in.example", DomainValues(maxAccounts: 2), note: "", by: author)
        let first = try store.importAccounts(
            [try row(1, "a@in.example"), try row(2, "B@In.Example")], note: "", by: author)
        #expect(first.added == 2 && first.problems.isEmpty)
        let second = try store.importAccounts(
            [try row(7, "A@in.example", name: "New Name"), try row(8, "c@in.example")], note: "", by: author)
        #expect(second.added == 0)
        #expect(second.updated == 1)
        #expect(second.problems.map(\.path) == ["line/8"])
        #expect(second.problems.map(\.code) == ["account.limit-reached"])
        #expect(try store.account("a@in.example").fullName == "New Name")
    }

    @Test func faultyLinesAreSkippedAndTheRestIsOneRevision() throws {
        let store = try store()
        _ = try store.addDomain("in.example", DomainValues(), note: "", by: author)
        let before = try store.revision()
        let report = try store.importAccounts(
            [
                try row(1, "a@in.example"), try row(2, "x@other.example"), try row(3, "b@in.example", nil),
                try row(4, "c@in.example", "{SCRYPT}nonsense"), try row(5, "d@in.example"),
                try row(6, "d@in.example", name: "D"),
            ], note: "moved", by: author)
        #expect(report.added == 2)
        #expect(Set(report.problems.map(\.path)) == ["line/2", "line/3", "line/4"])
        #expect(try store.revision() == before + 1)
        #expect(report.applied.changes.count == 2)
        #expect(try store.account("d@in.example").fullName == "D")
    }

    /// Test vector 4: export, delete, import gives the same accounts with usable passwords.
    @Test func exportedHashesComeBack() throws {
        let store = try store()
        _ = try store.addDomain("in.example", DomainValues(), note: "", by: author)
        _ = try store.importAccounts([try row(1, "a@in.example"), try row(2, "b@in.example")], note: "", by: author)
        let (accounts, total) = try store.exportAccounts(of: "IN.example", offset: 0, limit: 500)
        #expect(total == 2)
        #expect(accounts.map(\.account) == ["a", "b"])
        let hash = accounts[0].passwordHash
        _ = try store.removeAccount("a@in.example", deletesMailbox: false, note: "", by: author)
        let again = try store.importAccounts([try row(1, "a@in.example", "{SCRYPT}" + hash)], note: "", by: author)
        #expect(again.added == 1)
        #expect(try store.account("a@in.example").passwordHash == hash)
        #expect(try store.exportAccounts(of: "in.example", offset: 1, limit: 1).accounts.map(\.account) == ["b"])
        #expect(throws: ControlError.self) { try store.exportAccounts(of: "other.example", offset: 0, limit: 1) }
    }
}
