import Control
import Testing

@testable import ConsoleCore

/// The Account Manager by its keys: tree, list, menus and dialogs of spec file 03.
struct AccountManagerTests {
    private func manager(_ language: ConsoleCore.Language = .english) -> Driver {
        var driver = Driver(language)
        driver.go(.accounts)
        return driver
    }

    /// The focus goes to the tree, the cursor to its root.
    private func tree() -> Driver {
        var driver = manager()
        driver.keys(.left)
        driver.keys(.home)
        return driver
    }

    private func focus(_ driver: inout Driver, _ part: String) {
        for _ in 0..<30 where driver.app.dialogs.last?.dialog.form.focus != part { driver.keys(.tab) }
    }

    /// R-ACC-03, R-ACC-04, R-ACC-16: the root opens and closes and stays so; a domain under the cursor lists its
    /// accounts; the domains are those of Mail Control.
    @Test func theTreeShowsTheDomainsAndListsTheirAccounts() {
        var driver = tree()
        #expect(driver.text.contains("Domain Lists") && driver.text.contains("sales.example.jp"))
        driver.keys(.enter)
        #expect(!driver.text.contains("sales.example.jp"))
        driver.wait(1_000)
        #expect(!driver.text.contains("sales.example.jp"), "it stays closed")
        driver.keys(.right)
        #expect(driver.text.contains("sales.example.jp"))
        driver.keys(.left, .enter, .down, .down)
        #expect(driver.model.accountDomain == "sales.example.jp")
        #expect(driver.text.contains("sales.example.jp: 40 accounts"))
        #expect(driver.model.domains.map(\.name) == driver.model.domainRows.map(\.name))
    }

