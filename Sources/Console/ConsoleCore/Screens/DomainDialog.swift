import MailModel

/// What can be said about a domain without the server, and the question before one is deleted (class 3).
enum DomainRules {
    static func problem(name: String, among model: Model) -> Phrase? {
        guard MailAddress.isPlainDomain(name), name.contains("."), IPAddress(name) == nil else {
            return .text("domain.bad-name", Visible.line(name))
        }
        let isKnown = model.domainRows.contains { $0.name == name && $0.state != .removed }
        return isKnown ? .text("domain.exists", name) : nil
    }

    static func deleteQuestion(_ row: DomainRow) -> Question {
        Question(
            "domain-delete", title: .text("domain.delete.title"),
            lines: [
                .text("domain.delete.question", Visible.line(row.name), String(row.accounts)),
                .text("domain.delete.stays"),
            ], danger: .wide, keep: .text("account.delete.keep"), go: .text("account.delete.do"), letter: "d",
            typed: row.name)
    }

    static func problem(_ record: DomainRecord) -> (field: String, text: Phrase)? {
        for address in record.addresses.split(separator: " ") where IPAddress(String(address)) == nil {
            return ("addresses", .text("domain.bad-address", Visible.line(String(address))))
        }
        if record.folder.contains("/") || record.folder.contains("..") || Int(record.maxAccounts) == nil {
            return Int(record.maxAccounts) == nil
                ? ("max", .text("setting.not-a-number", record.maxAccounts)) : ("folder", .text("domain.bad-folder"))
        }
        return nil
    }
}

/// Dialog 詳細 of a domain (R-DOM-20 to R-DOM-24), also the domain dialog of the Account Manager (R-ACC-10 to R-ACC-14).
struct DomainDialog: Dialog {
    var title: Phrase {
        name.isEmpty ? .text("domain.dialog.add") : .text("domain.dialog", Visible.line(name))
    }
    var form: Form
    var width: Int { 70 }
    private(set) var isDirty = false
    /// Empty: the name is asked for.
    private let name: String

    init(name: String, record: DomainRecord, isNew: Bool) {
        self.name = name
        isDirty = false
        let modes = [Option("common", .text("domain.common")), Option("separate", .text("domain.separate"))]
        var rows: [FormRow] = []
        if name.isEmpty {
            rows.append(FormRow(.text("domain.name"), "name", TextField(width: 36, limit: 253)))
        }
        rows += [
            FormRow(
                .text("domain.max-accounts"),
                [
                    FormPart("max", TextField(record.maxAccounts, kind: .number(0...10_000_000), width: 10)),
                    FormPart("", Label(.text("word.unlimited"), .hint)),
                ]),
            FormRow(.text("domain.mode"), "mode", RadioGroup(modes, selected: record.mailboxMode, isColumn: true)),
            FormRow(.text("domain.addresses"), [FormPart("addresses", TextField(record.addresses), width: .fill)]),
            FormRow(nil, [FormPart("", Label(.text("domain.addresses.hint"), .hint))], isIndented: true),
            FormRow(.text("domain.folder"), [FormPart("folder", TextField(record.folder, limit: 200), width: .fill)]),
            FormRow(nil, [FormPart("", Label(.text("domain.folder.hint"), .hint))], isIndented: true),
        ]
        form = Form(
            rows, buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]))
        adapt()
    }

    private mutating func adapt() {
        let isSeparate = form.selected("mode") == "separate"
        form.update("folder", as: TextField.self) { $0.isEnabled = isSeparate }
    }

    private var record: DomainRecord {
        var record = DomainRecord()
        record.maxAccounts = form.text("max").isEmpty ? "0" : form.text("max")
        record.mailboxMode = form.selected("mode")
        record.addresses = form.text("addresses").split(separator: " ").joined(separator: " ")
        record.folder = form.text("folder").trimmedBlanks
        return record
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed:
            isDirty = true
            adapt()
        case .button("ok"): ok(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func ok(_ context: inout Context) {
        let chosen = name.isEmpty ? form.text("name").trimmedBlanks.lowercased() : name
        if name.isEmpty, let problem = DomainRules.problem(name: chosen, among: context.model) {
            _ = form.setFocus("name")
            return context.notice(.warning, problem)
        }
        if let problem = DomainRules.problem(record) {
            _ = form.setFocus(problem.field)
            return context.notice(.warning, problem.text)
        }
        let values = record.values
        context.finish(
            Answer(
                "domain", button: "ok",
                values: ["name": chosen, "0": values[0], "1": values[1], "2": values[2], "3": values[3]]))
    }

    static func record(_ answer: Answer) -> DomainRecord {
        DomainRecord(values: (0..<4).map { answer.values[String($0)] ?? "" }) ?? DomainRecord()
    }
}
