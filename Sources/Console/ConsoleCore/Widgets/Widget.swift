/// A part of a page: value-type state, a reaction to keys, and a picture of itself.
///
/// `handle` is pure (no clock, no I/O). `draw` may remember geometry (page height, first row shown) and nothing else:
/// drawing twice gives the same picture. Every widget that has the focus puts the hardware cursor on its caret or item.
package protocol Widget {
    var isFocusable: Bool { get }
    /// Letters go into the widget, so commands on letters rest.
    var takesText: Bool { get }
    /// Wants the next key before any command (Ctrl-V).
    var takesNextKey: Bool { get }
    /// Rows that it likes to have when it is `width` cells wide.
    func idealHeight(width: Int, _ look: Look) -> Int
    /// Takes more rows when there are any (tables, texts).
    var isFlexible: Bool { get }
    /// Draws its own marks and uses the page from its edge (tables, trees, rules).
    var fillsPage: Bool { get }
    /// Cells that it likes to have; `nil` = the rest of the row.
    func idealWidth(_ look: Look) -> Int?
    /// Its keys, for the key bar and help.
    var commands: [Command] { get }
    mutating func handle(_ key: Key) -> Reaction
    mutating func draw(in region: Region, focused: Bool)
    /// Something that it opened over the page (a list of values); drawn last.
    var hasPopup: Bool { get }
    /// - Parameter anchor: where the widget itself was drawn, in `page`'s coordinates.
    func drawPopup(over page: Region, anchor: Rect)
    /// The focus comes or goes; a popup closes.
    mutating func focusChanged(_ focused: Bool)
}

/// What a key did to a widget.
package enum Reaction: Hashable, Sendable {
    /// Not a key of this widget.
    case ignored
    case handled
    /// The value is another one now.
    case changed
    /// Enter on a row, a button pressed.
    case activated
    /// The key cannot be right here; the reason goes to the message line.
    case refused(Phrase)
    /// Done here: the focus may go on (Enter in a one-line field).
    case next
    /// One of the widget's own commands that its page has to carry out (add, delete, move).
    case command(String)
}

extension Widget {
    package var isFocusable: Bool { true }
    package var takesText: Bool { false }
    package var takesNextKey: Bool { false }
    package func idealHeight(width: Int, _ look: Look) -> Int { 1 }
    package var isFlexible: Bool { false }
    package var fillsPage: Bool { isFlexible }
    package func idealWidth(_ look: Look) -> Int? { nil }
    package var commands: [Command] { [] }
    package var hasPopup: Bool { false }
    package func drawPopup(over page: Region, anchor: Rect) {}
    package mutating func focusChanged(_ focused: Bool) {}
}
