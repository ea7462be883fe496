import Control
import Testing

@testable import ConsoleCore

/// The console and another administrator, the socket, and the ways a page is applied.
struct LiveTests {
    @Test func aForeignChangeShowsAtOnceAndItsMarkGoesAfterTenSeconds() {
        var driver = Driver()
        driver.other("server.work_dir", ["/srv/queue"])
        #expect(driver.text.contains("[/srv/queue"))
        #expect(driver.model.mark("server.work_dir", now: driver.now) == .foreign)
        #expect(driver.text.contains("~ Mail working folder"))
        driver.wait(11_000)
        #expect(driver.model.mark("server.work_dir", now: driver.now) == .none)
        #expect(!driver.text.contains("~ Mail working folder"))
    }

    @Test func theCertificateIsShownAndASelfSignedOneIsMadeAfterAQuestion() {
        var driver = Driver()
        driver.go(.ssl)
        #expect(driver.text.contains("CN=mail1.example.jp") && driver.text.contains("3640 days left"))
        #expect(driver.text.contains("EC 256; it belongs to the certificate"))
        driver.keys(.tab, .tab, .tab, .enter)
        #expect(driver.text.contains("stay where they are"))
        driver.keys(.enter)
        #expect(!driver.server.calls.contains(ServerInterface.MakeCertificate.name), "the harmless button comes first")
        driver.keys(.enter, .right, .character("m"))
        #expect(driver.server.calls.contains(ServerInterface.MakeCertificate.name))
        #expect(driver.model.value("tls.certificate_file").hasSuffix("20261124-120320-certificate.pem"))
    }

    @Test func aCertificateThatEndsSoonIsSaidAtTheStartAndOnTheServerPage() {
        var server = FakeServer()
        server.certificate.certificate?.daysLeft = 9
        var driver = Driver(server: server)
        #expect(driver.text.contains("ends in 9 days"))
        driver.go(.server)
        #expect(driver.text.contains("The server's certificate ends in 9 days"))
    }

    /// Used space comes after the rows and for the rows on the screen only.
    @Test(arguments: [ConsoleCore.Language.english, .japanese])
    func pagesAreFoundByWhatTheBarCallsThem(_ language: ConsoleCore.Language) {
        for tab in ConsoleContent.areas.flatMap(\.tabs) {
            var driver = Driver(language, rows: 40)
            driver.keys(.control("g"))
            driver.type(driver.context.say(tab.name))
            #expect(driver.text.contains(driver.context.say(tab.title)), "\(tab.id)")
        }
    }

    @Test func mailboxesAreMeasuredForTheRowsOnTheScreen() {
        var server = FakeServer()
        server.accountCount = 100_000
        var driver = Driver(server: server)
        driver.go(.accounts)
        #expect(driver.server.measured.count == 1 && driver.server.measured[0].count < 24)
        #expect(driver.text.contains("9%"))
        driver.keys(.pageDown)
        #expect(driver.server.measured.count == 2)
        #expect(Set(driver.server.measured[0]).intersection(driver.server.measured[1]).count < 2)
        driver.wait(11_000)
        #expect(driver.server.measured.count == 3, "figures on the screen are looked up again")
    }

    /// R-ACC-46 to R-ACC-49: pieces of a hundred lines, the number of lines typed before, faulty lines in the report.
    @Test func accountsAreImportedWithConfirmationProgressAndReport() {
        var driver = Driver()
        driver.files["/tmp/a.tsv"] = (1...249).map { "u\($0)\tpw\n" }.joined() + "no tab\n"
        driver.go(.accounts)
        driver.keys(.character("i"))
        driver.type("/tmp/b.tsv")
        driver.keys(.control("o"))
        #expect(driver.text.contains("/tmp/b.tsv cannot be read"))
        driver.keys(.control("u"))
        driver.type("/tmp/a.tsv")
        driver.keys(.control("o"))
        #expect(driver.server.imported.map(\.firstLine) == [1])
        #expect(driver.server.begun.map(\.domain) == ["example.jp"])
        #expect(driver.server.finished.map(\.dryRun) == [true])
        #expect(driver.text.contains("250 lines: 249 new accounts, 0 changed, 1 lines skipped"))
        driver.keys(.tab, .character("i"))
        #expect(driver.server.finished.count == 1, "the number of lines was not typed")
        driver.keys(.backTab)
        driver.type("250")
        driver.keys(.tab, .character("i"))
        #expect(driver.server.finished.map(\.dryRun) == [true, false])
        #expect(driver.server.finished.last?.baseRevision == driver.server.revision)
        #expect(driver.text.contains("no tab in this line"))
    }

