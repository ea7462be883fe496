import Control

/// Tab エイリアス (spec file 09; console.md 5.10): aliases of one domain or all, in windows. Edits are staged alias by
/// alias, so that all its real addresses and their order are one value.
struct AliasScreen: SettingsScreen {
    let page = PageID.alias
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(.alias, keys: [])

    private var version = -1
    private var listing: RequestID?
    /// Domains whose aliases are not shown, for they are protected.
    private var leftOut: [String] = []
    /// The window that was asked for, in the table's own counting.
    private var asked: (generation: Int, extra: [TableRow], offset: Int)?
    /// Staged rows on top of the server's when the table asked last.
    private var extra: [TableRow] = []
    private var known: [String: AliasEntry] = [:]
    private var total = 0
    private var windowed: [AliasEntry] = []
    /// What waits for the server's word of one alias.
    private var pending: (request: RequestID, path: String, action: Action)?

    /// What is done with an alias once all its real addresses are known.
    private enum Action {
        case edit(alias: String, target: String)
        case remove(target: String)
        case move(target: String, by: Int)
        /// From the dialog: the real address that `target` becomes, or a new one.
        case put(alias: String, old: String?, new: String)
    }

    init() {
        let list = Table(
            [
                TableColumn("alias", .text("alias.col.alias"), minimum: 18, maximum: 31, priority: 90, sortLetter: "a"),
                TableColumn("target", .text("alias.col.real"), minimum: 18, priority: 80, sortLetter: "r"),
                TableColumn("rewrite", .text("alias.col.rewrite"), minimum: 8, maximum: 9, priority: 40),
                TableColumn("state", .text("alias.col.state"), minimum: 9, maximum: 12, priority: 60),
            ], features: [.add, .delete, .edit, .order, .filter, .sort], empty: .text("alias.empty"))
        form = Form(
            [
                FormRow(.text("alias.domain"), "domain", Select([], selected: "")),
                FormRow(nil, "list", list),
                FormRow(
                    nil,
                    ["add", "change", "delete", "test", "import", "export"].map {
                        FormPart($0, Button(Phrase("alias.\($0)")))
                    }, gap: 1),
            ], buttons: Self.pageButtons(), focus: "list")
    }

    func state(_ context: Context) -> Phrase? {
        let staged = context.model.staged(on: page)
        if context.model.lostAt != nil || context.model.apply != nil || !staged.isEmpty { return commonState(context) }
        return .text("alias.count", String(total))
    }

    private var current: TableRow? { form.widget("list", as: Table.self)?.current }

    func otherHint(_ context: Context) -> Phrase? {
        guard form.focus == "list", let (alias, target) = current.map({ Self.parts($0.id) }) else { return nil }
        let text = known[current?.id ?? ""].map { AliasText.target($0) } ?? target
        let kept = AliasRecord.replaces(alias, text) ? "alias.hint.replaced" : "alias.hint.kept"
        return .text(kept, Visible.line(alias), Visible.line(target))
    }

    func commands(_ context: Context) -> [Command] {
        let off = context.changeRefusal
        return [
            Command("test", .text("alias.test"), keys: [.character("t")], bar: .text("alias.bar.test"), isAction: true),
            Command("import", .text("alias.import"), keys: [.character("i")], off: off, danger: .wide, isAction: true),
            Command("export", .text("alias.export"), keys: [.character("x")], isAction: true),
        ]
    }

