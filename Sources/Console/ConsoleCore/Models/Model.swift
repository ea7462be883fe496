import Control

/// Somebody else changed a place a moment ago: `~` for 10 s (console.md 6.2).
struct ForeignMark: Hashable, Sendable {
    var author: String
    var origin: String
    var until: Moment
}

/// What a request that the model itself sent was for.
enum ModelRequest: Hashable, Sendable {
    case hello, status, watch, settings, domains, announce, certificate
    case validate(PageID)
    case apply
    case service(name: String, action: String)
    case table(String)
    /// One alias whose edit is staged, by its path.
    case alias(String)
}

/// The pages' shared state: the server as we know it, and the draft of changes.
package struct Model: Sendable {
    /// Whether the snapshot of the server is complete; before that the pages are empty.
    var isReady = false
    /// The management password, when one is set, was given in this session (R-MC-07).
    var isUnlocked = false
    /// When the connection was lost, on the console's clock; values are as of then.
    var lostAt: WallClock?
    /// Set until the pages that depend on the first contact (wizard, password) have been shown.
    var isGreeted = false
    /// Where the person sits, told to the server for others to see.
    package var origin: String?

    var hello: ServerInterface.Hello.Output?
    var status: ServerStatus?
    /// What services did since the console was opened, newest first.
    var events: [ServerEvent] = []
    var settings: [String: SettingEntry] = [:]
    var domains: [DomainEntry] = []
    /// The pair that is set; `nil` until it was looked at.
    var certificate: CertificateReport?
    /// Tables that pages stage edits of, by name.
    var tables: [String: TableState] = [:]
    /// Aliases that edits were begun of, by path (`alias/NAME`), as the server has them.
    var aliases: [String: ServerValue] = [:]
    var draft = Draft()
    var foreign: [String: ForeignMark] = [:]
    var problems: [String: [Problem]] = [:]
    var apply: ApplyRun?
    var applyOutcome: ApplyOutcome?
    /// Places that this console changed by a call of its own: the push that tells of it is no news.
    var ownChanges: Set<String> = []
    /// When something was staged last, milliseconds since 1970.
    var draftTime = 0
    /// The draft of an earlier session, until it was offered.
    var saved: DraftFile.Saved?

    /// Counted up when rows of a list changed at the server; pages compare.
    var accountsVersion = 0
    var aliasesVersion = 0
    var queueVersion = 0
    var historyVersion = 0
    /// The domain whose accounts the Account Manager shows.
    var accountDomain = ""
    /// Of protected domains that were opened (R-ACC-11); never written anywhere.
    var domainKeys: [String] = []

    /// What the Log page shall be filtered by when it comes up next; `nil` = as it was.
    var logFilter: String?
    /// What the Queue page shall be filtered by when it comes up next; `nil` = as it was.
    var queueFilter: String?
    /// What the Trace page shall look for when it comes up next; `nil` = as it was.
    var traceWord: String?
    /// What the Simulate page shall begin with; `nil` = as it was.
    var simulation: SimulationWish?

    var requests: [RequestID: ModelRequest] = [:]
    var announced: [String] = []
    /// Server's wall clock minus the console's steady clock, milliseconds.
    var serverOffset: Int?

    package init() {}

    func serverTime(_ now: Moment) -> Int? { serverOffset.map { $0 + now } }
    var utcOffset: Int { hello?.utcOffset ?? 0 }
    var isConfigured: Bool { status?.isConfigured ?? hello?.isConfigured ?? true }

    // MARK: - Values

    /// The server's value of a setting, of `domain/NAME` or of `table/NAME`.
    func server(_ path: String) -> ServerValue {
        if let name = DomainRecord.name(ofPath: path) {
            guard let entry = domains.first(where: { $0.name == name }) else {
                return ServerValue(values: nil, revision: 0)
            }
            return ServerValue(values: DomainRecord(entry).values, revision: entry.revision)
        }
        if let name = TableRecord.name(ofPath: path) {
            return ServerValue(values: tables[name]?.lines, revision: 0)
        }
        if AliasRecord.name(ofPath: path) != nil {
            return aliases[path] ?? ServerValue(values: nil, revision: 0)
        }
        guard let entry = settings[path] else { return ServerValue(values: [], revision: 0) }
        return ServerValue(values: entry.values, revision: entry.revision)
    }

    /// What a form shows: the staged value, else the server's.
    func values(_ path: String) -> [String] {
        if let edit = draft[path] { return edit.new ?? [] }
        return server(path).values ?? []
    }

    func value(_ path: String) -> String { values(path).first ?? "" }
    func isOn(_ path: String) -> Bool { value(path) == "true" }

    /// The mark at the left of a row that shows `path`.
    func mark(_ path: String, now: Moment) -> Mark {
        if problems[path]?.contains(where: { !$0.isWarning }) == true { return .problem }
        if let edit = draft[path] { return edit.isConflict ? .problem : .staged }
        return (foreign[path]?.until ?? 0) > now ? .foreign : .none
    }

    /// Staged changes of one page.
    func staged(on page: PageID) -> [StagedEdit] { draft.edits.filter { PageID.of(path: $0.path) == page } }
}

