import Control

/// The Account Manager (R-ACC-03 to R-ACC-25): domains at the left, the accounts of one at the right, in windows.
struct AccountsScreen: Screen {
    var form: Form
    private var version = -1
    private var listing: RequestID?
    private var generation = 0
    private var known: [String: AccountEntry] = [:]
    /// What mailboxes hold, by account; asked for apart from the list, for the rows on the screen.
    private var usages: [String: MailboxUsageRow] = [:]
    private var measured: Set<String> = []
    private var measuring: RequestID?
    private var measuredAt: Moment = 0
    /// Milliseconds after which figures on the screen are asked for again.
    private static let measureAgain = 10_000
    private var total = 0
    private var shownDomain = ""
    /// `shownDomain` asks for its operation password (R-ACC-11).
    private var isLocked = false
    private var isCompact = false
    /// The empty list, for the other layout.
    private let list: Table

    init() {
        let list = Table(
            [
                TableColumn(
                    "account", .text("accounts.col.account"), minimum: 11, maximum: 18, priority: 90, sortLetter: "a"),
                TableColumn("fullName", .text("accounts.col.name"), minimum: 11, priority: 50, sortLetter: "n"),
                TableColumn(
                    "used", .text("accounts.col.used"), minimum: 8, maximum: 9, priority: 60, align: .right,
                    sortLetter: "u"),
                TableColumn(
                    "percent", .text("accounts.col.percent"), minimum: 5, maximum: 5, priority: 40, align: .right),
                TableColumn(
                    "limit", .text("accounts.col.limit"), minimum: 8, maximum: 9, priority: 20, align: .right,
                    sortLetter: "l"),
                TableColumn("flags", .text("accounts.col.flags"), minimum: 6, priority: 45),
                TableColumn("login", .text("accounts.col.login"), minimum: 16, maximum: 16, priority: 15),
            ], features: [.add, .delete, .edit, .filter, .sort], empty: .text("accounts.empty"))
        self.list = list
        form = Form(Self.rows(list, isCompact: false), focus: "accounts")
    }

    /// A narrow screen has the domains in a drop-down over the list.
    private static func rows(_ list: Table, isCompact: Bool) -> [FormRow] {
        let flags = FormRow(nil, [FormPart("", Label(.text("accounts.flags"), .hint, wraps: true), width: .fill)])
        let accounts = FormPart("accounts", list, width: .fill)
        if isCompact {
            return [
                FormRow(.text("account.domain"), "domain", Select([], selected: "")), FormRow(nil, [accounts]), flags,
            ]
        }
        let domains = FormPart("domains", Tree([]), width: .cells(25))
        return [FormRow(nil, [domains, FormPart("", Divider()), accounts], gap: 1), flags]
    }

    private func domain(_ context: Context) -> DomainEntry? {
        context.model.domains.first { $0.name == context.model.accountDomain }
    }

    func header(_ context: Context) -> PageHeader {
        let name = context.model.accountDomain
        var state: Phrase?
        if let lost = context.model.lostAt {
            state = .text("state.asof", lost.fullText)
        } else if Self.elsewhere(context) != nil, !name.isEmpty {
            let backend = context.model.server("accounts.backend").values?.first ?? ""
            state = .text(
                "accounts.heading-elsewhere", Visible.line(name), String(total), context.say(Phrase("value.\(backend)"))
            )
        } else if let entry = domain(context) {
            let count = String(
                max(entry.accounts, form.widget("accounts", as: Table.self)?.filter.isEmpty == true ? total : 0))
            state =
                entry.maxAccounts == 0
                ? .text("accounts.heading-unlimited", Visible.line(name), count)
                : .text("accounts.heading", Visible.line(name), count, String(entry.maxAccounts))
        }
        let path = [context.say("accounts.root"), context.model.hello?.host ?? "", name].filter { !$0.isEmpty }
        return PageHeader(
            title: .text("page.accounts"), state: state, path: .verbatim(Visible.line(path.joined(separator: " > "))),
            hint: hint(context))
    }

