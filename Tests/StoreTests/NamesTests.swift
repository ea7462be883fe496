import Control
import MailModel
import Settings
import Tables
import Testing

@testable import Store

/// No name leads outside its place, and names that look alike are one (failure classes: path traversal).
@Suite struct NamesTests {
    /// What no account may be called, whoever asks: by address, in a file, as the name of a mailbox.
    static let hostile = [
        "..", ".", "../x", "x/..", "a/b", "/etc", "a\0b", "\0", "", " ", "a b", "a\tb", "a\nb", ".a", "a.", "a..b",
        "~root", "a\\b", "%USERNAME%", "$(id)", "`id`", "a;b", "a|b", "a*", "?", "\u{FF0E}\u{FF0E}", "\u{2024}\u{2024}",
        "\u{2025}", "a\u{FF0F}b", "a\u{2215}b", "a\u{202E}b", "a\u{200B}b", "e\u{301}", "\u{E9}", "\u{212A}ato",
        String(repeating: "a", count: 65),
    ]

    @Test(arguments: hostile) func noAccountOfThatName(name: String) throws {
        #expect(!MailAddress.isAccountName(name))
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        #expect(kind { try scratch.account("\(name)@in.example") } == .refused)
        let row = [name, ScratchStore.password, "", "in.example"].joined(separator: "\t")
        #expect(!AccountTSV.read(row).value.contains { $0.account == name })
        // A transfer that was made by another program meets the same check.
        let line = AccountImport(
            line: 1, address: MailAddress(localPart: name, domain: "in.example"), values: AccountValues(),
            hash: ScratchStore.password)
        let (plan, _, _) = try scratch.writer.transfer(
            [line], problems: [], TransferOptions(synchronizes: false), isStrict: false, base: nil, dryRun: false,
            note: "", by: ScratchStore.me)
        #expect(plan.counts.isEmpty && plan.faults == 1)
    }

    @Test(arguments: ["..", ".", "a/b", "/", "a\0b", "a..b", "a\nb", "a\u{7F}"])
    func noDomainFolderOfThatName(folder: String) throws {
        let scratch = try ScratchStore()
        #expect(kind { try scratch.domain("in.example", DomainValues(folder: folder)) } == .refused)
    }

    @Test(arguments: [
        "..", "a/b", "-a.jp", "a..jp", "a\0.jp", "a b.jp", "\u{65E5}\u{672C}.jp", "127.0.0.1", "a\u{FF0E}jp", "",
    ])
    func noDomainOfThatName(name: String) throws {
        let scratch = try ScratchStore()
        #expect(kind { try scratch.domain(name) } == .refused)
    }

    /// Names that differ only in letter case are one account, one domain, one alias.
    @Test func letterCaseMakesNoSecondName() throws {
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        #expect(kind { try scratch.domain("IN.Example") } == .refused)
        try scratch.account("Taro@in.example")
        #expect(kind { try scratch.account("tARO@IN.EXAMPLE") } == .refused)
        #expect(try scratch.writer.account("TARO@in.example").account == "Taro")
    }

    /// In file names and in mail the same letters come in two forms; as names they are one.
    @Test(arguments: [
        ("\u{304B}\u{3099}", "\u{304C}"), ("e\u{301}", "\u{E9}"), ("E\u{301}", "\u{E9}"),
        ("\u{1100}\u{1161}", "\u{AC00}"),
        ("A\u{30A}", "\u{212B}"), ("KATO", "\u{212A}ato"),
    ])
    func unicodeFormMakesNoSecondName(one: String, other: String) throws {
        #expect(Array(Folding.text(one).utf8) == Array(Folding.text(other).utf8))
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        _ = try scratch.writer.addAlias("\(one)@in.example", "x@far.example", note: "", by: ScratchStore.me)
        let directory = try StoreDirectory(layout: scratch.layout)
        let address = MailAddress(localPart: other, domain: "in.example")
        #expect(try directory.aliases(of: address).map(\.target.text) == ["x@far.example"])
        #expect(
            kind {
                _ = try scratch.writer.addAlias("\(other)@in.example", "x@far.example", note: "", by: ScratchStore.me)
            } == .refused)
    }

    @Test(arguments: [("Sales", "sales"), ("\u{304B}\u{3099}", "\u{304C}"), ("\u{E9}", "E\u{301}")])
    func domainFoldersThatLookAlikeAreRefused(one: String, other: String) throws {
        let scratch = try ScratchStore()
        try scratch.domain("one.example", DomainValues(folder: one))
        #expect(problems { try scratch.domain("two.example", DomainValues(folder: other)) } == ["domain.folder-alike"])
        let same = try scratch.writer.addDomain(
            "two.example", DomainValues(mailboxMode: "separate", folder: one), note: "", by: ScratchStore.me)
        #expect(same.warnings.map(\.code) == ["domain.folder-shared"])
    }

    /// `mail/in.example` may not be a mailbox and hold the mailboxes of in.example, where an account is called `new`.
    @Test func aMailboxIsNoDomainFolder() throws {
        let scratch = try ScratchStore()
        try scratch.domain("in.example", DomainValues(folder: "in.example"))
        try scratch.domain("common.example", DomainValues(mailboxMode: "common", folder: ""))
        #expect(problems { try scratch.account("In.Example@common.example") } == ["account.name-is-folder"])
        try scratch.account("in.example@in.example")
        try scratch.account("box@common.example")
        #expect(
            problems { try scratch.domain("two.example", DomainValues(folder: "Box")) } == ["domain.folder-is-mailbox"])
    }

    @Test(arguments: hostile) func noAliasLeadsOutside(name: String) {
        // An alias is text that is looked up, never a path: what is taken is found again as it is.
        guard case .success(let rule) = AliasRule.read(alias: "\(name)@in.example", target: "x@far.example") else {
            return
        }
        #expect(MailAddress(stored: rule.alias.stored) == rule.alias)
    }
}
