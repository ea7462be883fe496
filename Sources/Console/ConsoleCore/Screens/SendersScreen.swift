import Control

/// Monitor: what accounts send, what is held of it, and who is locked out (field notes C1).
struct SendersScreen: Screen {
    var form: Form
    private var version: [Int] = []
    private var senders: [SenderEntry] = []
    private var locks: [LockEntry] = []
    private var listing: RequestID?
    private var listingLocks: RequestID?
    private var detail: GuardInterface.ShowSender.Output?
    private var showing: (id: RequestID, sender: String)?
    private var acting: RequestID?

    init() {
        let list = Table(
            [
                TableColumn("who", .text("senders.col.who"), minimum: 18, priority: 90),
                TableColumn("state", .text("senders.col.state"), minimum: 12, maximum: 24, priority: 80),
                TableColumn(
                    "messages", .text("senders.col.messages"), minimum: 9, maximum: 11, priority: 70, align: .right),
                TableColumn(
                    "recipients", .text("senders.col.recipients"), minimum: 9, maximum: 11, priority: 60, align: .right),
                TableColumn("new", .text("senders.col.new"), minimum: 9, maximum: 11, priority: 40, align: .right),
                TableColumn("held", .text("senders.col.held"), minimum: 5, maximum: 6, priority: 75, align: .right),
                TableColumn("last", .text("senders.col.last"), minimum: 16, maximum: 16, priority: 30),
            ], empty: .text("senders.empty"))
        let lines = (0..<4).map { FormRow(nil, [FormPart("detail\($0)", Label(""), width: .fill)]) }
        form = Form(
            [FormRow(nil, "list", list), .rule()] + lines,
            buttons: ButtonRow([
                .init("release", .text("button.release")), .init("drop", .text("button.remove")),
                .init("lock", .text("button.lock")), .init("unlock", .text("button.unlock")),
                .init("reset", .text("button.reset")),
            ]), focus: "list")
    }

    private var row: String? { form.widget("list", as: Table.self)?.current?.id }
    private var sender: SenderEntry? { row.flatMap { id in senders.first { $0.sender == id } } }
    private var lock: LockEntry? { row.flatMap { id in locks.first { $0.subject == id } } }
    private var heldIDs: [String] {
        guard let detail, detail.sender.sender == row else { return [] }
        return detail.held.map(\.id)
    }

    func header(_ context: Context) -> PageHeader {
        let held = senders.reduce(0) { $0 + $1.held }
        let state: Phrase =
            context.model.lostAt.map { .text("state.asof", $0.fullText) }
            ?? .text("senders.state", String(held), String(locks.count { $0.state != .allowed }))
        return PageHeader(
            title: .text("page.senders"), state: state, stateRole: context.model.lostAt == nil ? .hint : .problem)
    }

    func commands(_ context: Context) -> [Command] {
        let refusal = context.changeRefusal
        let none: Phrase? = row == nil ? .text("senders.empty") : nil
        let noHeld: Phrase? = heldIDs.isEmpty ? .text("senders.nothing-held") : nil
        let notLocked: Phrase? = lock == nil && sender?.isLocked != true ? .text("senders.not-locked") : nil
        func command(_ id: String, _ key: Character, _ off: Phrase?, _ danger: Danger, bar: Bool = false) -> Command {
            Command(
                id, Phrase("senders.act.\(id)"), keys: [.character(key)], bar: bar ? Phrase("bar.\(id)") : nil,
                off: refusal ?? none ?? off, danger: danger, isAction: true)
        }
        return [
            .open, .nothingToApply, command("release", "l", noHeld, .felt, bar: true),
            command("drop", "d", noHeld, .wide), command("lock", "k", nil, .felt, bar: true),
            command("unlock", "u", notLocked, .reversible), command("reset", "z", nil, .reversible),
        ]
    }

    // MARK: - Rows

