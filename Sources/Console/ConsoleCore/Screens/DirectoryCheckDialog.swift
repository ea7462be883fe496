import Control

/// What `epost-console directory check` says, on the screen: whether the accounts can be reached, step by step, by the
/// settings in force or by those that are being edited.
struct DirectoryCheckDialog: Dialog {
    var title: Phrase { .text("directory.check.title", Visible.line(name)) }
    var form: Form
    var width: Int { 72 }
    var height: Int? { 14 }
    var okButton: String? { "go" }
    private let backend: String
    private let settings: [SettingChange]
    private let name: String
    private var asking: RequestID?

    /// - Parameters:
    ///   - backend: the one to check, which need not be in use.
    ///   - settings: tried in place of those in force.
    init(_ backend: String, settings: [SettingChange] = [], account: String = "", _ context: Context) {
        self.backend = backend
        self.settings = settings
        name = context.say(Phrase("value.\(backend)"))
        let steps = Table(
            [
                TableColumn("mark", .verbatim(""), minimum: 3, maximum: 6, priority: 80),
                TableColumn("what", .text("directory.check.step"), minimum: 12, maximum: 18, priority: 90),
                TableColumn("found", .text("directory.check.found"), minimum: 20, priority: 70),
            ], empty: .verbatim(""))
        form = Form(
            [
                FormRow(
                    .text("directory.check.account"),
                    [
                        FormPart("account", TextField(account, width: 32, limit: 320)),
                        FormPart("", Label(.text("directory.check.optional"), .hint)),
                    ]),
                FormRow(nil, "steps", steps),
                FormRow(nil, [FormPart("result", Label("", .heading, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([
                .init("go", .text("button.check"), letter: "c"), .init("close", .text("button.close")),
            ]), focus: "account")
        form.update("steps", as: Table.self) { $0.setRows([]) }
    }

    /// The settings staged on a page, as they would be tried.
    static func staged(_ context: Context) -> [SettingChange] {
        context.model.staged(on: .domain).filter { !$0.isRecord && Self.concerns($0.path) }
            .map { SettingChange(key: $0.path, values: $0.new) }
    }

    private static func concerns(_ key: String) -> Bool {
        (key.hasPrefix("accounts.") || key.hasPrefix("ldap.")) && key != "accounts.backend"
    }

    mutating func opened(_ context: inout Context) { ask(&context) }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"), .left("account"): ask(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func ask(_ context: inout Context) {
        guard asking == nil, context.isConnected else { return }
        let account = form.text("account").trimmedBlanks
        asking = context.send(
            DirectoryInterface.CheckDirectory.self,
            .init(
                account: account.isEmpty ? nil : account, backend: backend, settings: settings.isEmpty ? nil : settings)
        )
        form.setLabel("result", .text("directory.check.running"), .hint)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: DirectoryInterface.CheckDirectory.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output):
            let rows = output.steps.enumerated().flatMap { Self.rows(of: $1, number: $0, context) }
            form.update("steps", as: Table.self) { $0.setRows(rows) }
            let isRight = output.steps.allSatisfy(\.isRight)
            form.setLabel(
                "result", .text(isRight ? "directory.check.right" : "directory.fails"), isRight ? .good : .problem)
        case .failure(let error): form.setLabel("result", error.phrase, .problem)
        }
    }

    /// Long findings go on in further rows.
    private static func rows(
        of step: DirectoryInterface.CheckDirectory.Step, number: Int, _ context: Context
    ) -> [TableRow] {
        let room = max(12, min(72, context.size.columns - 4) - 30)
        let label = context.say(Phrase(code: "directory.step.\(step.name)", english: Visible.line(step.name)))
        let mark = context.say(.text(step.isRight ? "wizard.progress.ok" : "wizard.progress.bad"))
        let lines = context.metrics.wrap(Visible.line(step.detail), to: room)
        return (lines.isEmpty ? [""] : lines).enumerated().map { index, line in
            TableRow(
                id: "\(number).\(index)", cells: index == 0 ? [mark, label, line] : ["", "", line],
                mark: step.isRight || index > 0 ? .none : .problem, role: step.isRight ? .normal : .problem)
        }
    }
}
