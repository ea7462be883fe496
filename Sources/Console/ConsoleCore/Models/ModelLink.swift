import Control

/// What the model does with what the control socket says: greeting, snapshot, live changes (console.md 6.2).
enum ModelLink {
    static func receive(_ message: LinkMessage, _ context: inout Context) {
        switch message {
        case .connected:
            context.model.requests = [:]
            context.model.announced = []
            context.ask(
                ServerInterface.Hello.self,
                .init(
                    client: "epost-console", origin: context.model.origin,
                    keys: context.model.domainKeys.isEmpty ? nil : context.model.domainKeys), for: .hello)
        case .lost(let error):
            context.model.requests = [:]
            context.model.apply = nil
            guard context.model.hello != nil else { return context.notice(.error, error.phrase) }
            guard context.model.lostAt == nil else { return }
            context.model.lostAt = context.clock
            context.notice(.error, .text("error.no-connection", context.clock.fullText))
        case .reply(let reply): receive(reply, &context)
        case .file: break
        case .failed(let id, let error):
            guard let request = context.model.requests.removeValue(forKey: id) else { return }
            failed(request, error, &context)
        }
    }

    private static func receive(_ reply: LinkReply, _ context: inout Context) {
        guard let request = context.model.requests[reply.id] else { return }
        if request != .watch { context.model.requests[reply.id] = nil }
        do throws(ControlError) {
            switch request {
            case .hello: try greeted(reply.result(of: ServerInterface.Hello.self).0, &context)
            case .status: take(try reply.result(of: ServerInterface.GetStatus.self).0, &context)
            case .watch: live(try reply.result(of: ServerInterface.Watch.self).0, &context)
            case .settings: take(try reply.result(of: SettingsInterface.List.self).0, &context)
            case .domains: take(try reply.result(of: DirectoryInterface.ListDomains.self).0.domains, &context)
            case .announce: break
            case .certificate: take(try reply.result(of: ServerInterface.GetCertificate.self).0, &context)
            case .validate(let page):
                take(try reply.result(of: SettingsInterface.Validate.self).0.problems, on: page, &context)
            case .apply: context.applyStepDone(try reply.result(of: SettingsInterface.Apply.self).0)
            case .alias(let path): take(try reply.result(of: AliasInterface.Get.self).0, alias: path, &context)
            case .table(let name): take(try reply.result(of: TablesInterface.Show.self).0, table: name, &context)
            case .service(let name, let action):
                acted(try reply.result(of: ServicesInterface.Act.self).0, name, action, &context)
            }
            context.modelChanged()
        } catch {
            context.model.requests[reply.id] = nil
            failed(request, error, &context)
        }
    }

    private static func failed(_ request: ModelRequest, _ error: ControlError, _ context: inout Context) {
        let isLost = error.kind == .noConnection
        switch request {
        case .apply:
            context.applyFailed(error)
        case .announce, .certificate: return
        case .watch, .hello, .status, .settings, .domains, .validate, .service, .table, .alias:
            if !isLost { context.notice(.error, error.phrase) }
        }
        context.modelChanged()
    }

    // MARK: - First contact

    private static func greeted(_ hello: ServerInterface.Hello.Output, _ context: inout Context) {
        context.model.hello = hello
        if context.model.lostAt != nil {
            context.model.lostAt = nil
            context.notice(.information, .text("notice.connected"))
        }
        if hello.isLocked, !context.model.isUnlocked {
            context.showFullPage(UnlockScreen())
        } else {
            startSnapshot(&context)
        }
    }

    /// Asks for everything that the pages show; called when the password, if any, has been given.
    static func startSnapshot(_ context: inout Context) {
        context.model.isUnlocked = true
        context.refresh(SettingsInterface.List.self, .init(), for: .settings)
        context.refresh(DirectoryInterface.ListDomains.self, .init(), for: .domains)
        context.refresh(TablesInterface.Show.self, .init(table: "effect"), for: .effectTable)
        askForStagedTables(&context)
        context.refresh(ServerInterface.GetStatus.self, .init(), for: .status)
        context.refresh(ServerInterface.GetCertificate.self, .init(), for: .certificate)
        context.refresh(ServerInterface.Watch.self, .init(statusInterval: 1000), for: .watch)
        context.refreshStagedAliases()
        context.model.accountsVersion += 1
        context.model.aliasesVersion += 1
        context.model.queueVersion += 1
        context.model.historyVersion += 1
    }

