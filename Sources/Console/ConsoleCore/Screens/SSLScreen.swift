import Control

/// Tab SSL設定 (R-SSL-01 to R-SSL-06). What the certificate is good for is the server's finding, from `Validate`.
struct SSLScreen: SettingsScreen {
    let page = PageID.ssl
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(.ssl, keys: ["tls.certificate_file", "tls.private_key_file"])
    private var checkedFor: [[String]] = []

    init() {
        form = Form(
            [
                .empty, .text(.text("ssl.intro")), .empty, SettingParts.row("tls.certificate_file"),
                SettingParts.row("tls.private_key_file"), .empty,
                FormRow(
                    .text("ssl.state"),
                    [FormPart("state", Label("", wraps: true), width: .fill)]),
                FormRow(nil, [FormPart("check", Button(.text("ssl.check")))], isIndented: true),
                .empty, .text(.text("ssl.reload"), .hint), .text(.text("ssl.self-signed"), .hint),
            ], buttons: Self.pageButtons())
    }

    /// The files themselves may have changed: asked each time the page comes up.
    mutating func opened(_ context: inout Context) {
        check(&context)
        sync(context)
    }

    private func check(_ context: inout Context) {
        guard context.isConnected, context.model.isReady else { return }
        let changes = binder.keys.map { SettingChange(key: $0, values: context.model.values($0)) }
        context.refresh(SettingsInterface.Validate.self, .init(changes: changes), for: .validate(page))
    }

    mutating func syncOthers(_ context: Context) {
        let files = binder.keys.map { context.model.value($0) }
        let problems = binder.keys.flatMap { context.model.problems[$0] ?? [] }
        let (text, role): (Phrase, Role) =
            if let found = problems.first {
                (found.phrase, found.isWarning ? .hint : .problem)
            } else if context.model.requests.values.contains(.validate(page)) {
                (.text("ssl.checking"), .hint)
            } else if files.contains("") {
                (.text("ssl.off"), .hint)
            } else {
                (.text("ssl.ok"), .good)
            }
        form.setLabel("state", text, role)
    }

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        guard event == .activated("check") else { return }
        check(&context)
        context.modelChanged()
    }
}
