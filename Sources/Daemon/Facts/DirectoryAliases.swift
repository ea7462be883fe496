import MailModel
import Policy
import Store
import Tables

/// The directory as alias expansion asks it.
package struct DirectoryAliases: AliasSource {
    private let directory: any Directory

    package init(_ directory: any Directory) { self.directory = directory }

    package func isOperated(domain: String) throws(DirectoryError) -> Bool {
        try directory.domain(named: domain) != nil
    }
    package func rules(for address: MailAddress) throws(DirectoryError) -> [AliasRule] {
        try directory.aliases(of: address)
    }
    package func wildcards(of domain: String) throws(DirectoryError) -> [AliasRule] {
        try directory.aliases(of: MailAddress(localPart: AliasRule.wildcard, domain: domain))
    }
    package func exists(_ address: MailAddress) throws(DirectoryError) -> Bool {
        try directory.account(address) != nil
    }
}

extension Directory {
    /// Whether mail for an address of an operated domain is caught by an alias: its own, or, where nobody has the name,
    /// the domain's `*` (R-ALIAS-14).
    func isAlias(_ address: MailAddress, exists: Bool) throws(DirectoryError) -> Bool {
        guard address.localPart != AliasRule.wildcard else { return false }
        if try !aliases(of: address).isEmpty { return true }
        if exists { return false }
        return try !aliases(of: MailAddress(localPart: AliasRule.wildcard, domain: address.domain)).isEmpty
    }
}