    /// The synchronisation: a preview by kind of change, a typed number, and only then a change.
    @Test func accountsAreMadeEqualToAFileAfterAPreview() {
        var driver = Driver()
        driver.files["/tmp/all.tsv"] = "a\tpw\nb\tpw\n"
        driver.go(.accounts)
        driver.keys(.character("y"))
        driver.type("/tmp/all.tsv")
        driver.keys(.control("o"))
        #expect(driver.server.begun.map(\.kind) == ["synchronize"])
        #expect(driver.server.begun.last?.absent == "disable")
        #expect(driver.text.contains("2 added, 1 changed, 2 disabled, 0 removed, 0 kept."))
        #expect(driver.text.contains("row-added@example.jp"))
        driver.keys(.tab, .character("s"))
        #expect(driver.server.finished.map(\.dryRun) == [true], "the number of changes was not typed")
        driver.keys(.backTab)
        driver.type("5")
        driver.keys(.tab, .character("s"))
        #expect(driver.server.finished.map(\.dryRun) == [true, false])
    }

    /// R-ACC-11, test vector 8 of spec file 03.
    @Test func aProtectedDomainAsksForItsPasswordAndShowsNothingBefore() {
        var server = FakeServer()
        server.operationPasswords["example.jp"] = "Sesame"
        var driver = Driver(server: server)
        driver.go(.accounts)
        #expect(!driver.text.contains("user000000"))
        let asked = driver.server.calls.count { $0 == DirectoryInterface.ListAccounts.name }
        driver.keys(.character("i"), .character("x"), .character("a"))
        #expect(driver.server.calls.count { $0 == DirectoryInterface.ListAccounts.name } == asked, "asked once only")
        driver.keys(.character("o"))
        driver.type("wrong")
        driver.keys(.control("o"))
        #expect(driver.text.contains("neither the operation password of example.jp nor"))
        driver.type("Sesame")
        driver.keys(.control("o"))
        #expect(driver.text.contains("user000000"))
        #expect(driver.server.presentedKeys.last == ["key-example.jp"])
    }

    @Test func anOperationPasswordIsSetTwiceTypedAndTakenAway() {
        var driver = Driver()
        driver.go(.accounts)
        driver.keys(.backTab, .character("w"))
        driver.type("Sesame")
        driver.keys(.tab)
        driver.type("Sesam")
        driver.keys(.control("o"))
        #expect(driver.server.operationPasswords.isEmpty)
        driver.type("e")
        driver.keys(.control("o"))
        #expect(driver.server.operationPasswords == ["example.jp": "Sesame"])
        #expect(driver.server.openedDomains == ["example.jp"], "who set it need not give it")
    }

    @Test func aFaultyFileCannotBeSynchronised() {
        var driver = Driver()
        driver.files["/tmp/all.tsv"] = "a\tpw\nnonsense\n"
        driver.go(.accounts)
        driver.keys(.character("y"))
        driver.type("/tmp/all.tsv")
        driver.keys(.control("o"))
        #expect(driver.text.contains("1 lines are faulty"))
        #expect(driver.text.contains("no tab in this line"))
        driver.keys(.character("s"), .tab, .character("s"), .escape)
        #expect(driver.server.finished.map(\.dryRun) == [true])
    }

    @Test func accountsAreExportedAndAFileIsNotOverwrittenUnasked() {
        var server = FakeServer()
        server.accountCount = 1_200
        var driver = Driver(server: server)
        driver.files["/tmp/x.tsv"] = "precious"
        driver.go(.accounts)
        driver.keys(.character("x"))
        driver.type("/tmp/x.tsv")
        driver.keys(.control("o"))
        #expect(driver.files["/tmp/x.tsv"] == "precious")
        driver.keys(.enter)
        #expect(driver.files["/tmp/x.tsv"] == "precious")
        driver.keys(.control("o"), .character("o"))
        #expect(driver.files["/tmp/x.tsv"]?.split(separator: "\n").count == 1_200)
        #expect(driver.text.contains("1200 accounts"))
    }

