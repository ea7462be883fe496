/// What the terminal edge read, before Esc, pastes and stray answers are understood.
package enum RawKey: Hashable, Sendable {
    case scalar(Unicode.Scalar)
    /// A key that the terminal library recognised.
    case key(Key)
    case pasteBegin, pasteEnd
}

/// Turns what came in one burst into keys. Pure: the caller says when the burst came.
///
/// The rules of Esc: Esc followed by a key in the same burst is `.alt(key)`; alone it is `.escape`. Since `.alt(x)` is
/// handled as Esc, then x, the pause between the two never decides the meaning. `Esc Tab` in one burst is Shift-Tab
/// (the Linux console sends that). A late cursor report (`Esc [ n ; n R`) is swallowed, and an arrow in the form that
/// terminfo did not announce (`Esc [ A`, `Esc O A`) is recognised.
package struct KeyDecoder: Sendable {
    /// A burst of more characters than this is a paste, where the terminal does not mark pastes.
    static let pasteCharacters = 20
    /// Milliseconds between two reads of one unmarked paste.
    static let pasteGap = 5

    /// Scalars of one paste; what comes after them is dropped.
    static let scalarsAtMost = 1 << 20

    private var marked: [Unicode.Scalar]?
    private var lastBurst = Int.min / 2
    private var lastWasPaste = false

    package init() {}

    /// A marked paste whose end has not come yet: its text is kept until then.
    package var isInsidePaste: Bool { marked != nil }

    /// - Parameter moment: milliseconds on any steady clock.
    package mutating func decode(_ burst: [RawKey], at moment: Int) -> [Key] {
        var keys: [Key] = []
        var rest = burst[...]
        while let raw = rest.first {
            if marked != nil {
                takeMarked(raw, &keys)
                rest.removeFirst()
                continue
            }
            rest = next(rest, &keys)
        }
        let isContinued = lastWasPaste && moment - lastBurst <= KeyDecoder.pasteGap
        lastBurst = moment
        let joined = joinPaste(keys, isContinued: isContinued)
        lastWasPaste = if case .paste? = joined.last { joined.count == 1 } else { false }
        return joined
    }

    private mutating func takeMarked(_ raw: RawKey, _ keys: inout [Key]) {
        if let count = marked?.count, count >= KeyDecoder.scalarsAtMost, raw != .pasteEnd { return }
        switch raw {
        case .scalar(let scalar): marked?.append(scalar)
        case .key(.enter): marked?.append("\n")
        case .key(.tab): marked?.append("\t")
        case .pasteEnd:
            keys.append(.paste(KeyDecoder.pasted(marked ?? [])))
            marked = nil
        case .key, .pasteBegin: break  // nothing else is text
        }
    }

    private static func pasted(_ scalars: [Unicode.Scalar]) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return String(text.map { $0 == "\r" || $0 == "\r\n" ? "\n" : $0 })
    }

    private mutating func next(_ rest: ArraySlice<RawKey>, _ keys: inout [Key]) -> ArraySlice<RawKey> {
        let after = rest.dropFirst()
        switch rest.first {
        case .scalar("\u{1B}"), .key(.escape): return escape(after, &keys)
        case .scalar(let scalar): keys.append(KeyDecoder.key(scalar))
        case .key(let key): keys.append(key)
        case .pasteBegin: marked = []
        case .pasteEnd, nil: break
        }
        return after
    }

    private mutating func escape(_ rest: ArraySlice<RawKey>, _ keys: inout [Key]) -> ArraySlice<RawKey> {
        if let (found, after) = KeyDecoder.sequence(rest) {
            if let found { keys.append(found) }
            return after
        }
        var following: [Key] = []
        switch rest.first {
        case nil, .pasteBegin, .pasteEnd, .scalar("\u{1B}"), .key(.escape):
            keys.append(.escape)
            return rest
        default: break
        }
        let after = next(rest, &following)
        switch following.first {
        case .tab?: keys.append(.backTab)
        case let key?: keys.append(.alt(key))
        case nil: keys.append(.escape)
        }
        return after
    }

    /// A control sequence that the terminal library did not know: a cursor report is dropped, an arrow is an arrow.
    private static func sequence(_ rest: ArraySlice<RawKey>) -> (Key?, ArraySlice<RawKey>)? {
        guard case .scalar(let introducer)? = rest.first, introducer == "[" || introducer == "O" else { return nil }
        var digits: [Unicode.Scalar] = []
        var tail = rest.dropFirst()
        while case .scalar(let scalar)? = tail.first, digits.count < 16 {
            tail = tail.dropFirst()
            if scalar == ";" || ("0"..."9").contains(scalar) {
                digits.append(scalar)
            } else if digits.isEmpty {
                return letters[scalar].map { ($0, tail) }
            } else if scalar == "R", digits.contains(";") {
                return (nil, tail)
            } else if scalar == "~" {
                var number = ""
                number.unicodeScalars.append(contentsOf: digits.prefix { $0 != ";" })
                return Int(number).flatMap { numbers[$0] }.map { ($0, tail) }
            } else {
                return nil
            }
        }
        return nil
    }

    private static let letters: [Unicode.Scalar: Key] = [
        "A": .up, "B": .down, "C": .right, "D": .left, "H": .home, "F": .end, "Z": .backTab,
        "P": .function(1), "Q": .function(2), "R": .function(3), "S": .function(4),
    ]
    private static let numbers: [Int: Key] = [
        1: .home, 2: .insert, 3: .delete, 4: .end, 5: .pageUp, 6: .pageDown, 7: .home, 8: .end,
        11: .function(1), 12: .function(2), 13: .function(3), 14: .function(4), 15: .function(5), 17: .function(6),
        18: .function(7), 19: .function(8), 20: .function(9), 21: .function(10),
    ]

    static func key(_ scalar: Unicode.Scalar) -> Key {
        switch scalar.value {
        case 0x08, 0x7F: .backspace
        case 0x09: .tab
        case 0x0A, 0x0D: .enter
        case 0x1B: .escape
        case 0x00: .control("@")
        case 0x01...0x1A: .control(Character(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) + 0x60)))
        case 0x1C...0x1F: .control(Character(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) + 0x40)))
        default: .character(Character(scalar))
        }
    }

    /// An unmarked paste: many different characters at once. One key held down is not a paste.
    private func joinPaste(_ keys: [Key], isContinued: Bool) -> [Key] {
        guard isContinued || keys.count > KeyDecoder.pasteCharacters else { return keys }
        var text = ""
        for key in keys {
            switch key {
            case .character(let character): text.append(character)
            case .enter: text.append("\n")
            case .tab: text.append("\t")
            default: return keys
            }
        }
        guard isContinued || Set(keys).count > 2 else { return keys }
        return keys.isEmpty ? [] : [.paste(text)]
    }
}
