import Control
import Crypto
import MailModel
import Settings
import Testing

@testable import Store

/// R-ACC-46 to 50 and the synchronisation, from the store's side.
@Suite("account import and export")
struct AccountTransferTests {
    private let scratch: ScratchStore
    private var store: StoreWriter { scratch.writer }
    private let author = ScratchStore.me

    init() throws { scratch = try ScratchStore() }

    private func line(
        _ number: Int, _ address: String, _ password: String = ScratchStore.password, name: String? = nil
    ) throws -> AccountLine {
        AccountLine(
            line: number, address: try #require(MailAddress(typed: address)), password: password,
            values: AccountValues(fullName: name))
    }

    @discardableResult
    private func carry(
        _ lines: [AccountLine], _ options: TransferOptions = TransferOptions(synchronizes: false), base: Int? = nil,
        dryRun: Bool = false, whole: Int = 0
    ) throws -> (plan: TransferPlan, revision: Int, problems: [Problem]) {
        var complete = whole
        let (rows, problems) = try store.hashed(lines, options, complete: &complete)
        let (plan, revision, _) = try store.transfer(
            rows, problems: problems, options, isStrict: false, base: base, dryRun: dryRun, note: "", by: author)
        return (plan, revision, problems + plan.problems)
    }

    private func domain(_ name: String = "in.example", limit: Int? = nil) throws {
        _ = try store.addDomain(name, DomainValues(maxAccounts: limit), note: "", by: author)
    }

    /// Test vector 2 of spec file 03.
    @Test func limitStopsNewAccountsOnly() throws {
        try domain(limit: 2)
        let first = try carry([try line(1, "a@in.example"), try line(2, "B@In.Example")])
        #expect(first.plan.counts[.added] == 2 && first.problems.isEmpty)
        let second = try carry([try line(7, "A@in.example", name: "New Name"), try line(8, "c@in.example")])
        #expect(second.plan.counts == [.changed: 1])
        #expect(second.problems.map(\.path) == ["line/8/column/1"])
        #expect(second.problems.map(\.code) == ["account.limit-reached"])
        #expect(try store.account("a@in.example").fullName == "New Name")
    }

