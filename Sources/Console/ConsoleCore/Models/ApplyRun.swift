import Control

/// An Apply under way: the settings in one transaction first, then domain by domain and table by table. What the server
/// took has left the draft; a refusal stops the rest, which stays staged.
struct ApplyRun: Hashable, Sendable {
    /// Paths of the settings sent together.
    var settings: [String]
    /// Edits of domains and tables still to be sent.
    var records: [StagedEdit]
    var note: String
    /// The record under way.
    var current: StagedEdit?
    var effects: Set<String> = []
    var warnings: [Problem] = []
    var applied = 0
    var revision = 0

    func owns(_ path: String) -> Bool { settings.contains(path) || current?.path == path }
}

/// How the last Apply ended; the page that started it looks at it in `modelChanged`.
enum ApplyOutcome: Hashable, Sendable {
    case done(ApplyRun)
    case refused([Problem])
}

extension Context {
    /// Sends the staged changes of `paths` that are not in conflict.
    /// - Returns: whether something was sent; why not stands in the message line.
    mutating func startApply(_ paths: [String], note: String = "") -> Bool {
        if let refusal = changeRefusal {
            notice(.warning, refusal)
            return false
        }
        guard model.apply == nil else {
            notice(.information, .text("notice.busy"))
            return false
        }
        let chosen = Set(paths)
        let edits = model.draft.ready.filter { chosen.contains($0.path) }
        guard !edits.isEmpty else {
            notice(.information, .text("notice.nothing-to-apply"))
            return false
        }
        let settings = edits.filter { !$0.isRecord }
        model.applyOutcome = nil
        var run = ApplyRun(settings: settings.map(\.path), records: edits.filter(\.isRecord), note: note)
        if settings.isEmpty {
            sendNextRecord(&run)
        } else {
            let changes = settings.map { SettingChange(key: $0.path, values: $0.new, baseRevision: $0.base.revision) }
            ask(SettingsInterface.Apply.self, .init(changes: changes, note: note), for: .apply)
        }
        model.apply = run
        return true
    }

    private mutating func sendNextRecord(_ run: inout ApplyRun) {
        guard !run.records.isEmpty else {
            run.current = nil
            return
        }
        let edit = run.records.removeFirst()
        run.current = edit
        if let name = TableRecord.name(ofPath: edit.path) { return send(table: name, edit, note: run.note) }
        if let revision = RevertRecord.revision(ofPath: edit.path) {
            return ask(SettingsInterface.Revert.self, .init(revision: revision, note: run.note), for: .apply)
        }
        if let alias = AliasRecord.name(ofPath: edit.path) {
            return ask(
                AliasInterface.Set.self,
                .init(alias: alias, targets: edit.new ?? [], baseRevision: edit.base.revision, note: run.note),
                for: .apply)
        }
        let name = DomainRecord.name(ofPath: edit.path) ?? ""
        let base = edit.base.values.flatMap(DomainRecord.init(values:))
        guard let record = edit.new.flatMap(DomainRecord.init(values:)) else {
            return ask(DirectoryInterface.RemoveDomain.self, .init(name: name, note: run.note), for: .apply)
        }
        let values = record.request(base: base)
        if base == nil {
            ask(DirectoryInterface.AddDomain.self, .init(name: name, values: values, note: run.note), for: .apply)
        } else {
            ask(
                DirectoryInterface.ChangeDomain.self,
                .init(name: name, values: values, baseRevision: edit.base.revision, note: run.note), for: .apply)
        }
    }

    private mutating func send(table name: String, _ edit: StagedEdit, note: String) {
        ask(
            TablesInterface.Set.self,
            .init(
                table: name, text: TableRecord.text(of: edit.new ?? []), baseEtag: model.tables[name]?.etag, note: note),
            for: .apply)
    }

    /// One step of the run went well.
    mutating func applyStepDone(_ applied: Applied) {
        guard var run = model.apply else { return }
        run.effects.formUnion(applied.effects)
        run.warnings += applied.warnings
        run.revision = applied.revision
        if let current = run.current {
            remember([current], revision: applied.revision)
            run.applied += 1
        } else {
            remember(model.draft.edits.filter { run.settings.contains($0.path) }, revision: applied.revision)
            run.applied += run.settings.count
            run.settings = []
        }
        sendNextRecord(&run)
        model.apply = run.current == nil ? nil : run
        announce()
        guard run.current == nil else { return }
        model.applyOutcome = .done(run)
        refresh(SettingsInterface.List.self, .init(), for: .settings)
        refresh(DirectoryInterface.ListDomains.self, .init(), for: .domains)
        let told = run.warnings.first.map { ($0.phrase, Notice.Level.warning) }
        notice(
            told?.1 ?? .information, told?.0 ?? .text("notice.applied", String(run.applied), String(run.revision)))
        offerRestart(run)
    }

