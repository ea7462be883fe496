import Control
import Testing

@testable import ConsoleCore

/// The dialogs of one account's files, and the page of aliases.
struct AccountControlTests {
    private func open(_ key: Character, _ server: FakeServer = FakeServer()) -> Driver {
        var driver = Driver(server: server)
        driver.go(.accounts)
        driver.keys(.down, .character(key))
        return driver
    }

    /// Only what was touched travels, with the mark of the file that the edit began with.
    @Test func mailControlSendsWhatWasTouchedAndNothingElse() {
        var driver = open("c")
        driver.keys(.control("u"))
        driver.type("boss@far.example")
        #expect(driver.text.contains("ForwardTo=boss@far.example"), "the file is shown as it will be written")
        driver.keys(.control("o"))
        #expect(driver.server.controlsSet.count == 1)
        var wanted = MailControl()
        wanted.forwardTo = "boss@far.example"
        #expect(driver.server.controlsSet.first?.values == wanted)
        #expect(driver.server.controlsSet.first?.baseEtag?.contains("rei@partner.example") == true)
        #expect(driver.text.contains("Mail control of user000001@example.jp is in force."))
    }

    @Test func anotherAdministratorsChangeIsShownBeforeItIsOverwritten() {
        var driver = open("c")
        driver.keys(.control("u"))
        driver.type("boss@far.example")
        driver.server.control.subject = "Back on Monday"
        driver.keys(.control("o"))
        #expect(driver.server.controlsSet.isEmpty)
        #expect(driver.text.contains("[Back on Monday") && driver.text.contains("[boss@far.example"))
        driver.keys(.control("o"))
        #expect(driver.server.controlsSet.count == 1)
        #expect(driver.server.control.subject == "Back on Monday")
        #expect(driver.server.control.forwardTo == "boss@far.example")
    }

    @Test func textsBesideItAreSentWithIt() {
        var driver = open("c")
        driver.keys(.backTab, .enter)
        driver.type("ok@ext.example")
        driver.keys(.control("o"))
        #expect(driver.server.controlsSet.isEmpty && driver.server.accountFiles["permitfrom"] == nil)
        driver.keys(.control("o"))
        #expect(driver.server.controlsSet.first?.files.map(\.text) == ["ok@ext.example\n"])
        #expect(driver.server.accountFiles["permitfrom"] == "ok@ext.example\n")
    }

    @Test func aFaultIsSaidWhileItIsTypedAndAForwardNeedsItsTarget() {
        var driver = open("c")
        driver.keys(.control("u"))
        driver.type("user000001@example.jp")
        #expect(driver.text.contains("An account does not forward to itself."))
        driver.keys(.control("u"), .backTab, .backTab, .backTab, .character(" "), .control("o"))
        #expect(driver.server.controlsSet.isEmpty)
        #expect(driver.text.contains("Enter where mail is forwarded to"))
    }

    @Test func theTestTriesWhatIsTyped() {
        var driver = open("c")
        driver.keys(.control("u"))
        driver.type("new@far.example")
        driver.keys(.backTab, .backTab, .backTab, .backTab, .backTab, .backTab, .character("t"))
        #expect(driver.text.contains("Forwarded to new@far.example"))
    }

    /// R-ACC-37 to R-ACC-39
    @Test func hoursAreChosenDayByDay() {
        var driver = open("h")
        #expect(driver.text.contains("[x] Mon  |.................####################...........|"))
        driver.keys(.character(" "), .control("o"))
        #expect(driver.server.accountFiles["hours"]?.hasPrefix("0,0,,\n1,0,08:30,18:30\n2,1,08:30,18:30\n") == true)
        driver.keys(.character("h"))
        driver.keys(.backTab, .backTab, .backTab, .character("l"), .control("o"))
        #expect(driver.server.accountFiles["hours"] == "", "no limit is no file")
    }

