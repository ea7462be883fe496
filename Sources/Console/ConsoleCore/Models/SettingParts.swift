import Control
import Settings

/// Widgets for settings, made from the catalogue: one entry there is a field here. The part's id is the setting's key.
enum SettingParts {
    /// A row with the setting's label; check boxes carry their label themselves.
    static func row(_ key: String, width: Int? = nil, unit: String? = nil, more: [FormPart] = []) -> FormRow {
        let definition = SettingsCatalogue.definition(of: key)
        let label: Phrase? = definition?.type == .boolean ? nil : Phrase("setting.\(key).label")
        var parts = [part(key, width: width)]
        if let unit { parts.append(FormPart("", Label(Phrase(unit), .hint))) }
        return FormRow(label, parts + more)
    }

    static func part(_ key: String, width: Int? = nil) -> FormPart {
        guard let definition = SettingsCatalogue.definition(of: key) else { return FormPart("", Label("")) }
        switch definition.type {
        case .boolean: return FormPart(key, CheckBox(Phrase("setting.\(key).label")))
        case .choice(let words):
            let options = words.map { Option($0, SettingText.choice(key, $0)) }
            return FormPart(key, Select(options, selected: words.first ?? "", width: width))
        case .choices(let words):
            return FormPart(key, Select(subsets(words), selected: "", width: width))
        case .list(_, let maximum):
            return FormPart(key, ListEditor([], maximum: maximum, rows: 3, width: width ?? 30))
        default:
            return FormPart(
                key, TextField(kind: kind(definition.type), width: width), width: width == nil ? .fill : .ideal)
        }
    }

    private static func kind(_ type: SettingType) -> TextField.Kind {
        switch type {
        case .integer(let range): .number(range)
        case .path, .mailboxPattern: .path
        case .mailAddress: .mailAddress
        case .secret, .sealed: .password
        default: .text
        }
    }

    /// Every choice out of a few words as one value each: `PLAIN LOGIN`; none is the original's NO (R-SVC-11).
    private static func subsets(_ words: [String]) -> [Option] {
        var options = [Option("", .text("value.auth.none"))]
        for mask in 1..<(1 << min(words.count, 5)) {
            let chosen = words.enumerated().filter { mask >> $0.offset & 1 == 1 }.map(\.element)
            options.append(Option(chosen.joined(separator: " "), .verbatim(chosen.joined(separator: "+"))))
        }
        return options
    }

    /// What the widget holds, as the setting's values.
    static func values(_ key: String, in form: Form) -> [String] {
        guard let definition = SettingsCatalogue.definition(of: key) else { return [] }
        switch definition.type {
        case .boolean: return [form.isOn(key) ? "true" : "false"]
        case .choice: return [form.selected(key)]
        case .choices: return form.selected(key).split(separator: " ").map(String.init)
        case .list: return form.widget(key, as: ListEditor.self)?.values ?? []
        default:
            let text = form.text(key).trimmedBlanks
            return text.isEmpty ? [] : [text]
        }
    }

    static func show(_ key: String, _ values: [String], original: [String], in form: inout Form) {
        guard let definition = SettingsCatalogue.definition(of: key) else { return }
        switch definition.type {
        case .boolean: form.setOn(key, values == ["true"])
        case .choice: form.setSelected(key, values.first ?? "")
        case .choices: form.setSelected(key, values.joined(separator: " "))
        case .list: form.update(key, as: ListEditor.self) { $0.values = values }
        default:
            form.setText(key, values.joined(separator: " "))
            form.update(key, as: TextField.self) { $0.original = original.joined(separator: " ") }
        }
    }

    /// What is wrong with values by their form alone, before the server sees them.
    static func problem(_ key: String, _ values: [String]) -> Problem? {
        guard let definition = SettingsCatalogue.definition(of: key) else { return nil }
        switch definition.normalized(values) {
        case .success: return nil
        case .failure(let found):
            return Problem(path: key, code: found.code, message: found.message, arguments: found.arguments)
        }
    }

    /// Values as the server would store them, so that `a` and ` a ` are the same edit.
    static func normalized(_ key: String, _ values: [String]) -> [String] {
        guard let definition = SettingsCatalogue.definition(of: key),
            case .success(let values) = definition.normalized(values)
        else { return values }
        return values
    }
}

extension String {
    var trimmedBlanks: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