    /// Staged lines of a table meet those of the server when these are known.
    static func askForStagedTables(_ context: inout Context) {
        for edit in context.model.draft.edits {
            guard let name = TableRecord.name(ofPath: edit.path) else { continue }
            context.refresh(TablesInterface.Show.self, .init(table: name), for: .table(name))
        }
    }

    private static func take(_ output: SettingsInterface.List.Output, _ context: inout Context) {
        context.model.settings = Dictionary(
            output.settings.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for edit in context.model.draft.edits where !edit.isRecord { rebase(edit.path, nil, &context) }
        guard !context.model.isReady else { return context.announce() }
        context.model.isReady = true
        context.announce()
        firstPage(&context)
    }

    /// The wizard before any other page when there is no configuration (R-WIZ-01), else the draft of last time.
    private static func firstPage(_ context: inout Context) {
        guard !context.model.isGreeted else { return }
        context.model.isGreeted = true
        if context.model.hello?.isConfigured == false, context.changeRefusal == nil {
            context.showFullPage(WizardScreen(context))
        } else if let saved = context.model.saved, !saved.edits.isEmpty {
            context.open(DraftOffer.question(saved, context))
        }
    }

    private static func take(_ list: [DomainEntry], _ context: inout Context) {
        context.model.domains = list
        for edit in context.model.draft.edits where DomainRecord.name(ofPath: edit.path) != nil {
            rebase(edit.path, nil, &context)
        }
        if !list.contains(where: { $0.name == context.model.accountDomain }) {
            context.model.accountDomain = list.first?.name ?? ""
            context.model.accountsVersion += 1
        }
    }

    /// An end that is near is said once when it is first seen, and stands on the Server page.
    private static func take(_ report: CertificateReport, _ context: inout Context) {
        let before = SSLText.warning(context.model.certificate)
        context.model.certificate = report
        guard let warning = SSLText.warning(report), warning != before else { return }
        context.notice(.warning, warning)
    }

    private static func take(_ output: TablesInterface.Show.Output, table name: String, _ context: inout Context) {
        context.model.tables[name] = TableState(output)
        rebase("table/\(name)", nil, &context)
    }

    static func take(_ status: ServerStatus, _ context: inout Context) {
        if context.model.status?.queue != status.queue { context.model.queueVersion += 1 }
        context.model.status = status
        context.model.serverOffset = status.now &- context.now
        context.model.hello?.isConfigured = status.isConfigured
    }

    private static func acted(_ service: ServiceStatus, _ name: String, _ action: String, _ context: inout Context) {
        if let index = context.model.status?.services.firstIndex(where: { $0.name == service.name }) {
            context.model.status?.services[index] = service
        }
        context.notice(.information, .text("notice.service.\(action)", name.uppercased()))
    }

    private static func take(_ found: [Problem], on page: PageID, _ context: inout Context) {
        for path in context.model.problems.keys where PageID.of(path: path) == page {
            context.model.problems[path] = nil
        }
        for problem in found { context.model.problems[problem.path, default: []].append(problem) }
    }

    // MARK: - Live

    private static func live(_ event: ServerEvent, _ context: inout Context) {
        if let status = event.status { take(status, &context) }
        switch event.kind {
        case .status: break
        case .service:
            context.model.events.insert(event, at: 0)
            if context.model.events.count > 50 { context.model.events.removeLast() }
            let told = event.told(context.say)
            if !told.isEmpty { context.notice(.information, .verbatim(told)) }
        case .changed: takeChanges(event, &context)
        case .table:
            for change in event.changes ?? [] {
                markForeign(change.path, event, &context)
                if change.path == "tls" {
                    context.refresh(ServerInterface.GetCertificate.self, .init(), for: .certificate)
                }
            }
        }
    }

    private static func takeChanges(_ event: ServerEvent, _ context: inout Context) {
        var needsSettings = false
        var needsDomains = false
        for change in event.changes ?? [] {
            if change.path.hasPrefix("account/") || change.path == "account" {
                needsDomains = true  // their numbers of accounts
                context.model.accountsVersion += 1
                markForeign(change.path, event, &context)
            } else if change.path == "alias" || change.path.hasPrefix("alias/") {
                takeAlias(change, event, &context)
            } else if change.path.hasPrefix("file/") {
                markForeign(change.path, event, &context)
            } else if let name = TableRecord.name(ofPath: change.path) {
                if context.model.tables[name] != nil {
                    context.refresh(TablesInterface.Show.self, .init(table: name), for: .table(name))
                }
                markForeign(change.path, event, &context)
            } else if DomainRecord.name(ofPath: change.path) != nil {
                needsDomains = true
                markForeign(change.path, event, &context)
            } else {
                takeSetting(change, event, &needsSettings, &context)
            }
        }
        context.model.historyVersion += 1
        if needsSettings { context.refresh(SettingsInterface.List.self, .init(), for: .settings) }
        if needsDomains { context.refresh(DirectoryInterface.ListDomains.self, .init(), for: .domains) }
    }

    /// Many at once are told as one: `alias`.
    private static func takeAlias(_ change: ChangeRecord, _ event: ServerEvent, _ context: inout Context) {
        context.model.aliasesVersion += 1
        guard AliasRecord.name(ofPath: change.path) != nil else {
            context.refreshStagedAliases()
            return markForeign(change.path, event, &context)
        }
        guard context.model.aliases[change.path] != nil else { return markForeign(change.path, event, &context) }
        context.model.aliases[change.path] = ServerValue(values: change.new, revision: event.revision ?? 0)
        if context.model.draft[change.path] == nil {
            markForeign(change.path, event, &context)
        } else {
            rebase(change.path, event, &context)
        }
    }

    private static func take(_ output: AliasInterface.Get.Output, alias path: String, _ context: inout Context) {
        context.model.aliases[path] = AliasRecord.value(output)
        if context.model.draft[path] != nil { rebase(path, nil, &context) }
    }

    private static func takeSetting(
        _ change: ChangeRecord, _ event: ServerEvent, _ needsSettings: inout Bool, _ context: inout Context
    ) {
        let revision = event.revision ?? 0
        // Our own Apply is known already by its answer.
        guard revision > (context.model.settings[change.path]?.revision ?? -1) else { return }
        if let new = change.new {
            context.model.settings[change.path] = SettingEntry(
                key: change.path, values: new, isDefault: false, revision: revision)
        } else {
            needsSettings = true  // back to a default that only the server knows
        }
        context.model.problems[change.path] = nil
        if change.path.hasPrefix("tls.") {
            context.refresh(ServerInterface.GetCertificate.self, .init(), for: .certificate)
        }
        rebase(change.path, event, &context)
    }

    /// The draft meets the server's new value of `path`.
    private static func rebase(_ path: String, _ event: ServerEvent?, _ context: inout Context) {
        guard context.model.apply?.owns(path) != true else { return }
        var value = context.model.server(path)
        let known = context.model.foreign[path]
        value.author = event?.author ?? known?.author ?? ""
        value.origin = event?.origin ?? known?.origin ?? ""
        value.time = event?.time ?? 0
        let before = context.model.draft[path]
        let name = SettingText.name(of: path, context.say)
        switch context.model.draft.serverChanged(path, to: value) {
        case .conflict:
            guard before?.theirs?.values != value.values else { return }
            context.notice(.warning, .text("notice.conflict", value.author, name))
        case .sameAsMine:
            context.notice(.information, .text("notice.same-as-mine", value.author, name))
        case .notStaged, .rebased:
            if let event { markForeign(path, event, &context) }
        }
        context.announce()
    }

    private static func markForeign(_ path: String, _ event: ServerEvent, _ context: inout Context) {
        guard context.model.apply?.owns(path) != true else { return }
        // What this console's own dialogs did needs no mark.
        if event.author == context.model.hello?.user, context.model.ownChanges.contains(path) {
            context.model.ownChanges.remove(path)
            return
        }
        let author = Visible.line(event.author ?? "")
        context.model.foreign[path] = ForeignMark(
            author: author, origin: Visible.line(event.origin ?? ""), until: context.now + 10_000)
        let name = SettingText.name(of: path, context.say)
        context.notice(
            .information,
            author.isEmpty ? .text("notice.changed-on-disk", name) : .text("notice.foreign-change", author, name))
    }

    // MARK: - Time

    static func tick(_ context: inout Context) {
        let now = context.now
        let ended = context.model.foreign.filter { $0.value.until <= now }.map(\.key)
        guard !ended.isEmpty else { return }
        for path in ended { context.model.foreign[path] = nil }
        context.modelChanged()
    }
}

extension WallClock {
    /// `12:03:20`
    var fullText: String { text + ":" + WallClock.two(second) }
}
