import Control

/// Monitor: how it goes now, why mail is not taken, here and elsewhere, and what needs somebody (console.md 5.20).
struct DashboardScreen: Screen {
    var form: Form
    private var size = Size(columns: 0, rows: 0)
    private var isPaused = false
    /// Seconds between two questions about causes and destinations.
    private var rate = 5
    private var askedAt: Moment?
    private var refusing: RequestID?
    private var asking: RequestID?
    private var checking: [RequestID: String] = [:]
    private var guarding: RequestID?
    private var listing: RequestID?
    private var locks: [LockEntry] = []
    private var senders: [BusySender] = []
    /// Those of them that log in or are counted, by name.
    private var accounts: [String: SenderEntry] = [:]
    private var refusals: [RefusalReason] = []
    private var destinations = QueueInterface.Destinations.Output()
    private var faults: [String: [Problem]] = [:]
    private var attention: [DashboardText.Item] = []

    static let rates = [1, 2, 5, 10, 30, 60]

    init() {
        form = Form([])
        form.rows = rows(80, 24)
        _ = form.setFocus("attention")
    }

    private func table(_ id: String, _ columns: [TableColumn], empty: String, height: Int?) -> Table {
        var table = form.widget(id, as: Table.self) ?? Table(columns, empty: .text(empty), height: height)
        if table.columns.isEmpty { table.columns = columns }
        table.height = height
        if table.total == 0 { table.setRows([]) }
        return table
    }

    private func rows(_ width: Int, _ lines: Int) -> [FormRow] {
        func line(_ name: String, _ spark: Bool) -> FormRow {
            var parts = [FormPart("\(name).now", Label("", .normal, width: 12))]
            if spark { parts.append(FormPart("\(name).graph", Sparkline(width: width < 110 ? 16 : 30))) }
            parts.append(FormPart("\(name).rest", Label("", .hint), width: .fill))
            return FormRow(.text("dashboard.\(name)"), parts)
        }
        let lists = lists(width, height: lines < 30 ? 4 : 7)
        let attention = table(
            "attention", [TableColumn("text", .text("dashboard.attention"), minimum: 30)],
            empty: "dashboard.all-well", height: nil)
        return [line("received", true), line("delivered", true), line("queue", false), line("services", false)]
            + lists + [FormRow(nil, "attention", attention)]
    }

    /// Four lists beside each other, two by two, or below each other on a narrow screen.
    private func lists(_ width: Int, height: Int) -> [FormRow] {
        func counted(_ title: String) -> [TableColumn] {
            [
                TableColumn("what", .text(title), minimum: 12, priority: 90),
                TableColumn("count", .text("dashboard.hour"), minimum: 5, maximum: 6, priority: 80, align: .right),
            ]
        }
        let refused = table("refused", counted("dashboard.refused"), empty: "dashboard.none", height: height)
        let causes = table("causes", counted("dashboard.causes"), empty: "dashboard.none", height: height)
        let senders = table("senders", counted("dashboard.senders"), empty: "dashboard.none", height: height)
        let hosts = table(
            "hosts",
            [
                TableColumn("name", .text("dashboard.destination"), minimum: 12, priority: 90),
                TableColumn("waiting", .text("dashboard.waiting"), minimum: 5, maximum: 6, priority: 80, align: .right),
                TableColumn("done", .text("dashboard.done"), minimum: 6, maximum: 8, priority: 60, align: .right),
                TableColumn("cause", .text("dashboard.cause"), minimum: 12, priority: 20),
            ], empty: "dashboard.none", height: height)
        if width < 72 {
            return [
                FormRow(nil, "refused", refused), FormRow(nil, "causes", causes), FormRow(nil, "hosts", hosts),
                FormRow(nil, "senders", senders),
            ]
        }
        let (beside, share) = width < 110 ? (2, (width - 1) / 2) : (4, (width - 3) / 4)
        let all = [("refused", refused), ("causes", causes), ("hosts", hosts), ("senders", senders)]
        return stride(from: 0, to: all.count, by: beside).map { first in
            let parts = all[first..<first + beside].enumerated().map { place, part in
                FormPart(part.0, part.1, width: place + 1 < beside ? .cells(share) : .fill)
            }
            return FormRow(nil, parts, gap: 1)
        }
    }

