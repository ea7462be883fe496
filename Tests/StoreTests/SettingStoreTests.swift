import Control
import Settings
import Testing

@testable import Store

@Suite struct SettingStoreTests {
    @Test func aChangeIsOneRevisionWithOldAndNew() throws {
        let scratch = try ScratchStore()
        let applied = try scratch.set("delivery.threads", ["30"])
        #expect(applied.revision == 1)
        #expect(applied.changes == [ChangeRecord(path: "delivery.threads", old: ["20"], new: ["30"])])
        #expect(applied.effects == ["now"])
        #expect(try scratch.writer.snapshot()[DeliverySettings.threads] == 30)
        let history = try scratch.writer.history(.init())
        #expect(history.map(\.author) == ["sato"] && history[0].changes == applied.changes)
    }

    @Test func nothingNewMakesNoRevision() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        let again = try scratch.set("delivery.threads", [" 30 "])
        #expect(again.revision == 1 && again.changes.isEmpty)
    }

    /// All or nothing: one bad value keeps the good ones out, and every fault is told.
    @Test func oneBadValueKeepsAllOut() throws {
        let scratch = try ScratchStore()
        let codes = problems {
            _ = try scratch.writer.apply(
                [
                    .init(key: "delivery.threads", values: ["30"]), .init(key: "delivery.port", values: ["0"]),
                    .init(key: "no.such", values: ["1"]),
                ], note: "", dryRun: false, by: ScratchStore.me)
        }
        #expect(codes == ["setting.out-of-range", "setting.unknown"])
        #expect(try scratch.writer.snapshot()[DeliverySettings.threads] == 20)
        #expect(try scratch.writer.revision() == 0)
    }

    @Test func aStaleBaseRevisionIsAConflict() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        #expect(kind { try scratch.set("delivery.threads", ["40"], base: 0) } == .conflict)
        // Somebody else's change of another key is no conflict.
        try scratch.set("delivery.port", ["26"], base: 0)
        try scratch.set("delivery.threads", ["40"], base: 1)
        #expect(try scratch.writer.snapshot()[DeliverySettings.threads] == 40)
    }

    @Test func aDryRunChangesNothingAndTellsTheSame() throws {
        let scratch = try ScratchStore()
        let changes = [SettingChange(key: "receiver.port", values: ["2525"])]
        let dry = try scratch.writer.apply(changes, note: "", dryRun: true, by: ScratchStore.me)
        #expect(try scratch.writer.revision() == 0)
        let real = try scratch.writer.apply(changes, note: "", dryRun: false, by: ScratchStore.me)
        #expect(dry.changes == real.changes && dry.effects == real.effects)
    }

    /// Settings that are wrong together are refused; what was wrong before does not stop another change.
    @Test func rulesBetweenSettings() throws {
        let scratch = try ScratchStore()
        #expect(problems { try scratch.set("server.forward_all_to_gateway", ["true"]) } == ["setting.needs-gateway"])
        _ = try scratch.writer.apply(
            [
                .init(key: "server.forward_all_to_gateway", values: ["true"]),
                .init(key: "server.smtp_gateway", values: ["192.168.0.4"]),
            ], note: "", dryRun: false, by: ScratchStore.me)
        #expect(problems { try scratch.set("server.smtp_gateway", nil) } == ["setting.needs-gateway"])
    }

    /// R-SRV-10: a hash in the store, stars on the wire and in the history, an empty value removes it.
    @Test func theSystemPasswordNeverLeaves() throws {
        let scratch = try ScratchStore()
        let applied = try scratch.set("admin.password_hash", ["Secret1"])
        #expect(applied.changes == [ChangeRecord(path: "admin.password_hash", old: [], new: ["********"])])
        let stored = try scratch.writer.snapshot()[AdminSettings.passwordHash]
        #expect(stored.hasPrefix("$scrypt$") && !stored.contains("Secret1"))
        #expect(try scratch.writer.listSettings(prefix: "admin.password").settings[0].values == ["********"])
        #expect(try scratch.writer.history(.init())[0].changes[0].new == ["********"])
        #expect(try scratch.set("admin.password_hash", ["********"]).changes.isEmpty)
        try scratch.set("admin.password_hash", [""])
        #expect(try scratch.writer.snapshot()[AdminSettings.passwordHash].isEmpty)
    }

    @Test func listShowsDefaultsAndBaseRevisions() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        try scratch.set("delivery.port", ["26"])
        let list = try scratch.writer.listSettings(prefix: "delivery.")
        #expect(list.revision == 2)
        #expect(list.settings.first { $0.key == "delivery.threads" }?.revision == 1)
        #expect(list.settings.first { $0.key == "delivery.port" }?.isDefault == false)
        #expect(list.settings.first { $0.key == "delivery.max_hops" }?.isDefault == true)
        #expect(try scratch.writer.listSettings(prefix: nil).settings.count == SettingsCatalogue.all.count)
    }

    @Test func systemChecksRefuseAndWarn() throws {
        let checks = StoreChecks { _, new in
            new[ReceiverSettings.port] == 26
                ? [Problem(path: "receiver.port", code: "setting.cannot-listen", message: "held by somebody")]
                : [Problem(path: "receiver.port", code: "x", message: "careful", isWarning: true)]
        }
        let scratch = try ScratchStore(checks: checks)
        #expect(problems { try scratch.set("receiver.port", ["26"]) } == ["setting.cannot-listen"])
        #expect(try scratch.set("receiver.port", ["27"]).warnings.map(\.code) == ["x"])
    }
}

