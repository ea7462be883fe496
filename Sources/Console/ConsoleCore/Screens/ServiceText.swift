import Control

/// Service states and questions in words.
enum ServiceText {
    static func title(_ name: String) -> Phrase { Phrase(code: "service.\(name)", english: name) }

    /// `EPSTRS  SMTP receive  RUNNING  pid 2114  up 12d 03:11`
    static func spans(_ name: String, _ status: ServiceStatus?, _ context: Context) -> [Label.Span] {
        let say = context.say
        let metrics = context.metrics
        var spans = [
            Label.Span(.verbatim(metrics.fit(name.uppercased(), to: 8)), .heading),
            Label.Span(.verbatim(metrics.fit(say(title(name)), to: 15))),
        ]
        guard let status else { return spans }
        let state = say(Phrase("service.state.\(status.state.rawValue)"))
        let role: Role =
            switch status.state {
            case .running: .good
            case .failed: .bad
            case .notRegistered, .stopped: .disabled
            case .starting, .stopping: .normal
            }
        spans.append(Label.Span(.verbatim(metrics.fit(state, to: 11)), role))
        var rest: [String] = []
        if let pid = status.pid { rest.append("pid \(pid)") }
        if let now = context.model.serverTime(context.now), status.since > 0 {
            let age = Clock.age(now - status.since, say)
            rest.append(say(.text(status.state == .running ? "service.up" : "service.since-age", age)))
        }
        if status.state == .failed, status.reason != nil { rest = [status.told(say)] }
        spans.append(Label.Span(.verbatim(rest.joined(separator: "  "))))
        return spans
    }

    static func numbers(_ name: String, _ status: ServiceStatus?, _ context: Context) -> String {
        guard let status else { return "" }
        let say = context.say
        func count(_ key: String) -> String { String(status.counters[key] ?? 0) }
        if name == "epstrs" {
            let limit = status.counters["sessionsLimit"] ?? 0
            let sessions =
                limit > 0
                ? say(.text("service.sessions", count("sessions"), String(limit)))
                : say(.text("service.sessions-unlimited", count("sessions")))
            return [
                sessions, say(.text("service.received", count("receivedPerMinute"))),
                say(.text("service.rejected", count("rejected"))),
                say(.text("service.auth-failed", count("authFailed"))),
            ].joined(separator: "  ")
        }
        let queue = context.model.status?.queue
        return [
            say(.text("service.threads", count("active"), count("threads"))),
            say(.text("service.delivered", count("deliveredPerMinute"))),
            say(.text("service.deferred", String(queue?.deferred ?? 0))),
            say(.text("service.oldest", Clock.age((queue?.oldestAge ?? 0) * 1000, say))),
        ].joined(separator: "  ")
    }

    /// Class 1: felt by others. The numbers are those of now.
    static func question(_ action: String, _ name: String, _ context: Context) -> Question {
        let status = context.model.status?.services.first { $0.name == name }
        let isRunning = status?.state == .running
        var lines: [Phrase] = [.text("service.\(action).question", name.uppercased(), context.say(title(name)))]
        if isRunning {
            lines.append(
                name == "epstrs"
                    ? .text("service.stop.sessions", String(status?.counters["sessions"] ?? 0))
                    : .text("service.stop.threads", String(status?.counters["active"] ?? 0)))
        }
        if action != "restart" { lines.append(.text("service.stop.effect.\(name)")) }
        lines.append(.text("service.stop.stays"))
        if action == "unregister" { lines.append(.text("service.unregister.again")) }
        let options =
            isRunning && action != "unregister"
            ? [Option("wait", .text("service.stop.wait")), Option("now", .text("service.stop.now"))] : []
        let letter: Character = action == "stop" ? "s" : action == "restart" ? "r" : "d"
        return Question(
            "service:\(action):\(name)", title: .text("service.\(action).title"), lines: lines, danger: .felt,
            keep: .text("service.stop.keep"), go: .text("service.\(action).do"), letter: letter, options: options)
    }

    static func registerQuestion(_ name: String, _ context: Context) -> Question {
        Question(
            "service:register:\(name)", title: .text("service.register.title"),
            lines: [
                .text("service.register.question", name.uppercased(), context.say(title(name))),
                .text("service.register.account"),
            ], danger: .reversible, keep: .text("button.cancel"), go: .text("service.register.do"), letter: "r")
    }
}

/// A dialog of settings that belong to a page and are staged as on it.
struct SettingsDialog: Dialog {
    let title: Phrase
    var form: Form
    var width: Int { 74 }
    private var binder: SettingBinder
    private var before = DraftMark()

    init(_ title: Phrase, _ page: PageID, _ rows: [FormRow]) {
        self.title = title
        let keys = rows.flatMap(\.parts).map(\.id).filter { $0.hasPrefix("receiver.") || $0.hasPrefix("delivery.") }
        binder = SettingBinder(page, keys: keys)
        form = Form(
            rows, buttons: ButtonRow([.init("ok", .text("button.ok")), .init("cancel", .text("button.cancel"))]))
    }

    /// 詳細設定(SMTP) and 配送詳細(SMTP).
    static func details(of service: String) -> SettingsDialog {
        service == "epstrs"
            ? SettingsDialog(.text("receiver.details"), .service, receiverRows())
            : SettingsDialog(.text("delivery.details"), .service, deliveryRows())
    }