extension Context {
    /// Why nothing can be changed now; `nil` = it can.
    var changeRefusal: Phrase? {
        if !isConnected { return .text("notice.offline") }
        if isReadOnly || model.hello?.mayChange == false { return .text("notice.read-only") }
        return nil
    }

    /// Stages a value, unless only looking is allowed; problems found in the old one are forgotten.
    /// - Parameter begun: the server's value when the edit was begun, if that is longer ago than now.
    mutating func stage(_ path: String, _ values: Values, isSecret: Bool = false, begun: ServerValue? = nil) {
        if let refusal = isReadOnly || model.hello?.mayChange == false ? Phrase.text("notice.read-only") : nil {
            return notice(.warning, refusal)
        }
        model.problems[path] = nil
        model.draftTime = clock.unixMilliseconds
        let current = model.server(path)
        model.draft.stage(path, values, server: begun ?? current, isSecret: isSecret)
        // A revert meets the server at Apply.
        if let begun, begun != current, RevertRecord.revision(ofPath: path) == nil { meet(path, current) }
        announce()
    }

    /// The edit just staged meets what somebody else made of the place while it was typed.
    private mutating func meet(_ path: String, _ current: ServerValue) {
        var value = current
        value.author = model.foreign[path]?.author ?? ""
        value.origin = model.foreign[path]?.origin ?? ""
        value.time = model.serverTime(now) ?? 0
        guard model.draft.serverChanged(path, to: value) == .conflict else { return }
        notice(.warning, .text("notice.conflict", value.author, SettingText.name(of: path, say)))
    }

    /// Tells others on which pages something is staged, when that has changed.
    mutating func announce() {
        let pages = PageID.allCases.filter { !model.staged(on: $0).isEmpty }.map(\.presenceName)
        guard isConnected, model.isReady, pages != model.announced else { return }
        model.announced = pages
        ask(ServerInterface.Announce.self, .init(pages: pages), for: .announce)
    }

    /// Sends a request whose answer belongs to the model, whoever asks.
    mutating func ask<M: ControlMethod>(_ method: M.Type, _ input: M.Input, for request: ModelRequest) {
        model.requests[sendForModel(method, input, stream: M.isStream)] = request
    }

    /// Asks unless the same thing is under way.
    mutating func refresh<M: ControlMethod>(_ method: M.Type, _ input: M.Input, for request: ModelRequest) {
        if !model.requests.values.contains(request) { ask(method, input, for: request) }
    }
}

extension Phrase {
    /// A text of the catalogue by its key, with `{0}`, `{1}`, … filled.
    static func text(_ key: String, _ arguments: String...) -> Phrase {
        Phrase(key, Dictionary(uniqueKeysWithValues: arguments.enumerated().map { (String($0), $1) }))
    }
}

extension ControlError {
    /// The message in the reader's language, of the first problem when there is one.
    var phrase: Phrase {
        if let first = detail.problems?.first(where: { !$0.isWarning }) { return first.phrase }
        return Phrase(
            code: detail.code.isEmpty ? "control.unknown" : detail.code, english: Visible.line(detail.message),
            arguments: (detail.arguments ?? []).map(Visible.line))
    }
}

extension StatusNote {
    var phrase: Phrase { Phrase(code: code, english: Visible.line(message), arguments: arguments.map(Visible.line)) }
}

extension ServerEvent {
    /// What happened, then why, in the reader's language.
    func told(_ say: any Localizer) -> String {
        guard let notes, let first = notes.first else { return Visible.line(message ?? "") }
        let rest = notes.dropFirst().map { say($0.phrase) }.joined(separator: "; ")
        return rest.isEmpty ? say(first.phrase) : say(first.phrase) + ": " + rest
    }
}

extension ServiceStatus {
    /// Why it failed or waits, in the reader's language; empty = nothing is to be said.
    func told(_ say: any Localizer) -> String {
        notes.isEmpty ? Visible.line(reason ?? "") : notes.map { say($0.phrase) }.joined(separator: "; ")
    }
}

extension Problem {
    var phrase: Phrase {
        Phrase(code: code, english: Visible.line(message), arguments: arguments.map(Visible.line))
    }
}
