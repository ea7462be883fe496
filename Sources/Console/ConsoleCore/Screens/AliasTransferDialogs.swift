import Control

/// Import of aliases from lines `alias<TAB>real[,n]` (R-ALIAS-18): file, what it would do, typed confirmation. All lines
/// or none.
struct AliasImportDialog: Dialog {
    var title: Phrase { .text("alias.import.title") }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private enum Phase { case asking, confirming, running }
    private var phase = Phase.asking
    private var path = ""
    /// The file in parts that fit a call.
    private var parts: [String] = []
    /// Parts sent for the question under way, and the server's name for them.
    private var sent = 0
    private var transfer: String?
    private var isDryRun = true
    private var replaces = false
    private var plan: AliasInterface.Import.Output?
    private var reading: RequestID?
    private var sending: RequestID?

    /// Octets of a file that is taken.
    private static let fileLimit = 64 << 20
    /// A frame is 1 MiB, and JSON may write an octet as six.
    private static let octetsPerCall = 150_000

    init() {
        form = Form()
        ask()
    }

    private mutating func ask() {
        phase = .asking
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(path, kind: .path), width: .fill)]),
                FormRow(
                    nil, [FormPart("replaces", CheckBox(.text("alias.import.replaces"), isOn: replaces))],
                    isIndented: true),
                .empty, .text(.text("alias.import.columns"), .hint),
                FormRow(nil, [FormPart("problem", Label("", .problem, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("import.next")), .init("cancel", .text("button.cancel"))]),
            focus: "path")
    }

    /// What must be typed: how many lines come and go.
    private var count: String { String((plan?.added ?? 0) + (plan?.removed ?? 0)) }
    private var typeFirst: Phrase { Phrase("Type {text} first.", ["text": count]) }

    /// Class 3: many at once, so the number is typed.
    private mutating func confirm(_ plan: AliasInterface.Import.Output) {
        phase = .confirming
        self.plan = plan
        var rows = [
            FormRow.text(
                .text(
                    "alias.import.plan", Visible.line(path), String(plan.added), String(plan.kept),
                    String(plan.removed)), plan.removed > 0 ? .problem : .normal)
        ]
        rows += plan.problems.prefix(3).map { .text($0.phrase, .problem) }
        rows += [
            .empty, .text(Phrase("Type {text} to confirm.", ["text": count])),
            FormRow(nil, "typed", TextField(width: 14)),
        ]
        form = Form(
            rows,
            buttons: ButtonRow([
                .init("cancel", .text("button.cancel")),
                .init("start", .text("import.start"), letter: "i", off: typeFirst),
            ]), focus: "typed")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go") where phase == .asking:
            path = form.text("path").trimmedBlanks
            replaces = form.isOn("replaces")
            guard !path.isEmpty else {
                _ = form.setFocus("path")
                return context.notice(.warning, .text("file.name-needed"))
            }
            reading = context.file(.read(path: path, limit: Self.fileLimit))
        case .changed("typed"):
            let off = form.text("typed") == count ? nil : typeFirst
            form.buttons?.items[1].off = off
        case .button("start"): begin(dryRun: false, &context)
        case .button("cancel"): context.closeDialog()
        default: break
        }
    }

    private mutating func begin(dryRun: Bool, _ context: inout Context) {
        guard sending == nil else { return }
        if !dryRun { phase = .running }
        (sent, transfer, isDryRun) = (0, nil, dryRun)
        sendNext(&context)
    }

    /// All parts but the last wait at the server for the last one, with which they are taken.
    private mutating func sendNext(_ context: inout Context) {
        guard parts.indices.contains(sent) else { return }
        let text = parts[sent]
        sent += 1
        if sent < parts.count {
            sending = context.send(AliasInterface.Send.self, .init(transfer: transfer, text: text))
            return
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        sending = context.send(
            AliasInterface.Import.self,
            .init(
                transfer: transfer, text: text, replaces: replaces, dryRun: isDryRun,
                note: isDryRun ? "" : "import of \(name)"))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let outcome = message.file(for: reading) { took(outcome, &context) }
        if sent < parts.count, let result = message.result(of: AliasInterface.Send.self, for: sending) {
            sending = nil
            switch result {
            case .success(let output):
                transfer = output.transfer
                sendNext(&context)
            case .failure(let error): refused(error, &context)
            }
            return
        }
        guard let result = message.result(of: AliasInterface.Import.self, for: sending) else { return }
        sending = nil
        switch result {
        case .success(let output) where phase == .running:
            context.model.ownChanges.insert("alias")
            context.notice(
                .information,
                .text("alias.import.done", String(output.added), String(output.kept), String(output.removed)))
            context.finish(Answer("alias-imported", button: "ok"))
        case .success(let output) where output.added + output.removed == 0:
            form.setLabel("problem", .text("alias.import.nothing"), .hint)
        case .success(let output): confirm(output)
        case .failure(let error): refused(error, &context)
        }
    }

    private mutating func refused(_ error: ControlError, _ context: inout Context) {
        if phase != .asking { ask() }
        let line = error.detail.problems?.first.flatMap { $0.path.hasPrefix("line/") ? $0.path.dropFirst(5) : nil }
        form.setLabel(
            "problem", line.map { .text("alias.import.fault", String($0), context.say(error.phrase)) } ?? error.phrase,
            .problem)
        context.notice(.error, error.phrase)
    }

    private mutating func took(_ outcome: FileOutcome, _ context: inout Context) {
        reading = nil
        switch outcome {
        case .contents(let text) where text.isEmpty:
            context.notice(.warning, .text("import.empty", Visible.line(path)))
        case .contents(let text):
            parts = [""]
            for line in TableRecord.lines(of: text) {
                parts[parts.count - 1] += line + "\n"
                if parts[parts.count - 1].utf8.count > Self.octetsPerCall { parts.append("") }
            }
            begin(dryRun: true, &context)
        case .failed(let reason):
            context.notice(.warning, .text("file.cannot-read", Visible.line(path), Visible.line(reason)))
        case .written, .exists: break
        }
    }
}

