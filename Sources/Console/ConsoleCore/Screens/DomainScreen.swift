import Control
import Settings

/// Tab ドメイン管理 (R-DOM-01 to R-DOM-31). Domains are staged like settings and sent by Apply.
struct DomainScreen: SettingsScreen {
    let page = PageID.domain
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(
        .domain,
        keys: ["net.ip_version", "net.ipv6_hostname", "accounts.backend", "admin.account", "admin.copy_bounces"])

    init() {
        let table = Table(
            [
                TableColumn("name", .text("domain.col.name"), minimum: 16, maximum: 30, priority: 90),
                TableColumn("address", .text("domain.col.address"), minimum: 12, maximum: 24, priority: 60),
                TableColumn("box", .text("domain.col.box"), minimum: 8, maximum: 16, priority: 40),
                TableColumn(
                    "accounts", .text("domain.col.accounts"), minimum: 10, maximum: 12, priority: 50, align: .right),
            ], features: [.add, .delete, .edit], empty: .text("accounts.none"))
        form = Form(
            [
                SettingParts.row(
                    "net.ip_version", width: 10,
                    more: [
                        FormPart("", Label(.text("setting.net.ipv6_hostname.label"), .label)),
                        SettingParts.part("net.ipv6_hostname", width: 22),
                    ]),
                SettingParts.row(
                    "accounts.backend",
                    more: [
                        FormPart("source", Button(.text("button.settings"))),
                        FormPart("check", Button(.text("button.check-more"))),
                    ]),
                SettingParts.row("admin.account", width: 40),
                FormRow(nil, [SettingParts.part("admin.copy_bounces")], isIndented: true),
                FormRow(nil, "domains", table),
                FormRow(
                    nil,
                    [
                        FormPart("", Label(.text("domain.new"), .label)),
                        FormPart("new", TextField(width: 22, limit: 253)),
                        FormPart("add", Button(.text("button.add"))),
                        FormPart("details", Button(.text("button.details"))),
                        FormPart("delete", Button(.text("button.delete"))),
                    ], gap: 1),
            ], buttons: Self.pageButtons(), focus: "domains")
    }

    func state(_ context: Context) -> Phrase? {
        let staged = context.model.staged(on: page)
        if context.model.lostAt != nil || context.model.apply != nil || !staged.isEmpty {
            return commonState(context)
        }
        return .text("domain.count", String(context.model.domains.count))
    }

    mutating func syncOthers(_ context: Context) {
        let rows = context.model.domainRows.map { row in
            TableRow(
                id: row.name,
                cells: [
                    Visible.line(row.name), Visible.line(row.record.addresses), Self.box(row, context.say),
                    row.state == .removed
                        ? context.say("domain.removed")
                        : "\(row.accounts)/" + (row.record.maxAccounts == "0" ? "0" : row.record.maxAccounts),
                ], mark: mark(row, context), role: row.state == .removed ? .disabled : .normal)
        }
        form.update("domains", as: Table.self) { $0.setRows(rows) }
        let dual = context.model.value("net.ip_version") != IPVersion.ipv4.rawValue
        form.update("net.ipv6_hostname", as: TextField.self) { $0.isEnabled = dual }
        let isOurs = context.model.value("accounts.backend") == "soft"
        form.update("check", as: Button.self) { $0.isEnabled = !isOurs }
    }

    private static func box(_ row: DomainRow, _ say: any Localizer) -> String {
        row.record.mailboxMode == "separate"
            ? Visible.line(row.record.folder.isEmpty ? row.name : row.record.folder) + "/" : say("word.shared")
    }

    private func mark(_ row: DomainRow, _ context: Context) -> Mark {
        switch row.state {
        case .same: context.model.mark(DomainRecord.path(row.name), now: context.now)
        case .added, .changed, .removed: .staged
        case .conflict: .problem
        }
    }

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("source"): context.open(AccountSourceDialog())
        case .activated("check"): checkDirectory(&context)
        case .activated("add"): addTyped(&context)
        case .command("domains", "add"): _ = form.setFocus("new")
        case .activated("domains"), .activated("details"): openDetails(&context)
        case .command("domains", "delete"), .activated("delete"): askToDelete(&context)
        default: break
        }
    }

    func commands(_ context: Context) -> [Command] {
        let isOurs = context.model.value("accounts.backend") == "soft"
        return [
            Command("accounts-source", .text("accounts.source.title")),
            Command(
                "directory-check", .text("directory.check.command"), off: isOurs ? .text("directory.soft") : nil,
                isAction: true),
        ]
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "accounts-source": context.open(AccountSourceDialog())
        case "directory-check": checkDirectory(&context)
        case "apply": _ = apply(&context)
        default: break
        }
    }

    /// With what is staged here, before it is applied.
    private func checkDirectory(_ context: inout Context) {
        context.open(
            DirectoryCheckDialog(
                context.model.value("accounts.backend"), settings: DirectoryCheckDialog.staged(context), context))
    }

    private var selected: String? { form.widget("domains", as: Table.self)?.current?.id }

    private mutating func addTyped(_ context: inout Context) {
        let name = form.text("new").trimmedBlanks.lowercased()
        guard !name.isEmpty else {
            _ = form.setFocus("new")
            return
        }
        if let problem = DomainRules.problem(name: name, among: context.model) {
            return context.notice(.warning, problem)
        }
        var record = DomainRecord()
        if context.model.domainRows.count >= 1 {
            record.mailboxMode = "separate"
            record.folder = name
        }
        context.stage(DomainRecord.path(name), record.values)
        form.setText("new", "")
        context.modelChanged()
        syncOthers(context)
        form.update("domains", as: Table.self) { $0.select(name) }
        context.open(DomainDialog(name: name, record: record, isNew: true))
    }

    private func openDetails(_ context: inout Context) {
        guard let name = selected, let row = context.model.domainRows.first(where: { $0.name == name }) else { return }
        context.open(DomainDialog(name: name, record: row.record, isNew: false))
    }

    private func askToDelete(_ context: inout Context) {
        guard let name = selected, let row = context.model.domainRows.first(where: { $0.name == name }) else { return }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        if row.state == .added {
            context.model.draft.drop([DomainRecord.path(name)])
            context.announce()
            return context.modelChanged()
        }
        context.open(DomainRules.deleteQuestion(row))
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        switch answer.id {
        case "domain":
            guard let name = answer.values["name"], answer.button == "ok" else { return }
            context.stage(DomainRecord.path(name), DomainDialog.record(answer).values)
        case "domain-delete":
            guard answer.button == "go", let name = selected else { return }
            context.stage(DomainRecord.path(name), nil)
        default: return
        }
        context.modelChanged()
    }

    func otherHint(_ context: Context) -> Phrase? {
        switch form.focus {
        case "source": .text("accounts.source.help")
        case "check": .text("directory.check.help")
        default: .text("domain.hint")
        }
    }
}