    func header(_ context: Context) -> PageHeader {
        var state = Phrase.text("dashboard.rate", String(rate))
        if let lost = context.model.lostAt {
            state = .text("state.asof", lost.fullText)
        } else if isPaused {
            state = .text("state.paused")
        }
        return PageHeader(
            title: .text("page.dashboard"), state: state, stateRole: context.model.lostAt == nil ? .hint : .problem,
            hint: hint)
    }

    private var hint: Phrase? {
        let row = form.focus.flatMap { form.widget($0, as: Table.self)?.current?.id }
        switch form.focus {
        case "refused": return refusals.first { $0.reason == row }.map { .text("dashboard.refused.hint", $0.reference) }
        case "causes":
            return destinations.causes.first { $0.cause == row }.map { .verbatim(Visible.line($0.reply)) }
        case "hosts":
            return destinations.destinations.first { $0.name == row }.map(DashboardText.sentence)
        case "senders":
            return senders.first { $0.sender == row }.map { DashboardText.sentence($0, accounts[$0.sender]) }
        default: return .text("dashboard.hint")
        }
    }

    func commands(_ context: Context) -> [Command] {
        [
            .open, .nothingToApply,
            Command("pause", .text("state.paused"), keys: [.character("p")], bar: .text("bar.pause"), isAction: true),
            Command(
                "now", .text("dashboard.now"), keys: [.character("r")], bar: .text("dashboard.now"), isAction: true),
            Command("faster", .text("dashboard.faster"), keys: [.character("+")], isAction: true),
            Command("slower", .text("dashboard.slower"), keys: [.character("-")], isAction: true),
        ]
    }

    // MARK: - Data