    /// ORDBによる制限 (R-RTAB-05, R-RTAB-06).
    static var blocklists: SettingsDialog {
        SettingsDialog(
            .text("setting.receiver.dnsbl_zones.label"), .relay,
            [
                SettingParts.row("receiver.dnsbl_zones", width: 34), .rule(),
                SettingParts.row("receiver.dnsbl_exempt", width: 34),
            ])
    }

    private static func receiverRows() -> [FormRow] {
        [
            SettingParts.row("receiver.max_sessions", width: 8, unit: "word.unlimited"),
            SettingParts.row("receiver.max_sessions_per_client", width: 8, unit: "word.unlimited"),
            SettingParts.row("receiver.listen_mode"),
        ]
            + [SettingParts.row("receiver.listen", width: 30)]
            + [
                SettingParts.row("receiver.sender_trust"),
                FormRow(nil, [SettingParts.part("receiver.auth_requires_tls")], isIndented: true),
                .rule(.text("receiver.locks")),
                SettingParts.row("receiver.max_auth_failures", width: 6, unit: "word.times"),
                SettingParts.row("receiver.auth_failure_delay", width: 6, unit: "word.seconds"),
                SettingParts.row("receiver.lock_address_failures", width: 6, unit: "word.times"),
                SettingParts.row("receiver.lock_account_failures", width: 6, unit: "word.times"),
                SettingParts.row("receiver.lock_window", width: 6, unit: "word.seconds"),
                SettingParts.row("receiver.lock_time", width: 6, unit: "word.seconds"),
                SettingParts.row("receiver.lock_connections", width: 6),
                SettingParts.row("receiver.lock_connection_window", width: 6, unit: "word.seconds"),
                .rule(.text("receiver.sending")),
                SettingParts.row("receiver.account_messages_hour", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.account_messages_day", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.account_recipients_hour", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.account_recipients_day", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.account_new_recipients_hour", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.account_new_recipients_day", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.address_messages_hour", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.address_messages_day", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.address_recipients_hour", width: 8, unit: "word.unlimited"),
                SettingParts.row("receiver.address_recipients_day", width: 8, unit: "word.unlimited"),
                FormRow(nil, [SettingParts.part("receiver.notify_held")], isIndented: true),
                .rule(.text("receiver.limits")),
                SettingParts.row("receiver.max_errors", width: 6, unit: "word.times"),
                SettingParts.row("receiver.max_commands", width: 8),
                SettingParts.row("receiver.max_command_line", width: 8, unit: "word.octets"),
                SettingParts.row("receiver.command_timeout", width: 6, unit: "word.seconds"),
                SettingParts.row("receiver.data_timeout", width: 6, unit: "word.seconds"),
                SettingParts.row("receiver.min_rate", width: 8, unit: "word.octets"),
                FormRow(nil, [SettingParts.part("receiver.tolerate_bare_line_ends")], isIndented: true),
            ]
    }

    private static func deliveryRows() -> [FormRow] {
        [
            SettingParts.row("delivery.retry_interval", width: 8, unit: "word.seconds"),
            FormRow(nil, [SettingParts.part("delivery.retry_fixed")], isIndented: true),
            SettingParts.row("delivery.retry_max_refusals", width: 6, unit: "word.times"),
            SettingParts.row("delivery.retry_hours_line", width: 6, unit: "word.hours"),
            SettingParts.row("delivery.retry_hours_unreachable", width: 6, unit: "word.hours"),
            SettingParts.row("delivery.warn_hours", width: 6, unit: "word.hours"),
            .rule(.text("delivery.gateways")),
            FormRow(nil, [SettingParts.part("delivery.auth_enabled")]),
            SettingParts.row("delivery.auth_method"),
            SettingParts.row("delivery.auth_user", width: 32),
            SettingParts.row("delivery.auth_password", width: 24),
            SettingParts.row("delivery.auth_token_command", width: 40),
            FormRow(nil, [SettingParts.part("delivery.auth_in_clear")], isIndented: true),
            .rule(.text("delivery.servers")),
            SettingParts.row("delivery.tls"),
            SettingParts.row("delivery.tls_ca_file", width: 40),
            SettingParts.row("delivery.mx_cache_ttl", width: 8, unit: "word.seconds"),
            SettingParts.row("delivery.logical_ip", width: 40),
            SettingParts.row("delivery.report_language"),
            .rule(.text("receiver.limits")),
            SettingParts.row("delivery.per_destination", width: 6),
            SettingParts.row("delivery.connect_timeout", width: 6, unit: "word.seconds"),
            SettingParts.row("delivery.command_timeout", width: 6, unit: "word.seconds"),
            SettingParts.row("delivery.max_hops", width: 6),
            SettingParts.row("delivery.reply_days", width: 6, unit: "word.days"),
            FormRow(nil, [SettingParts.part("delivery.srs")], isIndented: true),
        ]
    }

    mutating func opened(_ context: inout Context) {
        before.set(context)
        binder.sync(&form, context)
    }

    mutating func modelChanged(_ context: inout Context) {
        binder.sync(&form, context)
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if binder.handle(event, &form, &context) { return }
        switch event {
        case .button("ok"): context.closeDialog()
        case .button: restore(&context)
        default: break
        }
    }

    private func restore(_ context: inout Context) {
        cancelled(&context)
        context.closeDialog()
    }

    func cancelled(_ context: inout Context) { before.restore(binder.keys, &context) }

    func hint(_ context: Context) -> Phrase? { binder.hint(form, context) }
}
