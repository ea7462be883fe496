/// How much a command can cost, and so how it is asked (see `Question`).
package enum Danger: Int, Sendable {
    /// Undone with `u`: no question.
    case reversible = 0
    /// Felt by others: dialog with numbers, "keep" is the default.
    case felt = 1
    /// Cannot be undone, one thing: as above, and says what goes with it.
    case final = 2
    /// Cannot be undone, many or shared: a name or number must be typed.
    case wide = 3
}

/// A command: its name, its keys, whether it may be used now and why not. The key bar, help, the palette and the
/// actions menu are views of lists of these; nothing else says which key does what.
package struct Command: Sendable {
    /// Stable name, `queue.retry`.
    package var id: String
    package var name: Phrase
    /// First key first. Letters work only where the focus is not in a text.
    package var keys: [Key]
    /// Short words in the key bar; `nil` = not in the bar.
    package var bar: Phrase?
    /// Shown in the bar in place of the first key's name (`^N/^P`).
    package var barKeys: String?
    /// The higher, the longer it stays in a narrow bar.
    package var priority: Int
    /// Why it cannot be used now; `nil` = it can.
    package var off: Phrase?
    package var danger: Danger
    /// In the actions menu (`m`), the right-click menu of the original.
    package var isAction: Bool

    package init(
        _ id: String, _ name: Phrase, keys: [Key] = [], bar: Phrase? = nil, barKeys: String? = nil,
        priority: Int = 50, off: Phrase? = nil, danger: Danger = .reversible, isAction: Bool = false
    ) {
        self.id = id
        self.name = name
        self.keys = keys
        self.bar = bar
        self.barKeys = barKeys
        self.priority = priority
        self.off = off
        self.danger = danger
        self.isAction = isAction
    }

    /// Names of all keys, for help: `Ctrl-N`-style keys stay in the short form.
    package func keyNames(_ say: any Localizer) -> String {
        keys.map { $0.name(say) }.joined(separator: "  ")
    }

    package func matches(_ key: Key) -> Bool { keys.contains(key) }
}