    @Test func aControlFileThatWasChangedMeanwhileIsNotOverwritten() {
        var driver = open("r")
        driver.type("a@b.example")
        driver.server.accountFiles["recipients"] = "*@other.example\n"
        driver.keys(.control("o"))
        #expect(driver.server.accountFiles["recipients"] == "*@other.example\n")
        driver.keys(.control("o"))
        #expect(driver.server.accountFiles["recipients"]?.hasPrefix("a@b.example") == true)
    }

    // MARK: - Aliases

    @Test func anAliasIsStagedReviewedAndApplied() {
        var driver = Driver()
        driver.go(.alias)
        driver.keys(.character("a"))
        driver.type("sales")
        driver.keys(.tab)
        driver.type("desk@example.jp,1")
        driver.keys(.control("o"))
        #expect(driver.server.aliasesSet.isEmpty)
        #expect(driver.model.draft["alias/sales@example.jp"]?.new == ["desk@example.jp,1"])
        #expect(driver.text.contains("*sales@example.jp"))
        driver.keys(.control("o"))
        #expect(driver.server.aliasesSet.map(\.targets) == [["desk@example.jp,1"]])
        #expect(driver.model.draft.isEmpty)
    }

    @Test func realAddressesAreChangedMovedAndRemovedWithTheirAlias() {
        var driver = Driver()
        driver.go(.alias)
        driver.keys(.character("J"))
        #expect(driver.model.draft["alias/info@example.jp"]?.new == ["boss@far.example", "info-tokyo@example.jp"])
        driver.keys(.character("d"))
        #expect(driver.model.draft["alias/info@example.jp"]?.new == ["boss@far.example"])
        driver.keys(.character("u"), .character("u"))
        #expect(driver.model.draft.isEmpty)
        driver.keys(.enter, .tab, .control("u"))
        driver.type("new@example.jp")
        driver.keys(.control("o"), .control("o"))
        #expect(driver.server.aliasesSet.first?.targets == ["new@example.jp", "boss@far.example"])
        #expect(driver.server.aliasesSet.first?.baseRevision == 7)
    }

    @Test func anotherAdministratorsChangeOfAStagedAliasIsAConflict() {
        var driver = Driver()
        driver.go(.alias)
        driver.keys(.character("d"))
        driver.push(
            ServerEvent(
                kind: .changed,
                changes: [ChangeRecord(path: "alias/info@example.jp", old: nil, new: ["x@example.jp"])], revision: 99,
                author: "sato", origin: "192.168.0.20", time: FakeServer.now))
        #expect(driver.model.draft["alias/info@example.jp"]?.isConflict == true)
        driver.keys(.control("o"))
        #expect(driver.server.aliasesSet.isEmpty)
    }

    @Test func aliasesAreFilteredByTheServerAmongTenThousand() {
        var server = FakeServer()
        server.aliases = (0..<10_000).map { ("n\($0)@example.jp", "desk@example.jp", "ok") }
        var driver = Driver(server: server)
        driver.go(.alias)
        #expect(driver.text.contains("10000 aliases"))
        driver.keys(.character("/"))
        driver.type("n9876")
        #expect(driver.text.contains("n9876@example.jp") && !driver.text.contains("n0@example.jp"))
        driver.keys(.escape, .end)
        #expect(driver.text.contains("n9999@example.jp"))
    }

    /// A file that takes many aliases away asks for the number.
    @Test func aliasesAreImportedAfterTheNumberWasTyped() {
        var driver = Driver()
        driver.files["/tmp/a.tsv"] = "info@example.jp\tdesk@example.jp\n"
        driver.go(.alias)
        driver.keys(.character("i"))
        driver.type("/tmp/a.tsv")
        driver.keys(.control("o"))
        driver.keys(.tab, .character("i"))
        #expect(driver.server.calls.filter { $0 == AliasInterface.Import.name }.count == 1, "only the dry run")
        driver.keys(.backTab)
        driver.type("12")
        driver.keys(.tab, .character("i"))
        #expect(driver.server.calls.filter { $0 == AliasInterface.Import.name }.count == 2)
        #expect(driver.text.contains("Aliases imported: 12 came"))
    }
}
