import Control

/// Asks for the system management password before the first page (R-MC-07). It does not go away without it.
struct UnlockScreen: Screen {
    var form: Form
    var showsBars: Bool { false }
    private var request: RequestID?

    init() {
        form = Form(
            [
                .empty, .text(.text("unlock.intro")), .empty,
                FormRow(.text("server.password.label"), "password", TextField(kind: .password, width: 32, limit: 200)),
                .empty, FormRow(nil, [FormPart("state", Label("", .problem, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([
                .init("unlock", .text("button.unlock"), letter: "u"), .init("leave", .text("leave.do"), letter: "l"),
            ]), focus: "password")
    }

    func header(_ context: Context) -> PageHeader {
        PageHeader(title: .text("unlock.title"), state: .verbatim(context.model.hello?.host ?? ""))
    }

    func commands(_ context: Context) -> [Command] {
        [Command("unlock", .text("button.unlock"), keys: [.control("o")], bar: .text("button.unlock"))]
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        // Enter in the field goes on to the buttons; here it is the whole page's work.
        case .focused(Form.buttonsID) where !form.text("password").isEmpty && request == nil: unlock(&context)
        case .button("unlock"): unlock(&context)
        case .button("leave"): context.exit()
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "apply", "unlock": unlock(&context)
        case "cancel", "back": context.command("leave")
        default: break
        }
    }

    private mutating func unlock(_ context: inout Context) {
        let typed = form.text("password")
        guard request == nil, !typed.isEmpty else { return }
        form.setText("password", "")
        form.setLabel("state", .text("unlock.checking"), .hint)
        request = context.send(ServerInterface.Unlock.self, .init(password: typed))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: ServerInterface.Unlock.self, for: request) else { return }
        request = nil
        switch result {
        case .success:
            context.showFullPage(nil)
            ModelLink.startSnapshot(&context)
        case .failure(let error):
            form.setLabel("state", error.kind == .refused ? .text("unlock.wrong") : error.phrase, .problem)
            _ = form.setFocus("password")
        }
    }
}
