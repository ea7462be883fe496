import Control

/// The account dialog (R-ACC-17 to R-ACC-33): its OK sends the account, as in the original.
struct AccountDialog: Dialog {
    var title: Phrase {
        existing.map { .text("account.dialog", Visible.line("\($0.account)@\($0.domain)")) }
            ?? .text("account.dialog.add")
    }
    var form: Form
    var width: Int { 68 }
    private(set) var isDirty = false
    private let existing: AccountEntry?
    /// Where the account is kept when it is not here: its names and password are only read (R-ACC-34).
    private var owner: Phrase?
    private var request: RequestID?
    private var lookUp: RequestID?

    init(adding domain: String, _ context: Context) {
        existing = nil
        form = Form([], buttons: Self.buttons(isNew: true))
        let names = context.model.domains.map { Option($0.name, .verbatim(Visible.line($0.name))) }
        build(
            top: [FormRow(.text("account.name"), "name", TextField(width: 28, limit: 64))],
            domain: FormRow(.text("account.domain"), "domain", Select(names, selected: domain)), entry: nil)
        _ = form.setFocus("name")
    }

    init(changing entry: AccountEntry, _ context: Context) {
        existing = entry
        let backend = context.model.server("accounts.backend").values?.first ?? "soft"
        owner = backend == "soft" ? nil : Phrase("value.\(backend)")
        form = Form([], buttons: Self.buttons(isNew: false))
        if let owner {
            form.rows = Self.rows(of: entry, keptIn: context.say(owner))
            _ = form.setFocus("limit")
            return
        }
        build(
            top: [
                FormRow(
                    .text("account.name"), [FormPart("", Label(.text("account.fixed", Visible.line(entry.account))))])
            ],
            domain: FormRow(.text("account.domain"), [FormPart("", Label(.verbatim(Visible.line(entry.domain))))]),
            entry: entry)
        _ = form.setFocus("fullName")
    }

    private static func used(_ entry: AccountEntry) -> Phrase {
        entry.usedOctets.map { .text("account.used", Bytes.text($0), Numbers.grouped(entry.usedMessages ?? 0)) }
            ?? .verbatim("")
    }

    private static func login(_ entry: AccountEntry, _ context: Context) -> Phrase {
        guard let time = entry.lastLogin else { return .text("account.login.never") }
        return .text("account.login", Clock.date(time, utcOffset: context.model.utcOffset))
    }

    /// The list does not look into mailboxes; this one is looked at now.
    mutating func opened(_ context: inout Context) {
        guard let existing else { return }
        form.setLabel("login", Self.login(existing, context), .hint)
        lookUp = context.send(DirectoryInterface.GetAccount.self, .init(address: address))
    }