    /// The id of a row: alias and real address.
    private static func id(_ alias: String, _ target: String) -> String { "\(alias) \(target)" }
    private static func parts(_ id: String) -> (alias: String, target: String) {
        let parts = id.split(separator: " ", maxSplits: 1).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : "")
    }

    // MARK: - Rows

    mutating func syncOthers(_ context: Context) {
        let names = context.model.domains.map(\.name)
        form.update("domain", as: Select.self) { select in
            let options =
                [Option("", .text("alias.domain.all"))] + names.map { Option($0, .verbatim(Visible.line($0))) }
            if select.options != options { select.options = options }
            if !select.selected.isEmpty, !names.contains(select.selected) { select.selected = "" }
        }
        form.update("list", as: Table.self) { table in
            if version != context.model.aliasesVersion {
                if listing == nil { table.requestFailed() }
                table.invalidate()
            }
        }
        version = context.model.aliasesVersion
        // What was staged or taken back changes rows that are here, and how many there are.
        if stagedRows(context) != extra {
            form.update("list", as: Table.self) { $0.invalidate() }
        } else {
            let rows = windowed.map { AliasText.row($0, context) }
            form.update("list", as: Table.self) { $0.update(rows) }
        }
    }

    package mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            listing = nil
            pending = nil
        }
        settingsChanged(&context)
    }

    /// Real addresses that are only staged, as the filter wants them.
    private func stagedRows(_ context: Context) -> [TableRow] {
        let filter = form.widget("list", as: Table.self)?.filter.lowercased() ?? ""
        let domain = form.selected("domain")
        return context.model.staged(on: page).flatMap { edit -> [TableRow] in
            guard let alias = AliasRecord.name(ofPath: edit.path), domain.isEmpty || AliasRecord.domain(alias) == domain
            else { return [] }
            let base = (edit.theirs ?? edit.base).values ?? []
            return (edit.new ?? []).filter { target in !base.contains { AliasRecord.isSame($0, target) } }
                .filter { filter.isEmpty || alias.contains(filter) || $0.lowercased().contains(filter) }
                .map { AliasText.row(alias, added: $0, edit, context) }
        }
    }

    mutating func requests(_ context: inout Context) {
        guard context.isConnected, context.model.isReady, listing == nil else { return }
        guard let wanted = form.update("list", as: Table.self, { $0.windowWanted() }) ?? nil else { return }
        extra = stagedRows(context)
        asked = (wanted.generation, extra, wanted.offset)
        let domain = form.selected("domain")
        listing = context.send(
            AliasInterface.List.self,
            .init(
                filter: wanted.filter.isEmpty ? nil : wanted.filter, domain: domain.isEmpty ? nil : domain,
                sort: wanted.sort, descending: wanted.isDescending, offset: max(0, wanted.offset - extra.count),
                limit: wanted.limit, locate: wanted.locate))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: AliasInterface.List.self, for: listing) {
            listing = nil
            switch result {
            case .success(let output):
                supply(output, context)
                // Said once, and again when others are left out.
                let names = output.protected ?? []
                if names != leftOut, !names.isEmpty {
                    context.notice(
                        .information, .text("alias.left-out", Visible.line(names.joined(separator: ", "))))
                }
                leftOut = names
            case .failure(let error):
                form.update("list", as: Table.self) { $0.requestFailed() }
                if error.kind != .noConnection { context.notice(.error, error.phrase) }
            }
        }
        if let waiting = pending, let result = message.result(of: AliasInterface.Get.self, for: waiting.request) {
            pending = nil
            switch result {
            case .success(let output):
                context.model.aliases[waiting.path] = AliasRecord.value(output)
                act(waiting.action, waiting.path, &context)
            case .failure(let error): context.notice(.error, error.phrase)
            }
        }
    }

    private mutating func supply(_ output: AliasInterface.List.Output, _ context: Context) {
        guard let asked else { return }
        windowed = output.rows
        known = Dictionary(output.rows.map { (Self.id($0.alias, $0.target), $0) }) { first, _ in first }
        total = output.total
        let rows = output.rows.map { AliasText.row($0, context) }
        let count = asked.extra.count
        let isTop = asked.offset < count
        let window = RowWindow(
            generation: asked.generation, offset: isTop ? 0 : output.offset + count,
            rows: isTop ? asked.extra + rows : rows, total: output.total + count,
            position: output.position.map { $0 + count })
        form.update("list", as: Table.self) { $0.supply(window) }
    }

    // MARK: - Actions

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("domain"): form.update("list", as: Table.self) { $0.restart() }
        case .activated("list"), .activated("change"): perform("change", &context)
        case .activated(let id): perform(id, &context)
        case .command("list", let command): perform(command, &context)
        default: break
        }
    }

    package mutating func perform(_ command: String, _ context: inout Context) {
        if command == "apply" {
            _ = apply(&context)
            return
        }
        if command == "test" {
            let word = current.map { Self.parts($0.id).alias } ?? ""
            return context.open(AliasTestDialog(word.hasPrefix("*") ? "" : word))
        }
        if command == "export" { return context.open(AliasExportDialog()) }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        if command == "add" {
            let domain = form.selected("domain").isEmpty ? context.model.domains.first?.name : form.selected("domain")
            return context.open(AliasDialog(adding: domain ?? ""))
        }
        if command == "import" { return context.open(AliasImportDialog()) }
        guard let (alias, target) = current.map({ Self.parts($0.id) }) else { return }
        switch command {
        case "change": begin(.edit(alias: alias, target: target), alias, &context)
        case "delete": begin(.remove(target: target), alias, &context)
        case "move-up": begin(.move(target: target, by: -1), alias, &context)
        case "move-down": begin(.move(target: target, by: 1), alias, &context)
        default: break
        }
    }

    /// Does it when all real addresses of the alias are known.
    private mutating func begin(_ action: Action, _ alias: String, _ context: inout Context) {
        let path = AliasRecord.path(alias)
        if context.model.draft[path] != nil { return act(action, path, &context) }
        guard pending == nil else { return }
        pending = (context.send(AliasInterface.Get.self, .init(alias: alias)), path, action)
    }

    private mutating func act(_ action: Action, _ path: String, _ context: inout Context) {
        var targets = context.model.values(path)
        func index(of target: String) -> Int? { targets.firstIndex { AliasRecord.isSame($0, target) } }
        switch action {
        case .edit(let alias, let target):
            guard let index = index(of: target) else { return }
            return context.open(AliasDialog(changing: alias, targets[index]))
        case .remove(let target):
            guard let index = index(of: target) else { return }
            targets.remove(at: index)
        case .move(let target, let step):
            guard let index = index(of: target), targets.indices.contains(index + step) else {
                return context.notice(.information, .text("alias.move-end"))
            }
            targets.swapAt(index, index + step)
        case .put(let alias, let old, let new):
            if let other = index(of: new), old.map({ AliasRecord.isSame($0, new) }) != true {
                return context.notice(
                    .warning, .text("alias.exists", Visible.line(alias), Visible.line(targets[other])))
            }
            if let old, let index = index(of: old) { targets[index] = new } else { targets.append(new) }
        }
        context.stage(path, targets.isEmpty ? nil : targets)
        context.modelChanged()
        syncOthers(context)
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        if answer.id == "alias-imported" {
            context.model.aliasesVersion += 1
            return context.modelChanged()
        }
        guard answer.id == "alias", answer.button == "ok", let alias = answer.values["alias"],
            let target = answer.values["target"]
        else { return }
        let oldAlias = answer.values["oldAlias"] ?? ""
        let oldTarget = answer.values["oldTarget"] ?? ""
        if !oldAlias.isEmpty, AliasRecord.path(oldAlias) != AliasRecord.path(alias) {
            // Its alias is known since the dialog was opened: the real address moves from the one to the other.
            act(.remove(target: oldTarget), AliasRecord.path(oldAlias), &context)
            return begin(.put(alias: alias, old: nil, new: target), alias, &context)
        }
        begin(.put(alias: alias, old: oldTarget.isEmpty ? nil : oldTarget, new: target), alias, &context)
    }
}

