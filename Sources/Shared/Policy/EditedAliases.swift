import MailModel
import Tables

/// Aliases with edits put over them that are not made yet, so that they can be judged before. Used by one thread.
package final class EditedAliases<Base: AliasSource>: AliasSource {
    package typealias Failure = Base.Failure
    private let base: Base
    private let edits: [MailAddress: [AliasRule]]
    /// Aliases of the edits that were asked for, folded: the way led over them.
    package private(set) var met: Set<MailAddress> = []

    /// - Parameter edits: all rules that an alias would have, by its folded address; none: the alias would be gone.
    package init(_ base: Base, edits: [MailAddress: [AliasRule]]) {
        self.base = base
        self.edits = edits
    }

    package func isOperated(domain: String) throws(Base.Failure) -> Bool { try base.isOperated(domain: domain) }
    package func exists(_ address: MailAddress) throws(Base.Failure) -> Bool { try base.exists(address) }

    package func rules(for address: MailAddress) throws(Base.Failure) -> [AliasRule] {
        if let rules = edited(address) { return rules }
        return try base.rules(for: address)
    }
    package func wildcards(of domain: String) throws(Base.Failure) -> [AliasRule] {
        if let rules = edited(MailAddress(localPart: AliasRule.wildcard, domain: domain)) { return rules }
        return try base.wildcards(of: domain)
    }

    private func edited(_ address: MailAddress) -> [AliasRule]? {
        guard let rules = edits[address.folded] else { return nil }
        met.insert(address.folded)
        return rules
    }
}
