/// What stands at the left edge of a row beside the focus mark.
package enum Mark: Hashable, Sendable {
    case none, staged, foreign, problem

    package var character: Character {
        switch self {
        case .none: " "
        case .staged: "*"
        case .foreign: "~"
        case .problem: "!"
        }
    }
    package var role: Role {
        switch self {
        case .none: .normal
        case .staged: .staged
        case .foreign: .foreign
        case .problem: .problem
        }
    }
}

/// One widget in a row of a form, under a name that is unique in the form.
package struct FormPart {
    package enum Width: Hashable, Sendable {
        /// What the widget likes; the rest of the row if it does not say.
        case ideal
        case cells(Int)
        /// The rest of the row.
        case fill
    }
    package var id: String
    package var widget: any Widget
    package var width: Width

    package init(_ id: String, _ widget: any Widget, width: Width = .ideal) {
        self.id = id
        self.widget = widget
        self.width = width
    }
}

/// A row of a form: an optional label and one or more parts from left to right. Parts that do not fit wrap below.
package struct FormRow {
    package var label: Phrase?
    package var parts: [FormPart]
    package var mark: Mark
    /// A row without a label begins at the label column unless this is set.
    package var isIndented: Bool
    /// Cells between two parts.
    package var gap: Int
    package var isHidden: Bool

    package init(
        _ label: Phrase? = nil, _ parts: [FormPart], mark: Mark = .none, isIndented: Bool = false, gap: Int = 2,
        isHidden: Bool = false
    ) {
        self.label = label
        self.parts = parts
        self.mark = mark
        self.isIndented = isIndented
        self.gap = gap
        self.isHidden = isHidden
    }

    /// A row of one part.
    package init(_ label: Phrase? = nil, _ id: String, _ widget: any Widget, mark: Mark = .none) {
        self.init(label, [FormPart(id, widget)], mark: mark)
    }

    package static func text(_ text: Phrase, _ role: Role = .normal, wraps: Bool = true) -> FormRow {
        FormRow(nil, [FormPart("", Label(text, role, wraps: wraps), width: .fill)])
    }
    package static var empty: FormRow { FormRow(nil, [FormPart("", Label(.verbatim("")))]) }
    package static func rule(_ title: Phrase? = nil) -> FormRow {
        FormRow(nil, [FormPart("", Rule(title), width: .fill)])
    }
}

/// What happened in a form; pages react to these.
package enum FormEvent: Hashable, Sendable {
    /// The value of a part is another one now (each key).
    case changed(String)
    /// The focus left a part whose value changed: time to check it and to stage it as one step.
    case left(String)
    case focused(String)
    /// Enter on a table row, or a button in the form pressed.
    case activated(String)
    /// A button of the button row.
    case button(String)
    /// A command of a widget (`add`, `delete`, …) that the page carries out.
    case command(part: String, command: String)
    /// A key was refused; the reason goes to the message line.
    case refused(Phrase)
}