/// Aliases in words.
enum AliasText {
    /// `real`, `real,0` or `real,1`.
    static func target(_ entry: AliasEntry) -> String { AliasRecord.target(entry.target, entry.rewrite) }

    /// A row of the server, with what is staged of its alias put over it.
    static func row(_ entry: AliasEntry, _ context: Context) -> TableRow {
        let path = AliasRecord.path(entry.alias)
        var target = target(entry)
        var state = context.say(Phrase(code: "alias.state.\(entry.state)", english: entry.state))
        var role: Role = ["ok", "chain", "external"].contains(entry.state) ? .normal : .problem
        var mark = context.model.mark(path, now: context.now)
        if let edit = context.model.draft[path] {
            if let new = (edit.new ?? []).first(where: { AliasRecord.isSame($0, target) }) {
                if new != target { target = new }
            } else {
                state = context.say("alias.state.removed")
                role = .disabled
            }
        }
        if mark == .none, role == .problem { mark = .problem }
        return TableRow(
            id: "\(entry.alias) \(entry.target)",
            cells: [
                Visible.line(entry.alias), Visible.line(target), rewrite(entry.alias, target, context), state,
            ], mark: mark, role: role)
    }

    /// A real address that is only staged.
    static func row(_ alias: String, added target: String, _ edit: StagedEdit, _ context: Context) -> TableRow {
        TableRow(
            id: "\(alias) \(AliasRecord.parts(target).address)",
            cells: [
                Visible.line(alias), Visible.line(target), rewrite(alias, target, context),
                context.say("alias.state.new"),
            ], mark: edit.isConflict ? .problem : .staged)
    }

    private static func rewrite(_ alias: String, _ target: String, _ context: Context) -> String {
        context.say(Phrase(AliasRecord.replaces(alias, target) ? "alias.rewrite.replace" : "alias.rewrite.keep"))
    }
}