    /// R-MC-08: a table is edited as a text, staged, and sent with its page.
    @Test func aTableIsEditedAsATextStagedAndApplied() {
        var driver = Driver()
        driver.go(.server)
        driver.keys(.tab, .enter)
        #expect(driver.text.contains("mailgateway01.xxxx.co.jp"))
        driver.keys(.down, .enter)
        driver.type("*.example,gw.example,25")
        driver.keys(.control("x"))
        #expect(!driver.text.contains("gw.example"), "one undo takes the typing back")
        driver.type("*.example,gw.example,25")
        driver.keys(.control("o"))
        #expect(driver.server.tablesSet.isEmpty && driver.model.draft["table/gateway"] != nil)
        driver.keys(.control("r"))
        #expect(driver.text.contains("gateway.dat"))
        driver.keys(.control("o"))
        #expect(driver.server.tablesSet.first?.text.contains("*.example,gw.example,25") == true)
        #expect(driver.server.tablesSet.first?.baseEtag == "1" && driver.model.draft.isEmpty)
    }

    /// console.md 6.3: whatever was changed, its way back is staged, reviewed and applied.
    @Test func revisionsOfAccountsAndDomainsAreRevertedThroughReview() {
        var server = FakeServer()
        server.history[0].changes = [
            ChangeRecord(path: "account/taro@example.jp", old: nil, new: ["account=taro", "password=********"])
        ]
        server.history[1].changes = [
            ChangeRecord(
                path: "domain/osaka.example.jp",
                old: [
                    "maxAccounts=5", "mailboxMode=separate", "smtpAddresses=192.168.0.7", "folder=osaka",
                ], new: ["maxAccounts=0", "mailboxMode=separate", "smtpAddresses=2001:db8::25", "folder=osaka"])
        ]
        var driver = Driver(server: server)
        driver.go(.history)
        driver.keys(.character("r"), .right, .character("u"))
        #expect(driver.server.reverted.isEmpty && driver.model.draft["revision/40"] != nil)
        #expect(driver.text.contains("Undo revision 40"))
        driver.keys(.control("o"))
        #expect(driver.server.reverted == [40] && driver.model.draft.isEmpty)
        driver.go(.history)
        driver.keys(.down, .character("r"), .right, .character("u"))
        #expect(driver.model.draft["domain/osaka.example.jp"]?.new == ["5", "separate", "192.168.0.7", "osaka"])
    }

    @Test func whatAServiceDidIsToldInTheReadersLanguage() {
        var driver = Driver(.japanese)
        driver.push(
            ServerEvent(
                kind: .service, time: FakeServer.now, message: "epstrs failed: it ended with exit code 3",
                notes: [
                    StatusNote("service.event.failed", "epstrs failed", ["EPSTRS"]),
                    StatusNote("service.exit-code", "it ended with exit code 3", ["3"]),
                ]))
        #expect(driver.text.contains("EPSTRS は異常終了しました: 終了コード 3 で終了しました"))
    }