    private func hint(_ context: Context) -> Phrase? {
        guard form.focus == "accounts", let entry = current else { return nil }
        let usage = usages[entry.account]
        let used = usage?.octets.map { Bytes.text($0) } ?? "..."
        let limit = usage?.limit ?? entry.mailboxLimit
        let address = Visible.line(entry.account + "@" + entry.domain)
        let share = usage?.octets.flatMap { AccountText.percent($0, of: limit) }.map { "\($0)%" }
        let first: Phrase =
            limit == 0
            ? .text("accounts.line-unlimited", address, used)
            : .text("accounts.line", address, share ?? used, Bytes.text(limit))
        let parts = [first] + AccountText.control(usage?.control)
        return .text(
            "accounts.line.end", parts.map { context.say($0) }.joined(separator: context.say("accounts.line.join")))
    }

    private var current: AccountEntry? {
        form.widget("accounts", as: Table.self)?.current.flatMap { known[$0.id] }
    }

    func commands(_ context: Context) -> [Command] {
        let off = context.changeRefusal
        // Accounts of the system or of a directory come and go there (R-ACC-34).
        let elsewhere = Self.elsewhere(context)
        let noAccount: Phrase? = current == nil ? .text("accounts.empty") : nil
        let noDomain: Phrase? = domain(context) == nil ? .text("accounts.none") : nil
        if (form.focus == "domains" || form.focus == "domain") {
            return [
                .nothingToApply,
                Command(
                    "domain-open", .text("accounts.menu.domain-open"), keys: [.character("o")],
                    off: isLocked ? nil : .text("accounts.not-locked"), isAction: true),
                Command(
                    "domain-password", .text("accounts.menu.domain-password"), keys: [.character("w")],
                    off: noDomain ?? off, isAction: true),
                Command(
                    "domain-change", .text("accounts.menu.domain-change"), keys: [.character("e")],
                    off: noDomain ?? off, isAction: true),
                Command(
                    "domain-add", .text("accounts.menu.domain-add"), keys: [.character("a")], off: off, isAction: true),
                Command(
                    "domain-delete", .text("accounts.menu.domain-delete"), keys: [.character("d"), .delete],
                    off: noDomain ?? off, danger: .wide, isAction: true),
            ]
        }
        if isLocked {
            return [
                .nothingToApply,
                Command(
                    "domain-open", .text("accounts.menu.domain-open"), keys: [.character("o"), .enter], isAction: true),
            ]
        }
        return [
            .nothingToApply,
            Command("change", .text("accounts.menu.change"), keys: [.enter], off: noAccount, isAction: true),
        ] + AccountControlMenu.commands(off: noAccount) + [
            Command("trace", .text("accounts.menu.trace"), keys: [.character("t")], off: noAccount, isAction: true),
            Command(
                "add", .text("accounts.menu.add"), keys: [.character("a")], bar: .text("bar.add"),
                off: elsewhere ?? noDomain ?? off, isAction: true),
            Command(
                "delete", .text("accounts.menu.delete"), keys: [.character("d")], bar: .text("bar.delete"),
                off: elsewhere ?? noAccount ?? off, danger: .final, isAction: true),
            Command(
                "import", .text("accounts.menu.import"), keys: [.character("i")], off: elsewhere ?? noDomain ?? off,
                danger: .wide, isAction: true),
            Command(
                "sync", .text("accounts.menu.sync"), keys: [.character("y")], off: elsewhere ?? noDomain ?? off,
                danger: .wide, isAction: true),
            Command(
                "export", .text("accounts.menu.export"), keys: [.character("x")], off: elsewhere ?? noDomain ?? off,
                isAction: true),
        ]
            + (elsewhere == nil
                ? []
                : [
                    Command(
                        "directory-check", .text("directory.check.command"), keys: [.character("v")], isAction: true)
                ])
    }

    /// - Returns: that accounts are added and deleted elsewhere; `nil` when they are our own.
    private static func elsewhere(_ context: Context) -> Phrase? {
        let backend = context.model.server("accounts.backend").values?.first ?? "soft"
        return backend == "soft" ? nil : .text("accounts.elsewhere", context.say(Phrase("value.\(backend)")))
    }

