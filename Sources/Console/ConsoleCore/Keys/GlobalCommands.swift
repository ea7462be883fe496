/// Commands that work on every page (key map of the console).
enum GlobalCommand {
    static let help = Command(
        "help", "Help", keys: [.character("?"), .function(1)], bar: "Help", priority: 90)
    static let palette = Command(
        "palette", "Go to any screen, field or command", keys: [.control("g"), .character(":"), .function(2)],
        bar: "Go", priority: 70)
    static let nextTab = Command(
        "tab.next", "Next tab", keys: [.control("n"), .character("]")], bar: "Tab", barKeys: "^N/^P", priority: 80)
    static let previousTab = Command("tab.previous", "Previous tab", keys: [.control("p"), .character("[")])
    static let nextField = Command("field.next", "Next field", keys: [.tab], bar: "Field", priority: 40)
    static let previousField = Command("field.previous", "Previous field", keys: [.backTab])
    static let apply = Command(
        "apply", "Apply this tab", keys: [.control("o"), .function(10), .control("s")], bar: "Apply", priority: 85)
    static let review = Command(
        "review", "Review all staged changes", keys: [.control("r"), .function(6)], bar: "Review", priority: 60)
    static let undo = Command("undo", "Undo the last staged edit", keys: [.character("u")])
    static let redo = Command("redo", "Redo", keys: [.character("U")])
    static let cancel = Command("cancel", "Cancel, back", keys: [.escape, .function(9), .control("c")])
    static let menu = Command("menu", "Actions menu", keys: [.character("m")], bar: "Menu", priority: 65)
    static let redraw = Command("redraw", "Redraw the screen", keys: [.control("l")])
    static let lock = Command("lock", "Lock now")
    static let leave = Command("leave", "Leave", keys: [.character("q")])
    static let language = Command("language", "Language: Japanese / English")
    static let messages = Command("messages", "Messages so far")
    static let keyTest = Command("key-test", "Key test")
    static let theme = Command("theme", "Colours: next theme")
    static let emergency = Command(
        "emergency", "Restore the terminal and exit; the draft is kept", keys: [.control("\\")])
    static let suspend = Command("suspend", "Suspend", keys: [.control("z")])

    static let all = [
        help, palette, nextTab, previousTab, nextField, previousField, apply, review, undo, redo, cancel, menu, redraw,
        lock, leave, language, theme, messages, keyTest, emergency, suspend,
    ]
}
