import Control

/// メールサーバー簡単セットアップウィザード (R-WIZ-01 to R-WIZ-18): six pages, then the services, with nothing written before
/// Finish.
struct WizardScreen: Screen {
    var form: Form
    var showsBars: Bool { false }
    private enum Phase: Hashable { case pages, working, ended }
    private var phase = Phase.pages
    private var step = 1
    private var values: WizardValues
    private var check: ServerInterface.CheckSetup.Output?
    private var checking: (id: RequestID, goesOn: Bool)?
    private var setup: RequestID?
    private var steps: [SetupStep] = []
    private var failure: ControlError?

    init(_ context: Context) {
        values = WizardValues(context.model)
        form = Form()
    }

    // MARK: - Frame

    func header(_ context: Context) -> PageHeader {
        if phase != .pages { return PageHeader(title: .text("wizard.progress.title")) }
        return PageHeader(
            title: .text("wizard.title"), state: .text("wizard.step", String(step)),
            hint: checking?.goesOn == true ? .text("wizard.checking") : .text("wizard.cancel-hint"))
    }

    func commands(_ context: Context) -> [Command] {
        guard phase == .pages else { return [] }
        return [
            Command("next", .text("bar.next-step"), keys: [.control("o")], bar: .text("bar.next-step"), priority: 85),
            Command("back", .text("bar.back"), keys: [.escape], bar: .text("bar.back"), priority: 80),
            Command(
                "cancel", .text("button.cancel"), keys: [.control("c"), .function(9)], bar: .text("bar.cancel"),
                priority: 70),
        ]
    }

    mutating func opened(_ context: inout Context) {
        guard form.rows.isEmpty else { return }
        show(step: 1)
        ask(goesOn: false, &context)
    }

    private mutating func show(step new: Int) {
        step = new
        let isLast = step == 6
        form = Form(
            WizardPages.rows(step, values, check),
            buttons: ButtonRow(
                [
                    .init("back", .text("button.back"), letter: "b", off: step == 1 ? .text("wizard.first") : nil),
                    .init("next", .text(isLast ? "button.finish" : "button.next"), letter: isLast ? "f" : "n"),
                    .init("cancel", .text("button.cancel")), .init("help", .text("button.help")),
                ], first: "next"))
        if isLast { _ = form.setFocus(Form.buttonsID) }
    }

    /// Takes what is typed on the page.
    private mutating func collect() {
        switch step {
        case 1: values.accountSource.collect(form)
        case 2: for index in 0..<3 { values.dns[index] = form.text("dns\(index)").trimmedBlanks }
        case 3:
            for index in 0..<WizardValues.domainRows {
                values.names[index] = form.text("name\(index)").trimmedBlanks.lowercased()
                values.addresses[index] = form.text("address\(index)").trimmedBlanks
            }
        case 4: values.administrator = form.text("administrator").trimmedBlanks
        case 5:
            values.work = form.text("work").trimmedBlanks
            values.mailbox = form.text("mailbox").trimmedBlanks
            values.accounts = form.text("accounts").trimmedBlanks
            values.networks = form.text("networks").trimmedBlanks
        default: break
        }
    }