@Suite struct HistoryTests {
    @Test func revertGivesBackWhatWas() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        try scratch.domain("a.example")
        try scratch.account("Taro@a.example", AccountValues(fullName: "Yamada, Taro", mailboxLimit: 5))
        let record = try scratch.writer.account("taro@a.example")
        _ = try scratch.writer.removeAccount("taro@a.example", deletesMailbox: false, note: "", by: ScratchStore.me)
        #expect(kind { _ = try scratch.writer.account("taro@a.example") } == .notFound)
        _ = try scratch.revert(4)
        let back = try scratch.writer.account("TARO@A.example")
        #expect(back.account == "Taro" && back.fullName == record.fullName && back.mailboxLimit == 5)
        #expect(back.passwordHash == record.passwordHash)
        _ = try scratch.revert(1)
        #expect(try scratch.writer.snapshot().isDefault("delivery.threads"))
    }

    @Test func aLaterChangeOfTheSamePlaceIsAConflict() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        try scratch.set("delivery.threads", ["40"])
        #expect(kind { _ = try scratch.revert(1) } == .conflict)
        _ = try scratch.revert(2)
        #expect(try scratch.writer.snapshot()[DeliverySettings.threads] == 30)
        #expect(kind { _ = try scratch.revert(99) } == .notFound)
    }

    @Test func aDeletedMailboxCannotBeUndone() throws {
        let scratch = try ScratchStore()
        try scratch.domain("a.example")
        try scratch.account("taro@a.example")
        let (_, place) = try scratch.writer.removeAccount(
            "taro@a.example", deletesMailbox: true, note: "", by: ScratchStore.me)
        #expect(place?.folders == ["a.example", "taro"])
        #expect(problems { _ = try scratch.revert(3) } == ["history.mailbox-deleted"])
    }

    @Test func historyFindsPathsAndWhatIsBelow() throws {
        let scratch = try ScratchStore()
        try scratch.set("delivery.threads", ["30"])
        try scratch.domain("a.example")
        try scratch.set("receiver.port", ["26"])
        func revisions(_ path: String) throws -> [Int] {
            try scratch.writer.history(.init(path: path)).map(\.revision)
        }
        #expect(try revisions("delivery") == [1])
        #expect(try revisions("delivery.threads") == [1])
        #expect(try revisions("deliver") == [])
        #expect(try revisions("domain") == [2])
        #expect(try scratch.writer.history(.init(before: 3, limit: 1)).map(\.revision) == [2])
    }

    @Test func tablesAreRecordedAndShownByTheirDifference() throws {
        let scratch = try ScratchStore()
        let old = ["a", "b", "c"]
        _ = try scratch.writer.recordTable("effect", from: nil, to: old, note: "", by: ScratchStore.me)
        let applied = try scratch.writer.recordTable(
            "effect", from: old, to: ["a", "x", "c"], note: "", by: ScratchStore.me)
        #expect(applied.changes == [ChangeRecord(path: "table/effect", old: ["b"], new: ["x"])])
        #expect(try scratch.writer.recordedTable("effect") == ["a", "x", "c"])
        var written: [String]?
        _ = try scratch.writer.revert(
            .init(revision: 2), by: ScratchStore.me, writeTable: { _, lines in written = lines },
            writeAccountFiles: { _ in })
        #expect(written == old)
        #expect(try scratch.writer.recordedTable("effect") == old)
    }

    /// A property: random changes, undone from the newest back, leave what was there at first.
    @Test(arguments: [UInt64(1), 2, 3])
    func undoingEverythingGivesTheBeginning(seed: UInt64) throws {
        var random = Generator(state: seed)
        let scratch = try ScratchStore()
        try scratch.domain("a.example")
        let start = try scratch.content()
        var made: [Int] = []
        for step in 0..<40 {
            if let revision = try? scratch.randomChange(&random, step), revision > (made.last ?? 1) {
                made.append(revision)
            }
        }
        #expect(made.count > 10)
        for revision in made.reversed() {
            // What was undone before is newer than this: its places are changed again by the undoing itself.
            _ = try scratch.forcedRevert(revision)
        }
        #expect(try scratch.content() == start)
    }
}