/// Export of all aliases as lines that import takes.
struct AliasExportDialog: Dialog {
    var title: Phrase { .text("alias.export.title") }
    var form: Form
    var width: Int { 68 }
    var okButton: String? { "go" }
    private var file = FileSaving()
    private var text = ""
    private var count = 0
    private var asking: RequestID?

    init() {
        form = Form(
            [
                FormRow(.text("import.file"), [FormPart("path", TextField(kind: .path), width: .fill)]), .empty,
                .text(.text("alias.import.columns"), .hint),
                FormRow(nil, [FormPart("progress", Label("", .normal, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("export.start")), .init("cancel", .text("button.cancel"))]),
            focus: "path")
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"):
            guard asking == nil, !file.isWriting, file.takePath(&form, &context) else { return }
            (text, count) = ("", 0)
            asking = context.send(AliasInterface.Export.self, .init(offset: 0))
        case .button: context.closeDialog()
        default: break
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let outcome = file.receive(message, &context) { wrote(outcome, &context) }
        guard let result = message.result(of: AliasInterface.Export.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output):
            text += output.text
            count += output.count
            form.setLabel("progress", .text("alias.export.progress", String(count)), .hint)
            if output.count == 0 || count >= output.total {
                file.write(text, &context)
            } else {
                asking = context.send(AliasInterface.Export.self, .init(offset: count))
            }
        case .failure(let error): form.setLabel("progress", error.phrase, .problem)
        }
    }

    private mutating func wrote(_ outcome: FileSaving.Outcome, _ context: inout Context) {
        switch outcome {
        case .written:
            context.notice(.information, .text("alias.export.done", String(count), Visible.line(file.path)))
            context.closeDialog()
        case .failed(let trouble): form.setLabel("progress", trouble, .problem)
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) { file.answered(answer, &context) }
}
