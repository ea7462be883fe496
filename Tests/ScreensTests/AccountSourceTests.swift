import Control
import Testing

@testable import ConsoleCore

/// Accounts of the system and of directories: where they are chosen, tried and shown.
struct AccountSourceTests {
    /// R-WIZ-06: each way of accounts brings what it needs, and nothing of the others.
    @Test func wizardSendsTheWayToTheAccounts() {
        var driver = Scene.wizard(1, .english, 80, 24)
        driver.keys(.down, .down, .control("o"))
        #expect(driver.text.contains("step 1 of 6") && driver.text.contains("Enter the address of the directory"))
        driver.type("ldap://dc1.example.jp")
        driver.keys(.tab, .tab)
        driver.type("dc=example,dc=jp")
        driver.keys(.backTab, .backTab, .backTab, .enter, .down, .enter)
        driver.keys(.control("o"))
        #expect(driver.text.contains("step 2 of 6"))
        driver.type("192.168.1.4")
        driver.keys(.control("o"))
        driver.type("example.jp")
        driver.keys(.tab)
        driver.type("192.168.0.1")
        driver.keys(.control("o"))
        driver.type("postmaster@example.jp")
        driver.keys(.control("o"), .control("o"))
        #expect(driver.text.contains("dc=example,dc=jp"))
        driver.keys(.control("o"))
        driver.wait(300)
        driver.keys(.control("o"))
        let setup = driver.server.lastSetup
        #expect(setup?.backend == "ldap")
        let sent = Dictionary(
            (setup?.accountSettings ?? []).map { ($0.key, $0.values) }, uniquingKeysWith: { first, _ in first })
        #expect(sent["ldap.url"] == ["ldap://dc1.example.jp"] && sent["ldap.base"] == ["dc=example,dc=jp"])
        #expect(sent["ldap.account_attribute"] == ["uid"] && sent["accounts.mail_group"] == nil)
    }

    /// The check tries what is typed, before anything is applied.
    @Test func directoryIsCheckedWithWhatIsStaged() {
        var driver = Driver()
        driver.go(.domain)
        driver.keys(.up, .up, .up, .right, .enter)
        #expect(driver.text.contains("Where accounts come from"))
        driver.keys(.enter, .down, .down, .enter)
        driver.keys(.tab, .tab)
        driver.type("ldap://dc9.example.jp")
        driver.keys(.backTab, .enter)
        #expect(driver.server.checks.first?.backend == "ldap")
        #expect(
            driver.server.checks.first?.settings == [
                SettingChange(key: "ldap.url", values: ["ldap://dc9.example.jp"])
            ])
        #expect(driver.text.contains("No such object"))
        #expect(driver.server.applied.isEmpty)
    }

    /// R-ACC-34: what the directory owns is only read, and only what is ours is sent.
    @Test func accountOfADirectoryKeepsItsNames() {
        var driver = Driver()
        Scene.directory(&driver)
        driver.go(.accounts)
        driver.keys(.character("a"))
        #expect(driver.text.contains("accounts are added, deleted and imported there"))
        driver.keys(.down, .enter)
        #expect(driver.text.contains("Names and password are changed there"))
        driver.keys(.control("u"))
        driver.type("5M")
        driver.keys(.control("o"))
        #expect(driver.server.accountsChanged.map(\.values) == [AccountValues(mailboxLimit: 5 << 20)])
        #expect(!driver.text.contains("Names and password are changed there"))
    }

    /// What an import leaves to do is seen where somebody looks first.
    @Test func weakHashesAreSeenOnTheDashboard() {
        var server = FakeServer()
        server.hashesLeft = 812
        var driver = Driver(server: server)
        driver.go(.dashboard)
        #expect(driver.text.contains("812 imported password hashes"))
    }

    /// R-DOM-12, R-DOM-13: what the chosen way does not use cannot be edited.
    @Test(arguments: [("soft", [false, false]), ("system", [true, false]), ("ldap", [false, true])])
    func settingsOfOtherWaysAreOff(backend: String, enabled: [Bool]) {
        var driver = Driver()
        if backend != "soft" { driver.other("accounts.backend", [backend]) }
        driver.go(.domain)
        driver.keys(.up, .up, .up, .right, .enter)
        let form = driver.app.dialogs.last?.dialog.form
        let found = ["accounts.mail_group", "ldap.base"].map { form?.widget($0, as: TextField.self)?.isEnabled == true }
        #expect(found == enabled)
    }
}