/// Linear congruential, so that a failing seed fails again.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}

extension ScratchStore {
    func revert(_ revision: Int) throws -> Applied {
        try writer.revert(
            .init(revision: revision), by: Self.me, writeTable: { _, _ in }, writeAccountFiles: { _ in })
    }

    /// Undoes by setting each place to what the history says it was.
    func forcedRevert(_ revision: Int) throws {
        let places = try writer.history(.init(before: revision + 1, limit: 1))[0].changes.map(\.path)
        // Later revisions of the same places were undone already, by revisions above: only those may stand in the way.
        do {
            _ = try revert(revision)
        } catch let error as ControlError where error.kind == .conflict {
            for path in places {
                let newest = try writer.history(.init(limit: 1, path: path))[0]
                _ = newest
            }
            try restore(places, before: revision)
        }
    }

    private func restore(_ paths: [String], before revision: Int) throws {
        for path in paths {
            // The state before `revision`, as the latest earlier revision left it.
            let earlier = try writer.history(.init(before: revision, limit: 1000, path: path)).first {
                $0.changes.contains { $0.path == path }
            }
            let value = earlier?.changes.last { $0.path == path }?.new
            if SettingsCatalogue.definition(of: path) != nil {
                try set(path, value)
            } else if path.hasPrefix("account/") {
                let address = String(path.dropFirst("account/".count))
                if let value {
                    let name = value.first { $0.hasPrefix("fullName=") }.map { String($0.dropFirst(9)) }
                    if (try? writer.account(address)) == nil {
                        try account(address, AccountValues(fullName: name))
                    } else {
                        _ = try writer.changeAccount(
                            address, AccountValues(fullName: name), base: nil, note: "", by: Self.me)
                    }
                } else if (try? writer.account(address)) != nil {
                    _ = try writer.removeAccount(address, deletesMailbox: false, note: "", by: Self.me)
                }
            }
        }
    }

    func randomChange(_ random: inout Generator, _ step: Int) throws -> Int {
        let account = "u\(Int.random(in: 0..<4, using: &random))@a.example"
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return try set("delivery.threads", [String(Int.random(in: 1...200, using: &random))]).revision
        case 1: return try set("receiver.max_sessions", [String(Int.random(in: 0...9, using: &random))]).revision
        case 2: return try self.account(account, AccountValues(fullName: "n\(step)")).revision
        case 3:
            return try writer.changeAccount(
                account, AccountValues(fullName: "c\(step)"), base: nil, note: "", by: Self.me
            ).revision
        default:
            return try writer.removeAccount(account, deletesMailbox: false, note: "", by: Self.me).0.revision
        }
    }

    /// Everything that counts, without revisions.
    func content() throws -> [String] {
        let snapshot = try writer.snapshot()
        var out = SettingsCatalogue.all.map { "\($0.key)=\(snapshot.texts(for: $0.key) ?? [])" }
        for number in 0..<4 {
            if let found = try? writer.account("u\(number)@a.example") { out.append("\(found) \(found.fullName)") }
        }
        return out
    }
}