    @Test func theActionsMenuHoldsActionsAndEachOnce() {
        var driver = Driver()
        driver.go(.accounts)
        driver.keys(.character("m"))
        let menu = driver.text.split(separator: "\n").filter { $0.contains("|") }.joined(separator: "\n")
        #expect(
            !menu.contains("Apply") && menu.split(separator: "\n").filter { $0.contains("Enter ") }.count == 1,
            "\(menu)")
    }

    @Test func whatIsBeingTypedIsNeverOverwritten() {
        var driver = Driver()
        driver.type("77")
        driver.other("server.smtp_gateway", ["gw.example.jp"])
        #expect(driver.text.contains("[192.168.0.477"))
        driver.keys(.tab)
        #expect(driver.model.draft["server.smtp_gateway"]?.isConflict == true)
        #expect(driver.model.draft["server.smtp_gateway"]?.new == ["192.168.0.477"])
    }

    @Test func applySendsTheTabWithItsBaseRevisions() {
        var driver = Driver()
        driver.type("9")
        driver.keys(.control("o"))
        #expect(driver.server.applied.first?.changes.map(\.key) == ["server.smtp_gateway"])
        #expect(driver.server.applied.first?.changes.first?.baseRevision == 0)
        #expect(driver.model.draft.isEmpty)
        #expect(driver.text.contains("[192.168.0.49"))
    }

    @Test func aFaultyFieldIsNotSentAndGetsTheFocus() {
        var driver = Driver()
        driver.keys(.control("u"))
        driver.type("no host")
        driver.keys(.tab, .tab, .control("o"))
        #expect(driver.server.applied.isEmpty)
        #expect(driver.app.page?.form.focus == "server.smtp_gateway")
    }

    @Test func conflictIsSettledInReviewAndApplied() {
        var driver = Driver()
        driver.type("9")
        driver.keys(.tab)
        driver.other("server.smtp_gateway", ["gw.example.jp"])
        driver.keys(.control("r"))
        #expect(driver.text.contains("CONFLICT"))
        driver.keys(.enter, .enter)  // to "Keep mine", and press it
        #expect(driver.model.draft.conflicts.isEmpty)
        driver.keys(.control("o"))
        #expect(driver.server.settings["server.smtp_gateway"]?.values == ["192.168.0.49"])
        #expect(driver.model.draft.isEmpty)
    }

    @Test func aLostSocketIsSaidAndStopsChangesAndComesBack() {
        var driver = Driver()
        driver.lose()
        #expect(driver.text.contains("No connection to epostd since 12:03:20"))
        #expect(driver.text.contains("as of 12:03:20"))
        driver.type("9")
        driver.keys(.control("o"))
        #expect(driver.server.applied.isEmpty)
        driver.server.settings["server.smtp_gateway"] = SettingEntry(
            key: "server.smtp_gateway", values: ["new.example.jp"], isDefault: false, revision: 77)
        driver.connect()
        #expect(driver.model.draft["server.smtp_gateway"]?.theirs?.values == ["new.example.jp"])
        #expect(!driver.text.contains("as of"))
    }

    @Test func okAppliesAndOpensTheAccountManager() {
        var driver = Driver()
        driver.type("9")
        _ = driver.app.focusButtons()
        driver.keys(.enter)
        #expect(driver.server.applied.count == 1)
        #expect(driver.text.contains("[Accounts]"))
    }

    @Test func cancelDropsThePageAndUndoBringsItBack() {
        var driver = Driver()
        driver.type("9")
        _ = driver.app.focusButtons()
        driver.keys(.right, .enter)
        driver.wait(300)
        driver.keys(.character("d"))
        #expect(driver.model.draft.isEmpty)
        driver.go(.ssl)
        driver.go(.server)
        driver.keys(.backTab, .character("u"))
        #expect(driver.model.draft["server.smtp_gateway"]?.new == ["192.168.0.49"])
    }

    /// R-MC-07: nothing is shown without the password.
    @Test func managementPasswordIsAskedFirst() {
        var server = FakeServer()
        server.hello.isLocked = true
        var driver = Driver(server: server)
        #expect(!driver.text.contains("192.168.0.4"))
        #expect(!driver.server.calls.contains(SettingsInterface.List.name))
        driver.type("wrong")
        driver.keys(.enter)
        #expect(driver.text.contains("The password is not right."))
        driver.type("secret")
        driver.keys(.enter)
        #expect(driver.text.contains("192.168.0.4"))
    }

    /// R-WIZ-01 to R-WIZ-17
    @Test func wizardSendsWhatWasEntered() {
        var driver = Scene.wizard(6, .english, 80, 24)
        driver.keys(.control("o"))
        driver.wait(300)
        driver.keys(.control("o"))
        let setup = driver.server.lastSetup
        #expect(setup?.backend == "soft")
        #expect(setup?.dnsServers == ["192.168.1.4"])
        #expect(setup?.domains == [.init(name: "example.jp", address: "192.168.0.1")])
        #expect(setup?.administrator == "postmaster@example.jp")
        #expect(setup?.registerServices == true)
        #expect(driver.text.contains("port 25 is used by pid 881"))
        driver.keys(.enter)
        #expect(driver.text.contains("[1Server]"))
    }

    @Test func wizardBackKeepsAndCancelChangesNothing() {
        var driver = Scene.wizard(4, .english, 80, 24)
        driver.keys(.escape)
        #expect(driver.text.contains("[example.jp"))
        driver.keys(.control("c"))
        driver.wait(300)
        driver.keys(.character("l"))
        #expect(driver.exitCode == 0)
        #expect(driver.server.lastSetup == nil)
        #expect(!driver.server.calls.contains(ServerInterface.Setup.name))
    }

    @Test(
        arguments: [
            (2, "", "Enter at least one DNS server."), (2, "8.8.8", "is no IP address"),
            (3, "", "Row 1 needs a domain name."), (3, "example.jp", "1: a domain name needs an IP address too."),
            (4, "Administrator", "Enter the complete address"),
        ])
    func wizardPageIsNotLeftWith(step: Int, typed: String, message: String) {
        var driver = Scene.wizard(step, .english, 80, 24)
        driver.type(typed)
        driver.keys(.control("o"))
        #expect(driver.text.contains("step \(step) of 6"))
        #expect(driver.text.contains(message))
    }

    @Test func accountIsAddedWithAGeneratedPassword() {
        var driver = Driver()
        driver.go(.accounts)
        driver.keys(.character("a"))
        driver.wait(300)
        driver.type("taro")
        driver.keys(.tab, .tab, .enter, .control("o"))
        #expect(driver.server.extraAccounts.map(\.account) == ["taro"])
        #expect(driver.text.contains("> taro") || driver.text.contains("  taro"))
    }

    @Test func queueActionsAskByTheirClass() {
        var driver = Driver()
        driver.go(.queue)
        driver.keys(.character("r"))
        #expect(driver.server.acted == ["retry q7F2A10"])
        driver.keys(.character(" "), .character(" "), .character("d"))
        driver.wait(300)
        driver.keys(.tab, .enter)
        #expect(driver.server.acted.count == 1, "two messages are not deleted without their number")
        driver.keys(.character("d"))
        driver.wait(300)
        driver.type("2")
        driver.keys(.tab, .character("d"))
        #expect(driver.server.acted.last == "remove q7F2A10,q7F2A11")
    }

    @Test func stopAsksWithNumbersAndIsNotOneEnterAway() {
        var driver = Driver()
        driver.go(.service)
        driver.keys(.enter)
        driver.wait(300)
        #expect(driver.text.contains("37 sessions are open."))
        driver.keys(.enter)
        #expect(driver.server.acted.isEmpty)
        driver.keys(.enter)
        driver.wait(300)
        driver.keys(.character("s"))
        #expect(driver.server.acted == ["stop epstrs"])
    }

    @Test func hostileLogTextIsShownAndDoesNothing() {
        var driver = Driver()
        driver.go(.log)
        driver.send(.resize(Size(columns: 132, rows: 43)))
        #expect(driver.text.contains("HELO x^[[2J^[[H"))
    }

    @Test func aDraftOfLastTimeIsOfferedAndMeetsTheServer() {
        var draft = Draft()
        draft.stage(
            "server.smtp_gateway", ["mine.example.jp"], server: ServerValue(values: ["192.168.0.4"], revision: 0))
        draft.stage("server.work_dir", ["/srv"], server: ServerValue(values: ["/old"], revision: 0))
        var driver = Driver(draft: DraftFile.text(of: draft, time: FakeServer.now))
        #expect(driver.text.contains("2 changes from 2026-11-24 12:03"))
        driver.wait(300)
        driver.keys(.enter)
        #expect(driver.model.draft["server.smtp_gateway"]?.isConflict == false)
        #expect(driver.model.draft["server.work_dir"]?.isConflict == true)
    }

    @Test func lookingOnlyStagesNothing() {
        var server = FakeServer()
        server.hello.mayChange = false
        var driver = Driver(server: server)
        driver.type("9")
        driver.keys(.tab)
        #expect(driver.model.draft.isEmpty)
        #expect(driver.text.contains("may look but not change"))
    }

    @Test func hundredThousandAccountsAreReadInWindows() {
        var server = FakeServer()
        server.accountCount = 100_000
        var driver = Driver(server: server)
        driver.go(.accounts)
        driver.keys(.end)
        #expect(driver.text.contains("user099999"))
        let asked = driver.server.calls.filter { $0 == DirectoryInterface.ListAccounts.name }.count
        #expect(asked <= 4)
        driver.keys(.home)
        #expect(driver.text.contains("user000000"))
    }

    @Test func languageSwitchesAtOnce() {
        var driver = Driver()
        driver.keys(.control("g"))
        driver.type("language")
        driver.keys(.enter)
        #expect(driver.text.contains("SMTPゲートウェイ"))
    }
}

extension App {
    /// The button row of the page gets the focus.
    mutating func focusButtons() -> Bool {
        guard let owner = pageOwner else { return false }
        var events: [FormEvent] = []
        callScreen(owner) { screen, _ in events = screen.form.setFocus(Form.buttonsID) }
        dispatch(events, to: owner)
        return true
    }
}