    /// - Parameter isNew: what has no mailbox yet has no mail control.
    private static func buttons(isNew: Bool) -> ButtonRow {
        let control = ButtonRow.Item("control", .text("account.control"), letter: "m")
        return ButtonRow(
            [.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))] + (isNew ? [] : [control])
                + [.init("help", .text("button.help"))])
    }

    private static func limitRow(_ limit: Int) -> FormRow {
        FormRow(
            .text("account.limit"),
            [
                FormPart("limit", TextField(String(limit), kind: .bytes, width: 14), width: .cells(28)),
                FormPart("", Label(.text("word.unlimited"), .hint)),
            ], gap: 1)
    }

    private static func enabledRow(_ entry: AccountEntry) -> FormRow {
        FormRow(
            nil, [FormPart("enabled", CheckBox(.text("account.enabled"), isOn: entry.isEnabled))], isIndented: true)
    }

    private static func usageRows(_ entry: AccountEntry) -> [FormRow] {
        [
            .empty,
            FormRow(
                nil,
                [FormPart("used", Label(used(entry), .hint)), FormPart("login", Label("", .hint))], gap: 4),
            .text(.text("account.mailbox", Visible.line(entry.mailboxPath)), .hint, wraps: false),
            FormRow(nil, [FormPart("was", Label("", .staged, wraps: true), width: .fill)]),
        ]
    }

    /// What the directory owns is text; what is ours can be edited.
    private static func rows(of entry: AccountEntry, keptIn owner: String) -> [FormRow] {
        func row(_ label: String, _ text: String) -> FormRow {
            FormRow(
                .text(label), [FormPart("", Label(text.isEmpty ? .text("word.none") : .verbatim(Visible.line(text))))])
        }
        return [
            .text(.text("account.kept-in", owner), .hint), .empty, row("account.name", entry.account),
            FormRow(.text("account.password"), [FormPart("", Label(.text("account.password.elsewhere"), .hint))]),
            row("account.full-name", entry.fullName), row("account.home", entry.home),
            row("account.domain", entry.domain), limitRow(entry.mailboxLimit), enabledRow(entry),
            FormRow(nil, [FormPart("", Label(.text("account.enabled.elsewhere"), .hint))], isIndented: true),
        ] + usageRows(entry)
    }

    private mutating func build(top: [FormRow], domain: FormRow, entry: AccountEntry?) {
        var rows =
            top + [
                FormRow(
                    .text("account.password"),
                    [
                        FormPart("password", TextField(kind: .password, width: 20, limit: 200)),
                        FormPart("generate", Button(.text("button.generate"))),
                        FormPart("show", Button(.text("button.show"))),
                    ], gap: 1)
            ]
        if entry != nil {
            rows.append(FormRow(nil, [FormPart("", Label(.text("account.password.keep"), .hint))], isIndented: true))
        }
        rows += [
            FormRow(
                .text("account.full-name"),
                [FormPart("fullName", TextField(entry?.fullName ?? "", limit: 200), width: .fill)]),
            FormRow(
                .text("account.home"), [FormPart("home", TextField(entry?.home ?? "", kind: .path), width: .fill)]),
            domain, Self.limitRow(entry?.mailboxLimit ?? 0),
            FormRow(
                nil, [FormPart("auth", CheckBox(.text("account.auth"), isOn: entry?.smtpAuth ?? true))],
                isIndented: true),
        ]
        if let entry {
            rows.append(Self.enabledRow(entry))
            rows += Self.usageRows(entry)
        }
        form.rows = rows
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed:
            isDirty = true
            tellOld(context)
        case .left("name") where form.text("name").lowercased() == "postmaster":
            context.notice(.warning, .text("account.postmaster"))
        case .activated("generate"):
            form.setText("password", PasswordMaker.make())
            setVisible(true)
            isDirty = true
        case .activated("show"):
            setVisible(form.widget("password", as: TextField.self)?.kind == .password)
        case .button("ok"): ok(&context)
        case .button("help"): context.command("help")
        case .button("control"):
            // Its OK would leave this dialog with what is typed and not sent.
            if existing.flatMap({ changes(of: $0) }) != nil {
                return context.notice(.warning, .text("account.control.unsaved"))
            }
            context.open(MailControlDialog(address))
        case .button: context.closeDialog()
        default: break
        }
    }

    /// What the changed fields were before.
    private mutating func tellOld(_ context: Context) {
        guard let existing else { return }
        let values = changes(of: existing) ?? AccountValues()
        func word(_ value: Bool) -> String { context.say(Phrase(value ? "word.yes" : "word.no")) }
        let old: [(String, String)?] = [
            values.fullName.map { _ in ("account.full-name", existing.fullName) },
            values.home.map { _ in ("account.home", existing.home) },
            values.mailboxLimit.map { _ in ("account.limit", String(existing.mailboxLimit)) },
            values.smtpAuth.map { _ in ("account.auth", word(existing.smtpAuth)) },
            values.isEnabled.map { _ in ("account.enabled", word(existing.isEnabled)) },
        ]
        let lines = old.compactMap { $0 }.map { name, value in
            context.say(.text("account.was", context.say(Phrase(name)), value.isEmpty ? "-" : Visible.line(value)))
        }
        form.setLabel("was", .verbatim(lines.isEmpty ? "" : "* " + lines.joined(separator: "  ")), .staged)
    }

    private mutating func setVisible(_ isVisible: Bool) {
        form.update("password", as: TextField.self) { $0.kind = isVisible ? .text : .password }
        form.update("show", as: Button.self) { $0.name = .text(isVisible ? "button.hide" : "button.show") }
    }

    /// What is wrong by form alone, and where.
    private var problem: (String, Phrase)? {
        if existing == nil {
            let name = form.text("name").trimmedBlanks
            if name.isEmpty { return ("name", .text("account.name-needed")) }
            let isRight =
                name.utf8.count <= 64
                && name.unicodeScalars.allSatisfy { scalar in
                    scalar.isASCII
                        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                            || "._-+".unicodeScalars.contains(scalar))
                }
            if !isRight { return ("name", .text("account.name-bad")) }
            if form.text("password").isEmpty { return ("password", .text("account.password-needed")) }
        }
        let limit = form.text("limit")
        if !limit.isEmpty, Bytes.parse(limit) == nil {
            return ("limit", .text("account.limit-bad", Visible.line(limit)))
        }
        return nil
    }

    private mutating func ok(_ context: inout Context) {
        guard request == nil else { return }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        if let (field, text) = problem {
            _ = form.setFocus(field)
            return context.notice(.warning, text)
        }
        if let existing {
            guard let values = changes(of: existing) else { return context.closeDialog() }
            request = context.send(
                DirectoryInterface.ChangeAccount.self,
                .init(address: address, values: values, baseRevision: existing.revision))
        } else {
            request = context.send(
                DirectoryInterface.AddAccount.self, .init(address: address, values: typedValues))
        }
    }

    private var address: String {
        existing.map { "\($0.account)@\($0.domain)" } ?? "\(form.text("name").trimmedBlanks)@\(form.selected("domain"))"
    }

    private var typedValues: AccountValues {
        let password = form.text("password")
        return AccountValues(
            password: password.isEmpty ? nil : password, fullName: form.text("fullName").trimmedBlanks,
            home: form.text("home").trimmedBlanks, mailboxLimit: Bytes.parse(form.text("limit")) ?? 0,
            smtpAuth: form.isOn("auth"), isEnabled: existing == nil ? nil : form.isOn("enabled"))
    }

    /// Only what differs travels, so that another administrator's change of another field stays; `nil` = nothing does.
    private func changes(of entry: AccountEntry) -> AccountValues? {
        var values = typedValues
        if owner != nil {
            values = AccountValues(mailboxLimit: values.mailboxLimit, isEnabled: values.isEnabled)
        }
        if values.fullName == entry.fullName { values.fullName = nil }
        if values.home == entry.home { values.home = nil }
        if values.mailboxLimit == entry.mailboxLimit { values.mailboxLimit = nil }
        if values.smtpAuth == entry.smtpAuth { values.smtpAuth = nil }
        if values.isEnabled == entry.isEnabled { values.isEnabled = nil }
        return values == AccountValues() ? nil : values
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if case .success(let entry)? = message.result(of: DirectoryInterface.GetAccount.self, for: lookUp) {
            form.setLabel("used", Self.used(entry), .hint)
            form.setLabel("login", Self.login(entry, context), .hint)
        }
        let result: Result<Applied, ControlError>? =
            existing == nil
            ? message.result(of: DirectoryInterface.AddAccount.self, for: request)
            : message.result(of: DirectoryInterface.ChangeAccount.self, for: request)
        guard let result else { return }
        request = nil
        switch result {
        case .success(let applied):
            context.model.ownChanges.insert("account/\(address)")
            context.model.accountsVersion += 1
            let text: Phrase = .text(
                existing == nil ? "notice.account.added" : "notice.account.changed", Visible.line(address))
            context.notice(applied.warnings.isEmpty ? .information : .warning, applied.warnings.first?.phrase ?? text)
            context.closeDialog()
            context.modelChanged()
        case .failure(let error): context.notice(.error, error.phrase)
        }
    }
}

