import Control
import Database
import MailModel
import Tables

extension StoreWriter {
    /// org.epost.Aliases.Add
    package func addAlias(
        _ alias: String, _ target: String, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let rule = try Self.aliasRule(alias, target)
            try Self.checkDomain(of: rule, reader)
            let old = try reader.aliases(rule.alias.folded)
            if old.contains(where: { $0.target.folded == rule.target.folded }) {
                throw Self.refused(
                    Self.path(rule.alias), "alias.exists", "\(rule.alias.text) leads to \(rule.target.text) already",
                    rule.alias.text, rule.target.text)
            }
            let (revision, records) = try change(author, note: note, connection) {
                try $0.put(rule.alias, from: old, to: old + [rule])
            }
            return Self.applied(revision, records, [])
        }
    }

    /// org.epost.Aliases.Change
    package func changeAlias(
        _ input: AliasInterface.Change.Input, by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let (alias, old, index) = try Self.known(input.alias, input.target, reader)
            let rule = try Self.aliasRule(input.newAlias, input.newTarget)
            try Self.checkDomain(of: rule, reader)
            if let base = input.baseRevision {
                let newest = try Self.newestRevision(of: Self.path(alias), connection)
                if newest > Int64(base) { throw Self.conflict([Self.conflictProblem(Self.path(alias), newest)]) }
            }
            let isSame = rule.alias.folded == alias.folded
            let there =
                isSame
                ? old.enumerated().filter { $0.offset != index }.map(\.element)
                : try reader.aliases(rule.alias.folded)
            if there.contains(where: { $0.target.folded == rule.target.folded }) {
                throw Self.refused(
                    Self.path(rule.alias), "alias.exists", "\(rule.alias.text) leads to \(rule.target.text) already",
                    rule.alias.text, rule.target.text)
            }
            let (revision, records) = try change(author, note: input.note, connection) { editor in
                var left = old
                if isSame {
                    left[index] = rule
                    if left != old { try editor.put(rule.alias, from: old, to: left) }
                } else {
                    left.remove(at: index)
                    try editor.put(alias, from: old, to: left)
                    try editor.put(rule.alias, from: there, to: there + [rule])
                }
            }
            return Self.applied(revision, records, [])
        }
    }

    /// org.epost.Aliases.Set
    package func setAlias(_ input: AliasInterface.Set.Input, by author: Author) throws(ControlError) -> Applied {
        try locked { connection, reader in
            var rules: [AliasRule] = []
            for target in input.targets {
                let rule = try Self.aliasRule(input.alias, target)
                if rules.contains(where: { $0.target.folded == rule.target.folded }) {
                    throw Self.refused(
                        Self.path(rule.alias), "alias.exists",
                        "\(rule.alias.text) leads to \(rule.target.text) already", rule.alias.text, rule.target.text)
                }
                rules.append(rule)
            }
            if let first = rules.first { try Self.checkDomain(of: first, reader) }
            guard let alias = MailAddress(typed: input.alias) else {
                throw Self.notFound(
                    "alias/\(input.alias)", "alias.unknown", "there is no alias \(input.alias)", input.alias)
            }
            let newest = try Self.newestRevision(of: Self.path(alias), connection)
            if let base = input.baseRevision, newest > Int64(base) {
                throw Self.conflict([Self.conflictProblem(Self.path(alias), newest)])
            }
            let old = try reader.aliases(alias.folded)
            guard old != rules else { return Self.applied(try reader.revision(), [], []) }
            let (revision, records) = try change(author, note: input.note, connection) {
                try $0.put(alias, from: old, to: rules)
            }
            return Self.applied(revision, records, [])
        }
    }

    /// org.epost.Aliases.Get
    package func alias(_ alias: String) throws(ControlError) -> AliasInterface.Get.Output {
        try locked { connection, reader in
            guard let address = MailAddress(typed: alias) else { return .init(targets: [], revision: 0) }
            return .init(
                targets: try reader.aliases(address.folded).map(\.targetText),
                revision: Int(try Self.newestRevision(of: Self.path(address), connection)))
        }
    }

    /// org.epost.Aliases.Remove
    package func removeAlias(
        _ alias: String, _ target: String?, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let (found, old, index) = try Self.known(alias, target, reader)
            var left = old
            if target == nil { left = [] } else { left.remove(at: index) }
            let (revision, records) = try change(author, note: note, connection) {
                try $0.put(found, from: old, to: left)
            }
            return Self.applied(revision, records, [])
        }
    }

    /// org.epost.Aliases.Import: all lines or none, one revision.
    /// - Parameters:
    ///   - rows: without faults; `line` for problems.
    ///   - mayTouch: called with the paths that would change, before anything is told or done.
    package func importAliases(
        _ rows: [AliasTSV.Row], replaces: Bool, dryRun: Bool, note: String, by author: Author,
        mayTouch: ([String]) throws(ControlError) -> Void = { _ throws(ControlError) in }
    ) throws(ControlError) -> (applied: Applied, output: AliasInterface.Import.Output) {
        try locked { connection, reader in
            let domains = Set(try reader.domains().map(\.name))
            let foreign = rows.filter { !domains.contains($0.rule.alias.domain) }
            if !foreign.isEmpty {
                throw Self.refused(foreign.prefix(100).map { Self.foreignDomain($0.rule, path: "line/\($0.line)") })
            }
            var plan = AliasImportPlan(try reader.allAliases(), replaces: replaces)
            for row in rows { plan.add(row.rule) }
            plan.finish()
            try mayTouch(plan.steps.map { Self.path($0.alias) })
            var output = AliasInterface.Import.Output(
                revision: Int(try reader.revision()), added: plan.added, kept: plan.kept, removed: plan.removed,
                problems: [])
            if dryRun { return (Self.applied(try reader.revision(), [], []), output) }
            let (revision, records) = try change(author, note: note, connection) { editor in
                for step in plan.steps { try editor.put(step.alias, from: step.old, to: step.new) }
            }
            output.revision = Int(revision)
            return (Self.applied(revision, records, []), output)
        }
    }

    // MARK: Checks

    static func path(_ alias: MailAddress) -> String { "alias/\(alias.folded.text)" }

    package static func aliasRule(_ alias: String, _ target: String) throws(ControlError) -> AliasRule {
        switch AliasRule.read(alias: alias, target: target) {
        case .success(let rule): return rule
        case .failure(let failure):
            let value = failure.fault == .alias ? alias : target
            throw refused("alias/\(alias)", "alias.\(failure.fault.rawValue)", failure.message, value)
        }
    }

    /// R-ALIAS-15
    private static func checkDomain(of rule: AliasRule, _ reader: StoreReader) throws {
        guard try reader.domains().contains(where: { $0.name == rule.alias.domain }) else {
            throw refused([foreignDomain(rule, path: path(rule.alias))])
        }
    }

    private static func foreignDomain(_ rule: AliasRule, path: String) -> Problem {
        Problem(
            path: path, code: "alias.foreign-domain",
            message: "the domain \(rule.alias.domain) of the alias is not operated here",
            arguments: [rule.alias.domain])
    }

    /// - Parameter target: with or without option; `nil` = any.
    /// - Returns: the alias as it stands there, its rules, and which of them is meant.
    private static func known(
        _ alias: String, _ target: String?, _ reader: StoreReader
    ) throws -> (alias: MailAddress, rules: [AliasRule], index: Int) {
        let unknown = notFound("alias/\(alias)", "alias.unknown", "there is no alias \(alias)", alias)
        guard let address = MailAddress(typed: alias) else { throw unknown }
        let rules = try reader.aliases(address.folded)
        guard let first = rules.first else { throw unknown }
        guard let target else { return (first.alias, rules, 0) }
        guard case .success(let wanted) = AliasRule.read(alias: alias, target: target),
            let index = rules.firstIndex(where: { $0.target.folded == wanted.target.folded })
        else {
            throw notFound(
                path(address), "alias.unknown-target", "\(alias) does not lead to \(target)", alias, target)
        }
        return (rules[index].alias, rules, index)
    }
}

