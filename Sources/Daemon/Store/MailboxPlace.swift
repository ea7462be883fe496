/// A mailbox as a trusted base folder that must exist, and plain folder names below it that are made when missing.
package struct MailboxPlace: Hashable, Sendable {
    /// Absolute.
    package let base: String
    /// At least one; no `/`, no NUL, not `.` or `..`.
    package let folders: [String]

    package var path: String { ([base] + folders).joined(separator: "/") }

    /// Fills the pattern of `server.mailbox_dir` (R-SRV-14, R-DOM-19): in separate mode the domain's folder stands
    /// before the folder that holds `%USERNAME%`. Account names are taken in lower case, so that one account has one
    /// mailbox.
    package init(pattern: String, account: AccountRecord, domain: DomainRecord?) throws(DirectoryError) {
        var fixed: [String] = []
        var folders: [String] = []
        var parts = pattern.split(separator: "/").map(String.init)
        if pattern.hasPrefix("%HOME%") {
            guard account.home.hasPrefix("/") else {
                throw DirectoryError("the mailbox folder uses %HOME%, but \(account) has no home folder (R-SRV-16)")
            }
            fixed = account.home.split(separator: "/").map(String.init)
            parts.removeFirst()
            if parts.isEmpty, let last = fixed.popLast() { folders = [last] }
        }
        for part in parts {
            if folders.isEmpty, !Self.namesAccount(part) {
                fixed.append(part)
                continue
            }
            if Self.namesAccount(part), let domain, domain.mailboxMode == .separate, !domain.folder.isEmpty {
                folders.append(domain.folder)
            }
            let name = account.account.lowercased()
            folders.append(part == Self.mark ? name : part.replacing(Self.mark, with: name))
        }
        if folders.isEmpty, let last = fixed.popLast() { folders = [last] }
        let base = "/" + fixed.joined(separator: "/")
        guard !folders.isEmpty, (fixed + folders).allSatisfy(Self.isPlainName) else {
            throw DirectoryError("the mailbox folder of \(account) is not a plain path: \(folders)")
        }
        self.base = base
        self.folders = folders
    }

    private static let mark = "%USERNAME%"

    /// Asked for each delivery: a search in text costs more than writing a file, and is seldom needed.
    private static func namesAccount(_ part: String) -> Bool {
        part == mark || part.utf8.contains(UInt8(ascii: "%")) && part.contains(mark)
    }

    static func isPlainName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }
}
