import Control

/// Tab サービス制御 (R-SVC-01 to R-SVC-35), live.
struct ServiceScreen: SettingsScreen {
    let page = PageID.service
    var form: Form
    var leavesAfterApply = false
    var binder = SettingBinder(
        .service,
        keys: [
            "receiver.vrfy_expn", "receiver.auth_methods", "receiver.security_level", "receiver.port",
            "delivery.multithread", "delivery.threads", "delivery.port",
        ])
    static let services = ["epstrs", "epstds"]

    init() {
        var rows = Self.head("epstrs")
        rows.append(
            Self.actions(
                "epstrs",
                more: [
                    SettingParts.part("receiver.vrfy_expn"), FormPart("header", Button(.text("button.header"))),
                ]))
        rows.append(
            FormRow(
                nil,
                [
                    FormPart("", Label(.text("service.auth.short"), .label)),
                    SettingParts.part("receiver.auth_methods", width: 11),
                    FormPart("", Label(.text("service.security.short"), .label)),
                    SettingParts.part("receiver.security_level", width: 16),
                    FormPart("", Label(.text("setting.receiver.port.label"), .label)),
                    SettingParts.part("receiver.port", width: 5),
                ], gap: 1))
        rows.append(.rule())
        rows += Self.head("epstds")
        rows.append(Self.actions("epstds", more: [SettingParts.part("delivery.multithread")]))
        rows.append(
            FormRow(
                nil,
                [
                    FormPart("", Label(.text("setting.delivery.threads.label"), .label)),
                    SettingParts.part("delivery.threads", width: 5),
                    FormPart("", Label(.text("setting.delivery.port.label"), .label)),
                    SettingParts.part("delivery.port", width: 5),
                ], gap: 1))
        rows.append(.rule())
        rows.append(FormRow(.text("service.event"), [FormPart("event", Label(""), width: .fill)]))
        form = Form(rows, buttons: Self.pageButtons(), focus: "epstrs.stop")
    }

    private static func head(_ service: String) -> [FormRow] {
        [
            FormRow(nil, [FormPart(service + ".state", Label(""), width: .fill)]),
            FormRow(
                nil,
                [
                    FormPart(service + ".numbers", Label("", width: 56)),
                    FormPart(service + ".history", Sparkline([], width: 16)),
                ]),
        ]
    }

    private static func actions(_ service: String, more: [FormPart]) -> FormRow {
        FormRow(
            nil,
            [
                FormPart(service + ".stop", Button(.text("button.stop"))),
                FormPart(service + ".restart", Button(.text("button.restart"))),
                FormPart(service + ".register", Button(.text("button.register"))),
                FormPart(service + ".details", Button(.text("button.details"))),
            ] + more, gap: 1)
    }

    func state(_ context: Context) -> Phrase? { commonState(context) ?? .text("state.live") }

    // MARK: - Live values

    mutating func syncOthers(_ context: Context) {
        for name in Self.services {
            let status = context.model.status?.services.first { $0.name == name }
            syncHead(name, status, context)
            syncButtons(name, status?.state, context)
        }
        let event = context.model.events.first
        let text: Phrase =
            event.map {
                .verbatim(
                    Clock.time($0.time, utcOffset: context.model.utcOffset) + " " + $0.told(context.say))
            } ?? .text("service.no-events")
        form.setLabel("event", text, event == nil ? .hint : .normal)
        // R-SVC-20: with listed addresses the port of "all addresses" is not used.
        let isList = context.model.value("receiver.listen_mode") == "list"
        form.update("receiver.port", as: TextField.self) { $0.isEnabled = !isList }
        let isMulti = form.isOn("delivery.multithread")
        form.update("delivery.threads", as: TextField.self) { $0.isEnabled = isMulti }
    }

    private mutating func syncHead(_ name: String, _ status: ServiceStatus?, _ context: Context) {
        form.update(name + ".state", as: Label.self) { $0.spans = ServiceText.spans(name, status, context) }
        form.update(name + ".numbers", as: Label.self) {
            $0.spans = [Label.Span(.verbatim(ServiceText.numbers(name, status, context)))]
        }
        form.update(name + ".history", as: Sparkline.self) { $0.values = status?.history ?? [] }
        let isBad = status?.state == .failed
        form.setMark(name + ".state", isBad ? .problem : .none)
    }

