import Control

/// A tab whose feature joins later: it says so, and what works today by command or file. Nothing on it is dead, because
/// there is nothing to press.
struct ComingScreen: Screen {
    let page: PageID
    var form: Form

    init(_ page: PageID) {
        self.page = page
        var rows = [
            FormRow.empty, .text(.text("coming.title"), .heading), .empty, .text(Phrase("coming.\(page.rawValue)")),
            .empty,
        ]
        let commands = Self.commands(page)
        if !commands.isEmpty { rows.append(.text(.text("coming.today"))) }
        for (command, text) in commands {
            rows.append(
                FormRow(nil, [FormPart("", Label(.verbatim("  " + command), .keyName))]))
            rows.append(FormRow(nil, [FormPart("", Label([.init(.verbatim("      ")), .init(Phrase(text), .hint)]))]))
        }
        form = Form(rows)
    }

    private static func commands(_ page: PageID) -> [(String, String)] {
        let program = "epost-console "
        switch page {
        case .logs:
            return [
                (program + "setting set log.sender true", "coming.cmd.settings"),
                (program + "log tail", "coming.cmd.log-tail"), (program + "log search", "coming.cmd.log-search"),
            ]
        case .lists: return [(program + "account list DOMAIN", "coming.cmd.accounts")]
        case .filter, .virus: return [(program + "explain REFERENCE", "coming.cmd.reference")]
        default: return []
        }
    }

    func header(_ context: Context) -> PageHeader { PageHeader(title: page.title) }
    func commands(_ context: Context) -> [Command] { [.nothingToApply] }
}

/// Tab バージョン情報 (R-VER-01, R-VER-05): programs, versions, states; no trial period and no key.
struct AboutScreen: Screen {
    var form: Form

    init() {
        func row(_ name: String) -> FormRow {
            FormRow(Phrase("about.\(name)"), [FormPart(name, Label(""), width: .fill)])
        }
        form = Form(
            [.empty] + ["product", "version", "host", "daemon", "root", "user", "revision"].map(row) + [.empty]
                + [FormRow(.text("about.programs"), [FormPart("epostd", Label(""), width: .fill)])]
                + ServiceScreen.services.map { FormRow(nil, [FormPart($0, Label(""), width: .fill)], isIndented: true) }
                + [.empty, .text(.text("about.licence"), .hint)])
    }

    func header(_ context: Context) -> PageHeader { PageHeader(title: PageID.about.title) }
    func commands(_ context: Context) -> [Command] { [.nothingToApply] }

    mutating func opened(_ context: inout Context) { prepare(context) }

    mutating func prepare(_ context: Context) {
        let say = context.say
        let hello = context.model.hello
        let status = context.model.status
        form.setLabel("product", .verbatim(Visible.line(hello?.product ?? "")))
        form.setLabel("version", .verbatim(Visible.line(hello?.version ?? "")))
        form.setLabel("host", .verbatim(Visible.line(hello?.host ?? "")))
        if let status, let now = context.model.serverTime(context.now) {
            form.setLabel(
                "daemon", .text("about.daemon-value", String(status.pid), Clock.age(now - status.startedAt, say)))
            form.setLabel("revision", .text("about.revision-value", String(status.revision)))
        }
        form.setLabel("root", .verbatim(Visible.line(hello?.root ?? "")))
        let user = Visible.line(hello?.user ?? "")
        form.setLabel("user", .text(hello?.mayChange == true ? "about.may-change" : "about.may-look", user))
        let registered = say("about.registered")
        let version = Visible.line(status?.version ?? hello?.version ?? "")
        form.setLabel("epostd", .verbatim("EPOSTD  \(version)  \(registered)"))
        for name in ServiceScreen.services {
            let state = status?.services.first { $0.name == name }?.state
            let text = state.map { say(Phrase("service.state.\($0.rawValue)")) } ?? ""
            form.setLabel(
                name,
                .verbatim(
                    "\(name.uppercased())  \(version)  \(text)  \(state == nil || state == .notRegistered ? "" : registered)"
                ))
        }
    }
}
