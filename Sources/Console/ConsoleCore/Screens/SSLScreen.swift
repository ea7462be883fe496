import Control

/// Tab SSL設定 (R-SSL-01 to R-SSL-06). What the certificate is good for is the server's finding: it reads the files.
struct SSLScreen: SettingsScreen {
    let page = PageID.ssl
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(.ssl, keys: ["tls.certificate_file", "tls.private_key_file"])
    private var report: CertificateReport?
    private var asking: RequestID?
    private var making: RequestID?
    /// The files that were asked about last.
    private var askedFor: [String] = []
    private static let lines = ["subject", "names", "issuer", "validity", "key"]

    init() {
        func line(_ id: String) -> FormRow {
            FormRow(.text("ssl.\(id)"), [FormPart(id, Label("", wraps: true), width: .fill)])
        }
        form = Form(
            [
                .text(.text("ssl.intro")), SettingParts.row("tls.certificate_file"),
                SettingParts.row("tls.private_key_file"), .empty, line("state"),
            ] + Self.lines.map(line) + [
                FormRow(
                    nil,
                    [
                        FormPart("check", Button(.text("ssl.check"))), FormPart("make", Button(.text("ssl.make"))),
                    ], isIndented: true),
                .empty, .text(.text("ssl.reload"), .hint), .text(.text("ssl.self-signed"), .hint),
            ], buttons: Self.pageButtons())
    }

    /// The files themselves may have changed: asked each time the page comes up.
    mutating func opened(_ context: inout Context) {
        ask(&context)
        sync(context)
    }

    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected { asking = nil }
        settingsChanged(&context)
        if files(context) != askedFor { ask(&context) }
    }

    private func files(_ context: Context) -> [String] { binder.keys.map { context.model.value($0) } }

    private mutating func ask(_ context: inout Context) {
        guard context.isConnected, context.model.isReady else { return }
        askedFor = files(context)
        asking = context.send(
            ServerInterface.GetCertificate.self,
            .init(certificateFile: askedFor.first, privateKeyFile: askedFor.last))
    }

    // MARK: - What the files say

    mutating func syncOthers(_ context: Context) {
        let state = state(of: context)
        form.setLabel("state", state.text, state.role)
        let found = report?.certificate
        let texts = found.map { SSLText.lines($0, keyMatches: report?.keyMatches, context) } ?? []
        for (index, id) in Self.lines.enumerated() {
            let line = texts.indices.contains(index) ? texts[index] : (.verbatim(""), .normal)
            form.setLabel(id, line.0, line.1)
            form.setHidden(id, texts.isEmpty)
        }
        form.update("make", as: Button.self) { $0.isEnabled = context.changeRefusal == nil && making == nil }
    }

    private func state(of context: Context) -> (text: Phrase, role: Role) {
        let problems = binder.keys.flatMap { context.model.problems[$0] ?? [] } + (report?.problems ?? [])
        if making != nil { return (.text("ssl.making"), .hint) }
        if let fault = problems.first(where: { !$0.isWarning }) { return (fault.phrase, .problem) }
        if asking != nil, report == nil { return (.text("ssl.checking"), .hint) }
        if files(context).contains("") { return (.text("ssl.off"), .hint) }
        if let warning = problems.first { return (warning.phrase, .staged) }
        return (.text("ssl.ok"), .good)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: ServerInterface.GetCertificate.self, for: asking) {
            asking = nil
            switch result {
            case .success(let found): report = found
            case .failure(let error):
                report = nil
                if error.kind != .noConnection { context.notice(.error, error.phrase) }
            }
            sync(context)
        }
        if let result = message.result(of: ServerInterface.MakeCertificate.self, for: making) {
            making = nil
            switch result {
            case .success(let applied):
                context.adopt(applied)
                let file = applied.changes.first?.new?.first ?? ""
                context.notice(.information, .text("ssl.made", Visible.line(file)))
                ask(&context)
            case .failure(let error): context.notice(.error, error.phrase)
            }
            context.modelChanged()
        }
    }

    // MARK: - Actions

    func commands(_ context: Context) -> [Command] {
        [
            Command("ssl.check", .text("ssl.check"), isAction: true),
            Command(
                "ssl.make", .text("ssl.make"), off: context.changeRefusal, danger: .felt, isAction: true),
        ]
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "ssl.check": otherEvent(.activated("check"), &context)
        case "ssl.make": otherEvent(.activated("make"), &context)
        case "apply": _ = apply(&context)
        default: break
        }
    }

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("check"):
            ask(&context)
            context.modelChanged()
        case .activated("make"):
            if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
            let files = binder.keys.flatMap { context.model.server($0).values ?? [] }.filter { !$0.isEmpty }
            let kept: Phrase =
                files.isEmpty
                ? .text("ssl.make.none") : .text("ssl.make.kept", Visible.line(files.joined(separator: ", ")))
            context.open(
                Question(
                    "ssl-make", title: .text("ssl.make.title"),
                    lines: [.text("ssl.make.question"), kept, .text("ssl.make.effect")], danger: .felt,
                    keep: .text("ssl.make.keep"), go: .text("ssl.make.do"), letter: "m"))
        default: break
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        guard answer.id == "ssl-make", answer.button == "go" else { return }
        making = context.send(ServerInterface.MakeCertificate.self, .init())
        context.modelChanged()
    }
}

/// Certificates in words.
enum SSLText {
    /// Subject, names, issuer, validity and key, each with its role.
    static func lines(
        _ found: CertificateDetails, keyMatches: Bool?, _ context: Context
    ) -> [(Phrase, Role)] {
        let names = found.names.prefix(12).joined(separator: ", ") + (found.names.count > 12 ? ", ..." : "")
        let issuer: Phrase =
            found.isSelfSigned ? .text("ssl.issuer.self") : .verbatim(Visible.line(String(found.issuer.prefix(300))))
        let key = "\(Visible.line(found.keyType)) \(found.keyBits)"
        return [
            (.verbatim(Visible.line(String(found.subject.prefix(300)))), .normal),
            (.verbatim(Visible.line(String(names.prefix(400)))), .normal), (issuer, .normal),
            (validity(found, context), found.daysLeft < 0 ? .problem : isEnding(found) ? .staged : .normal),
            keyMatches == true
                ? (.text("ssl.key.fits", key), .good)
                : keyMatches == false
                    ? (.text("ssl.key.other", key), .problem) : (.text("ssl.key.unread", key), .problem),
        ]
    }

    static func isEnding(_ found: CertificateDetails) -> Bool { found.daysLeft < CertificateDetails.warningDays }

    private static func validity(_ found: CertificateDetails, _ context: Context) -> Phrase {
        func date(_ seconds: Int) -> String {
            String(
                Clock.date(
                    seconds.multipliedReportingOverflow(by: 1000).partialValue, utcOffset: context.model.utcOffset
                )
                .prefix(10))
        }
        let (from, to) = (date(found.notBefore), date(found.notAfter))
        if found.daysLeft < 0 { return .text("ssl.validity.ended", from, to) }
        return .text("ssl.validity.days", from, to, String(found.daysLeft))
    }

    /// What the pages that do not show the certificate say of it; `nil` while there is nothing to say.
    static func warning(_ report: CertificateReport?) -> Phrase? {
        guard let found = report?.certificate else { return nil }
        if found.daysLeft < 0 { return .text("ssl.warning.ended") }
        return isEnding(found) ? .text("ssl.warning.days", String(found.daysLeft)) : nil
    }
}
