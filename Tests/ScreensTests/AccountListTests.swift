import Control
import Testing

@testable import ConsoleCore

/// What the list and the dialog of accounts say of control files, log-ins and hours (console.md 5.13 to 5.17).
struct AccountListTests {
    private func manager(_ language: ConsoleCore.Language = .english, columns: Int = 80) -> Driver {
        var driver = Driver(language, columns: columns)
        driver.go(.accounts)
        driver.keys(.down)
        return driver
    }

    private func line(_ driver: Driver, _ part: String) -> String {
        driver.text.split(separator: "\n").first { $0.contains(part) }.map(String.init) ?? ""
    }

    /// R-ACC-26 to R-ACC-29: what is on for an account is a letter in the list and a sentence below it.
    @Test func controlFilesShowAsLettersAndWords() {
        let driver = manager()
        #expect(line(driver, "user000001 ").hasSuffix("FRUL"))
        #expect(line(driver, "user000004").hasSuffix("AU"))
        #expect(driver.text.contains("Flags: A SMTP auth  F forward  R reply  U usage hours  L recipients  X off"))
        #expect(
            manager(columns: 100).text.contains(
                "user000001@example.jp  9% of 4.0 GB; forwards to 1 address; auto-reply on; hours set"))
        let japanese = manager(.japanese)
        #expect(line(japanese, "user000001 ").hasSuffix("転応時限"))
        #expect(japanese.text.contains("user000001@example.jp  4.0 GB中 9%、転送先 1件、自動応答あり、利用時間"))
    }

    @Test func theListLooksAtEachFileOfTheRowsThatAreSeen() {
        let driver = manager(columns: 100)
        #expect(driver.server.calls.contains(DirectoryInterface.AccountUsage.name))
        #expect(line(driver, "user000001 ").hasSuffix("FRUL"))
    }

    @Test func theDialogTellsTheLastLoginAndWhatWasAndLeadsToMailControl() {
        var driver = manager()
        driver.keys(.enter)
        #expect(driver.text.contains("no login yet"))
        #expect(driver.text.contains("[ Mail control... (M) ]") || driver.text.contains("[ Mail control... ]"))
        driver.keys(.tab, .tab)
        while driver.app.dialogs.last?.dialog.form.focus != "limit" { driver.keys(.tab) }
        driver.keys(.control("u"))
        driver.type("9")
        #expect(driver.text.contains("* Mailbox size limit was 4294967296"))
        while driver.app.dialogs.last?.dialog.form.focus != Form.buttonsID { driver.keys(.tab) }
        driver.keys(.character("m"))
        #expect(driver.text.contains("What is typed here is not saved yet"))
        #expect(driver.app.dialogs.count == 1)
    }

    @Test func mailControlOpensOverTheAccountAndComesBackToIt() {
        var driver = manager()
        driver.keys(.enter)
        while driver.app.dialogs.last?.dialog.form.focus != Form.buttonsID { driver.keys(.tab) }
        driver.keys(.character("m"))
        #expect(driver.app.dialogs.count == 2 && driver.text.contains("Mail control (IMS.CTL)"))
        driver.keys(.escape)
        #expect(driver.app.dialogs.count == 1 && driver.text.contains("Account: user000001"))
    }

    /// The bar is a picture of start and end; Space moves the nearer one (R-ACC-38).
    @Test func aCellOfTheBarMovesTheNearerEnd() {
        var driver = manager()
        driver.keys(.character("h"))
        driver.keys(.right)
        // From 08:30 to 18:30; the cursor stands on 08:30.
        driver.keys(.left, .left, .character(" "))
        #expect(line(driver, "Mon  ").contains("|...............######################..........."))
        driver.keys(.end, .left, .left, .left, .left, .left, .left, .character(" "))
        #expect(line(driver, "Mon  ").contains("|...............###########################......"))
        driver.keys(.down, .character(" "))
        #expect(line(driver, "Tue  ").contains("#########################......|"), "the half hour stays below")
        driver.keys(.control("o"))
        #expect(driver.server.accountFiles["hours"]?.contains("1,1,07:30,21:00\n2,1,08:30,21:00\n") == true)
    }

    /// The character set on disk stands below the text (console.md 4.7).
    @Test func theEditorTellsTheCharacterSet() {
        var driver = manager()
        driver.keys(.character("r"))
        #expect(driver.text.contains("Character set of the file: UTF-8"))
        driver.keys(.escape)
        driver.keys(.character("c"))
        while driver.app.dialogs.last?.dialog.form.focus != "reply.edit" { driver.keys(.tab) }
        driver.keys(.enter)
        #expect(driver.text.contains("Character set of the file: ISO-2022-JP"))
    }

    /// "Test an address" judges what is staged, says so, and can be told not to.
    @Test func anAliasIsTestedWithWhatIsStaged() {
        var driver = Driver()
        driver.go(.alias)
        driver.keys(.character("t"))
        #expect(driver.text.contains("By the rules in force."))
        driver.keys(.escape)
        driver.keys(.enter, .tab, .control("u"))
        driver.type("new@example.jp")
        driver.keys(.control("o"))
        driver.keys(.character("t"))
        #expect(driver.text.contains("new@example.jp, recipient") || driver.text.contains("mailbox new@example.jp"))
        #expect(driver.text.contains("With staged changes that are not applied yet: info@example.jp"))
        while driver.app.dialogs.last?.dialog.form.focus != "with" { driver.keys(.tab) }
        driver.keys(.character(" "))
        #expect(driver.text.contains("By the rules in force."))
        #expect(driver.text.contains("mailbox info-tokyo@example.jp"))
    }
}