    /// R-ACC-05: columns, order and search.
    @Test func theListHasTheColumnsAndIsSearched() {
        var driver = manager()
        for title in ["Account", "Full name", "Box", "Used", "Flags"] { #expect(driver.text.contains(title)) }
        driver.keys(.character("/"))
        driver.type("mori")
        #expect(driver.server.listed.last?.filter == "mori")
    }

    /// R-ACC-06, R-ACC-23 to R-ACC-31: every action of the original stands in the menu with its label.
    @Test func theMenusHoldTheLabelsOfTheOriginal() {
        var driver = manager(.japanese)
        driver.keys(.character("m"))
        for label in [
            "アカウント追加", "アカウント変更", "アカウント削除", "メール制御", "メールフィルタ", "利用時間設定", "送信先制限", "アカウントインポート",
            "アカウントエクスポート",
        ] { #expect(driver.text.contains(label), "\(label)") }
        driver.keys(.escape)
        driver.keys(.left)
        driver.keys(.character("m"))
        for label in ["ドメイン追加", "ドメイン変更", "ドメイン削除"] { #expect(driver.text.contains(label), "\(label)") }
    }

    /// R-ACC-07, R-ACC-10, R-ACC-13 to R-ACC-15: a domain needs its name; its mailboxes are common or its own; a restart
    /// is offered (vector 9).
    @Test func aDomainIsAddedAndARestartOffered() {
        var driver = tree()
        driver.keys(.character("a"))
        driver.keys(.control("o"))
        #expect(driver.app.dialogs.count == 1, "a domain needs a name")
        focus(&driver, "name")
        driver.type("new.example")
        focus(&driver, "mode")
        driver.keys(.down, .character(" "))
        focus(&driver, "addresses")
        driver.type("192.0.2.1")
        focus(&driver, "folder")
        driver.keys(.control("u"))
        driver.type("new")
        driver.keys(.control("o"))
        let added = driver.server.domains.first { $0.name == "new.example" }
        #expect(added?.folder == "new" && added?.smtpAddresses == ["192.0.2.1"] && added?.mailboxMode == "separate")
        #expect(driver.text.contains("EPSTRS, EPSTDS"), "their restart is offered")
    }

    /// R-ACC-08, R-ACC-12
    @Test func aDomainIsChangedWithItsValuesFilledIn() {
        var driver = tree()
        driver.keys(.down, .character("e"))
        #expect(driver.text.contains("[1000"))
        focus(&driver, "max")
        driver.keys(.control("u"))
        driver.type("7")
        driver.keys(.control("o"))
        #expect(driver.server.domains.first { $0.name == "example.jp" }?.maxAccounts == 7)
    }

    /// R-ACC-09: the name is typed first; accounts and mailboxes stay.
    @Test func aDomainIsDeletedAfterItsNameWasTyped() {
        var driver = tree()
        driver.keys(.down, .character("d"))
        #expect(driver.text.contains("812"))
        driver.type("example.jp")
        driver.keys(.tab, .character("d"))
        #expect(!driver.server.domains.contains { $0.name == "example.jp" })
    }

    /// R-ACC-17 to R-ACC-23, R-ACC-32, R-ACC-33 (vector 3): what is needed is asked for, the domain is the selected one.
    @Test func anAccountNeedsNameAndPasswordAndHasTheSelectedDomain() {
        var driver = manager()
        driver.keys(.character("a"))
        #expect(driver.text.contains("<example.jp"))
        driver.keys(.control("o"))
        #expect(driver.text.contains("Enter the account") && driver.server.extraAccounts.isEmpty)
        driver.type("taro yamada")
        driver.keys(.control("o"))
        #expect(driver.server.extraAccounts.isEmpty, "blanks are no part of a name")
        driver.keys(.control("u"))
        driver.type("taro")
        driver.keys(.control("o"))
        #expect(driver.text.contains("Enter a password") && driver.server.extraAccounts.isEmpty)
        focus(&driver, "password")
        driver.type("秘密 Secret-1")
        focus(&driver, "fullName")
        driver.type("山田 太郎")
        focus(&driver, "home")
        driver.type("/srv/home/taro")
        focus(&driver, "limit")
        driver.keys(.control("u"))
        driver.type("10M")
        focus(&driver, "auth")
        driver.keys(.character(" "), .control("o"))
        let sent = driver.server.accountsAdded.last
        #expect(sent?.address == "taro@example.jp")
        #expect(
            sent?.values
                == AccountValues(
                    password: "秘密 Secret-1", fullName: "山田 太郎", home: "/srv/home/taro", mailboxLimit: 10 << 20,
                    smtpAuth: false))
    }

    /// R-ACC-24: the present values stand there, and only what was changed is sent.
    @Test func anAccountIsChangedFromItsPresentValues() {
        var driver = manager()
        driver.keys(.down, .enter)
        #expect(driver.text.contains("[川本 玲") && driver.text.contains("(fixed)"))
        focus(&driver, "fullName")
        driver.keys(.control("u"))
        driver.type("Kawamoto")
        driver.keys(.control("o"))
        #expect(driver.server.accountsChanged.map(\.values) == [AccountValues(fullName: "Kawamoto")])
    }

    /// R-ACC-25: the question tells what goes; whether the mailbox goes too is a question of its own, yes at first.
    @Test func anAccountIsDeletedWithOrWithoutItsMailbox() {
        var driver = manager()
        driver.keys(.down, .delete)
        #expect(driver.text.contains("31 messages") && driver.text.contains("[x] delete the mailbox folder"))
        driver.keys(.enter)
        #expect(driver.server.accountsRemoved.isEmpty, "Enter keeps it")
        driver.keys(.delete)
        focus(&driver, "mailbox")
        driver.keys(.character(" "), .tab)
        driver.keys(.character("d"))
        #expect(driver.server.accountsRemoved.map(\.deleteMailbox) == [false])
    }

    /// R-ACC-36: the filter of one user is edited and kept as it is typed.
    @Test func theFilterOfAnAccountIsEdited() {
        var driver = manager()
        driver.keys(.down, .character("f"))
        driver.type("Virus: x")
        driver.keys(.control("o"))
        #expect(driver.server.accountFiles["filter"] == "Virus: x\n")
    }
}