extension StoreReader {
    /// Every rule, by alias and position.
    func allAliases() throws(DatabaseError) -> [AliasRule] {
        try connection.rows(
            "SELECT \(Schema.aliasColumns) FROM aliases ORDER BY domain, folded, position", read: Self.alias
        ).compactMap { $0?.rule }
    }
}

/// What an import changes, alias by alias.
private struct AliasImportPlan {
    struct Step {
        var alias: MailAddress
        var old: [AliasRule]
        var new: [AliasRule]
    }
    private(set) var steps: [Step] = []
    private(set) var added = 0
    private(set) var kept = 0
    private(set) var removed = 0
    private let replaces: Bool
    private var old: [MailAddress: [AliasRule]] = [:]
    private var new: [MailAddress: [AliasRule]] = [:]
    private var order: [MailAddress] = []

    init(_ present: [AliasRule], replaces: Bool) {
        self.replaces = replaces
        for rule in present { old[rule.alias.folded, default: []].append(rule) }
    }

    /// A rule that is there with another option takes the new one.
    mutating func add(_ rule: AliasRule) {
        let key = rule.alias.folded
        let before = old[key] ?? []
        if new[key] == nil {
            order.append(key)
            new[key] = replaces ? [] : before
        }
        let wasThere = before.contains { $0.target.folded == rule.target.folded }
        if wasThere { kept += 1 } else { added += 1 }
        if let index = new[key]?.firstIndex(where: { $0.target.folded == rule.target.folded }) {
            new[key]?[index] = rule
        } else {
            new[key, default: []].append(rule)
        }
    }

    mutating func finish() {
        if replaces {
            for key in old.keys.sorted(by: { $0.text < $1.text }) where new[key] == nil {
                order.append(key)
                new[key] = []
            }
        }
        for key in order {
            let (before, after) = (old[key] ?? [], new[key] ?? [])
            removed += before.count { rule in !after.contains { $0.target.folded == rule.target.folded } }
            guard before != after, let alias = (after.first ?? before.first)?.alias else { continue }
            steps.append(Step(alias: alias, old: before, new: after))
        }
    }
}