    mutating func opened(_ context: inout Context) {
        version = []
        refresh(&context)
    }

    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            listing = nil
            listingLocks = nil
            showing = nil
        }
        refresh(&context)
    }

    /// Asked anew when the receiver's numbers, the queue or the locks may be others.
    private mutating func refresh(_ context: inout Context) {
        guard context.isConnected, context.model.isReady, listing == nil else { return }
        let counters = context.model.status?.services.first { $0.name == "epstrs" }?.counters ?? [:]
        let now = [
            1, context.model.events.count, context.model.status?.queue.held ?? 0, counters["received"] ?? 0,
            counters["authFailed"] ?? 0,
        ]
        guard now != version else { return }
        version = now
        listing = context.send(GuardInterface.ListSenders.self, Nothing())
        listingLocks = context.send(GuardInterface.ListLocks.self, Nothing())
    }

    mutating func requests(_ context: inout Context) {
        guard context.isConnected, let sender, detail?.sender != sender, showing?.sender != sender.sender else {
            return
        }
        showing = (context.send(GuardInterface.ShowSender.self, .init(sender: sender.sender)), sender.sender)
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: GuardInterface.ListSenders.self, for: listing) {
            listing = nil
            if let found = taken(result, &context) { senders = found.senders }
            showRows(context)
        }
        if let result = message.result(of: GuardInterface.ListLocks.self, for: listingLocks) {
            listingLocks = nil
            if let found = taken(result, &context) { locks = found.locks }
            showRows(context)
        }
        if let asked = showing, let result = message.result(of: GuardInterface.ShowSender.self, for: asked.id) {
            if let found = taken(result, &context) { detail = found } else { showing = nil }
        }
        if let result = message.result(of: GuardInterface.ChangeLock.self, for: acting) {
            done(taken(result, &context) != nil, "notice.senders.done", &context)
        }
        if let result = message.result(of: GuardInterface.ForgetSender.self, for: acting) {
            done(taken(result, &context) != nil, "notice.senders.done", &context)
        }
        if let result = message.result(of: QueueInterface.Act.self, for: acting) {
            done(taken(result, &context) != nil, "notice.senders.done", &context)
        }
    }

    private func taken<Value>(_ result: Result<Value, ControlError>, _ context: inout Context) -> Value? {
        switch result {
        case .success(let value): return value
        case .failure(let error):
            if error.kind != .noConnection { context.notice(.error, error.phrase) }
            return nil
        }
    }

    private mutating func done(_ isDone: Bool, _ text: String, _ context: inout Context) {
        acting = nil
        if isDone { context.notice(.information, Phrase(text)) }
        detail = nil
        showing = nil
        version = []
        refresh(&context)
    }

    private mutating func showRows(_ context: Context) {
        let names = Set(senders.map(\.sender))
        let rows =
            senders.map { sender in
                SenderText.row(sender, locks.first(where: { $0.subject == sender.sender }), context)
            }
            + locks.filter { !names.contains($0.subject) }.map { SenderText.row($0, context) }
        form.update("list", as: Table.self) { $0.setRows(rows) }
    }

    mutating func prepare(_ context: Context) {
        var lines: [Phrase] = []
        if let lock { lines.append(SenderText.sentence(lock, context)) }
        if let detail, detail.sender.sender == row {
            if let held = detail.held.first { lines.append(.text("senders.held", held.id, Visible.line(held.reason))) }
            lines += detail.sessions.prefix(3).map { SenderText.session($0, context) }
        }
        for index in 0..<4 {
            form.setLabel("detail\(index)", lines.indices.contains(index) ? lines[index] : .verbatim(""))
        }
    }

    // MARK: - Actions

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("list"):
            if let sender { context.open(SenderDialog(sender.sender)) }
        case .button(let action): perform(action, &context)
        default: break
        }
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        if command == "open" { return formEvent(.activated("list"), &context) }
        guard let row, acting == nil else { return }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        switch command {
        case "release", "drop":
            guard !heldIDs.isEmpty else { return context.notice(.information, .text("senders.nothing-held")) }
            ask(command, row, count: heldIDs.count, &context)
        case "lock": ask(command, row, count: 0, &context)
        case "unlock":
            acting = context.send(GuardInterface.ChangeLock.self, .init(subject: row, action: .release))
        case "reset": acting = context.send(GuardInterface.ForgetSender.self, .init(sender: row))
        default: break
        }
    }

    private func ask(_ command: String, _ row: String, count: Int, _ context: inout Context) {
        let isFinal = command == "drop"
        context.open(
            Question(
                "senders-\(command):\(row)", title: Phrase("senders.act.\(command)"),
                lines: [.text("senders.\(command).question", Visible.line(row), String(count))],
                danger: isFinal ? (count > 1 ? .wide : .final) : .felt, keep: .text("button.keep"),
                go: Phrase("senders.act.\(command)"), letter: command == "lock" ? "k" : "d",
                typed: isFinal && count > 1 ? String(count) : nil))
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        guard answer.button == "go", answer.id.hasPrefix("senders-"), let colon = answer.id.firstIndex(of: ":") else {
            return
        }
        let subject = String(answer.id[answer.id.index(after: colon)...])
        switch answer.id[..<colon].dropFirst("senders-".count) {
        case "lock": acting = context.send(GuardInterface.ChangeLock.self, .init(subject: subject, action: .lock))
        case "release":
            acting = context.send(QueueInterface.Act.self, .init(ids: heldIDs, action: .release))
        case "drop": acting = context.send(QueueInterface.Act.self, .init(ids: heldIDs, action: .remove))
        default: break
        }
    }
}

