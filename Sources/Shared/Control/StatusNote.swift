/// A sentence of the server about its state: a key of the catalogues with its arguments, so that each reader gets it in
/// the own language, and the English text for everybody else.
package struct StatusNote: Codable, Hashable, Sendable {
    package var code: String
    /// English.
    package var message: String
    package var arguments: [String]
    package init(_ code: String, _ message: String, _ arguments: [String] = []) {
        self.code = code
        self.message = message
        self.arguments = arguments
    }
}

extension [StatusNote] {
    /// In English: what happened, then why.
    package var message: String {
        guard let first else { return "" }
        let rest = dropFirst().map(\.message).joined(separator: "; ")
        return rest.isEmpty ? first.message : "\(first.message): \(rest)"
    }
}