/// Deleting an account (class 2): says what goes with it and asks for the mailbox separately (R-ACC-25).
struct AccountDeleteDialog: Dialog {
    var title: Phrase { .text("account.delete.title") }
    var form: Form
    var width: Int { 62 }
    var okButton: String? { nil }
    private let entry: AccountEntry
    private var request: RequestID?
    private var lookUp: RequestID?

    private static func cost(_ entry: AccountEntry) -> Phrase {
        entry.usedOctets.map {
            .text("account.delete.mailbox", Bytes.text($0), String(entry.usedMessages ?? 0))
        } ?? .text("account.delete.unknown")
    }

    /// What goes with the account is said before it goes.
    mutating func opened(_ context: inout Context) {
        lookUp = context.send(
            DirectoryInterface.GetAccount.self, .init(address: "\(entry.account)@\(entry.domain)"))
    }

    init(_ entry: AccountEntry) {
        self.entry = entry
        form = Form(
            [
                .text(.text("account.delete.question", Visible.line("\(entry.account)@\(entry.domain)"))),
                FormRow(nil, [FormPart("cost", Label(Self.cost(entry), .problem, wraps: true), width: .fill)]), .empty,
                FormRow(nil, "mailbox", CheckBox(.text("account.delete.also"), isOn: true)),
            ],
            buttons: ButtonRow([
                .init("keep", .text("account.delete.keep")),
                .init("go", .text("account.delete.do"), letter: "d", isLetterOnly: true),
            ]), focus: Form.buttonsID)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"):
            guard request == nil else { return }
            request = context.send(
                DirectoryInterface.RemoveAccount.self,
                .init(address: "\(entry.account)@\(entry.domain)", deleteMailbox: form.isOn("mailbox")))
        case .button: context.closeDialog()
        default: break
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if case .success(let found)? = message.result(of: DirectoryInterface.GetAccount.self, for: lookUp) {
            form.setLabel("cost", Self.cost(found), .problem)
        }
        guard let result = message.result(of: DirectoryInterface.RemoveAccount.self, for: request) else { return }
        request = nil
        switch result {
        case .success:
            context.model.ownChanges.insert("account/\(entry.account)@\(entry.domain)")
            context.model.accountsVersion += 1
            context.notice(
                .information, .text("notice.account.removed", Visible.line("\(entry.account)@\(entry.domain)")))
            context.modelChanged()
        case .failure(let error): context.notice(.error, error.phrase)
        }
        context.closeDialog()
    }
}

/// Passwords that are strong and can be read aloud: no letters that look alike.
enum PasswordMaker {
    private static let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")

    /// 16 characters of 56: 92 bits, from the system's generator.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<16).map { _ in letters[Int.random(in: letters.indices, using: &generator)] })
    }
}