/// Senders, sessions and locks in words.
enum SenderText {
    static func row(_ sender: SenderEntry, _ lock: LockEntry?, _ context: Context) -> TableRow {
        var state = sender.held > 0 ? context.say(.text("senders.is-held")) : ""
        if let lock { state = self.state(lock, context) }
        return TableRow(
            id: sender.sender,
            cells: [
                Visible.line(sender.sender), state, "\(sender.messagesHour)/\(sender.messagesDay)",
                "\(sender.recipientsHour)/\(sender.recipientsDay)",
                "\(sender.newRecipientsHour)/\(sender.newRecipientsDay)", String(sender.held),
                sender.lastSession == 0 ? "" : Clock.date(sender.lastSession, utcOffset: context.model.utcOffset),
            ], role: sender.held > 0 || sender.isLocked ? .problem : .normal)
    }

    static func row(_ lock: LockEntry, _ context: Context) -> TableRow {
        TableRow(
            id: lock.subject,
            cells: [
                Visible.line(lock.subject), state(lock, context), "", "", "", "",
                lock.since == 0 ? "" : Clock.date(lock.since, utcOffset: context.model.utcOffset),
            ], role: lock.state == .allowed ? .good : .normal)
    }

    static func state(_ lock: LockEntry, _ context: Context) -> String {
        switch lock.state {
        case .locked:
            context.say(.text("senders.locked-until", Clock.time(lock.until, utcOffset: context.model.utcOffset)))
        case .permanent: context.say(.text("senders.locked"))
        case .allowed: context.say(.text("senders.allowed"))
        }
    }

    static func sentence(_ lock: LockEntry, _ context: Context) -> Phrase {
        .text(
            "senders.lock", state(lock, context), context.say(Phrase("senders.cause.\(lock.cause.rawValue)")),
            lock.source)
    }

    static func session(_ session: SenderSession, _ context: Context) -> Phrase {
        .text(
            "senders.session", Clock.date(session.time, utcOffset: context.model.utcOffset),
            Visible.line(session.client), Visible.line(session.hello),
            session.mechanism + (session.isTLS ? " TLS" : ""), String(session.messages), String(session.recipients),
            String(session.held))
    }
}

/// One account: its last sessions and what is held of it.
struct SenderDialog: Dialog {
    var title: Phrase { .text("senders.title", Visible.line(sender)) }
    var form: Form
    var width: Int { 76 }
    var height: Int? { 17 }
    var okButton: String? { "close" }
    private let sender: String
    private var request: RequestID?

    init(_ sender: String) {
        self.sender = sender
        let lines = Table([TableColumn("line", .verbatim(""), minimum: 20)], empty: .text("table.loading"))
        form = Form(
            [FormRow(nil, "lines", lines)], buttons: ButtonRow([.init("close", .text("button.close"))]), focus: "lines")
    }

    mutating func opened(_ context: inout Context) {
        request = context.send(GuardInterface.ShowSender.self, .init(sender: sender))
    }

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if case .button = event { context.closeDialog() }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        guard let result = message.result(of: GuardInterface.ShowSender.self, for: request) else { return }
        switch result {
        case .success(let found): show(found, context)
        case .failure(let error):
            context.notice(.error, error.phrase)
            context.closeDialog()
        }
    }

    private mutating func show(_ found: GuardInterface.ShowSender.Output, _ context: Context) {
        let say = context.say
        var lines = [say(.text("senders.sessions"))]
        lines += found.sessions.map { "  " + say(SenderText.session($0, context)) }
        lines += ["", say(.text("senders.held-title", String(found.held.count)))]
        for mail in found.held {
            let more = mail.recipients > 1 ? " +\(mail.recipients - 1)" : ""
            lines.append(
                "  \(mail.id)  \(Clock.date(mail.time, utcOffset: context.model.utcOffset))  \(Bytes.text(mail.size))  "
                    + Visible.line(mail.recipient) + more)
            lines.append("    " + Visible.line(mail.reason))
        }
        let wrapped = lines.flatMap { context.metrics.wrap(Visible.line($0), to: width - 4) }
        form.update("lines", as: Table.self) { table in
            table.setRows(wrapped.enumerated().map { TableRow(id: String($0.offset), cells: [$0.element]) })
        }
    }
}
