import Control

/// Asks for the operation password of a protected domain (R-ACC-11), or for the system management password.
struct DomainOpenDialog: Dialog {
    var title: Phrase { .text("gate.title", Visible.line(domain)) }
    var form: Form
    var width: Int { 60 }
    private let domain: String
    private var request: RequestID?

    init(_ domain: String) {
        self.domain = domain
        form = Form(
            [
                .text(.text("gate.intro", Visible.line(domain))), .empty,
                FormRow(.text("gate.password"), "password", TextField(kind: .password, width: 32, limit: 255)),
                FormRow(nil, [FormPart("state", Label("", .problem, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("ok", .text("gate.open")), .init("cancel", .text("button.cancel"))]),
            focus: "password")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("ok"): open(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func open(_ context: inout Context) {
        let typed = form.text("password")
        guard request == nil, !typed.isEmpty else { return }
        form.setText("password", "")
        form.setLabel("state", .text("gate.checking"), .hint)
        request = context.send(DirectoryInterface.OpenDomain.self, .init(domain: domain, password: typed))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: DirectoryInterface.OpenDomain.self, for: request) else { return }
        request = nil
        switch result {
        case .success(let output):
            context.keep(domainKey: output.key)
            context.model.accountsVersion += 1
            context.notice(.information, .text("gate.opened", Visible.line(domain)))
            context.modelChanged()
            context.finish(Answer("gate", button: "ok"))
        case .failure(let error):
            form.setLabel("state", error.phrase, .problem)
            _ = form.setFocus("password")
        }
    }
}

/// Sets, changes or takes away the operation password of a domain (R-ACC-11).
struct DomainPasswordDialog: Dialog {
    var title: Phrase { .text("gate.title", Visible.line(domain.name)) }
    var form: Form
    var width: Int { 64 }
    private(set) var isDirty = false
    private let domain: DomainEntry
    private var password = ""
    private var changing: RequestID?
    private var opening: RequestID?

    init(_ domain: DomainEntry) {
        self.domain = domain
        var buttons: [ButtonRow.Item] = [.init("ok", .text("gate.set"))]
        if domain.isProtected { buttons.append(.init("clear", .text("gate.clear"), letter: "t")) }
        buttons.append(.init("cancel", .text("button.cancel")))
        form = Form(
            [
                .text(.text(domain.isProtected ? "gate.is-set" : "gate.none", Visible.line(domain.name))), .empty,
                FormRow(.text("gate.new"), "new", TextField(kind: .password, width: 32, limit: 255)),
                FormRow(.text("gate.again"), "again", TextField(kind: .password, width: 32, limit: 255)),
                FormRow(nil, [FormPart("state", Label("", .problem, wraps: true), width: .fill)]),
            ], buttons: ButtonRow(buttons), focus: "new")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed: isDirty = true
        case .button("ok"):
            guard !form.text("new").isEmpty else {
                _ = form.setFocus("new")
                return
            }
            guard form.text("new") == form.text("again") else {
                form.setLabel("state", .text("gate.differ"), .problem)
                _ = form.setFocus("again")
                return
            }
            change(to: form.text("new"), &context)
        case .button("clear"): change(to: "", &context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func change(to password: String, _ context: inout Context) {
        guard changing == nil, opening == nil else { return }
        self.password = password
        changing = context.send(
            DirectoryInterface.ChangeDomain.self,
            .init(name: domain.name, values: DomainValues(operationPassword: password)))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.ChangeDomain.self, for: changing) {
            changing = nil
            switch result {
            case .success: changed(&context)
            case .failure(let error): form.setLabel("state", error.phrase, .problem)
            }
        }
        guard let result = message.result(of: DirectoryInterface.OpenDomain.self, for: opening) else { return }
        opening = nil
        if case .success(let output) = result { context.keep(domainKey: output.key) }
        end(&context)
    }

    /// Who set the password need not be asked for it.
    private mutating func changed(_ context: inout Context) {
        guard !password.isEmpty else { return end(&context) }
        opening = context.send(
            DirectoryInterface.OpenDomain.self, .init(domain: domain.name, password: password))
    }

    private mutating func end(_ context: inout Context) {
        context.refresh(DirectoryInterface.ListDomains.self, .init(), for: .domains)
        context.model.accountsVersion += 1
        context.notice(
            .information, .text(password.isEmpty ? "gate.gone" : "gate.done", Visible.line(domain.name)))
        context.modelChanged()
        context.closeDialog()
    }
}

extension Context {
    private static let keptKeys = 10

    /// Domains that this console opened stay open on its other connections, and on those after a lost one.
    mutating func keep(domainKey key: String) {
        // The greeting stays short; the system management password gives one key for all.
        model.domainKeys = (model.domainKeys + [key]).suffix(Self.keptKeys)
        _ = sendForModel(
            ServerInterface.Hello.self,
            .init(client: "epost-console", origin: model.origin, keys: model.domainKeys))
    }
}
