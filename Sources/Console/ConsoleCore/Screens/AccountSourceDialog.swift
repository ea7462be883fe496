import Control

/// Where accounts come from and how they are reached (R-DOM-04, R-DOM-05, R-SYS-16): all settings of the back-ends, and
/// a check of what is typed before it is applied.
struct AccountSourceDialog: Dialog {
    var title: Phrase { .text("accounts.source.title") }
    var form: Form
    var width: Int { 74 }
    private var binder: SettingBinder
    private var before = DraftMark()

    static let system = ["accounts.mail_group", "accounts.foreign_domain"]
    static let ldap = [
        "ldap.url", "ldap.tls", "ldap.ca_file", "ldap.base", "ldap.bind_dn", "ldap.password_file", "ldap.filter",
        "ldap.account_attribute", "ldap.name_attribute", "ldap.group", "ldap.bind_template", "ldap.timeout",
    ]
    static let kept = ["accounts.cache_time", "accounts.missing_cache_time"]

    init() {
        let rows =
            [
                SettingParts.row("accounts.backend", more: [FormPart("check", Button(.text("button.check-more")))]),
                .rule(.text("value.system")),
            ] + Self.system.map { SettingParts.row($0, width: 30) } + [.rule(.text("value.ldap"))]
            + Self.ldap.map { SettingParts.row($0, width: Self.width(of: $0), unit: Self.unit(of: $0)) }
            + [.rule(.text("accounts.source.kept"))]
            + Self.kept.map { SettingParts.row($0, width: 6, unit: "word.seconds") }
        binder = SettingBinder(.domain, keys: ["accounts.backend"] + Self.system + Self.ldap + Self.kept)
        form = Form(
            rows, buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "accounts.backend")
    }

    private static func unit(of key: String) -> String? { key == "ldap.timeout" ? "word.seconds" : nil }

    /// `nil`: the rest of the row.
    private static func width(of key: String) -> Int? {
        switch key {
        case "ldap.timeout": 6
        case "ldap.tls": 10
        case "ldap.account_attribute", "ldap.name_attribute": 24
        default: nil
        }
    }

    mutating func opened(_ context: inout Context) {
        before.set(context)
        sync(context)
    }

    mutating func modelChanged(_ context: inout Context) { sync(context) }

    /// What the chosen back-end does not use can be read, and not be edited.
    private mutating func sync(_ context: Context) {
        binder.sync(&form, context)
        let backend = form.selected("accounts.backend")
        for (keys, owner) in [(Self.system, "system"), (Self.ldap, "ldap")] {
            for key in keys { setEnabled(key, backend == owner) }
        }
        for key in Self.kept { setEnabled(key, backend != "soft") }
        form.update("check", as: Button.self) { $0.isEnabled = backend != "soft" }
    }

    private mutating func setEnabled(_ key: String, _ isEnabled: Bool) {
        form.update(key, as: TextField.self) { $0.isEnabled = isEnabled }
        form.update(key, as: Select.self) { $0.isEnabled = isEnabled }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if binder.handle(event, &form, &context) { return sync(context) }
        switch event {
        case .button("ok"): context.closeDialog()
        case .button:
            cancelled(&context)
            context.closeDialog()
        case .activated("check"):
            context.open(
                DirectoryCheckDialog(
                    form.selected("accounts.backend"), settings: DirectoryCheckDialog.staged(context), context))
        default: break
        }
    }

    func cancelled(_ context: inout Context) { before.restore(binder.keys, &context) }

    func hint(_ context: Context) -> Phrase? {
        form.focus == "check" ? .text("directory.check.help") : binder.hint(form, context)
    }
}

/// The draft when a dialog over settings came up: its Cancel goes back to it.
struct DraftMark {
    private var draft: Draft?

    mutating func set(_ context: Context) { draft = context.model.draft }

    /// Edits of `keys` since then are taken back; what happened to others meanwhile stays.
    func restore(_ keys: [String], _ context: inout Context) {
        guard let draft else { return }
        for key in keys where context.model.draft[key] != draft[key] {
            if let edit = draft[key] {
                context.model.draft.stage(key, edit.new, server: context.model.server(key))
            } else {
                context.model.draft.drop([key])
            }
        }
        context.announce()
        context.modelChanged()
    }
}