    // MARK: - Pages

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("backend"):
            collect()
            show(step: 1)
            _ = form.setFocus("backend")
        case .activated("check"):
            collect()
            if let problem = values.problem(on: 1) {
                _ = form.setFocus(problem.field)
                return context.notice(.warning, problem.text)
            }
            let source = values.accountSource
            context.open(DirectoryCheckDialog(source.backend, settings: source.changes, context))
        case .button("next"): next(&context)
        case .button("back"): back(&context)
        case .button("cancel"): perform("cancel", &context)
        case .button("help"): context.command("help")
        case .button("done"): context.showFullPage(nil)
        case .button("again"):
            phase = .pages
            show(step: 6)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        guard phase == .pages else {
            if phase == .ended, ["cancel", "back", "apply"].contains(command) { context.showFullPage(nil) }
            return
        }
        switch command {
        case "next", "apply": next(&context)
        case "back": back(&context)
        case "cancel":
            context.open(
                Question(
                    "wizard-cancel", title: .text("wizard.cancel.title"), lines: [.text("wizard.cancel.question")],
                    danger: .reversible, keep: .text("leave.stay"), go: .text("wizard.cancel.do"), letter: "l"))
        default: break
        }
    }

    private mutating func back(_ context: inout Context) {
        collect()
        if step == 1 { return perform("cancel", &context) }
        show(step: step - 1)
    }

    /// Leaving a page forwards: the form is checked here, the meaning by the server.
    private mutating func next(_ context: inout Context) {
        collect()
        if let problem = values.problem(on: step) {
            _ = form.setFocus(problem.field)
            return context.notice(.warning, problem.text)
        }
        if step == 6 { return askForServices(&context) }
        guard checking?.goesOn != true else { return }
        ask(goesOn: true, &context)
    }

    private mutating func ask(goesOn: Bool, _ context: inout Context) {
        let input = values.input(change: context.model.isConfigured, registers: true)
        checking = (context.send(ServerInterface.CheckSetup.self, input), goesOn)
    }

    private func askForServices(_ context: inout Context) {
        context.open(ServicesQuestion(user: check?.serviceUser ?? ""))
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        switch (answer.id, answer.button) {
        case ("wizard-cancel", "go"):
            if context.model.isConfigured { context.showFullPage(nil) } else { context.exit() }
        case ("services", "yes"), ("services", "no"): finish(registers: answer.button == "yes", &context)
        default: break
        }
    }

    // MARK: - Finish

    private mutating func finish(registers: Bool, _ context: inout Context) {
        steps = []
        failure = nil
        phase = .working
        setup = context.send(
            ServerInterface.Setup.self, values.input(change: context.model.isConfigured, registers: registers),
            stream: true)
        showProgress()
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let asked = checking, let result = message.result(of: ServerInterface.CheckSetup.self, for: asked.id) {
            checking = nil
            checked(result, goesOn: asked.goesOn, &context)
        }
        guard let id = setup else { return }
        switch message {
        case .reply(let reply) where reply.id == id:
            do throws(ControlError) {
                let (output, continues) = try reply.result(of: ServerInterface.Setup.self)
                take(output.steps)
                if !continues { ended(nil, &context) }
            } catch {
                ended(error, &context)
            }
        case .failed(id, let error): ended(error, &context)
        default: break
        }
    }

    private mutating func checked(
        _ result: Result<ServerInterface.CheckSetup.Output, ControlError>, goesOn: Bool, _ context: inout Context
    ) {
        switch result {
        case .success(let output):
            check = output
            guard goesOn else {
                collect()
                return show(step: step)
            }
            let own = output.problems.filter { WizardValues.place(of: $0.path).step == step }
            if let fault = own.first(where: { !$0.isWarning }) {
                _ = form.setFocus(WizardValues.place(of: fault.path).field)
                return context.notice(.warning, fault.phrase)
            }
            if let warning = own.first { context.notice(.warning, warning.phrase) }
            show(step: step + 1)
        case .failure(let error):
            if goesOn || error.kind != .noConnection { context.notice(.error, error.phrase) }
        }
    }

    /// Each reply of the stream brings the steps since the last one, or all of them so far.
    private mutating func take(_ new: [SetupStep]) {
        for step in new {
            if let index = steps.firstIndex(where: { $0.step == step.step }) {
                steps[index] = step
            } else {
                steps.append(step)
            }
        }
        showProgress()
    }

    private mutating func ended(_ error: ControlError?, _ context: inout Context) {
        setup = nil
        failure = error
        phase = .ended
        showProgress()
        ModelLink.startSnapshot(&context)
    }

    private mutating func showProgress() {
        var rows: [FormRow] = [.empty]
        for step in steps {
            let role: Role = step.state == .done ? .good : step.state == .failed ? .bad : .disabled
            let word = step.state == .done ? "ok" : step.state == .failed ? "bad" : "skipped"
            rows.append(
                FormRow(
                    Self.name(of: step.step),
                    [
                        FormPart("", Label(Phrase("wizard.progress.\(word)"), role)),
                        FormPart("", Label(step.phrase, wraps: true), width: .fill),
                    ]))
        }
        rows.append(.empty)
        rows.append(.text(outcome.0, outcome.1))
        for problem in failure?.detail.problems ?? [] { rows.append(.text(problem.phrase, .problem)) }
        var buttons: [ButtonRow.Item] = []
        if phase == .ended {
            if failure != nil, steps.isEmpty { buttons.append(.init("again", .text("button.back"), letter: "b")) }
            buttons.append(.init("done", .text("button.ok")))
        }
        form = Form(
            rows, buttons: buttons.isEmpty ? nil : ButtonRow(buttons), focus: buttons.isEmpty ? nil : Form.buttonsID)
    }

    private var outcome: (Phrase, Role) {
        if phase == .working { return (.text("wizard.progress.working"), .hint) }
        if let failure {
            return steps.isEmpty ? (failure.phrase, .problem) : (.text("wizard.progress.failed"), .problem)
        }
        return steps.contains { $0.state == .failed }
            ? (.text("wizard.progress.failed"), .problem) : (.text("wizard.progress.done"), .good)
    }

    /// `register.epstrs` → `Register EPSTRS`
    private static func name(of step: String) -> Phrase {
        let parts = step.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return Phrase(code: "wizard.step.\(step)", english: Visible.line(step)) }
        return Phrase(code: "wizard.step.\(parts[0])", english: Visible.line(step), arguments: [parts[1].uppercased()])
    }
}

extension SetupStep {
    /// What there is to say about it, in the reader's language.
    var phrase: Phrase {
        code.isEmpty
            ? .verbatim(Visible.line(message))
            : Phrase(code: code, english: Visible.line(message), arguments: arguments.map(Visible.line))
    }
}

/// R-WIZ-13: shall the services be registered and started? No means later, on the page Service control.
struct ServicesQuestion: Dialog {
    var title: Phrase { .text("wizard.services.title") }
    var form: Form
    var width: Int { 62 }
    var okButton: String? { "yes" }

    /// - Parameter user: whom the services run as (R-WIZ-14).
    init(user: String) {
        form = Form(
            [
                .text(.text("wizard.services.question")),
                .text(.text("wizard.services.user", Visible.line(user)), .hint),
                .text(.text("wizard.services.later"), .hint),
            ],
            buttons: ButtonRow([
                .init("yes", .text("button.yes"), letter: "y"), .init("no", .text("button.no"), letter: "n"),
                .init("cancel", .text("button.back"), letter: "b"),
            ]), focus: Form.buttonsID)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if case .button(let button) = event { context.finish(Answer("services", button: button)) }
    }
}
