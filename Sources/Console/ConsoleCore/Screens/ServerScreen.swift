import Control

/// Tab サーバー設定 (R-SRV-01 to R-SRV-18).
struct ServerScreen: SettingsScreen {
    let page = PageID.server
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(
        .server,
        keys: [
            "server.smtp_gateway", "server.forward_all_to_gateway", "server.work_dir", "server.mailbox_dir",
            "server.dns_servers", "console.launch_account_manager",
        ])

    init() {
        let password = "admin.password_hash"
        var rows = [
            FormRow(
                .text("server.password.label"),
                [
                    FormPart("password.state", Label("", .field, width: 14)),
                    FormPart(password, Button(.text("button.change"))),
                ]),
            SettingParts.row(
                "server.smtp_gateway", width: 26, more: [FormPart("gateway", Button(.text("button.table")))]),
            FormRow(nil, [SettingParts.part("server.forward_all_to_gateway")], isIndented: true),
            SettingParts.row("server.work_dir"),
            SettingParts.row("server.mailbox_dir", more: []),
            FormRow(
                nil,
                [
                    FormPart("", Label(.text("server.variables"), .hint)),
                    FormPart("", Label(.text("server.format"), .hint)),
                ],
                isIndented: true),
            .empty,
        ]
        rows.append(SettingParts.row("server.dns_servers", width: 30))
        rows.append(.empty)
        rows.append(FormRow(nil, [SettingParts.part("console.launch_account_manager")], isIndented: true))
        rows.append(
            FormRow(nil, [FormPart("certificate", Label("", .problem, wraps: true), width: .fill)], isHidden: true))
        form = Form(rows, buttons: Self.pageButtons(), focus: "server.smtp_gateway")
    }

    mutating func syncOthers(_ context: Context) {
        let path = "admin.password_hash"
        let isSet = !context.model.values(path).filter { !$0.isEmpty }.isEmpty
        form.setLabel("password.state", isSet ? .verbatim("********") : .text("word.none"), .field)
        form.setMark(path, context.model.mark(path, now: context.now))
        let warning = SSLText.warning(context.model.certificate)
        form.setLabel("certificate", warning ?? .verbatim(""), .problem)
        form.setMark("certificate", warning == nil ? .none : .problem)
        form.setHidden("certificate", warning == nil)
    }

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("admin.password_hash"):
            if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
            context.open(PasswordDialog())
        case .activated("gateway"): context.open(TableDialog("gateway"))
        default: break
        }
    }

    func otherHint(_ context: Context) -> Phrase? {
        form.focus == "admin.password_hash" ? .text("setting.admin.password_hash.help") : nil
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        guard answer.id == "password", answer.button == "ok" else { return }
        let typed = answer.values["password"] ?? ""
        context.stage("admin.password_hash", typed.isEmpty ? [] : [typed], isSecret: true)
        context.notice(.information, .text("password.staged"))
        context.modelChanged()
    }
}

/// A new management password, typed twice; empty takes it away (R-SRV-10).
struct PasswordDialog: Dialog {
    var title: Phrase { .text("password.title") }
    var form: Form
    var width: Int { 60 }
    var isDirty: Bool { !form.text("new").isEmpty || !form.text("again").isEmpty }

    init() {
        form = Form(
            [
                FormRow(.text("password.new"), "new", TextField(kind: .password, width: 28, limit: 200)),
                FormRow(.text("password.again"), "again", TextField(kind: .password, width: 28, limit: 200)),
                .empty, .text(.text("password.none"), .hint),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("ok"):
            guard form.text("new") == form.text("again") else {
                context.notice(.warning, .text("password.differ"))
                _ = form.setFocus("again")
                return
            }
            context.finish(Answer("password", button: "ok", values: ["password": form.text("new")]))
        case .button: context.closeDialog()
        default: break
        }
    }
}
