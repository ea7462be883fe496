/// The draft as it is kept on disk between sessions (console.md 6.1): lines of tab-separated, escaped texts. Secrets are
/// left out; conflicts are found again when the server's values are known.
enum DraftFile {
    private static let head = "epost-console draft 1"

    /// - Parameter time: milliseconds since 1970, shown when the draft is offered again.
    static func text(of draft: Draft, time: Int) -> String {
        text(of: Saved(time: time, edits: draft.edits.filter { !$0.isSecret }))
    }

    static func text(of saved: Saved) -> String {
        var lines = ["\(head)\t\(saved.time)"]
        for edit in saved.edits {
            let base = fields(edit.base.values)
            lines.append(
                (["\(edit.base.revision)", escaped(edit.path), "\(base.count)"] + base + fields(edit.new))
                    .joined(separator: "\t"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    struct Saved: Hashable, Sendable {
        var time: Int
        var edits: [StagedEdit]
    }

    /// `nil` for anything that is not whole: half a draft is worse than none.
    static func read(_ text: String) -> Saved? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        guard let first = lines.first?.split(separator: "\t"), first.count == 2, first[0] == head,
            let time = Int(first[1])
        else { return nil }
        lines.removeFirst()
        var edits: [StagedEdit] = []
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map { unescaped($0) }
            guard parts.count >= 3, let revision = Int(parts[0]), let count = Int(parts[2]), count >= 1,
                parts.count > 3 + count, let base = values(parts[3..<(3 + count)]),
                let new = values(parts[(3 + count)...])
            else { return nil }
            edits.append(StagedEdit(path: parts[1], base: ServerValue(values: base, revision: revision), new: new))
        }
        return Saved(time: time, edits: edits)
    }

    /// `-` for nothing, `+` before the values there are.
    private static func fields(_ values: Values) -> [String] {
        guard let values else { return ["-"] }
        return ["+"] + values.map(escaped)
    }

    private static func values(_ fields: ArraySlice<String>) -> Values? {
        switch fields.first {
        case "-" where fields.count == 1: .some(nil)
        case "+": .some(Array(fields.dropFirst()))
        default: nil
        }
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                switch scalar {
                case "t": result += "\t"
                case "n": result += "\n"
                case "r": result += "\r"
                default: result.unicodeScalars.append(scalar)
                }
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