    /// What was applied is the server's value now, even before its own word of it arrives.
    private mutating func remember(_ edits: [StagedEdit], revision: Int) {
        for edit in edits {
            model.problems[edit.path] = nil
            if let name = TableRecord.name(ofPath: edit.path) {
                model.ownChanges.insert(edit.path)
                model.tables[name]?.lines = edit.new ?? []
                // Its new mark is the server's to say.
                refresh(TablesInterface.Show.self, .init(table: name), for: .table(name))
            } else if RevertRecord.revision(ofPath: edit.path) != nil {
                model.ownChanges.formUnion(RevertRecord.paths(in: edit))
            } else if AliasRecord.name(ofPath: edit.path) != nil {
                model.ownChanges.insert(edit.path)
                model.aliases[edit.path] = ServerValue(values: edit.new, revision: revision)
                model.aliasesVersion += 1
            } else if let name = DomainRecord.name(ofPath: edit.path) {
                model.ownChanges.insert(edit.path)
                rememberDomain(name, edit.new.flatMap(DomainRecord.init(values:)), revision)
            } else if let values = edit.new {
                let shown = edit.isSecret ? (values.isEmpty || values == [""] ? [] : ["********"]) : values
                model.settings[edit.path] = SettingEntry(
                    key: edit.path, values: shown, isDefault: false, revision: revision)
            }
        }
        model.draft.applied(edits.map(\.path))
    }

    /// Settings that a call of this console changed beside the draft: known before the server's own word of it arrives.
    mutating func adopt(_ applied: Applied) {
        for change in applied.changes {
            guard let values = change.new, model.settings[change.path] != nil else { continue }
            model.settings[change.path] = SettingEntry(
                key: change.path, values: values, isDefault: false, revision: applied.revision)
            model.problems[change.path] = nil
            _ = model.draft.serverChanged(change.path, to: model.server(change.path))
        }
    }

    private mutating func rememberDomain(_ name: String, _ record: DomainRecord?, _ revision: Int) {
        let old = model.domains.firstIndex { $0.name == name }
        guard let record else {
            if let old { model.domains.remove(at: old) }
            return
        }
        let entry = DomainEntry(
            name: name, maxAccounts: Int(record.maxAccounts) ?? 0, mailboxMode: record.mailboxMode,
            smtpAddresses: record.addresses.split(separator: " ").map(String.init), folder: record.folder,
            accounts: old.map { model.domains[$0].accounts } ?? 0, revision: revision,
            isProtected: old.map { model.domains[$0].isProtected } ?? false)
        if let old { model.domains[old] = entry } else { model.domains.append(entry) }
    }

    mutating func applyFailed(_ error: ControlError) {
        let current = model.apply?.current?.path
        model.apply = nil
        let found = (error.detail.problems ?? []).filter { !$0.isWarning }
        for problem in found {
            // A line of a table, or a place that a revert touches, stands in Review under what was to be sent.
            let isPart =
                current.map { TableRecord.name(ofPath: $0) != nil || $0.hasPrefix(RevertRecord.prefix) } ?? false
            model.problems[isPart ? current ?? "" : problem.path, default: []].append(problem)
        }
        model.applyOutcome = .refused(found)
        if error.kind != .noConnection { notice(.error, error.phrase) }
        // The change stays staged; it can be applied once the domain is open.
        if error.detail.code == "domain.locked", let domain = error.detail.arguments?.first {
            open(DomainOpenDialog(domain))
        }
        if error.kind == .conflict {
            refresh(SettingsInterface.List.self, .init(), for: .settings)
            refresh(DirectoryInterface.ListDomains.self, .init(), for: .domains)
            refreshStagedAliases()
            for name in model.tables.keys { refresh(TablesInterface.Show.self, .init(table: name), for: .table(name)) }
        }
    }

    /// A change that holds only after a restart says so and offers it (R-MC-06).
    private mutating func offerRestart(_ run: ApplyRun) {
        let services = RestartQuestion.services(of: run.effects)
        guard !services.isEmpty else { return }
        open(RestartQuestion(services: services))
    }
}