    // MARK: - Rows

    mutating func opened(_ context: inout Context) { sync(&context) }
    mutating func prepare(_ context: Context) {
        guard (context.size.columns < 72) != isCompact else { return }
        adapt(to: context.size)
        syncDomains(context)
    }

    mutating func modelChanged(_ context: inout Context) {
        if !context.isConnected {
            listing = nil
            measuring = nil
        }
        sync(&context)
    }

    private mutating func sync(_ context: inout Context) {
        adapt(to: context.size)
        form.update("accounts", as: Table.self) { table in
            guard let flags = table.columns.firstIndex(where: { $0.id == "flags" }) else { return }
            table.columns[flags].minimum = AccountText.flagsWidth(context)
        }
        syncDomains(context)
        if context.model.accountDomain != shownDomain { changeDomain(context.model.accountDomain) }
        if version != context.model.accountsVersion {
            version = context.model.accountsVersion
            isLocked = false
            form.update("accounts", as: Table.self) { table in
                if listing == nil { table.requestFailed() }
                table.invalidate()
            }
            measured = []
        }
    }

    /// The layout follows the width of the screen; rows come anew.
    private mutating func adapt(to size: Size) {
        let compact = size.columns < 72
        guard compact != isCompact else { return }
        isCompact = compact
        let table = form.widget("accounts", as: Table.self) ?? list
        form.rows = Self.rows(table, isCompact: compact)
        _ = form.setFocus("accounts")
    }

    private mutating func syncDomains(_ context: Context) {
        let names = context.model.domains
        let selected = context.model.accountDomain
        if isCompact {
            form.update("domain", as: Select.self) { select in
                select.options = names.map { Option($0.name, .verbatim(Visible.line($0.name))) }
                select.selected = selected
            }
            return
        }
        // Accounts elsewhere are not counted by domain: each has an address in every one.
        let isOurs = Self.elsewhere(context) == nil
        let nodes = names.map {
            Tree.Node($0.name, Visible.line($0.name), count: isOurs ? String($0.accounts) : "")
        }
        form.update("domains", as: Tree.self) { tree in
            // Open until somebody closes it (R-ACC-03).
            let root = Tree.Node(
                Self.root, Visible.line(context.model.hello?.host ?? ""), children: nodes,
                isOpen: tree.roots.first?.isOpen ?? true)
            if tree.roots != [root] { tree.roots = [root] }
            if tree.cursorID != Self.root || shownDomain.isEmpty { tree.select(selected) }
        }
    }

    private static let root = "(root)"

    private mutating func changeDomain(_ name: String) {
        shownDomain = name
        known = [:]
        usages = [:]
        measured = []
        measuring = nil
        total = 0
        listing = nil
        isLocked = false
        form.update("domains", as: Tree.self) { $0.select(name) }
        form.update("accounts", as: Table.self) { $0.restart() }
    }

    mutating func requests(_ context: inout Context) {
        askForUsage(&context)
        guard context.isConnected, context.model.isReady, !shownDomain.isEmpty, !isLocked,
            let wanted = form.update("accounts", as: Table.self, { $0.windowWanted() }) ?? nil
        else { return }
        generation = wanted.generation
        let sorts = ["account", "fullName", "used", "limit"]
        listing = context.send(
            DirectoryInterface.ListAccounts.self,
            .init(
                domain: shownDomain, filter: wanted.filter.isEmpty ? nil : wanted.filter,
                sort: wanted.sort.flatMap { sorts.contains($0) ? $0 : nil }, descending: wanted.isDescending,
                offset: wanted.offset, limit: wanted.limit, locate: wanted.locate, usage: false))
    }

    /// Only for the rows that are seen; the rows never wait for it.
    private mutating func askForUsage(_ context: inout Context) {
        guard context.isConnected, measuring == nil, listing == nil, let table = form.widget("accounts", as: Table.self)
        else { return }
        if context.now - measuredAt >= Self.measureAgain { measured = [] }
        let wanted = table.visibleIDs.filter { !measured.contains($0) }
        guard !wanted.isEmpty else { return }
        measuredAt = context.now
        measured.formUnion(wanted)
        measuring = context.send(
            DirectoryInterface.AccountUsage.self, .init(domain: shownDomain, accounts: Array(wanted.prefix(200))))
    }