    private mutating func syncButtons(_ name: String, _ state: ServiceStatus.State?, _ context: Context) {
        let canAct = context.changeRefusal == nil
        let isRunning = state == .running || state == .starting
        let isBusy = context.model.requests.values.contains {
            if case .service(name, _) = $0 { true } else { false }
        }
        form.update(name + ".stop", as: Button.self) {
            $0.name = .text(isRunning ? "button.stop" : "button.start")
            $0.isEnabled = canAct && !isBusy && state != nil && state != .notRegistered && state != .stopping
        }
        form.update(name + ".restart", as: Button.self) { $0.isEnabled = canAct && !isBusy && isRunning }
        form.update(name + ".register", as: Button.self) {
            $0.name = .text(state == .notRegistered ? "button.register" : "button.unregister")
            $0.isEnabled = canAct && !isBusy && state != nil
        }
    }

    // MARK: - Actions

    mutating func otherEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .activated(let id) = event else { return }
        if id == "header" { return context.open(TableDialog("header")) }
        guard let name = Self.services.first(where: { id.hasPrefix($0 + ".") }) else { return }
        let state = context.model.status?.services.first { $0.name == name }?.state
        switch id.dropFirst(name.count + 1) {
        case "details": context.open(SettingsDialog.details(of: name))
        case "stop" where state == .running || state == .starting: ask("stop", name, &context)
        case "stop": act("start", name, &context)
        case "restart": ask("restart", name, &context)
        case "register" where state == .notRegistered: context.open(ServiceText.registerQuestion(name, context))
        case "register": ask("unregister", name, &context)
        default: break
        }
    }

    private func ask(_ action: String, _ name: String, _ context: inout Context) {
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        context.open(ServiceText.question(action, name, context))
    }

    private func act(_ action: String, _ name: String, force: Bool = false, _ context: inout Context) {
        guard let act = ServicesInterface.Act.Action(rawValue: action) else { return }
        context.notice(
            .information,
            .text("notice.service.working", name.uppercased(), context.say(Phrase("button.\(action)"))))
        context.ask(
            ServicesInterface.Act.self, .init(service: name, action: act, force: force),
            for: .service(name: name, action: action))
        context.modelChanged()
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        if settingsAnswered(answer, &context) { return }
        let parts = answer.id.split(separator: ":").map(String.init)
        guard parts.count == 3, parts[0] == "service", answer.button == "go" else { return }
        act(parts[1], parts[2], force: answer.values["option"] == "now", &context)
    }

    func commands(_ context: Context) -> [Command] {
        Self.services.flatMap { name -> [Command] in
            let state = context.model.status?.services.first { $0.name == name }?.state
            let isRunning = state == .running || state == .starting
            let actions =
                state == .notRegistered ? ["register"] : (isRunning ? ["stop", "restart"] : ["start"]) + ["unregister"]
            return actions.map { action in
                Command(
                    "service:\(action):\(name)", Phrase("service.command.\(action)", ["0": name.uppercased()]),
                    off: context.changeRefusal, danger: .felt, isAction: true)
            }
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        let parts = command.split(separator: ":").map(String.init)
        guard parts.count == 3, parts[0] == "service" else {
            if command == "apply" { _ = apply(&context) }
            return
        }
        switch parts[1] {
        case "start": act("start", parts[2], &context)
        case "register": context.open(ServiceText.registerQuestion(parts[2], context))
        default: ask(parts[1], parts[2], &context)
        }
    }

    func otherHint(_ context: Context) -> Phrase? {
        guard let focus = form.focus, let name = Self.services.first(where: { focus.hasPrefix($0 + ".") }),
            let status = context.model.status?.services.first(where: { $0.name == name })
        else { return nil }
        let reason = status.told(context.say)
        if !reason.isEmpty { return .verbatim(reason) }
        return status.listeners.isEmpty
            ? nil : .text("service.listeners", Visible.line(status.listeners.joined(separator: " ")))
    }
}
