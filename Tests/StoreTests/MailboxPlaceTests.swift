import Testing

@testable import Store

@Suite struct MailboxPlaceTests {
    static let separate = DomainRecord(name: "x.jp", mailboxMode: .separate, folder: "folder")
    static let common = DomainRecord(name: "x.jp", mailboxMode: .common, folder: "folder")

    /// R-SRV-14, R-DOM-19
    @Test(arguments: [
        ("/m/%USERNAME%", separate, "", "/m", ["folder", "taro"]),
        ("/m/%USERNAME%", common, "", "/m", ["taro"]),
        ("/m/%USERNAME%/Maildir", separate, "", "/m", ["folder", "taro", "Maildir"]),
        ("/m/box-%USERNAME%", common, "", "/m", ["box-taro"]),
        ("%HOME%/INETMAIL/INBOX", separate, "/home/taro", "/home/taro/INETMAIL", ["INBOX"]),
        ("%HOME%", common, "/home/taro", "/home", ["taro"]),
        ("%HOME%/%USERNAME%", separate, "/home/t", "/home/t", ["folder", "taro"]),
    ])
    func patterns(pattern: String, domain: DomainRecord, home: String, base: String, folders: [String]) throws {
        let account = AccountRecord(account: "Taro", domain: "x.jp", home: home)
        let place = try MailboxPlace(pattern: pattern, account: account, domain: domain)
        #expect(place.base == base && place.folders == folders)
    }

    /// R-SRV-16, and nothing that leads out of the base.
    @Test(arguments: [
        ("%HOME%/x", "taro", ""), ("%HOME%/x", "taro", "relative"), ("/m/%USERNAME%", "..", ""),
        ("/m/%USERNAME%", ".", ""),
        ("/m/%USERNAME%", "a/b", ""), ("/m/%USERNAME%", "a\0b", ""), ("/m/%USERNAME%", "", ""),
        ("%HOME%/x", "taro", "/home/../etc"),
    ])
    func refused(pattern: String, account: String, home: String) {
        #expect(throws: DirectoryError.self) {
            try MailboxPlace(
                pattern: pattern, account: AccountRecord(account: account, domain: "x.jp", home: home),
                domain: Self.common)
        }
    }
}
