import Control

/// "Test: who gets a mail?": the plan of delivery for a mail from a typed sender, with what is being edited put over
/// what stands there.
struct AccountTestDialog: Dialog {
    var title: Phrase { .text("account-test.title", Visible.line(address)) }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 16 }
    var okButton: String? { "go" }
    private let address: String
    private let values: MailControl?
    private let files: [AccountFileText]
    private var asking: RequestID?

    init(_ address: String, values: MailControl? = nil, files: [AccountFileText] = []) {
        self.address = address
        self.values = values
        self.files = files
        let steps = Table(
            [
                TableColumn("number", .verbatim(""), minimum: 2, maximum: 2, align: .right),
                TableColumn("what", .text("account-test.step"), minimum: 20),
            ], empty: .verbatim(""))
        form = Form(
            [
                FormRow(
                    .text("account-test.from"),
                    [
                        FormPart(
                            "from", TextField("somebody@elsewhere.example", kind: .mailAddress, limit: 320),
                            width: .fill),
                        FormPart("", Label(.text("account-test.empty"), .hint)),
                    ]),
                FormRow(nil, "steps", steps),
                FormRow(nil, [FormPart("result", Label("", .heading, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("account-test.go")), .init("close", .text("button.close"))]),
            focus: "from")
        form.update("steps", as: Table.self) { $0.setRows([]) }
    }

    mutating func opened(_ context: inout Context) { ask(&context) }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"), .left("from"): ask(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func ask(_ context: inout Context) {
        guard asking == nil else { return }
        asking = context.send(
            DirectoryInterface.TestAccount.self,
            .init(
                address: address, sender: form.text("from").trimmedBlanks, values: values,
                files: files.isEmpty ? nil : files))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: DirectoryInterface.TestAccount.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output):
            let lines = output.steps.enumerated().flatMap { number, step in
                let wrapped = context.metrics.wrap(
                    Visible.line(context.say(.sentence(step.finding))), to: min(width, context.size.columns - 4) - 8)
                return wrapped.enumerated().map { index, line in
                    TableRow(
                        id: "\(number).\(index)", cells: [index == 0 ? String(number + 1) : "", line],
                        role: step.decided ? .good : .normal)
                }
            }
            form.update("steps", as: Table.self) { $0.setRows(lines) }
            form.setLabel("result", .verbatim(Self.result(output, context)), .heading)
        case .failure(let error): form.setLabel("result", error.phrase, .problem)
        }
    }

    private static func result(_ output: DirectoryInterface.TestAccount.Output, _ context: Context) -> String {
        var parts = [context.say(.text(output.isStored ? "account-test.stored" : "account-test.not-stored"))]
        if !output.forwardedTo.isEmpty {
            let names = output.forwardedTo.prefix(5).joined(separator: ", ")
            let more = output.forwardedTo.count > 5 ? " +\(output.forwardedTo.count - 5)" : ""
            parts.append(context.say(.text("account-test.forwarded", Visible.line(names + more))))
        }
        if let answered = output.answered {
            parts.append(context.say(.text("account-test.answered", Visible.line(answered))))
        }
        return parts.joined(separator: " ")
    }
}
