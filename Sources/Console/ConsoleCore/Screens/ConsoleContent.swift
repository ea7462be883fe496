import Control

/// The console of the product: its areas and pages, and the model behind them.
package enum ConsoleContent {
    package static var content: Content {
        Content(
            areas: areas, header: header, receive: ModelLink.receive, tick: ModelLink.tick, perform: perform,
            commands: commands, draft: draft, restore: restore)
    }

    static var areas: [Area] {
        let digits: [Character] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-"]
        func tabs(_ pages: [PageID]) -> [Tab] {
            zip(pages, digits).map { page, digit in
                Tab(page.rawValue, digit: digit, name: page.name, title: page.title, make: { _ in screen(page) })
            }
        }
        return [
            Area("control", letter: "c", name: .text("area.control"), tabs: tabs(PageID.control)),
            Area("accounts", letter: "a", name: .text("area.accounts"), tabs: tabs([.accounts])),
            Area("monitor", letter: "m", name: .text("area.monitor"), tabs: tabs(PageID.monitor)),
        ]
    }

    private static func screen(_ page: PageID) -> any Screen {
        switch page {
        case .server: ServerScreen()
        case .ssl: SSLScreen()
        case .domain: DomainScreen()
        case .service: ServiceScreen()
        case .about: AboutScreen()
        case .relay: RelayScreen()
        case .alias: AliasScreen()
        case .lists, .logs, .filter, .virus: ComingScreen(page)
        case .accounts: AccountsScreen()
        case .dashboard: DashboardScreen()
        case .queue: QueueScreen()
        case .log: LogScreen()
        case .trace: TraceScreen()
        case .simulate: SimulateScreen()
        case .senders: SendersScreen()
        case .history: HistoryScreen()
        }
    }

    // MARK: - Row 0

    private static func header(_ context: Context) -> HeaderFacts {
        let model = context.model
        let services = model.status?.services ?? []
        let registered = services.filter { $0.state != .notRegistered }
        let running = registered.filter { $0.state == .running }.count
        let isOffline = !context.isConnected
        // Before the first status nothing is known of the services, not even that there are none.
        let state: Phrase =
            model.status == nil ? .verbatim("") : .text("frame.running", String(running), String(registered.count))
        let own = (model.hello?.user ?? "") + "@"
        let others = (model.status?.presence ?? []).filter { !$0.hasPrefix(own) }
        return HeaderFacts(
            host: Visible.line(model.hello?.host ?? ""),
            services: isOffline ? .text("frame.offline") : state,
            isTrouble: isOffline || running < registered.count, staged: model.draft.count,
            user: Visible.line(model.hello?.user ?? ""),
            others: others.first.map { "+\(others.count) " + Visible.line($0) } ?? "",
            stagedTabs: Set(model.draft.edits.map { PageID.of(path: $0.path).rawValue }),
            hasPassword: model.hello?.isLocked ?? false)
    }

    // MARK: - Commands of the whole product

    private static func commands(_ context: Context) -> [Command] {
        [
            Command("wizard", .text("wizard.title"), off: context.changeRefusal),
            Command("drop-page", .text("cancel.title"), off: context.model.draft.isEmpty ? .text("review.empty") : nil),
        ]
    }

    private static func perform(_ command: String, _ context: inout Context) -> Bool {
        switch command {
        case "review": context.showFullPage(ReviewScreen(context))
        case "wizard": context.showFullPage(WizardScreen(context))
        case "undo": step(&context, "notice.undone") { $0.undo() }
        case "redo": step(&context, "notice.redone") { $0.redo() }
        case "drop-page": context.showFullPage(ReviewScreen(context))
        default: return false
        }
        return true
    }

    private static func step(_ context: inout Context, _ text: String, _ body: (inout Draft) -> [String]) {
        let paths = body(&context.model.draft)
        guard !paths.isEmpty else { return context.notice(.information, .text("notice.nothing-to-undo")) }
        let names = paths.map { SettingText.name(of: $0, context.say) }.joined(separator: ", ")
        context.notice(.information, .text(text, names))
        context.announce()
        context.modelChanged()
    }

    // MARK: - The draft between sessions

    private static func draft(_ context: Context) -> String? {
        // A draft that was found and not answered yet stays as it is.
        if let saved = context.model.saved { return DraftFile.text(of: saved) }
        guard context.model.draft.edits.contains(where: { !$0.isSecret }) else { return nil }
        return DraftFile.text(of: context.model.draft, time: context.model.draftTime)
    }

    private static func restore(_ text: String, _ context: inout Context) {
        context.model.saved = DraftFile.read(text)
    }
}
