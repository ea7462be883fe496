/// A modal box over a page: a form with buttons, its own focus, its own draft.
///
/// Opened with `context.open(dialog)`; ended with `context.finish(answer)` (whoever opened it gets the answer) or
/// `context.closeDialog()`. Dialogs nest, at most three deep.
package protocol Dialog {
    var title: Phrase { get }
    var form: Form { get set }
    /// Cells inside the frame; the dialog takes the whole width where there is less.
    var width: Int { get }
    /// Rows inside the frame, without the button row; `nil` = what the form likes.
    var height: Int? { get }
    /// Something was typed: Esc asks before it is lost.
    var isDirty: Bool { get }
    /// Pressed by Ctrl-O; `nil` = Ctrl-O does nothing.
    var okButton: String? { get }
    /// Enter, Space and letters are ignored for 150 ms after it came up, and keys typed before it are thrown away, so
    /// that typed-ahead keys never answer it.
    var ignoresEarlyKeys: Bool { get }
    func commands(_ context: Context) -> [Command]
    func hint(_ context: Context) -> Phrase?
    mutating func opened(_ context: inout Context)
    /// A look at a key before the form; `true` = done with it.
    mutating func handle(_ key: Key, _ context: inout Context) -> Bool
    mutating func formEvent(_ event: FormEvent, _ context: inout Context)
    mutating func perform(_ command: String, _ context: inout Context)
    mutating func receive(_ message: LinkMessage, _ context: inout Context)
    mutating func modelChanged(_ context: inout Context)
    mutating func tick(_ context: inout Context)
    mutating func requests(_ context: inout Context)
    mutating func answered(_ answer: Answer, _ context: inout Context)
    /// Esc closes it.
    mutating func cancelled(_ context: inout Context)
}

extension Dialog {
    package var width: Int { 64 }
    package var height: Int? { nil }
    package var isDirty: Bool { false }
    package var okButton: String? { "ok" }
    package var ignoresEarlyKeys: Bool { true }
    package func commands(_ context: Context) -> [Command] { [] }
    package func hint(_ context: Context) -> Phrase? { nil }
    package mutating func opened(_ context: inout Context) {}
    package mutating func handle(_ key: Key, _ context: inout Context) -> Bool { false }
    package mutating func formEvent(_ event: FormEvent, _ context: inout Context) {}
    package mutating func perform(_ command: String, _ context: inout Context) {}
    package mutating func receive(_ message: LinkMessage, _ context: inout Context) {}
    package mutating func modelChanged(_ context: inout Context) {}
    package mutating func tick(_ context: inout Context) {}
    package mutating func requests(_ context: inout Context) {}
    package mutating func answered(_ answer: Answer, _ context: inout Context) {}
    package mutating func cancelled(_ context: inout Context) {}
}

/// How a dialog ended.
package struct Answer: Hashable, Sendable {
    /// Names the question for the one who asked.
    package var id: String
    /// The button; `cancel` after Esc.
    package var button: String
    package var values: [String: String]

    package init(_ id: String, button: String, values: [String: String] = [:]) {
        self.id = id
        self.button = button
        self.values = values
    }
}

/// A confirmation. The focus is on the harmless button; the other one has its own letter and is never pressed by Enter;
/// what it costs is said in numbers; for `wide` dangers a name or number must be typed.
///
/// Answers with the buttons `go`, `keep` or `cancel` and the value `option` where there are options.
package struct Question: Dialog {
    package var id: String
    package var title: Phrase
    package var form: Form
    package var width: Int { 62 }
    package var okButton: String? { nil }
    private let expected: String?

    /// - Parameters:
    ///   - lines: what happens and what it costs.
    ///   - typed: text that must be typed before `go` can be pressed.
    package init(
        _ id: String, title: Phrase, lines: [Phrase], danger: Danger, keep: Phrase = "Keep", go: Phrase,
        letter: Character, options: [Option] = [], typed: String? = nil
    ) {
        self.id = id
        self.title = title
        expected = typed
        var rows = lines.map { FormRow.text($0) }
        if let first = options.first {
            rows.append(.empty)
            rows.append(FormRow(nil, "option", RadioGroup(options, selected: first.id, isColumn: options.count > 2)))
        }
        if let typed {
            rows.append(.empty)
            rows.append(.text(Phrase("Type {text} to confirm.", ["text": typed])))
            rows.append(FormRow(nil, "typed", TextField(width: max(12, min(40, typed.count + 4)))))
        }
        let off: Phrase? = typed.map { Phrase("Type {text} first.", ["text": $0]) }
        let buttons = ButtonRow([
            .init("keep", keep),
            .init("go", go, letter: letter, off: off, isLetterOnly: danger != .reversible),
        ])
        form = Form(rows, buttons: buttons, focus: typed == nil ? Form.buttonsID : "typed")
    }

    package mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .changed("typed"):
            let isRight = form.text("typed") == expected
            let off: Phrase? = isRight ? nil : expected.map { Phrase("Type {text} first.", ["text": $0]) }
            form.buttons?.items[1].off = off
        case .button(let button):
            context.finish(Answer(id, button: button, values: ["option": form.selected("option")]))
        default: break
        }
    }

    package mutating func cancelled(_ context: inout Context) {
        context.finish(Answer(id, button: "cancel"))
    }
}

/// Something to read, with one button.
package struct Information: Dialog {
    package var title: Phrase
    package var form: Form
    package var width: Int
    package var okButton: String? { "close" }

    package init(title: Phrase, lines: [Phrase], width: Int = 62) {
        self.title = title
        self.width = width
        form = Form(lines.map { FormRow.text($0) }, buttons: ButtonRow([.init("close", "Close")]))
    }

    package mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        if case .button = event { context.closeDialog() }
    }
}
