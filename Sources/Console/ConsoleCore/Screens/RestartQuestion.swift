import Control

/// Offered after an Apply whose changes hold only after a restart (R-MC-06, R-DOM-30).
struct RestartQuestion: Dialog {
    var title: Phrase { .text("restart.title") }
    var form: Form
    var width: Int { 60 }
    var okButton: String? { nil }
    private let services: [String]

    init(services: [String]) {
        self.services = services
        let names = services.map { $0.uppercased() }.joined(separator: ", ")
        form = Form(
            [.text(.text("restart.question", names)), .text(.text("service.stop.stays"), .hint)],
            buttons: ButtonRow([
                .init("later", .text("button.later")),
                .init("now", .text("restart.do"), letter: "r", isLetterOnly: true),
            ]), focus: Form.buttonsID)
    }

    /// `restart.epstrs`, `restart.epstds`, `restart.all`, in the order of a mail's way.
    static func services(of effects: Set<String>) -> [String] {
        let all = effects.contains("restart.all")
        return ["epstrs", "epstds"].filter { all || effects.contains("restart.\($0)") }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .button(let button) = event else { return }
        if button == "now" {
            for service in services {
                context.ask(
                    ServicesInterface.Act.self, .init(service: service, action: .restart),
                    for: .service(name: service, action: "restart"))
            }
        }
        context.closeDialog()
    }
}

/// The draft that an earlier session kept, offered again (console.md 6.1).
enum DraftOffer {
    static func question(_ saved: DraftFile.Saved, _ context: Context) -> any Dialog {
        DraftQuestion(count: saved.edits.count, time: Clock.date(saved.time, utcOffset: context.model.utcOffset))
    }
}

struct DraftQuestion: Dialog {
    var title: Phrase { .text("draft.title") }
    var form: Form
    var width: Int { 60 }
    var okButton: String? { "restore" }

    init(count: Int, time: String) {
        form = Form(
            [.text(.text("draft.question", String(count), time))],
            buttons: ButtonRow([
                .init("restore", .text("button.restore"), letter: "r"),
                .init("discard", .text("button.discard"), letter: "d", isLetterOnly: true),
            ]), focus: Form.buttonsID)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .button(let button) = event else { return }
        if button == "restore", let saved = context.model.saved { Self.take(saved, &context) }
        context.model.saved = nil
        context.closeDialog()
        context.modelChanged()
    }

    /// Edits meet the server's values of now as if all that changed meanwhile had been pushed.
    static func take(_ saved: DraftFile.Saved, _ context: inout Context) {
        for edit in saved.edits {
            context.model.draft.stage(edit.path, edit.new, server: edit.base)
            // What the server has in a table is asked for; a revert meets it at Apply.
            let isKnown = !edit.isRecord || DomainRecord.name(ofPath: edit.path) != nil
            if isKnown { _ = context.model.draft.serverChanged(edit.path, to: context.model.server(edit.path)) }
        }
        ModelLink.askForStagedTables(&context)
        context.announce()
    }

    mutating func cancelled(_ context: inout Context) {}
}
