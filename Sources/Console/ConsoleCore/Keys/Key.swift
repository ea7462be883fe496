/// A key press as the program sees it. Keys that terminals cannot tell apart are one: Ctrl-I is `tab`, Ctrl-J and Ctrl-M
/// `enter`, Ctrl-[ `escape`, Ctrl-H and Ctrl-? `backspace`.
package indirect enum Key: Hashable, Sendable {
    case character(Character)
    /// Lower-case letter, or one of `\ ] ^ _ @`.
    case control(Character)
    case enter, tab, backTab, escape, backspace, delete, insert
    case up, down, left, right, home, end, pageUp, pageDown
    case function(Int)
    /// Esc and the key came in one burst (Alt-key). Everywhere but in dialogs it means the same as Esc, then the key.
    case alt(Key)
    /// Pasted text, lines separated by line feeds.
    case paste(String)
    /// A key whose name terminfo did not tell us.
    case unknown(Int)
}

extension Key {
    /// The name shown in the key bar and in help: `^N`, `Esc 3`, `Tab`; words of a language through `say`.
    package func name(_ say: any Localizer) -> String {
        switch self {
        case .character(" "): say("Space")
        case .character(let character): String(character)
        case .control(let letter): "^" + String(letter).uppercased()
        case .enter: "Enter"
        case .tab: "Tab"
        case .backTab: "Shift-Tab"
        case .escape: "Esc"
        case .backspace: "Backspace"
        case .delete: "Del"
        case .insert: "Ins"
        case .up: say("Up")
        case .down: say("Down")
        case .left: say("Left")
        case .right: say("Right")
        case .home: "Home"
        case .end: "End"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .function(let number): "F\(number)"
        case .alt(let key): "Esc " + key.name(say)
        case .paste: say("Paste")
        case .unknown(let code): "(\(code))"
        }
    }

    /// A key that writes: in a text it goes into the text.
    var isText: Bool {
        switch self {
        case .character, .paste: true
        default: false
        }
    }
}
