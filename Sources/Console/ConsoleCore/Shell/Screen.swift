/// What a page of the console is.
///
/// A page is its `form` (widgets, buttons, focus) and what it does when something happens in it. The shell draws
/// everything around it, moves the focus, finds commands for keys, asks questions and carries requests to the server;
/// a page only reacts. All methods have a default that does nothing.
///
///     struct QueueScreen: Screen {
///         var form = Form([FormRow(nil, "list", Table([…], features: [.filter, .mark, .sort]))], buttons: …)
///         func header(_ context: Context) -> PageHeader { PageHeader(title: "Queue") }
///         mutating func requests(_ context: inout Context) {          // after each turn
///             if let wanted = form.update("list", as: Table.self, { $0.windowWanted() }) ?? nil {
///                 listing = (context.send(QueueInterface.List.self, …), wanted.generation)
///             }
///         }
///         mutating func receive(_ message: LinkMessage, _ context: inout Context) { … supply(…) }
///         mutating func formEvent(_ event: FormEvent, _ context: inout Context) { … }
///     }
package protocol Screen {
    var form: Form { get set }
    /// Full name of the page and its state: row 2, and the sentence of the message line when nothing else is there.
    func header(_ context: Context) -> PageHeader
    /// Commands of this page, allowed or not (with the reason), in the order of the actions menu.
    func commands(_ context: Context) -> [Command]
    /// The page comes up: the first time and each time it is shown again.
    mutating func opened(_ context: inout Context)
    /// Another page is shown now. Streams that nobody needs are cancelled here.
    mutating func closed(_ context: inout Context)
    mutating func formEvent(_ event: FormEvent, _ context: inout Context)
    /// A command of `commands(_:)` or one of the shared ones: `apply`, `undo`, `redo`; on pages over the tabs also
    /// `back` (Esc) and `cancel` (Ctrl-C).
    mutating func perform(_ command: String, _ context: inout Context)
    /// Answers to the requests of this page. Connection changes and what the model received come as `modelChanged`.
    mutating func receive(_ message: LinkMessage, _ context: inout Context)
    /// The model changed (push, answer, connection, another page's edit): take over what is not being edited.
    mutating func modelChanged(_ context: inout Context)
    /// About once a second while the page is shown.
    mutating func tick(_ context: inout Context)
    /// Called after each turn: ask the server for rows that tables want now.
    mutating func requests(_ context: inout Context)
    /// Called before each frame: lines that follow the cursor of a list. It asks for nothing.
    mutating func prepare(_ context: Context)
    /// A dialog or question that this page opened has ended.
    mutating func answered(_ answer: Answer, _ context: inout Context)
    /// Whether the bars of areas and tabs stay above it; without them the page has the screen for itself (wizard).
    var showsBars: Bool { get }
}

extension Screen {
    package func commands(_ context: Context) -> [Command] { [] }
    package mutating func opened(_ context: inout Context) {}
    package mutating func closed(_ context: inout Context) {}
    package mutating func formEvent(_ event: FormEvent, _ context: inout Context) {}
    package mutating func perform(_ command: String, _ context: inout Context) {}
    package mutating func receive(_ message: LinkMessage, _ context: inout Context) {}
    package mutating func modelChanged(_ context: inout Context) {}
    package mutating func tick(_ context: inout Context) {}
    package mutating func requests(_ context: inout Context) {}
    package mutating func prepare(_ context: Context) {}
    package mutating func answered(_ answer: Answer, _ context: inout Context) {}
    package var showsBars: Bool { true }
}

package struct PageHeader: Hashable, Sendable {
    package var title: Phrase
    /// Right end of the title row: `1 change staged, not applied`.
    package var state: Phrase?
    package var stateRole: Role
    /// In place of the tab bar where an area has no tabs: `Domain Lists > mail1`.
    package var path: Phrase?
    /// The message line while there is no notice: a sentence about the focused item.
    package var hint: Phrase?

    package init(
        title: Phrase, state: Phrase? = nil, stateRole: Role = .hint, path: Phrase? = nil, hint: Phrase? = nil
    ) {
        self.title = title
        self.state = state
        self.stateRole = stateRole
        self.path = path
        self.hint = hint
    }
}

/// One page in the bar of an area.
package struct Tab {
    package var id: String
    /// `1`–`9`, `0`, `-`: Esc, then the character.
    package var digit: Character
    /// Short: the bar of all tabs has 80 columns.
    package var name: Phrase
    /// Full name, for the palette and the compact layout.
    package var title: Phrase
    package var make: (Context) -> any Screen

    package init(
        _ id: String, digit: Character, name: Phrase, title: Phrase, make: @escaping (Context) -> any Screen
    ) {
        self.id = id
        self.digit = digit
        self.name = name
        self.title = title
        self.make = make
    }
}

/// Control, Accounts, Monitor: a group of tabs. An area of one tab shows no tab bar.
package struct Area {
    package var id: String
    /// Esc, then the letter.
    package var letter: Character
    package var name: Phrase
    package var tabs: [Tab]

    package init(_ id: String, letter: Character, name: Phrase, tabs: [Tab]) {
        self.id = id
        self.letter = letter
        self.name = name
        self.tabs = tabs
    }
}

/// Row 0: where we are and how it goes.
package struct HeaderFacts: Hashable, Sendable {
    package var host: String
    /// `RUN 3/3`
    package var services: Phrase
    package var isTrouble: Bool
    package var staged: Int
    package var user: String
    /// Others who have staged changes: `+1 sato@Relay`.
    package var others: String
    /// Ids of tabs with staged changes.
    package var stagedTabs: Set<String>
    /// A system management password is set: the lock screen can be left again.
    package var hasPassword: Bool

    package init(
        host: String = "", services: Phrase = .verbatim(""), isTrouble: Bool = false, staged: Int = 0,
        user: String = "", others: String = "", stagedTabs: Set<String> = [], hasPassword: Bool = false
    ) {
        self.host = host
        self.services = services
        self.isTrouble = isTrouble
        self.staged = staged
        self.user = user
        self.others = others
        self.stagedTabs = stagedTabs
        self.hasPassword = hasPassword
    }
}

/// Everything the shell needs to know about the product: its pages and the model behind them.
package struct Content {
    package var areas: [Area]
    package var header: (Context) -> HeaderFacts
    /// The connection is up (first time or again), was lost, or a request sent by the model was answered.
    package var receive: (LinkMessage, inout Context) -> Void
    package var tick: (inout Context) -> Void
    /// Shared commands that belong to no page (`review`, `undo`, …); `false` = not done, the page may do it.
    package var perform: (String, inout Context) -> Bool
    /// Commands of the whole product beside the shell's own, for the palette.
    package var commands: (Context) -> [Command]
    /// The draft as text to be kept across sessions; `nil` = nothing to keep. Secrets are left out.
    package var draft: (Context) -> String?
    /// A draft found at the start.
    package var restore: (String, inout Context) -> Void

    package init(
        areas: [Area], header: @escaping (Context) -> HeaderFacts,
        receive: @escaping (LinkMessage, inout Context) -> Void = { _, _ in },
        tick: @escaping (inout Context) -> Void = { _ in },
        perform: @escaping (String, inout Context) -> Bool = { _, _ in false },
        commands: @escaping (Context) -> [Command] = { _ in [] },
        draft: @escaping (Context) -> String? = { _ in nil },
        restore: @escaping (String, inout Context) -> Void = { _, _ in }
    ) {
        self.areas = areas
        self.header = header
        self.receive = receive
        self.tick = tick
        self.perform = perform
        self.commands = commands
        self.draft = draft
        self.restore = restore
    }
}
