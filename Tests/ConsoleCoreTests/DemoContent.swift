import ConsoleCore

/// Pages for tests of the toolkit: every widget once, and a table over any number of rows from a server in memory.
enum Demo {
    static func content(header: HeaderFacts? = nil) -> Content {
        let facts =
            header
            ?? HeaderFacts(
                host: "mail1.example.jp", services: "RUN 3/3", staged: 1, user: "yamada", stagedTabs: ["ssl"],
                hasPassword: true)
        let names = [
            "Server", "SSL", "Domain", "Service", "Relay", "Alias", "Lists", "Logs", "Filter", "Virus", "About",
        ]
        let digits: [Character] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-"]
        let tabs = zip(names, digits).map { name, digit in
            Tab(name.lowercased(), digit: digit, name: Phrase(name), title: Phrase(name + " settings")) { _ in
                if name == "Server" { return FormPage() as any Screen }
                return name == "SSL" ? EditorPage() : ListPage(title: Phrase(name + " settings"))
            }
        }
        return Content(
            areas: [
                Area("control", letter: "c", name: "Control", tabs: tabs),
                Area(
                    "accounts", letter: "a", name: "Accounts",
                    tabs: [
                        Tab("accounts", digit: "1", name: "Accounts", title: "Account manager") { _ in AccountPage() }
                    ]),
                Area(
                    "monitor", letter: "m", name: "Monitor",
                    tabs: [
                        Tab("queue", digit: "2", name: "Queue", title: "Queue") { _ in ListPage(title: "Queue") },
                        Tab("log", digit: "3", name: "Log", title: "Log") { _ in LogPage() },
                    ]),
            ], header: { _ in facts })
    }

    static func app(
        size: Size = Size(columns: 80, rows: 24), metrics: TextMetrics = TextMetrics(), language: Language = .english,
        catalogues: [Language: any Localizer] = [.japanese: DemoJapanese()]
    ) -> App {
        var app = App(content: content(), catalogues: catalogues, language: language, size: size, metrics: metrics)
        _ = app.start(now: 0, clock: WallClock(hour: 12, minute: 3))
        return app
    }
}

/// A few words are enough to see that the language changes and that wide text keeps the columns.
struct DemoJapanese: Localizer {
    let language = Language.japanese
    private static let words = [
        "Control": "設定", "Accounts": "アカウント", "Monitor": "監視", "Server": "サーバ", "Domain": "ドメイン",
        "Service": "サービス", "Relay": "中継", "Alias": "別名", "Lists": "ML", "Logs": "ログ", "Filter": "フィルタ",
        "Virus": "ウイルス", "About": "版", "System password": "システム管理パスワード", "SMTP gateway": "SMTPゲートウェイ",
        "Mailbox folder": "メールボックスフォルダ", "Server settings": "サーバー設定", "Cancel": "キャンセル", "Apply": "適用",
        "Unlock": "解除", "Help": "説明", "Field": "項目", "Tab": "タブ",
    ]
    func pattern(_ source: String, context: String?) -> String? { DemoJapanese.words[source] }
}

struct FormPage: Screen {
    var form = Form(
        [
            FormRow(
                "System password",
                [
                    FormPart("password", TextField("secret12", kind: .password, width: 20)),
                    FormPart("change", Button("Change...")),
                ]),
            FormRow("SMTP gateway", "gateway", TextField("192.168.0.4", kind: .ipAddress, width: 28)),
            FormRow("All received mail", "all", CheckBox("send to the SMTP gateway", isOn: true), mark: .staged),
            FormRow(
                "Mailbox folder",
                [
                    FormPart("folder", TextField("/var/epost/INBOX/%USERNAME%", kind: .path, width: 28)),
                    FormPart(
                        "layout", Select([Option("plain", "Plain"), Option("hash", "Hashed")], selected: "plain")),
                ]),
            FormRow(
                "DNS servers (max 3)", "dns",
                ListEditor(["192.168.1.4", "192.168.1.5"], kind: .ipAddress, maximum: 3, rows: 3), mark: .foreign),
            FormRow("Limit", "limit", TextField("4294967296", kind: .bytes, width: 14)),
            FormRow(
                "Answer to", "answer",
                RadioGroup([Option("all", "everybody"), Option("none", "nobody")], selected: "all")),
        ],
        buttons: ButtonRow([
            .init("ok", "OK"), .init("cancel", "Cancel"), .init("apply", "Apply", letter: "a"), .init("help", "Help"),
        ]))
    var events: [FormEvent] = []

    func header(_ context: Context) -> PageHeader {
        PageHeader(title: "Server settings", state: "1 change staged, not applied", hint: "The gateway takes all mail.")
    }
    func commands(_ context: Context) -> [Command] {
        [Command("stop", "Stop the server", keys: [.character("S")], danger: .felt, isAction: true)]
    }
    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        events.append(event)
        if event == .activated("change") { context.open(EditDialog()) }
    }
    mutating func perform(_ command: String, _ context: inout Context) {
        guard command == "stop" else { return }
        context.open(
            Question(
                "stop", title: "Stop a service",
                lines: ["Stop EPSTRS (SMTP receive)?", "37 sessions are open; 4 are in the middle of a message."],
                danger: .felt, keep: "Keep running", go: "Stop it", letter: "s"))
    }
    mutating func answered(_ answer: Answer, _ context: inout Context) {
        context.notice(.information, .verbatim(answer.id + " " + answer.button))
    }
}