    @Test func faultyLinesAreSkippedAndTheRestIsOneRevision() throws {
        try domain()
        let before = Int(try store.revision())
        let done = try carry([
            try line(1, "a@in.example"), try line(2, "x@other.example"), try line(3, "b@in.example", ""),
            try line(4, "c@in.example", "{SCRYPT}nonsense"), try line(5, "d@in.example"),
            try line(6, "d@in.example", name: "D"), try line(7, "e@in.example", "{SSHA}QmFk"),
        ])
        #expect(done.plan.counts[.added] == 2)
        #expect(
            Set(done.problems.map(\.path)) == [
                "line/2/column/4", "line/3/column/2", "line/4/column/2", "line/7/column/2",
            ])
        #expect(done.revision == before + 1)
        #expect(try store.account("d@in.example").fullName == "D")
    }

    @Test func aStrictImportChangesNothingWhenALineIsFaulty() throws {
        try domain()
        let before = try store.revision()
        var complete = 0
        let options = TransferOptions(synchronizes: false)
        let (rows, problems) = try store.hashed(
            [try line(1, "a@in.example"), try line(2, "x@other.example")], options, complete: &complete)
        let told = codes {
            _ = try store.transfer(
                rows, problems: problems, options, isStrict: true, base: nil, dryRun: false, note: "", by: author)
        }
        #expect(told == ["account.foreign-domain"])
        #expect(try store.revision() == before)
    }

    private func codes(_ body: () throws -> Void) -> [String] { problems(body) }

    /// Test vector 4: export, delete, import gives the same accounts with usable passwords.
    @Test func exportedHashesComeBack() throws {
        try domain()
        try carry([try line(1, "a@in.example"), try line(2, "b@in.example")])
        let (accounts, total) = try store.exportAccounts(of: "IN.example", offset: 0, limit: 500)
        #expect(total == 2)
        #expect(accounts.map(\.account) == ["a", "b"])
        let hash = accounts[0].passwordHash
        _ = try store.removeAccount("a@in.example", deletesMailbox: false, note: "", by: author)
        let again = try carry([try line(1, "a@in.example", "{SCRYPT}" + hash)])
        #expect(again.plan.counts[.added] == 1)
        #expect(try store.account("a@in.example").passwordHash == hash)
        #expect(try store.exportAccounts(of: "in.example", offset: 1, limit: 1).accounts.map(\.account) == ["b"])
        #expect(throws: ControlError.self) { try store.exportAccounts(of: "other.example", offset: 0, limit: 1) }
    }

    // MARK: Hashes of many

    /// Who has most rights waits least, and several threads make each hash once.
    @Test func theAdministratorsHashIsMadeWholeFirst() throws {
        try domain()
        _ = try store.apply(
            [SettingChange(key: "admin.account", values: ["u5@in.example"])], note: "", dryRun: false, by: author)
        try carry((1...6).map { try line($0, "u\($0)@in.example", "secret\($0)") }, whole: 0)
        for name in ["u1", "u2"] {
            _ = try store.changeAccount(
                "\(name)@in.example", AccountValues(isEnabled: false), base: nil, note: "", by: author)
        }
        func open() throws -> [String] {
            try (1...6).filter {
                try PasswordHash(text: store.account("u\($0)@in.example").passwordHash)?.isFirstStep == true
            }.map { "u\($0)" }
        }
        #expect(try open().count == 6)
        #expect(try store.completeHashes(limit: 1, workers: 4) == 1)
        #expect(try !open().contains("u5"))
        #expect(try store.completeHashes(limit: 3, workers: 4) == 3)
        #expect(try open() == ["u1", "u2"])
        #expect(try store.completeHashes(limit: 100, workers: 4) == 2)
        #expect(try store.incompleteHashes() == 0)
        for index in 1...6 {
            let hash = PasswordHash(text: try store.account("u\(index)@in.example").passwordHash)
            #expect(hash?.matches(Array("secret\(index)".utf8)) == true)
        }
    }

    /// Clear passwords of a long import: checked at once, whole later, also in the history; never in clear.
    @Test func manyPasswordsAreCompletedLater() throws {
        try domain()
        try carry((1...3).map { try line($0, "u\($0)@in.example", "secret\($0)") }, whole: 1)
        let hashes = try (1...3).map { try store.account("u\($0)@in.example").passwordHash }
        #expect(hashes.map { PasswordHash(text: $0)?.isFirstStep } == [false, true, true])
        #expect(try store.incompleteHashes() == 2)
        _ = try store.removeAccount("u3@in.example", deletesMailbox: false, note: "", by: author)
        var rounds = 0
        while try store.completeHashes(limit: 1) > 0 { rounds += 1 }
        #expect(rounds == 2, "one account, and one that is only in the history")
        #expect(try store.incompleteHashes() == 0)
        let whole = try store.account("u2@in.example").passwordHash
        #expect(whole != hashes[1] && PasswordHash(text: whole)?.matches(Array("secret2".utf8)) == true)
        #expect(AccountSecrets.generation(of: whole) == AccountSecrets.generation(of: hashes[1]))
        #expect(try store.account("u1@in.example").passwordHash == hashes[0])
        // An undone removal brings the whole hash back.
        let removal = Int(try store.revision())
        _ = try store.revert(
            .init(revision: removal, note: "", dryRun: false), by: author, writeTable: { _, _ in },
            writeAccountFiles: { _ in })
        let back = try store.account("u3@in.example").passwordHash
        #expect(PasswordHash(text: back)?.isFirstStep == false)
        #expect(PasswordHash(text: back)?.matches(Array("secret3".utf8)) == true)
    }

    // MARK: Synchronisation

    private func addresses(_ plan: TransferPlan, _ action: TransferPlan.Action) -> [String] {
        plan.rows(action, offset: 0, limit: 100).rows.map(\.address)
    }

    @Test func synchronisationDisablesWhatTheFileDoesNotName() throws {
        try domain()
        try domain("else.example")
        let first = ["a", "b", "c", "z"]
        let made = try carry(try first.map { try line(1, "\($0)@in.example", name: $0) })
        #expect(made.plan.counts == [.added: 4])
        try carry([try line(1, "other@else.example")])
        let file = [
            try line(1, "A@in.example", "", name: "a"), try line(2, "b@in.example", "*****", name: "B"),
            try line(3, "new@in.example"),
        ]
        let options = TransferOptions(synchronizes: true)
        let dry = try carry(file, options, dryRun: true)
        #expect(addresses(dry.plan, .added) == ["new@in.example"])
        #expect(addresses(dry.plan, .changed) == ["b@in.example"])
        #expect(addresses(dry.plan, .disabled) == ["c@in.example", "z@in.example"])
        #expect(addresses(dry.plan, .kept) == ["a@in.example"])
        #expect(dry.plan.rows(.changed, offset: 0, limit: 1).rows.map(\.fields) == [["fullName"]])
        #expect(throws: ControlError.self) { try store.account("new@in.example") }
        let done = try carry(file, options, base: dry.revision)
        #expect(done.revision == dry.revision + 1)
        #expect(try !store.account("c@in.example").isEnabled)
        #expect(try store.account("other@else.example").isEnabled)
        #expect(try carry(file, options, dryRun: true).plan.counts == [.kept: 5])
    }

    @Test func whatAnAdministratorDisabledStaysSoUnlessAskedFor() throws {
        try domain()
        try carry([try line(1, "a@in.example")])
        _ = try store.changeAccount("a@in.example", AccountValues(isEnabled: false), base: nil, note: "", by: author)
        let file = [try line(1, "a@in.example")]
        let kept = try carry(file, TransferOptions(synchronizes: true))
        #expect(kept.plan.counts == [.kept: 1])
        #expect(kept.problems.map(\.code) == ["account.stays-disabled"])
        let enabled = try carry(file, TransferOptions(synchronizes: true, enables: true))
        #expect(enabled.plan.counts == [.changed: 1])
        #expect(try store.account("a@in.example").isEnabled)
    }

    @Test func removalKeepsNothingButTheMailbox() throws {
        try domain()
        try carry([try line(1, "a@in.example"), try line(2, "b@in.example")])
        let done = try carry([try line(1, "a@in.example")], TransferOptions(synchronizes: true, absent: .remove))
        #expect(addresses(done.plan, .removed) == ["b@in.example"])
        let left = try carry([try line(1, "a@in.example")], TransferOptions(synchronizes: true, absent: .keep))
        #expect(left.plan.counts == [.kept: 1])
        // No mailbox was deleted, so all of it can be undone.
        _ = try store.revert(
            .init(revision: done.revision, note: "", dryRun: false), by: author, writeTable: { _, _ in },
            writeAccountFiles: { _ in })
        #expect(try store.account("b@in.example").isEnabled)
    }

    @Test(arguments: TransferOptions.Passwords.allCases)
    func clearPasswordsOfAccountsThatExist(mode: TransferOptions.Passwords) throws {
        try domain()
        try carry([try line(1, "a@in.example", "same"), try line(2, "b@in.example", "old")])
        let file = [try line(1, "a@in.example", "same"), try line(2, "b@in.example", "new")]
        let done = try carry(file, TransferOptions(synchronizes: true, passwords: mode))
        let changed: [String] =
            switch mode {
            case .compare: ["b@in.example"]
            case .set: ["a@in.example", "b@in.example"]
            case .keep: []
            }
        #expect(addresses(done.plan, .changed) == changed)
        let hash = PasswordHash(text: try store.account("b@in.example").passwordHash)
        #expect(hash?.matches(Array("new".utf8)) == (mode != .keep))
    }

    @Test func aSynchronisationIsRefusedWhenSomebodyChangedTheDomainMeanwhile() throws {
        try domain()
        try domain("else.example")
        try carry([try line(1, "a@in.example")])
        let file = [try line(1, "a@in.example", name: "New")]
        let base = try carry(file, TransferOptions(synchronizes: true), dryRun: true).revision
        try carry([try line(1, "x@else.example")])
        try carry([try line(1, "b@in.example")])
        #expect(kind { try carry(file, TransferOptions(synchronizes: true), base: base) } == .conflict)
        let now = Int(try store.revision())
        try carry([try line(1, "y@else.example")])
        try carry(file, TransferOptions(synchronizes: true), base: now)
        #expect(try store.account("a@in.example").fullName == "New")
        #expect(try !store.account("b@in.example").isEnabled)
    }

    @Test func aFaultyLineStopsASynchronisation() throws {
        try domain()
        let before = try store.revision()
        let file = [try line(1, "a@in.example"), try line(2, "b@in.example", "")]
        #expect(problems { try carry(file, TransferOptions(synchronizes: true)) } == ["account.no-password"])
        #expect(try store.revision() == before)
    }

    /// A mass import is one revision of very many changes: the history shows some of them, and says how many.
    @Test func theHistoryOfAMassImportIsShort() throws {
        try domain()
        try carry((1...450).map { try line($0, "u\($0)@in.example") })
        let shown = try #require(try store.history(.init(limit: 1)).first)
        #expect(shown.changes.count == 200 && shown.count == 450)
        _ = try store.revert(
            .init(revision: shown.revision, note: "", dryRun: false), by: author, writeTable: { _, _ in },
            writeAccountFiles: { _ in })
        #expect(try store.exportAccounts(of: "in.example", offset: 0, limit: 1).total == 0)
    }
}