    private mutating func took(_ output: DirectoryInterface.AccountUsage.Output, _ context: Context) {
        for row in output.rows {
            usages[row.account] = row
            // Not known in time: it is asked for with the next rows.
            if row.octets == nil { measured.remove(row.account) }
        }
        let rows = output.rows.compactMap { row in
            known[row.account].map { AccountText.row($0, usages[row.account], context) }
        }
        form.update("accounts", as: Table.self) { $0.update(rows) }
    }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.AccountUsage.self, for: measuring) {
            measuring = nil
            if case .success(let output) = result { took(output, context) }
        }
        guard let result = message.result(of: DirectoryInterface.ListAccounts.self, for: listing) else { return }
        listing = nil
        switch result {
        case .success(let output):
            known = Dictionary(output.rows.map { ($0.account, $0) }, uniquingKeysWith: { first, _ in first })
            total = output.total
            let rows = output.rows.map { AccountText.row($0, usages[$0.account], context) }
            form.update("accounts", as: Table.self) {
                $0.supply(
                    RowWindow(
                        generation: generation, offset: output.offset, rows: rows, total: output.total,
                        position: output.position))
            }
        case .failure(let error):
            form.update("accounts", as: Table.self) { $0.requestFailed() }
            if error.detail.code == "domain.locked" {
                isLocked = true
                context.notice(.information, .text("accounts.locked", Visible.line(shownDomain)))
            } else if error.kind != .noConnection {
                context.notice(.error, error.phrase)
            }
        }
    }

    // MARK: - Actions

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .activated("domains") where form.widget("domains", as: Tree.self)?.current?.id == Self.root:
            form.update("domains", as: Tree.self) { $0.toggle(Self.root) }
        case .activated("domains"): _ = form.setFocus("accounts")
        case .changed("domains"):
            if let id = form.widget("domains", as: Tree.self)?.current?.id, id != Self.root { choose(id, &context) }
        case .changed("domain"): choose(form.selected("domain"), &context)
        case .activated("accounts"): perform("change", &context)
        case .command("accounts", let command): perform(command, &context)
        default: break
        }
    }

    private mutating func choose(_ name: String, _ context: inout Context) {
        context.model.accountDomain = name
        changeDomain(name)
        sync(&context)
    }

    mutating func perform(_ command: String, _ context: inout Context) {
        if isLocked, !command.hasPrefix("domain-") {
            return context.notice(.warning, .text("accounts.locked", Visible.line(shownDomain)))
        }
        if let current, let dialog = AccountControlMenu.dialog(command, "\(current.account)@\(current.domain)") {
            return context.open(dialog)
        }
        let isChange = !["trace", "change", "domain-open", "directory-check"].contains(command)
        if isChange, let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        if ["add", "delete", "import", "sync", "export"].contains(command), let reason = Self.elsewhere(context) {
            return context.notice(.warning, reason)
        }
        switch command {
        case "directory-check":
            context.open(
                DirectoryCheckDialog(
                    context.model.server("accounts.backend").values?.first ?? "soft", account: current?.account ?? "",
                    context))
        case "add" where domain(context) != nil: context.open(AccountDialog(adding: shownDomain, context))
        case "change": if let current { context.open(AccountDialog(changing: current, context)) }
        case "delete": if let current { context.open(AccountDeleteDialog(current)) }
        case "trace":
            guard let current else { return }
            context.model.traceWord = "\(current.account)@\(current.domain)"
            context.go(to: PageID.log.rawValue)
        case "import" where domain(context) != nil: context.open(ImportDialog(shownDomain))
        case "sync" where domain(context) != nil: context.open(SyncDialog(shownDomain))
        case "export" where domain(context) != nil:
            context.open(ExportDialog(shownDomain, of: context.model.domains.map(\.name)))
        case "domain-open": if isLocked { context.open(DomainOpenDialog(shownDomain)) }
        case "domain-password": if let entry = domain(context) { context.open(DomainPasswordDialog(entry)) }
        case "domain-add": context.open(DomainDialog(name: "", record: DomainRecord(), isNew: true))
        case "domain-change":
            if let entry = domain(context) {
                context.open(DomainDialog(name: entry.name, record: DomainRecord(entry), isNew: false))
            }
        case "domain-delete":
            if let row = context.model.domainRows.first(where: { $0.name == context.model.accountDomain }) {
                context.open(DomainRules.deleteQuestion(row))
            }
        default: break
        }
    }

    /// Domains changed here are sent at once: in the original, too, OK of this dialog is the end of it.
    mutating func answered(_ answer: Answer, _ context: inout Context) {
        switch (answer.id, answer.button) {
        case ("domain", "ok"):
            let path = DomainRecord.path(answer.values["name"] ?? "")
            context.stage(path, DomainDialog.record(answer).values)
            _ = context.startApply([path])
        case ("domain-delete", "go"):
            let path = DomainRecord.path(context.model.accountDomain)
            context.stage(path, nil)
            _ = context.startApply([path])
        default: return
        }
        context.modelChanged()
    }
}