struct EditDialog: Dialog {
    var title: Phrase { "Change the password" }
    var form = Form(
        [FormRow("New password", "new", TextField(kind: .password, width: 20))],
        buttons: ButtonRow([.init("ok", "OK"), .init("cancel", "Cancel")]))
    var isDirty: Bool { !form.text("new").isEmpty }
    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if case .button(let button) = event {
            context.finish(Answer("password", button: button, values: ["new": form.text("new")]))
        }
    }
}

struct EditorPage: Screen {
    var form = Form([
        FormRow(nil, "text", TextArea("10.9.8.0/24 false\n192.168.0.* (true)\nspam@example.com false"))
    ])
    func header(_ context: Context) -> PageHeader { PageHeader(title: "SSL settings") }
}

struct ListPage: Screen {
    var title: Phrase
    var form = Form(
        [
            FormRow(
                nil, "list",
                Table(
                    [
                        TableColumn("id", "Queue id", minimum: 8, maximum: 9, priority: 90, sortLetter: "i"),
                        TableColumn("from", "From", minimum: 10, priority: 80, sortLetter: "f"),
                        TableColumn(
                            "size", "Size", minimum: 5, maximum: 7, priority: 20, align: .right, sortLetter: "s"),
                    ], features: [.add, .delete, .edit, .mark, .filter, .sort]))
        ], buttons: ButtonRow([.init("retry", "Retry now", letter: "r"), .init("delete", "Delete...", letter: "d")]))
    var wanted: [WindowRequest] = []

    init(title: Phrase) { self.title = title }

    func header(_ context: Context) -> PageHeader { PageHeader(title: title, hint: "Enter opens a message.") }
    mutating func requests(_ context: inout Context) {
        if let request = form.update("list", as: Table.self, { $0.windowWanted() }) ?? nil { wanted.append(request) }
    }
    mutating func tick(_ context: inout Context) {
        for request in wanted { form.update("list", as: Table.self) { $0.supply(FakeRows.answer(request)) } }
        wanted = []
    }
}

/// 100,000 rows that exist only where somebody looks.
enum FakeRows {
    static let count = 100_000

    static func row(_ index: Int) -> TableRow {
        let name = "q" + String(1_000_000 + index)
        return TableRow(id: name, cells: [name, "利用者\(index)@example.jp", "\(index % 97) k"])
    }

    static func answer(_ request: WindowRequest, total: Int = count) -> RowWindow {
        let end = min(total, request.offset + request.limit)
        let rows = request.offset < end ? (request.offset..<end).map(row) : []
        let position = request.locate.flatMap { Int($0.dropFirst()) }.map { $0 - 1_000_000 }
        return RowWindow(
            generation: request.generation, offset: request.offset, rows: rows, total: total, position: position)
    }
}

struct AccountPage: Screen {
    var form: Form
    init() {
        var table = Table(
            [
                TableColumn("account", "Account", minimum: 8, priority: 90),
                TableColumn("name", "Full name", minimum: 8, priority: 40),
            ], features: [.add, .delete, .edit, .filter])
        table.setRows([
            TableRow(id: "aoki", cells: ["aoki", "青木 淳"]), TableRow(id: "kawa", cells: ["kawa", "川本 玲"]),
            TableRow(id: "sato", cells: ["sato", "佐藤 由紀"], mark: .problem),
        ])
        let tree = Tree([
            .init(
                "mail1", "mail1",
                children: [
                    .init("example.jp", "example.jp", count: "812"),
                    .init("sales.example.jp", "sales.example.jp", count: "40", children: [], isLoaded: false),
                ], isOpen: true)
        ])
        form = Form([
            FormRow(
                nil,
                [
                    FormPart("tree", tree, width: .cells(25)), FormPart("", Divider()),
                    FormPart("list", table, width: .fill),
                ], gap: 1)
        ])
    }
    func header(_ context: Context) -> PageHeader {
        PageHeader(title: "Account manager", state: "40 accounts, limit 50", path: "Domain Lists > mail1")
    }
}

struct LogPage: Screen {
    var form: Form
    init() {
        var log = LogView()
        log.append([
            .init(id: 1, text: "12:03:01.204 EPSTRS in  192.168.0.15  AUTH ok kawa@sales.example.jp"),
            .init(id: 2, text: "12:03:04.100 EPSTRS in  203.0.113.9 HELO x\u{1B}[2J\u{1B}[H"),
            .init(id: 3, text: "12:03:04.101 EPSTRS in  q7F2A92 DATA \"見積書の件\u{202E}\""),
        ])
        form = Form([FormRow(nil, "log", log)])
    }
    func header(_ context: Context) -> PageHeader { PageHeader(title: "Log") }
}
