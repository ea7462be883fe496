import Control

/// メール制御 (R-ACC-26, spec file 11): IMS.CTL field by field, with the texts beside it. Everything is kept here until OK
/// sends it in one piece; what the dialog does not show stays in the file as it is.
struct MailControlDialog: Dialog {
    var title: Phrase { .text("control.title", Visible.line(address)) }
    var form: Form
    var width: Int { 76 }
    var isDirty: Bool { begun != nil && !(changes.isEmpty && texts.isEmpty) }

    private let address: String
    /// The server's word when the edit began, or was met again.
    private var begun: DirectoryInterface.GetMailControl.Output?
    /// IMS.CTL with what was changed here.
    private var preview: DirectoryInterface.GetMailControl.Output?
    /// Texts that were edited and not sent yet, by file.
    private var texts: [String: AccountFileText] = [:]
    /// The preview is of older values.
    private var isStale = true
    private var asking: RequestID?
    /// The answer on its way is the file as it stands there, without what was changed here.
    private var asksPlain = true
    /// The server refused to overwrite: what stands there now is put under what was changed here.
    private var meets = false
    /// Files that somebody else changed, until the next OK.
    private var metFiles: [String] = []
    private var saving: RequestID?

    init(_ address: String) {
        self.address = address
        form = Form(
            Self.rows,
            buttons: ButtonRow([
                .init("ok", .text("button.ok")), .init("cancel", .text("button.cancel")),
                .init("text", .text("control.as-text"), letter: "e"),
                .init("test", .text("control.test"), letter: "t"),
            ]), focus: "forwardTo")
    }

    private static var rows: [FormRow] {
        let reports = ["Admin", "Sender", "None", "address"].map { Option($0, Phrase("control.report.\($0)")) }
        return [
            FormRow(
                nil,
                [
                    FormPart("enabled", CheckBox(.text("control.enabled"))),
                    FormPart("keep", CheckBox(.text("control.keep"))),
                ], gap: 4),
            FormRow(
                nil,
                [
                    FormPart("forward", CheckBox(.text("control.forward"))),
                    FormPart("permitFrom", CheckBox(.text("control.permit"))),
                    FormPart("permitfrom.edit", Button(.verbatim("PERMITFROM.TXT..."))),
                    FormPart("permitfrom.count", Label("", .hint, width: 4)),
                ]),
            FormRow(
                .text("control.to"),
                [
                    FormPart("forwardTo", TextField(kind: .path, limit: 1_000), width: .fill),
                    FormPart("", Label(.text("control.or-file"), .hint)),
                ]),
            FormRow(
                .text("control.report"),
                [
                    FormPart("reportTo", RadioGroup(reports, selected: "Sender")),
                    FormPart("reportAddress", TextField(kind: .mailAddress, limit: 320), width: .fill),
                ], gap: 0),
            FormRow(
                nil,
                [
                    FormPart("deleteAttachments", CheckBox(.text("control.attachments"))),
                    FormPart("limited", CheckBox(.text("control.limit"))),
                    FormPart("sizeLimit", TextField(kind: .bytes, width: 10, limit: 20), width: .cells(12)),
                ], isIndented: true, gap: 1),
            FormRow(
                nil,
                [
                    FormPart("reply", CheckBox(.text("control.reply"))),
                    FormPart("reply.edit", Button(.text("control.body"))),
                    FormPart("reply.count", Label("", .hint, width: 7)),
                    FormPart("noreply.edit", Button(.verbatim("NOREPLY.TXT..."))),
                    FormPart("noreply.count", Label("", .hint, width: 4)),
                ], gap: 1),
            FormRow(.text("control.subject"), [FormPart("subject", TextField(limit: 500), width: .fill)]),
            FormRow(
                .text("control.reply-from"),
                [
                    FormPart("replyFrom", TextField(kind: .mailAddress, width: 18, limit: 320)),
                    FormPart("", Label(.text("control.reply-to"), .label)),
                    FormPart("replyTo", TextField(kind: .mailAddress, limit: 320), width: .fill),
                ], gap: 1),
            FormRow(
                nil,
                [
                    FormPart("echo", CheckBox(.text("control.echo"))),
                    FormPart("withoutHeader", CheckBox(.text("control.without-header"))),
                ], isIndented: true),
            FormRow(
                nil,
                [
                    FormPart("record", CheckBox(.text("control.record"))),
                    FormPart("once", CheckBox(.text("control.once"))),
                ], isIndented: true),
            FormRow(.text("control.program"), [FormPart("program", TextField(kind: .path), width: .fill)]),
            .rule(.text("control.preview")),
            FormRow(nil, [FormPart("preview", Label("", .hint, wraps: true), width: .fill)]),
            FormRow(nil, [FormPart("note", Label("", .hint, wraps: true), width: .fill)]),
        ]
    }

