import MailModel
import Tables

/// What alias expansion asks. Receiver and delivery answer from the directory, tests from a dictionary.
package protocol AliasSource {
    associatedtype Failure: Error
    func isOperated(domain: String) throws(Failure) -> Bool
    /// Rules whose alias is this very address.
    func rules(for address: MailAddress) throws(Failure) -> [AliasRule]
    /// Rules of `*@domain`.
    func wildcards(of domain: String) throws(Failure) -> [AliasRule]
    /// Whether an account or a mailing list has this name.
    func exists(_ address: MailAddress) throws(Failure) -> Bool
}

/// An address at the end of its aliases.
package struct AliasTarget: Hashable, Sendable {
    /// Where the mail goes: mailbox, list, or host of the domain.
    package var address: MailAddress
    /// What the next server or the mailbox sees as recipient (R-ALIAS-09).
    package var envelope: MailAddress
}

/// What an address stands for (spec file 09).
package struct AliasExpansion: Hashable, Sendable {
    package enum Fault: Hashable, Sendable {
        /// In an operated domain, and nobody has the name.
        case unknown
        case loop
        /// More than `maximumSteps` aliases in a chain.
        case tooLong
        /// More than `maximumTargets` addresses.
        case tooMany
    }
    package struct Dead: Hashable, Sendable {
        package var address: MailAddress
        package var fault: Fault
    }
    /// In the order of the rules, each once.
    package private(set) var targets: [AliasTarget] = []
    package private(set) var dead: [Dead] = []
    /// Whether an alias took part at all.
    package private(set) var isAliased = false
    /// For people; recorded when asked for.
    package private(set) var trail: [TrailStep] = []

    /// Aliases in a chain (R-ALIAS-16).
    package static let maximumSteps = 10
    /// Real addresses of one alias, all branches together.
    package static let maximumTargets = 1_000

    private var seen: Set<MailAddress> = []
    /// Aliases that were followed: a second way to one adds nothing, and a web of aliases costs each of them once.
    private var followed: Set<MailAddress> = []
    private var isRecording = false

    private init() {}

    /// Exact alias, then account or list, then wildcard alias (R-ALIAS-14); results are looked up again. An alias that
    /// leads to its own address means the account or list of that name.
    package static func expand<Source: AliasSource>(
        _ address: MailAddress, in source: Source, explain: Bool = false
    ) throws(Source.Failure) -> AliasExpansion {
        var expansion = AliasExpansion()
        expansion.isRecording = explain
        try expansion.follow(AliasTarget(address: address, envelope: address), [], source)
        return expansion
    }

    private mutating func follow<Source: AliasSource>(
        _ target: AliasTarget, _ path: [MailAddress], _ source: Source
    ) throws(Source.Failure) {
        let address = target.address
        guard try source.isOperated(domain: address.domain) else {
            return arrive(target, "<\(address.text)> is in no operated domain: sent to the host of \(address.domain)")
        }
        let isName = address.localPart != AliasRule.wildcard
        let exact = isName ? try source.rules(for: address) : []
        if !exact.isEmpty { return try branch(exact, target, path, source) }
        if try source.exists(address) { return arrive(target, "<\(address.text)> is an account or a mailing list") }
        let wildcards = isName ? try source.wildcards(of: address.domain) : []
        if !wildcards.isEmpty { return try branch(wildcards, target, path, source) }
        end(address, .unknown, "no account, alias or list has the name <\(address.text)>")
    }

    private mutating func branch<Source: AliasSource>(
        _ rules: [AliasRule], _ target: AliasTarget, _ path: [MailAddress], _ source: Source
    ) throws(Source.Failure) {
        let folded = target.address.folded
        isAliased = true
        if path.contains(folded) {
            return end(target.address, .loop, "<\(target.address.text)> leads back to itself")
        }
        if path.count >= Self.maximumSteps {
            return end(target.address, .tooLong, "more than \(Self.maximumSteps) aliases in a chain")
        }
        guard followed.insert(folded).inserted else { return }
        for rule in rules {
            let next = rule.target(for: target.address)
            let replaces = rule.replaces(target.address)
            let moved = AliasTarget(address: next, envelope: replaces ? next : target.envelope)
            note(
                "alias.rule",
                "\(rule.alias.text) -> \(rule.targetText): <\(target.address.text)> becomes <\(next.text)>, "
                    + (replaces
                        ? "and so does the envelope recipient" : "envelope recipient <\(target.envelope.text)>"),
                .builtIn(rule.isWildcard ? "R-ALIAS-03" : "R-ALIAS-01"))
            if next.folded == folded {
                if try source.exists(next) {
                    arrive(moved, "<\(next.text)> is an account or a mailing list")
                } else {
                    end(next, .loop, "<\(next.text)> leads to itself, and no account has this name")
                }
            } else {
                try follow(moved, path + [folded], source)
            }
        }
    }

    private mutating func arrive(_ target: AliasTarget, _ finding: @autoclosure () -> String) {
        guard targets.count < Self.maximumTargets else { return end(target.address, .tooMany, "too many addresses") }
        note("alias.target", finding(), nil)
        if seen.insert(target.address.folded).inserted { targets.append(target) }
    }

    private mutating func end(_ address: MailAddress, _ fault: Fault, _ finding: @autoclosure () -> String) {
        note("alias.end", finding(), .builtIn("R-ALIAS-16"), decided: true)
        let entry = Dead(address: address, fault: fault)
        if dead.count < Self.maximumTargets, !dead.contains(entry) { dead.append(entry) }
    }

    private mutating func note(
        _ check: String, _ finding: @autoclosure () -> String, _ source: RuleSource?, decided: Bool = false
    ) {
        guard isRecording, trail.count < 200 else { return }
        trail.append(TrailStep(check: check, finding: finding(), source: source, decided: decided))
    }
}