/// A page of widgets with one focus: labels in a column, rows in reading order, scrolled with the focus, buttons apart.
///
/// Tab and Shift-Tab go through all parts and then the buttons; Up and Down go by rows; Enter in a one-line field goes
/// on. The focus is never trapped.
package struct Form {
    /// The focus name of the button row.
    package static let buttonsID = "(buttons)"

    package var rows: [FormRow] { didSet { repairFocus() } }
    package var buttons: ButtonRow?
    package private(set) var focus: String?
    private var changedSinceFocus = false
    var frames: [String: Rect] = [:]
    var scrollTop = 0

    package init(_ rows: [FormRow] = [], buttons: ButtonRow? = nil, focus: String? = nil) {
        self.rows = rows
        self.buttons = buttons
        self.focus = focus ?? order.first
        notifyFocus(true)
    }

    // MARK: Parts by name

    package func place(of id: String) -> (row: Int, part: Int)? {
        for (row, content) in rows.enumerated() {
            if let part = content.parts.firstIndex(where: { $0.id == id }) { return (row, part) }
        }
        return nil
    }

    package func widget<W: Widget>(_ id: String, as type: W.Type = W.self) -> W? {
        place(of: id).flatMap { rows[$0.row].parts[$0.part].widget as? W }
    }

    /// Changes a widget in place. Nothing happens when there is none of this name and type.
    @discardableResult
    package mutating func update<W: Widget, R>(_ id: String, as type: W.Type, _ body: (inout W) -> R) -> R? {
        guard let place = place(of: id), var widget = rows[place.row].parts[place.part].widget as? W else { return nil }
        // The old copy goes first, so that `body` changes the only one and copies no rows.
        rows[place.row].parts[place.part].widget = Label("")
        let result = body(&widget)
        rows[place.row].parts[place.part].widget = widget
        return result
    }

    package func text(_ id: String) -> String { widget(id, as: TextField.self)?.text ?? "" }
    package func isOn(_ id: String) -> Bool { widget(id, as: CheckBox.self)?.isOn ?? false }
    package func selected(_ id: String) -> String {
        widget(id, as: Select.self)?.selected ?? widget(id, as: RadioGroup.self)?.selected ?? ""
    }
    package mutating func setText(_ id: String, _ text: String) {
        update(id, as: TextField.self) { if $0.text != text { $0.text = text } }
    }
    package mutating func setOn(_ id: String, _ isOn: Bool) { update(id, as: CheckBox.self) { $0.isOn = isOn } }
    package mutating func setSelected(_ id: String, _ value: String) {
        update(id, as: Select.self) { $0.selected = value }
        update(id, as: RadioGroup.self) { $0.selected = value }
    }
    package mutating func setLabel(_ id: String, _ text: Phrase, _ role: Role = .normal) {
        update(id, as: Label.self) { $0.spans = [Label.Span(text, role)] }
    }
    package mutating func setMark(_ id: String, _ mark: Mark) {
        if let place = place(of: id) { rows[place.row].mark = mark }
    }
    package func mark(_ id: String) -> Mark { place(of: id).map { rows[$0.row].mark } ?? .none }
    package mutating func setHidden(_ id: String, _ isHidden: Bool) {
        if let place = place(of: id) { rows[place.row].isHidden = isHidden }
    }

    // MARK: Focus

    /// Names of all parts that can have the focus, in reading order.
    var order: [String] {
        rows.filter { !$0.isHidden }.flatMap { $0.parts.filter { $0.widget.isFocusable && !$0.id.isEmpty }.map(\.id) }
            + (buttons?.isFocusable == true ? [Form.buttonsID] : [])
    }

    private mutating func repairFocus() {
        if let focus, focus == Form.buttonsID || place(of: focus) != nil { return }
        focus = order.first
    }

    var focusedWidget: (any Widget)? {
        guard let focus else { return nil }
        if focus == Form.buttonsID { return buttons }
        return place(of: focus).map { rows[$0.row].parts[$0.part].widget }
    }

    package var takesText: Bool { focusedWidget?.takesText ?? false }
    package var takesNextKey: Bool { focusedWidget?.takesNextKey ?? false }
    package var hasPopup: Bool { focusedWidget?.hasPopup ?? false }

    /// Moves the focus; a change made since it came is announced as `.left`.
    @discardableResult
    package mutating func setFocus(_ id: String) -> [FormEvent] {
        guard id != focus, order.contains(id) else { return [] }
        var events = leave()
        focus = id
        notifyFocus(true)
        events.append(.focused(id))
        return events
    }

    /// The focus leaves the form (to the tab bar, to a dialog): the pending `.left`, if any.
    package mutating func leave() -> [FormEvent] {
        notifyFocus(false)
        defer { changedSinceFocus = false }
        return changedSinceFocus ? focus.map { [.left($0)] } ?? [] : []
    }

    private mutating func notifyFocus(_ focused: Bool) {
        guard let focus else { return }
        if focus == Form.buttonsID {
            buttons?.focusChanged(focused)
        } else if let place = place(of: focus) {
            rows[place.row].parts[place.part].widget.focusChanged(focused)
        }
    }

    private mutating func step(_ offset: Int) -> [FormEvent] {
        let order = order
        guard !order.isEmpty else { return [] }
        let index = focus.flatMap { order.firstIndex(of: $0) } ?? 0
        return setFocus(order[(index + offset + order.count) % order.count])
    }

    /// Up and Down: the nearest part of the next line that has one.
    private mutating func stepRow(_ offset: Int) -> [FormEvent] {
        guard let focus, let here = frames[focus] else { return step(offset) }
        let others = order.filter { $0 != Form.buttonsID }.compactMap { id in frames[id].map { (id, $0) } }
        let beyond = others.filter { offset > 0 ? $0.1.y >= here.bottom : $0.1.bottom <= here.y }
        let line = offset > 0 ? beyond.map(\.1.y).min() : beyond.map(\.1.y).max()
        let nearest = beyond.filter { $0.1.y == line }.min { abs($0.1.x - here.x) < abs($1.1.x - here.x) }
        if let nearest { return setFocus(nearest.0) }
        if offset > 0, buttons?.isFocusable == true, focus != Form.buttonsID { return setFocus(Form.buttonsID) }
        return []
    }

    // MARK: Keys

    /// - Returns: `nil` when the key means nothing here.
    package mutating func handle(_ key: Key) -> [FormEvent]? {
        guard let focus else { return nil }
        let reaction: Reaction
        if focus == Form.buttonsID {
            reaction = buttons?.handle(key) ?? .ignored
        } else if let place = place(of: focus) {
            reaction = rows[place.row].parts[place.part].widget.handle(key)
        } else {
            reaction = .ignored
        }
        switch reaction {
        case .ignored: return navigate(key)
        case .handled: return []
        case .changed:
            changedSinceFocus = true
            return [.changed(focus)]
        case .activated:
            if focus == Form.buttonsID { return leaveEvents() + [.button(buttons?.pressed ?? "")] }
            return leaveEvents() + [.activated(focus)]
        case .refused(let reason): return [.refused(reason)]
        case .next: return step(1)
        case .command(let command): return leaveEvents() + [.command(part: focus, command: command)]
        }
    }

    private mutating func leaveEvents() -> [FormEvent] {
        defer { changedSinceFocus = false }
        return changedSinceFocus ? focus.map { [.left($0)] } ?? [] : []
    }

    private mutating func navigate(_ key: Key) -> [FormEvent]? {
        switch key {
        case .tab: step(1)
        case .backTab: step(-1)
        case .down: stepRow(1)
        case .up: focus == Form.buttonsID ? step(-1) : stepRow(-1)
        case .left: stepInLine(-1)
        case .right: stepInLine(1)
        default: nil
        }
    }

    /// Left and Right: the neighbour on the same line, if there is one.
    private mutating func stepInLine(_ offset: Int) -> [FormEvent]? {
        let order = order
        guard let focus, let here = frames[focus], let index = order.firstIndex(of: focus),
            order.indices.contains(index + offset), let there = frames[order[index + offset]],
            there.y < here.bottom, here.y < there.bottom
        else { return nil }
        return setFocus(order[index + offset])
    }
}
