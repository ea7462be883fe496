import Control

/// A text on its way into a file of the person who looks: written at once when there is none of that name, else after a
/// question. For the dialogs that export and save.
struct FileSaving {
    enum Outcome {
        case written
        /// What to say where.
        case failed(Phrase)
    }

    private static let question = "file-over"

    private(set) var path = ""
    private var text = ""
    private var request: RequestID?

    var isWriting: Bool { request != nil }

    /// Takes the path from the form's field `path`; without one, it says so and stays there.
    /// - Returns: whether there is a name.
    mutating func takePath(_ form: inout Form, _ context: inout Context) -> Bool {
        path = form.text("path").trimmedBlanks
        guard path.isEmpty else { return true }
        _ = form.setFocus("path")
        context.notice(.warning, .text("file.name-needed"))
        return false
    }

    mutating func write(_ text: String, _ context: inout Context) {
        self.text = text
        request = context.file(.write(path: path, text: text, overwrites: false))
    }

    /// - Returns: how it ended; `nil` while it goes on.
    mutating func receive(_ message: LinkMessage, _ context: inout Context) -> Outcome? {
        guard let outcome = message.file(for: request) else { return nil }
        request = nil
        switch outcome {
        case .written: return .written
        case .exists:
            context.open(
                Question(
                    Self.question, title: .text("export.over.title"),
                    lines: [.text("export.over.question", Visible.line(path))], danger: .felt,
                    keep: .text("button.keep"), go: .text("export.over.do"), letter: "o"))
            return nil
        case .failed(let reason):
            return .failed(.text("file.cannot-write", Visible.line(path), Visible.line(reason)))
        case .contents: return nil
        }
    }

    mutating func answered(_ answer: Answer, _ context: inout Context) {
        guard answer.id == Self.question, answer.button == "go" else { return }
        request = context.file(.write(path: path, text: text, overwrites: true))
    }
}
