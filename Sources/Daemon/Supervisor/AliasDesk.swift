import Control
import ControlServer
import Facts
import MailModel
import MessageFormat
import Policy
import Store
import Tables

/// org.epost.Aliases
struct AliasDesk: Sendable {
    let desk: Desk
    let browser: AliasBrowser
    let directory: any Directory
    private let parts = SentTexts()

    init(desk: Desk, browser: AliasBrowser, directory: any Directory) {
        self.desk = desk
        self.browser = browser
        self.directory = directory
    }

    func register(on server: ControlServer) {
        registerLists(on: server)
        registerChanges(on: server)
        registerImport(on: server)
    }

    private func registerLists(on server: ControlServer) {
        let (desk, browser, directory) = (desk, browser, directory)
        server.on(AliasInterface.List.self) { input, caller throws(ControlError) in
            if let domain = input.domain { try desk.gate.need([domain], caller) }
            let shut = try desk.gate.shut(caller)
            return try await desk.offload.run { () throws(ControlError) in
                let (rows, total, offset, position) = try browser.list(input, hidden: shut)
                let hidden = shut.isEmpty ? [] : try browser.domains().intersection(shut).sorted()
                return .init(
                    rows: try Self.entries(rows, directory), total: total, offset: offset, position: position,
                    protected: hidden.isEmpty ? nil : hidden)
            }
        }
        server.on(AliasInterface.Get.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.alias, caller)
            return try await desk.offload.run { () throws(ControlError) in try desk.store.alias(input.alias) }
        }
        server.on(AliasInterface.Export.self) { input, caller throws(ControlError) in
            // A file that lacks some would be taken for all of them.
            try desk.gate.need(try browser.domains().sorted(), caller)
            return try await desk.offload.run { () throws(ControlError) in
                try browser.export(offset: input.offset, limit: input.limit)
            }
        }
        server.on(AliasInterface.Test.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            guard let address = MailAddress(typed: input.address) else {
                let shown = DisplayText.clean(input.address, limit: 80)
                throw ControlError(
                    .refused, code: "alias.bad-address", "\"\(shown)\" is not an address such as info@example.jp.",
                    arguments: [shown])
            }
            let edits = try Self.rules(input.edits ?? [])
            return try await desk.offload.run { () throws(ControlError) in
                try Self.asking(directory) { source throws(DirectoryError) in
                    try Self.test(address, EditedAliases(source, edits: edits))
                }
            }
        }
    }

    private func registerChanges(on server: ControlServer) {
        let desk = desk
        func change<M: ControlMethod>(
            _ method: M.Type, _ aliases: @escaping @Sendable (M.Input) -> [String],
            _ body: @escaping @Sendable (M.Input, Author) throws(ControlError) -> Applied
        ) where M.Output == Applied {
            server.on(method) { input, caller throws(ControlError) in
                try desk.needConfiguration()
                for alias in aliases(input) { try desk.gate.need(address: alias, caller) }
                let applied = try await desk.offload.run { () throws(ControlError) in
                    try body(input, Desk.author(caller))
                }
                return desk.published(applied, by: caller)
            }
        }
        change(AliasInterface.Add.self, { [$0.alias] }) { input, author throws(ControlError) in
            try desk.store.addAlias(input.alias, input.target, note: input.note, by: author)
        }
        change(AliasInterface.Change.self, { [$0.alias, $0.newAlias] }) { input, author throws(ControlError) in
            try desk.store.changeAlias(input, by: author)
        }
        change(AliasInterface.Set.self, { [$0.alias] }) { input, author throws(ControlError) in
            try desk.store.setAlias(input, by: author)
        }
        change(AliasInterface.Remove.self, { [$0.alias] }) { input, author throws(ControlError) in
            try desk.store.removeAlias(input.alias, input.target, note: input.note, by: author)
        }
    }

    private func registerImport(on server: ControlServer) {
        let (desk, parts) = (desk, parts)
        server.on(AliasInterface.Send.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            return .init(transfer: try parts.add(input.text, to: input.transfer, caller))
        }
        server.on(AliasInterface.Import.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            let before = try input.transfer.map { name throws(ControlError) in try parts.take(name, caller) }
            let text = (before ?? "") + input.text
            let reading = try await desk.offload.run { () throws(ControlError) in AliasTSV.read(TableText(text)) }
            let problems = reading.problems.map {
                Problem(
                    path: "line/\($0.line)", code: $0.code, message: $0.message, arguments: $0.arguments,
                    isWarning: $0.isWarning)
            }
            let faults = problems.filter { !$0.isWarning }
            if let first = faults.first {
                throw ControlError(
                    .refused, code: first.code, first.message, arguments: first.arguments,
                    problems: Array(faults.prefix(100)))
            }
            var (applied, output) = try await desk.offload.run { () throws(ControlError) in
                try desk.store.importAliases(
                    reading.value, replaces: input.replaces, dryRun: input.dryRun, note: input.note,
                    by: Desk.author(caller)
                ) { paths throws(ControlError) in try desk.gate.need(paths: paths, caller) }
            }
            // Watchers are told that much has changed, not ten thousand lines of it.
            if applied.changes.count > Self.toldChanges {
                applied.changes = [ChangeRecord(path: "alias", old: nil, new: nil)]
                applied.effects = ["now"]
            }
            _ = desk.published(applied, by: caller)
            output.problems = Array(problems.prefix(100))
            return output
        }
    }

    private static let toldChanges = 200

    // MARK: What an alias leads to

    private static func asking<Value>(
        _ directory: any Directory, _ body: (DirectoryAliases) throws(DirectoryError) -> Value
    ) throws(ControlError) -> Value {
        do throws(DirectoryError) {
            // Nothing that was changed before the question may be missed.
            _ = try directory.revision()
            return try body(DirectoryAliases(directory))
        } catch {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
    }

    private static func entries(
        _ rows: [AliasBrowser.Row], _ directory: any Directory
    ) throws(ControlError) -> [AliasEntry] {
        try asking(directory) { source throws(DirectoryError) in
            var out: [AliasEntry] = []
            for row in rows {
                out.append(
                    AliasEntry(
                        alias: row.rule.alias.text, target: row.rule.target.text, rewrite: row.rule.rewrite.rawValue,
                        state: try state(of: row.rule, source), revision: Int(row.revision)))
            }
            return out
        }
    }

    static func state(of rule: AliasRule, _ source: DirectoryAliases) throws(DirectoryError) -> String {
        guard try source.isOperated(domain: rule.alias.domain) else { return "no-domain" }
        guard try source.isOperated(domain: rule.target.domain) else { return "external" }
        if rule.target.localPart == AliasRule.wildcard { return "ok" }
        if rule.target.folded == rule.alias.folded { return try source.exists(rule.target) ? "ok" : "no-box" }
        let expansion = try AliasExpansion.expand(rule.target, in: source)
        if expansion.dead.contains(where: { $0.fault != .unknown }) { return "loop" }
        if expansion.targets.isEmpty { return "no-box" }
        return expansion.isAliased ? "chain" : "ok"
    }

    /// As `Set` would read them.
    private static func rules(
        _ edits: [AliasInterface.Test.Edit]
    ) throws(ControlError) -> [MailAddress: [AliasRule]] {
        var out: [MailAddress: [AliasRule]] = [:]
        for edit in edits {
            guard let alias = MailAddress(typed: edit.alias) else {
                let shown = DisplayText.clean(edit.alias, limit: 80)
                throw ControlError(
                    .refused, code: "alias.bad-alias", "The alias needs the form name@domain.", arguments: [shown])
            }
            var rules: [AliasRule] = []
            for target in edit.targets { rules.append(try StoreWriter.aliasRule(edit.alias, target)) }
            out[alias.folded] = rules
        }
        return out
    }

    static func test(
        _ address: MailAddress, _ source: EditedAliases<DirectoryAliases>
    ) throws(DirectoryError) -> AliasInterface.Test.Output {
        let expansion = try AliasExpansion.expand(address, in: source, explain: true)
        var places: [AliasInterface.Test.Output.Place] = []
        for target in expansion.targets {
            places.append(
                .init(
                    address: target.address.text, envelope: target.envelope.text,
                    isLocal: try source.isOperated(domain: target.address.domain)))
        }
        return .init(
            places: places,
            dead: expansion.dead.map { .init(address: $0.address.text, fault: text(of: $0.fault)) },
            steps: expansion.trail.map {
                .init(
                    check: $0.check, finding: DisplayText.clean($0.finding, limit: 1000),
                    source: $0.source?.text ?? "", decided: $0.decided)
            },
            edited: source.met.map(\.text).sorted())
    }

    private static func text(of fault: AliasExpansion.Fault) -> String {
        switch fault {
        case .unknown: "unknown"
        case .loop: "loop"
        case .tooLong: "too-long"
        case .tooMany: "too-many"
        }
    }
}