    mutating func opened(_ context: inout Context) {
        askedAt = nil
        show(context)
    }

    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            refusing = nil
            asking = nil
            guarding = nil
            listing = nil
            checking = [:]
        }
        if !isPaused { show(context) }
    }

    mutating func tick(_ context: inout Context) { if !isPaused { show(context) } }

    mutating func requests(_ context: inout Context) {
        guard context.isConnected, context.model.isReady, !isPaused || askedAt == nil else { return }
        if let askedAt, context.now - askedAt < rate * 1_000 { return }
        let isFirst = askedAt == nil
        askedAt = context.now
        if refusing == nil { refusing = context.send(PolicyInterface.Refusals.self, .init(minutes: 60)) }
        if asking == nil { asking = context.send(QueueInterface.Destinations.self, .init(limit: 50)) }
        if listing == nil { listing = context.send(GuardInterface.ListSenders.self, .init()) }
        if guarding == nil { guarding = context.send(GuardInterface.ListLocks.self, .init()) }
        // Tables change seldom: looked at when the page comes up, and with every tenth question.
        guard isFirst || (context.now / 1_000) % (rate * 10) < rate, checking.isEmpty else { return }
        for name in ["effect", "gateway", "header"] {
            checking[context.send(TablesInterface.Check.self, .init(table: name))] = name
        }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: PolicyInterface.Refusals.self, for: refusing) {
            refusing = nil
            if case .success(let output) = result { refusals = output.reasons }
        }
        if let result = message.result(of: QueueInterface.Destinations.self, for: asking) {
            asking = nil
            if case .success(let output) = result { destinations = output }
        }
        if let result = message.result(of: GuardInterface.ListLocks.self, for: guarding) {
            guarding = nil
            if case .success(let output) = result { locks = output.locks }
        }
        if let result = message.result(of: GuardInterface.ListSenders.self, for: listing) {
            listing = nil
            if case .success(let output) = result {
                senders = output.busiest
                accounts = Dictionary(
                    output.senders.map { ($0.sender.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
            }
        }
        for (id, name) in checking {
            guard let result = message.result(of: TablesInterface.Check.self, for: id) else { continue }
            checking[id] = nil
            if case .success(let output) = result { faults[name] = output.problems }
        }
        show(context)
    }

    mutating func prepare(_ context: Context) {
        guard size != context.size else { return }
        size = context.size
        let focus = form.focus
        form.rows = rows(size.columns, size.rows)
        if let focus { _ = form.setFocus(focus) }
        show(context)
    }

    private mutating func show(_ context: Context) {
        let services = context.model.status?.services ?? []
        let receiver = services.first { $0.name == "epstrs" }
        let delivery = services.first { $0.name == "epstds" }
        func count(_ status: ServiceStatus?, _ key: String) -> String { String(status?.counters[key] ?? 0) }
        form.setLabel("received.now", .text("dashboard.per-minute", count(receiver, "receivedPerMinute")))
        form.update("received.graph", as: Sparkline.self) { $0.values = receiver?.history ?? [] }
        form.setLabel(
            "received.rest",
            .text(
                "dashboard.received.rest", count(receiver, "received24h"), count(receiver, "rejected24h"),
                count(receiver, "authFailed24h")), .hint)
        form.setLabel("delivered.now", .text("dashboard.per-minute", count(delivery, "deliveredPerMinute")))
        form.update("delivered.graph", as: Sparkline.self) { $0.values = delivery?.history ?? [] }
        form.setLabel(
            "delivered.rest",
            .text(
                "dashboard.delivered.rest", count(delivery, "delivered24h"), count(delivery, "deferred24h"),
                count(delivery, "failed24h")), .hint)
        if let queue = context.model.status?.queue {
            form.setLabel("queue.now", .text("dashboard.messages", String(queue.messages)))
            form.setLabel(
                "queue.rest",
                .text(
                    "dashboard.queue.rest", String(max(0, queue.recipients - queue.deferred - queue.held)),
                    String(queue.deferred), String(queue.held), Clock.age(queue.oldestAge * 1_000, context.say)), .hint)
        }
        form.setLabel("services.now", DashboardText.sessions(receiver))
        form.setLabel("services.rest", .verbatim(DashboardText.states(services, context)), .hint)
        showLists(context)
    }

    private mutating func showLists(_ context: Context) {
        let say = context.say
        let refused = refusals.map { reason in
            TableRow(id: reason.reason, cells: [say(DashboardText.reason(reason.reason)), String(reason.count)])
        }
        form.update("refused", as: Table.self) { $0.setRows(refused) }
        let causes = destinations.causes.map { cause in
            TableRow(id: cause.cause, cells: [say(DashboardText.cause(cause.cause)), String(cause.hour)])
        }
        form.update("causes", as: Table.self) { $0.setRows(causes) }
        let hosts = destinations.destinations.map { host in
            let cause = host.causes.first.map { say(DashboardText.cause($0.cause)) } ?? ""
            return TableRow(
                id: host.name,
                cells: [
                    Visible.line(DashboardText.short(host.name)), String(host.waiting + host.active),
                    String(host.delivered), cause,
                ], mark: host.waiting > 0 && host.lastFailure > host.lastSuccess ? .problem : .none)
        }
        form.update("hosts", as: Table.self) { $0.setRows(hosts) }
        let busy = senders.map { sender in
            let account = accounts[sender.sender]
            return TableRow(
                id: sender.sender, cells: [DashboardText.name(sender), String(sender.messagesHour)],
                mark: account.map { $0.held > 0 || $0.isLocked } == true ? .problem : .none)
        }
        form.update("senders", as: Table.self) { $0.setRows(busy) }
        attention = DashboardText.attention(context, faults, locks)
        let rows = attention.enumerated().map { index, item in
            TableRow(id: String(index), cells: [say(item.text)], mark: .problem)
        }
        form.update("attention", as: Table.self) { $0.setRows(rows) }
    }

    // MARK: - Keys

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        guard case .activated(let part) = event, let id = form.widget(part, as: Table.self)?.current?.id else { return }
        switch part {
        case "refused":
            guard let reason = refusals.first(where: { $0.reason == id }) else { return }
            context.open(ExplainDialog(reason.reference))
        case "causes":
            guard let cause = destinations.causes.first(where: { $0.cause == id }) else { return }
            context.open(
                Information(
                    title: DashboardText.cause(cause.cause),
                    lines: [
                        .text("dashboard.cause.count", String(cause.hour), String(cause.total)),
                        .text("dashboard.cause.reply"), .verbatim(Visible.line(cause.reply)),
                    ], width: 70))
        case "hosts":
            context.model.queueFilter = "to:" + DashboardText.short(id)
            context.go(to: PageID.queue.rawValue)
        case "senders":
            if accounts[id] != nil { return context.go(to: PageID.senders.rawValue) }
            context.model.queueFilter = id.isEmpty ? "" : "from:" + id
            context.go(to: PageID.queue.rawValue)
        case "attention":
            guard let index = Int(id), attention.indices.contains(index) else { return }
            context.go(to: attention[index].page.rawValue)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        switch command {
        case "open": if let focus = form.focus { formEvent(.activated(focus), &context) }
        case "pause": isPaused.toggle()
        case "now": askedAt = nil
        case "faster": rate = Self.rates.last { $0 < rate } ?? rate
        case "slower": rate = Self.rates.first { $0 > rate } ?? rate
        default: break
        }
    }
}