/// Accounts in words.
enum AccountText {
    /// - Parameter usage: `nil` while it is being looked up.
    static func row(_ entry: AccountEntry, _ usage: MailboxUsageRow?, _ context: Context) -> TableRow {
        let limit = usage?.limit ?? entry.mailboxLimit
        let percent = usage?.octets.flatMap { Self.percent($0, of: limit) }
        return TableRow(
            id: entry.account,
            cells: [
                Visible.line(entry.account), Visible.line(entry.fullName),
                usage.map { $0.octets.map { Bytes.text($0) } ?? "?" } ?? "...", percent.map { "\($0)%" } ?? "",
                limit == 0 ? "-" : Bytes.text(limit), flags(entry, usage?.control, context),
                entry.lastLogin.map { Clock.date($0, utcOffset: context.model.utcOffset) } ?? "",
            ], mark: (percent ?? 0) >= 95 ? .problem : .none, role: entry.isEnabled ? .normal : .disabled)
    }

    /// A letter for each thing that is on; of the control files once they were looked at.
    private static func flags(_ entry: AccountEntry, _ control: AccountControlState?, _ context: Context) -> String {
        let control = control ?? AccountControlState()
        return [
            (entry.smtpAuth, "auth"), (control.forwards != 0, "forward"), (control.replies, "reply"),
            (control.hasHours, "hours"), (control.hasRecipients, "recipients"), (!entry.isEnabled, "off"),
        ].filter(\.0).map { context.say(Phrase("accounts.flag.\($0.1)")) }.joined()
    }

    /// Cells of the letters that can stand together; an account that is off seldom has all of them.
    static func flagsWidth(_ context: Context) -> Int {
        let letters = ["auth", "forward", "reply", "hours", "recipients"].map {
            context.metrics.width(context.say(Phrase("accounts.flag.\($0)")))
        }
        return max(6, letters.reduce(0, +))
    }

    /// What the control files do, in words.
    static func control(_ state: AccountControlState?) -> [Phrase] {
        guard let state else { return [] }
        var parts: [Phrase] = []
        switch state.forwards {
        case 0: break
        case 1: parts.append(.text("accounts.line.forward-one"))
        case 2...: parts.append(.text("accounts.line.forward", String(state.forwards)))
        default: parts.append(.text("accounts.line.forward-broken"))
        }
        if state.replies { parts.append(.text("accounts.line.reply")) }
        if state.hasHours { parts.append(.text("accounts.line.hours")) }
        if state.hasRecipients { parts.append(.text("accounts.line.recipients")) }
        return parts
    }

    /// - Returns: `nil` without a limit.
    static func percent(_ octets: Int, of limit: Int) -> Int? {
        limit > 0 ? Int(min(9_999, Double(octets) * 100 / Double(limit))) : nil
    }
}