    // MARK: - Values

    /// What the form says, in the words of the interface.
    private var typed: MailControl {
        var values = MailControl()
        values.enabled = form.isOn("enabled")
        values.discard = !form.isOn("keep")
        values.forwardTo = form.isOn("forward") ? form.text("forwardTo").trimmedBlanks : ""
        values.permitFrom = form.isOn("permitFrom")
        let report = form.selected("reportTo")
        values.reportTo = report == "address" ? form.text("reportAddress").trimmedBlanks : report
        values.deleteAttachments = form.isOn("deleteAttachments")
        values.sizeLimit = form.isOn("limited") ? Bytes.parse(form.text("sizeLimit")) ?? 0 : -1
        values.reply = form.isOn("reply")
        values.subject = form.text("subject").trimmedBlanks
        values.replyFrom = form.text("replyFrom").trimmedBlanks
        values.replyTo = form.text("replyTo").trimmedBlanks
        values.echo = form.isOn("echo")
        values.withoutHeader = form.isOn("withoutHeader")
        values.record = form.isOn("record")
        values.once = form.isOn("once")
        values.program = form.text("program").trimmedBlanks
        return values
    }

    /// Only what differs travels, so that another administrator's change of another field stays.
    private var changes: MailControl { begun.map { typed.difference(from: $0.control) } ?? MailControl() }

    /// The form shows `values`.
    private mutating func show(_ values: MailControl) {
        form.setOn("enabled", values.enabled ?? true)
        form.setOn("keep", values.discard != true)
        let target = values.forwardTo ?? ""
        form.setOn("forward", !target.isEmpty)
        form.setText("forwardTo", target)
        form.setOn("permitFrom", values.permitFrom ?? false)
        let report = values.reportTo ?? "Sender"
        let isWord = ["Admin", "Sender", "None"].contains(report)
        form.setSelected("reportTo", isWord ? report : "address")
        form.setText("reportAddress", isWord ? "" : report)
        form.setOn("deleteAttachments", values.deleteAttachments ?? false)
        let limit = values.sizeLimit ?? -1
        form.setOn("limited", limit >= 0)
        form.setText("sizeLimit", limit >= 0 ? String(limit) : "")
        form.setOn("reply", values.reply ?? false)
        form.setText("subject", values.subject ?? "")
        form.setText("replyFrom", values.replyFrom ?? "")
        form.setText("replyTo", values.replyTo ?? "")
        form.setOn("echo", values.echo ?? false)
        form.setOn("withoutHeader", values.withoutHeader ?? false)
        form.setOn("record", values.record ?? false)
        form.setOn("once", values.once ?? false)
        form.setText("program", values.program ?? "")
    }

    // MARK: - The server's word

