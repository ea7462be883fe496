import Control

/// One alias and one real address. Its OK answers `alias` with the texts; the page stages them.
struct AliasDialog: Dialog {
    var title: Phrase { .text(oldAlias.isEmpty ? "alias.dialog.add" : "alias.dialog.change") }
    var form: Form
    var width: Int { 70 }
    private(set) var isDirty = false
    private let oldAlias: String
    private let oldTarget: String

    init(adding domain: String) {
        oldAlias = ""
        oldTarget = ""
        form = Self.form(alias: domain.isEmpty ? "" : "@" + domain, target: "", option: "auto")
        form.update("alias", as: TextField.self) { $0.line.moveCaret(to: 0) }
    }

    /// - Parameter target: with its option.
    init(changing alias: String, _ target: String) {
        oldAlias = alias
        oldTarget = target
        let (address, option) = AliasRecord.parts(target)
        form = Self.form(alias: alias, target: address, option: option)
    }

    private static func form(alias: String, target: String, option: String) -> Form {
        let options = ["auto", "always", "never"].map { Option($0, Phrase("alias.option.\($0)")) }
        return Form(
            [
                FormRow(
                    .text("alias.col.alias"),
                    [FormPart("alias", TextField(alias, kind: .mailAddress, limit: 320), width: .fill)]),
                FormRow(
                    .text("alias.col.real"),
                    [FormPart("target", TextField(target, kind: .mailAddress, limit: 320), width: .fill)]),
                FormRow(.text("alias.recipient"), "option", Select(options, selected: option)), .empty,
                FormRow(nil, [FormPart("effect", Label("", .hint, wraps: true), width: .fill)]),
                .text(.text("alias.about"), .hint),
            ],
            buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]),
            focus: "alias")
    }

    mutating func opened(_ context: inout Context) { describe() }

    private mutating func describe() {
        let (alias, target) = typed
        guard AliasRecord.problem(alias, AliasRecord.parts(target).address) == nil else {
            return form.setLabel("effect", .verbatim(""), .hint)
        }
        let kept = AliasRecord.replaces(alias, target) ? "alias.hint.replaced" : "alias.hint.kept"
        form.setLabel(
            "effect", .text(kept, Visible.line(alias), Visible.line(AliasRecord.parts(target).address)), .hint)
    }

    /// A target that was typed with its option counts as it is.
    private var typed: (alias: String, target: String) {
        let target = form.text("target").trimmedBlanks
        let isWhole = AliasRecord.parts(target).option != "auto"
        return (
            form.text("alias").trimmedBlanks, isWhole ? target : AliasRecord.target(target, form.selected("option"))
        )
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed:
            isDirty = true
            describe()
        case .button("ok"): ok(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    private mutating func ok(_ context: inout Context) {
        let (alias, target) = typed
        if let (field, text) = AliasRecord.problem(alias, AliasRecord.parts(target).address) {
            _ = form.setFocus(field)
            return context.notice(.warning, text)
        }
        let domain = AliasRecord.domain(alias)
        guard context.model.domains.contains(where: { $0.name == domain }) else {
            _ = form.setFocus("alias")
            return context.notice(.warning, .text("alias.foreign-domain", Visible.line(domain)))
        }
        context.finish(
            Answer(
                "alias", button: "ok",
                values: ["alias": alias, "target": target, "oldAlias": oldAlias, "oldTarget": oldTarget]))
    }
}

/// "Test an address": every step from the typed address to mailboxes and outside addresses.
struct AliasTestDialog: Dialog {
    var title: Phrase { .text("alias.test.title") }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 16 }
    var okButton: String? { "go" }
    private var asking: RequestID?
    /// Staged aliases that were judged with.
    private var asked = 0

    init(_ address: String) {
        let steps = Table(
            [
                TableColumn("number", .verbatim(""), minimum: 2, maximum: 2, align: .right),
                TableColumn("what", .text("account-test.step"), minimum: 20),
            ], empty: .text("alias.test.none"))
        form = Form(
            [
                FormRow(
                    .text("alias.test.address"),
                    [FormPart("address", TextField(address, kind: .mailAddress, limit: 320), width: .fill)]),
                FormRow(nil, "steps", steps),
                FormRow(nil, [FormPart("with", CheckBox(.text("alias.test.with")))], isHidden: true),
                FormRow(nil, [FormPart("used", Label("", .hint, wraps: true), width: .fill)]),
            ],
            buttons: ButtonRow([.init("go", .text("account-test.go")), .init("close", .text("button.close"))]),
            focus: "address")
        form.update("steps", as: Table.self) { $0.setRows([]) }
    }

    mutating func opened(_ context: inout Context) {
        form.setOn("with", true)
        form.setHidden("with", Self.edits(context).isEmpty)
        ask(&context)
    }

    /// Staged aliases as they would be.
    private static func edits(_ context: Context) -> [AliasInterface.Test.Edit] {
        context.model.staged(on: .alias).compactMap { edit in
            AliasRecord.name(ofPath: edit.path).map { .init(alias: $0, targets: edit.new ?? []) }
        }
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .button("go"), .left("address"), .changed("with"): ask(&context)
        case .button: context.closeDialog()
        default: break
        }
    }

    /// Other rules may have been applied, or staged, meanwhile.
    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected { asking = nil }
        form.setHidden("with", Self.edits(context).isEmpty)
    }

    private mutating func ask(_ context: inout Context) {
        let address = form.text("address").trimmedBlanks
        guard asking == nil, !address.isEmpty else { return }
        let edits = form.isOn("with") ? Self.edits(context) : []
        asked = edits.count
        asking = context.send(
            AliasInterface.Test.self, .init(address: address, edits: edits.isEmpty ? nil : edits))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: AliasInterface.Test.self, for: asking) else { return }
        asking = nil
        switch result {
        case .success(let output): show(output, context)
        case .failure(let error):
            form.update("steps", as: Table.self) { $0.setRows([]) }
            context.notice(.warning, error.phrase)
        }
    }

    /// Which rules the answer stands for.
    private mutating func tell(_ output: AliasInterface.Test.Output) {
        let staged = output.edited.map { Visible.line($0) }.joined(separator: ", ")
        if asked == 0 {
            form.setLabel("used", .text("alias.test.applied"), .hint)
        } else if staged.isEmpty {
            form.setLabel("used", .text("alias.test.unmet"), .hint)
        } else {
            form.setLabel("used", .text("alias.test.met", staged), .staged)
        }
    }

    private mutating func show(_ output: AliasInterface.Test.Output, _ context: Context) {
        tell(output)
        var lines: [(number: String, text: String, role: Role)] = output.steps.enumerated().map {
            (
                String($0 + 1),
                Visible.line(context.say(.sentence($1.finding)))
                    + ($1.source.isEmpty ? "" : "  (\(Visible.line($1.source)))"),
                .normal
            )
        }
        for place in output.places {
            let key = place.isLocal ? "alias.test.local" : "alias.test.outside"
            let text = context.say(.text(key, Visible.line(place.address), Visible.line(place.envelope)))
            lines.append(("=>", text, .good))
        }
        for dead in output.dead {
            let why = context.say(Phrase(code: "alias.fault.\(dead.fault)", english: dead.fault))
            lines.append(("=>", context.say(.text("alias.test.dead", Visible.line(dead.address), why)), .problem))
        }
        let room = min(width, context.size.columns - 4) - 8
        let rows = lines.enumerated().flatMap { number, line in
            context.metrics.wrap(line.text, to: room).enumerated().map { index, text in
                TableRow(id: "\(number).\(index)", cells: [index == 0 ? line.number : "", text], role: line.role)
            }
        }
        form.update("steps", as: Table.self) { $0.setRows(rows) }
    }
}