    mutating func opened(_ context: inout Context) { describe(context) }
    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected { asking = nil }
        isStale = true
        describe(context)
    }

    mutating func requests(_ context: inout Context) {
        guard isStale, asking == nil, saving == nil, context.isConnected else { return }
        isStale = false
        let values = meets || changes.isEmpty ? nil : changes
        asksPlain = values == nil
        asking = context.send(DirectoryInterface.GetMailControl.self, .init(address: address, values: values))
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.GetMailControl.self, for: asking) {
            asking = nil
            switch result {
            case .success(let output): take(output, context)
            case .failure(let error):
                if error.kind != .noConnection { form.setLabel("note", error.phrase, .problem) }
                // A value that cannot be written shows no preview; nothing else is known of the file then.
                preview = nil
            }
        }
        if let result = message.result(of: DirectoryInterface.SetMailControl.self, for: saving) {
            saving = nil
            saved(result, &context)
        }
        describe(context)
    }

    /// What the file says now: fields that were not touched here follow it.
    private mutating func take(_ output: DirectoryInterface.GetMailControl.Output, _ context: Context) {
        preview = output
        guard asksPlain else { return }
        guard let old = begun else {
            begun = output
            show(output.control)
            return refuseChanges(context)
        }
        if meets { return meet(output, old) }
        // Still nothing changed here: the form is what the server says.
        guard changes.isEmpty, output != old else { return }
        begun = output
        show(output.control)
    }

    /// Somebody else wrote: fields that were not touched here take his values; what was touched waits for another OK,
    /// which overwrites knowingly.
    private mutating func meet(
        _ now: DirectoryInterface.GetMailControl.Output, _ old: DirectoryInterface.GetMailControl.Output
    ) {
        meets = false
        let mine = changes
        metFiles = now.etag == old.etag ? [] : ["IMS.CTL"]
        for state in now.files where texts[state.file] != nil && texts[state.file]?.baseEtag != state.etag {
            texts[state.file]?.baseEtag = state.etag
            metFiles.append(state.name)
        }
        begun = now
        show(mine.laid(over: now.control))
        isStale = true
    }

    private mutating func refuseChanges(_ context: Context) {
        guard let refusal = context.changeRefusal else { return }
        form.buttons?.items[0].off = refusal
        form.buttons?.items[2].off = refusal
    }

    /// The file is another one than when the edit began.
    private var isChangedMeanwhile: Bool {
        guard let begun, let preview else { return false }
        return begun.etag != preview.etag
    }

    // MARK: - Words

    private mutating func describe(_ context: Context) {
        for file in ["permitfrom", "reply", "noreply"] {
            let lines =
                texts[file].map { text in TableRecord.lines(of: text.text).filter { !$0.isEmpty }.count }
                ?? begun?.files.first { $0.file == file }?.lines ?? 0
            let count: Phrase = file == "reply" ? .text("control.lines", String(lines)) : .verbatim(String(lines))
            form.setLabel("\(file).count", count, texts[file] == nil ? .hint : .staged)
        }
        let (hasAddress, isLimited) = (form.selected("reportTo") == "address", form.isOn("limited"))
        form.update("reportAddress", as: TextField.self) { $0.isEnabled = hasAddress }
        form.update("sizeLimit", as: TextField.self) { $0.isEnabled = isLimited }
        if let preview { form.setLabel("preview", .verbatim(Self.compact(preview.text, context)), .normal) }
        guard begun != nil else { return form.setLabel("note", .text("table.loading"), .hint) }
        let (note, role) = note(context)
        form.setLabel("note", note, role)
    }

    /// What the values bring with them: a fault, a change by somebody else, the guard, the rewriting of senders.
    private func note(_ context: Context) -> (Phrase, Role) {
        if let problem = preview?.problems.first(where: { !$0.isWarning }) { return (problem.phrase, .problem) }
        if isChangedMeanwhile { return (.text("control.changed-meanwhile"), .problem) }
        if !metFiles.isEmpty { return (.text("control.met", metFiles.joined(separator: ", ")), .problem) }
        if let doubt = preview?.problems.first { return (doubt.phrase, .problem) }
        guard let begun, form.isOn("forward") else {
            return form.isOn("reply") ? (.text("control.note.reply"), .hint) : (.text("control.note.none"), .hint)
        }
        let guarded = begun.administrator.isEmpty ? "" : Visible.line(begun.administrator)
        switch form.selected("reportTo") {
        case "Admin": return (.text("control.note.admin", guarded), .hint)
        case "Sender":
            return (.text(begun.rewritesSenders ? "control.note.srs" : "control.note.no-srs", guarded), .hint)
        default: return (.text("control.note.guard", guarded), .hint)
        }
    }

    /// The file in one or two lines: `[AutoForward] ForwardTo=… [Delivery] Discard=Yes`.
    private static func compact(_ text: String, _ context: Context) -> String {
        let lines = TableRecord.lines(of: text).map(\.trimmedBlanks).filter { !$0.isEmpty }
        let whole = Visible.line(lines.joined(separator: "  "))
        let wrapped = context.metrics.wrap(whole, to: min(74, context.size.columns - 6))
        guard wrapped.count > 2 else { return whole }
        return context.metrics.clip(whole, to: 2 * min(74, context.size.columns - 6) - 6) + " ..."
    }

    // MARK: - What happens

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed(let id):
            if id == "forwardTo" { form.setOn("forward", !form.text("forwardTo").trimmedBlanks.isEmpty) }
            if id == "limited", form.isOn("limited"), form.text("sizeLimit").isEmpty {
                form.setText("sizeLimit", "65536")
            }
            isStale = true
        case .activated(let id) where id.hasSuffix(".edit"): edit(String(id.dropLast(".edit".count)), &context)
        case .button("ok"): ok(&context)
        case .button("text"):
            context.open(AccountFileDialog(address, "control", text: preview?.text, etag: begun?.etag))
        case .button("test"):
            context.open(
                AccountTestDialog(address, values: changes.isEmpty ? nil : changes, files: Array(texts.values)))
        case .button: context.closeDialog()
        default: break
        }
        describe(context)
    }

    private func edit(_ file: String, _ context: inout Context) {
        context.open(
            AccountFileDialog(
                address, file, text: texts[file]?.text, etag: texts[file]?.baseEtag, returnsText: true))
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        guard answer.button == "ok" else { return }
        if answer.id == "account-text", let file = answer.values["file"], let text = answer.values["text"] {
            texts[file] = AccountFileText(file: file, text: text, baseEtag: answer.values["etag"])
        } else if answer.id == "account-file" {
            // IMS.CTL was written as a text: it is what the dialog shows from now on.
            begun = nil
        }
        isStale = true
        describe(context)
    }

    /// What is wrong by form alone, and where.
    private var problem: (String, Phrase)? {
        if form.isOn("forward"), form.text("forwardTo").trimmedBlanks.isEmpty {
            return ("forwardTo", .text("control.to-needed"))
        }
        if form.selected("reportTo") == "address", !form.text("reportAddress").contains("@") {
            return ("reportAddress", .text("control.report-needed"))
        }
        if form.isOn("limited"), Bytes.parse(form.text("sizeLimit")) == nil {
            return ("sizeLimit", .text("control.limit-needed"))
        }
        return nil
    }

    private mutating func ok(_ context: inout Context) {
        guard saving == nil, let begun else { return }
        if let (field, text) = problem {
            _ = form.setFocus(field)
            return context.notice(.warning, text)
        }
        let changes = changes
        guard !(changes.isEmpty && texts.isEmpty) else { return context.closeDialog() }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        saving = context.send(
            DirectoryInterface.SetMailControl.self,
            .init(
                address: address, values: changes, files: texts.values.sorted { $0.file < $1.file },
                baseEtag: begun.etag))
    }

    private mutating func saved(_ result: Result<Applied, ControlError>, _ context: inout Context) {
        switch result {
        case .success(let applied):
            context.model.ownChanges.formUnion(applied.changes.map(\.path))
            context.model.historyVersion += 1
            let warning = applied.warnings.first?.phrase
            context.notice(
                warning == nil ? .information : .warning,
                warning ?? .text("notice.control.saved", Visible.line(address))
            )
            context.closeDialog()
            context.modelChanged()
        case .failure(let error):
            context.notice(.error, error.phrase)
            if error.kind == .conflict {
                meets = true
                isStale = true
            }
            if let field = error.detail.problems?.first(where: { $0.path.hasPrefix("control/") })?.path.dropFirst(8) {
                _ = form.setFocus(String(field))
            }
        }
    }
}
